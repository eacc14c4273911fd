"""AWS_IAM: checks the signature of a request to a method. Whether the caller's policies allow it is not evaluated yet
(`Settings.iam` is `off`): who can sign may call.

Source: "Create a signed AWS API request" in the IAM user guide; the service is `execute-api`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote_to_bytes

from pileus.cloud.kernel import Credential, CredentialSource, HttpRequest, Principal
from pileus.cloud.kernel.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY

from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)


def verify(cloud: Cloud, request: HttpRequest) -> Principal:
    """Who signed. Raises GatewayFailure for a request that is not signed, or not as it should be."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(_ALGORITHM):
        raise GatewayFailure("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    pairs = (part.strip().partition("=") for part in authorization[len(_ALGORITHM) :].split(","))
    parts = {name: value for name, _, value in pairs}
    scope = parts.get("Credential", "").rsplit("/", 4)
    date = request.headers.get("x-amz-date", "")
    if len(scope) != 5 or not parts.get("Signature") or not parts.get("SignedHeaders") or not date:
        raise GatewayFailure("INVALID_SIGNATURE", "The request signature does not conform to AWS standards.")
    key_id, day, region, service, _ = scope
    credential = _credential(cloud, key_id)
    if credential is None or not credential.active:
        raise GatewayFailure("INVALID_SIGNATURE", "The security token included in the request is invalid.")
    if credential.session_token is not None:
        if request.headers.get("x-amz-security-token") != credential.session_token:
            raise GatewayFailure(
                "INVALID_SIGNATURE", "The security token included in the request is invalid."
            )
        if credential.expires is not None and credential.expires <= cloud.clock.now():
            raise GatewayFailure("EXPIRED_TOKEN", "The security token included in the request is expired")
    key = f"AWS4{credential.secret_access_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    canonical = hashlib.sha256(_canonical(request, parts["SignedHeaders"])).hexdigest()
    text = f"{_ALGORITHM}\n{date}\n{day}/{region}/{service}/aws4_request\n{canonical}"
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if service != "execute-api" or not hmac.compare_digest(expected, parts["Signature"]):
        raise GatewayFailure("INVALID_SIGNATURE", _MISMATCH)
    return credential.principal


def _credential(cloud: Cloud, key_id: str) -> Credential | None:
    if key_id == ROOT_ACCESS_KEY_ID:
        principal = Principal.root(cloud.settings.account, key_id)
        return Credential(key_id, ROOT_SECRET_ACCESS_KEY, principal)
    source = "sts" if key_id.startswith("ASIA") else "iam"
    return cast("CredentialSource", cloud.service(source)).credential(key_id)


def _canonical(request: HttpRequest, signed: str) -> bytes:
    path = quote(request.path or "/", safe=f"/{_UNRESERVED}")
    query = sorted(
        (_encoded(name), _encoded(value))
        for name, _, value in (part.partition("=") for part in request.query.split("&") if part)
    )
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed.split(";")
    )
    pairs = "&".join(f"{name}={value}" for name, value in query)
    body = hashlib.sha256(request.body).hexdigest()
    whole = f"{request.method}\n{path}\n{pairs}\n{headers}\n{signed}\n{body}"
    return whole.encode("utf-8", "surrogateescape")


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", "%20")), safe=_UNRESERVED)
