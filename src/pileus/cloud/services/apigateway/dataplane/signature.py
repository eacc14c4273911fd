"""AWS_IAM: checks the signature of a request to a method. Whether the caller's policies allow it is not evaluated yet
(`Settings.iam` is `off`): who can sign may call.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from pileus.cloud.kernel import HttpRequest, Principal
from pileus.cloud.kernel.identity import find_credential
from pileus.cloud.protocol import sigv4

from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
_UNKNOWN = "The security token included in the request is invalid."


def verify(cloud: Cloud, request: HttpRequest) -> Principal:
    """Who signed. Raises GatewayFailure for a request that is not signed, or not as it should be."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(sigv4.ALGORITHM):
        raise GatewayFailure("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    try:
        signature = sigv4.from_header(authorization, request.headers)
    except sigv4.IncompleteSignature as error:
        raise GatewayFailure("INVALID_SIGNATURE", str(error)) from None
    credential = find_credential(cloud, signature.access_key_id)
    if credential is None or not credential.active:
        raise GatewayFailure("INVALID_SIGNATURE", _UNKNOWN)
    if credential.session_token is not None:
        if signature.token != credential.session_token:
            raise GatewayFailure("INVALID_SIGNATURE", _UNKNOWN)
        if credential.expires is not None and credential.expires <= cloud.clock.now():
            raise GatewayFailure("EXPIRED_TOKEN", "The security token included in the request is expired")
    key = sigv4.signing_key(
        credential.secret_access_key, signature.scope_date, signature.region, signature.service
    )
    expected = sigv4.calculate(key, request, signature, hashlib.sha256(request.body).hexdigest())
    if signature.service != "execute-api" or not sigv4.is_right(expected, signature):
        raise GatewayFailure("INVALID_SIGNATURE", _MISMATCH)
    if wrong := sigv4.skew(signature, time.time()):
        raise GatewayFailure("INVALID_SIGNATURE", wrong)
    return credential.principal
