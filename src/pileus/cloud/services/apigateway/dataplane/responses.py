"""Gateway responses: the errors that API Gateway itself answers with, and how an API may reword them.

Source: "Gateway response types for API Gateway" in the developer guide; bodies and `x-amzn-ErrorType` as observed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from pileus.cloud.kernel import HttpResponse

DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_NAME = r"(?:context|stageVariables|method)(?:\.[A-Za-z0-9_-]+)+"
_VARIABLE = re.compile(rf"\$(?:({_NAME})|\{{({_NAME})\}})")


class ResponseType(NamedTuple):
    """status: None for the two defaults. error: of the x-amzn-ErrorType header. spaced: whether AWS writes a blank
    after the colon of its own body, as it does where the execution of a method failed."""

    status: int | None
    error: str = ""
    spaced: bool = False


TYPES: Mapping[str, ResponseType] = {
    "ACCESS_DENIED": ResponseType(403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": ResponseType(500, "InternalServerErrorException", True),
    "AUTHORIZER_CONFIGURATION_ERROR": ResponseType(500, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": ResponseType(500, "AuthorizerFailureException"),
    "BAD_REQUEST_BODY": ResponseType(400, "BadRequestException", True),
    "BAD_REQUEST_PARAMETERS": ResponseType(400, "BadRequestException", True),
    "DEFAULT_4XX": ResponseType(None),
    "DEFAULT_5XX": ResponseType(None),
    "EXPIRED_TOKEN": ResponseType(403, "ExpiredTokenException"),
    "INTEGRATION_FAILURE": ResponseType(504, "InternalServerErrorException", True),
    "INTEGRATION_TIMEOUT": ResponseType(504, "InternalServerErrorException", True),
    "INVALID_API_KEY": ResponseType(403, "ForbiddenException"),
    "INVALID_SIGNATURE": ResponseType(403, "InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": ResponseType(403, "MissingAuthenticationTokenException"),
    "QUOTA_EXCEEDED": ResponseType(429, "LimitExceededException"),
    "REQUEST_TOO_LARGE": ResponseType(413, "RequestTooLargeException"),
    "RESOURCE_NOT_FOUND": ResponseType(404, "NotFoundException"),
    "THROTTLED": ResponseType(429, "TooManyRequestsException"),
    "UNAUTHORIZED": ResponseType(401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": ResponseType(415, "UnsupportedMediaTypeException", True),
    "WAF_FILTERED": ResponseType(403, "ForbiddenException"),
}


class GatewayFailure(Exception):
    """Ends a request with a gateway response.

    kind: its type. message: None where AWS says null. status: where it is not the type's own. validation: what
    `$context.error.validationErrorString` gives.
    """

    def __init__(
        self,
        kind: str,
        message: str | None = None,
        *,
        status: int | None = None,
        validation: str | None = None,
    ) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message
        self.status = status
        self.validation = validation

    def body(self) -> bytes:
        """AWS's own words, where the API has none."""
        if self.kind == "ACCESS_DENIED":
            return b'{"Message":' + orjson.dumps(self.message) + b"}"
        space = b" " if TYPES[self.kind].spaced else b""
        return b'{"message":' + space + orjson.dumps(self.message) + b"}"


class Custom(NamedTuple):
    """A gateway response that the API worded. parameters: header name → expression."""

    status: int | None
    parameters: Mapping[str, str]
    content_type: str
    template: str


def compile_responses(documents: list[dict[str, Any]]) -> dict[str, Custom]:
    found = {}
    for document in documents:
        templates = document.get("responseTemplates") or {"application/json": DEFAULT_TEMPLATE}
        content_type = "application/json" if "application/json" in templates else next(iter(templates))
        status = document.get("statusCode")
        parameters = {
            name.removeprefix("gatewayresponse.header."): expression
            for name, expression in (document.get("responseParameters") or {}).items()
        }
        found[document["responseType"]] = Custom(
            int(status) if status else None, parameters, content_type, templates[content_type]
        )
    return found


def failure_response(
    failure: GatewayFailure, custom: Mapping[str, Custom], lookup: Callable[[str], str | None]
) -> HttpResponse:
    """lookup: gives `context.…`, `stageVariables.…` and `method.request.…` of the request."""
    own = TYPES[failure.kind]
    status = failure.status or own.status or 500
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": own.error}
    default = custom.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX")
    chosen = custom.get(failure.kind) or default
    if chosen is None:
        return HttpResponse(status, headers, failure.body())
    if chosen.status is not None:
        status = chosen.status
    elif default is not None and default.status is not None:
        status = default.status
    headers["Content-Type"] = chosen.content_type
    for name, expression in chosen.parameters.items():
        value = _expression(expression, lookup)
        if value is not None:
            headers[name] = value
    if chosen.template == DEFAULT_TEMPLATE and failure.kind != "ACCESS_DENIED":
        return HttpResponse(status, headers, failure.body())
    body = _VARIABLE.sub(lambda found: lookup(found[1] or found[2]) or "", chosen.template)
    return HttpResponse(status, headers, body.encode())


def _expression(expression: str, lookup: Callable[[str], str | None]) -> str | None:
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    return lookup(expression)
