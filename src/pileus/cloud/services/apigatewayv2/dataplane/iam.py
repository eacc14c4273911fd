"""AWS_IAM: who signed a request. Whether the caller's policies allow it is not evaluated yet: who can sign may call."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from pileus.cloud.kernel import HttpRequest, Principal
from pileus.cloud.kernel.identity import find_credential
from pileus.cloud.protocol import sigv4

from .answers import forbidden

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud


def signer(cloud: Cloud, request: HttpRequest) -> Principal:
    """Raises Refused, always the same 403, for a request that is not signed or not as it should be."""
    try:
        if "X-Amz-Algorithm=" in request.query:
            signature = sigv4.from_query(request)
        else:
            signature = sigv4.from_header(request.headers.get("authorization", ""), request.headers)
    except sigv4.IncompleteSignature as error:
        raise forbidden(reason=str(error)) from None
    credential = find_credential(cloud, signature.access_key_id)
    if credential is None or not credential.active or signature.service != "execute-api":
        raise forbidden(reason="The security token included in the request is invalid.")
    if credential.session_token is not None:
        expired = credential.expires is not None and credential.expires <= cloud.clock.now()
        if signature.token != credential.session_token or expired:
            raise forbidden(reason="The security token included in the request is invalid.")
    key = sigv4.signing_key(
        credential.secret_access_key, signature.scope_date, signature.region, signature.service
    )
    body_hash = hashlib.sha256(request.body).hexdigest()
    if not sigv4.is_right(sigv4.calculate(key, request, signature, body_hash), signature):
        raise forbidden(
            reason="The request signature we calculated does not match the signature you provided."
        )
    if wrong := sigv4.skew(
        signature, time.time()
    ):  # clients sign with their own clock, which does not travel
        raise forbidden(reason=wrong)
    return credential.principal
