"""Errors that the gateway itself answers with, in the words of each family of services.

The same mistake has another name in each: an unknown key is `InvalidAccessKeyId` to S3, `InvalidClientTokenId` to a
query service and `UnrecognizedClientException` to a JSON one.
"""

from __future__ import annotations

from ..kernel.errors import AwsError


def refusal(code: str, message: str, status: int = 403, **members: str) -> AwsError:
    """An AwsError with a code that is only known when it happens."""
    kind = type("Refusal", (AwsError,), {"code": code, "status": status})
    error = kind(message, **members)
    assert isinstance(error, AwsError)
    return error


def _family(service: str, protocol: str) -> str:
    if service == "s3":
        return "s3"
    return "query" if protocol in ("query", "rest-xml") or service in ("sqs", "cloudwatch") else "json"


_CODES = {
    "unknown-key": {
        "s3": "InvalidAccessKeyId",
        "query": "InvalidClientTokenId",
        "json": "UnrecognizedClientException",
    },
    "mismatch": {
        "s3": "SignatureDoesNotMatch",
        "query": "SignatureDoesNotMatch",
        "json": "InvalidSignatureException",
    },
    "missing": {
        "s3": "AccessDenied",
        "query": "MissingAuthenticationToken",
        "json": "MissingAuthenticationTokenException",
    },
    "incomplete": {
        "s3": "AuthorizationHeaderMalformed",
        "query": "IncompleteSignature",
        "json": "IncompleteSignatureException",
    },
    "expired-token": {"s3": "ExpiredToken", "query": "ExpiredToken", "json": "ExpiredTokenException"},
    "invalid-token": {
        "s3": "InvalidToken",
        "query": "InvalidClientTokenId",
        "json": "UnrecognizedClientException",
    },
    "expired": {
        "s3": "RequestTimeTooSkewed",
        "query": "SignatureDoesNotMatch",
        "json": "InvalidSignatureException",
    },
    "unsigned": {"s3": "AccessDenied"},
    "expired-url": {
        "s3": "AccessDenied",
        "query": "SignatureDoesNotMatch",
        "json": "InvalidSignatureException",
    },
}

_MESSAGES = {
    "unknown-key": "The security token included in the request is invalid.",
    "mismatch": (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    ),
    "missing": "Missing Authentication Token",
    "expired-token": "The security token included in the request is expired",
    "invalid-token": "The security token included in the request is invalid.",
}

_S3_MESSAGES = {
    "unknown-key": "The AWS Access Key Id you provided does not exist in our records.",
    "mismatch": (
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method."
    ),
    "missing": "Access Denied",
    "expired-token": "The provided token has expired.",
    "invalid-token": "The provided token is malformed or otherwise invalid.",
    "expired": "The difference between the request time and the current time is too large.",
    "expired-url": "Request has expired",
    "unsigned": "There were headers present in the request which were not signed",
}


def authentication_error(
    reason: str, service: str, protocol: str, message: str = "", **members: str
) -> AwsError:
    """reason: a key of the tables above. message: where the words carry facts of the request."""
    family = _family(service, protocol)
    words = _S3_MESSAGES.get(reason) if family == "s3" else None
    text = words or message or _MESSAGES.get(reason, reason)
    status = 403
    if service in ("dynamodb", "dynamodbstreams") or (
        family == "s3" and reason in ("expired-token", "incomplete")
    ):
        status = 400
    return refusal(_CODES[reason][family], text, status, **members)
