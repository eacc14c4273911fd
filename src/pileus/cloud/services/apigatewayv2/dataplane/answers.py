"""What API Gateway itself answers with: the words and headers of each refusal.

Source: the developer guide's pages on HTTP APIs (troubleshooting, CORS, throttling), and answers of AWS as published.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from pileus.cloud.kernel import HttpResponse


class Refused(Exception):
    """Ends a request with an answer of API Gateway's own.

    kind: `$context.error.responseType`. reason: for the access log (`$context.authorizer.error` and the like).
    """

    def __init__(
        self,
        status: int,
        message: str,
        kind: str,
        *,
        headers: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.kind = kind
        self.reason = reason
        self._headers = {"content-type": "application/json"} if headers is None else headers

    def response(self) -> HttpResponse:
        return HttpResponse(
            self.status, dict(self._headers), b'{"message":' + orjson.dumps(self.message) + b"}"
        )


def not_found() -> Refused:
    return Refused(404, "Not Found", "NOT_FOUND")


def unauthorized(challenge: str = "", reason: str = "") -> Refused:
    """challenge: of the www-authenticate header, which AWS sends without a content type."""
    headers = {"www-authenticate": challenge} if challenge else None
    return Refused(401, "Unauthorized", "UNAUTHORIZED", headers=headers, reason=reason)


def forbidden(challenge: str = "", reason: str = "") -> Refused:
    headers = {"www-authenticate": challenge} if challenge else None
    return Refused(403, "Forbidden", "ACCESS_DENIED", headers=headers, reason=reason)


def too_many() -> Refused:
    return Refused(429, "Too Many Requests", "THROTTLED")


def too_large() -> Refused:
    return Refused(413, "Request Entity Too Large", "REQUEST_TOO_LARGE")


def internal(reason: str = "", kind: str = "INTEGRATION_FAILURE") -> Refused:
    return Refused(500, "Internal Server Error", kind, reason=reason)


def unavailable(reason: str = "", kind: str = "INTEGRATION_TIMEOUT") -> Refused:
    return Refused(503, "Service Unavailable", kind, reason=reason)
