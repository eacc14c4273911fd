"""Integration responses: which one a result chooses, and what it makes of it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pileus.cloud.kernel import HttpResponse

from ..vtl import parse
from ..vtl.nodes import Block
from ..vtl.values import to_text
from .exchange import Exchange
from .lookup import body_value, lookup_many
from .responses import GatewayFailure
from .templates import apply_template


@dataclass(frozen=True, slots=True)
class IntegrationResponse:
    """pattern: None for the default. parameters: response header → expression."""

    status: int
    pattern: re.Pattern[str] | None
    parameters: Mapping[str, str]
    templates: Mapping[str, Block]
    content_handling: str | None


def compile_responses(documents: Mapping[str, Mapping[str, Any]]) -> tuple[IntegrationResponse, ...]:
    return tuple(
        IntegrationResponse(
            int(status),
            re.compile(document["selectionPattern"]) if document.get("selectionPattern") else None,
            {
                name.removeprefix("method.response.header."): expression
                for name, expression in (document.get("responseParameters") or {}).items()
            },
            {
                content_type: parse(template or "")
                for content_type, template in (document.get("responseTemplates") or {}).items()
            },
            document.get("contentHandling"),
        )
        for status, document in documents.items()
    )


def select(responses: tuple[IntegrationResponse, ...], text: str) -> IntegrationResponse:
    """The response whose pattern matches all of `text`, else the default one."""
    default = None
    for response in responses:
        if response.pattern is None:
            default = default or response
        elif text and response.pattern.fullmatch(text) is not None:
            return response
    if default is None:
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
    return default


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a non-proxy integration."""

    requests: Mapping[str, Block]
    passthrough: str
    content_handling: str | None
    responses: tuple[IntegrationResponse, ...] = ()

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> Templates:
        """Raises TemplateSyntaxError, and NotEmulated for what can't be rendered here."""
        requests = {
            content_type.lower(): parse(template or "")
            for content_type, template in (document.get("requestTemplates") or {}).items()
        }
        return cls(
            requests,
            document["passthroughBehavior"],
            document.get("contentHandling"),
            compile_responses(document.get("integrationResponses") or {}),
        )

    def request(self, exchange: Exchange) -> bytes:
        """The payload for the integration. Raises GatewayFailure (415) where no template takes the content type."""
        template = self.requests.get(exchange.content_type().partition(";")[0].strip().lower())
        body, is_text = _converted_request(exchange, self.content_handling)
        if template is not None:
            if not is_text:
                raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
            return apply_template(template, exchange, body.decode("utf-8", "replace")).encode()
        never = self.passthrough == "NEVER"
        if never or (self.passthrough == "WHEN_NO_TEMPLATES" and self.requests):
            raise GatewayFailure("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        return body


def _converted_request(exchange: Exchange, handling: str | None) -> tuple[bytes, bool]:
    """The body as `contentHandling` has it, and whether it is text.

    Source: the table "API Gateway request content type conversions" in the developer guide.
    """
    body = exchange.request.body
    if not body:
        return b"", True
    if exchange.stage.is_binary(exchange.content_type()):
        return (b64encode(body), True) if handling == "CONVERT_TO_TEXT" else (body, False)
    if handling == "CONVERT_TO_BINARY":
        return _decoded(body), False
    return as_text(body).encode(), True


def as_text(body: bytes) -> str:
    """What is not declared to be binary is UTF-8, or becomes it."""
    return body.decode("utf-8", "replace")


def _decoded(body: bytes) -> bytes:
    try:
        return b64decode(body, validate=True)
    except (Base64Error, ValueError):
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None


def mapped(
    exchange: Exchange, chosen: IntegrationResponse, body: bytes, headers: Mapping[str, list[str]]
) -> HttpResponse:
    """body, headers: what the integration answered (header names in lower case)."""
    content_type, template = _template(exchange, chosen)
    raw, is_text = _converted_response(exchange, chosen.content_handling, body, headers)
    text = as_text(raw) if is_text else ""
    if template is not None:
        if not is_text:
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
        text = apply_template(template, exchange, text, status=str(chosen.status))
        raw = text.encode()
    if is_text and chosen.content_handling == "CONVERT_TO_BINARY":
        raw = _decoded(raw)
    response = HttpResponse(chosen.status, {"Content-Type": content_type}, raw)
    for name, expression in chosen.parameters.items():
        values = _values(exchange, expression, body, headers)
        if values:
            _set(response, name, values)
    _override(exchange, response)
    return response


def _converted_response(
    exchange: Exchange, handling: str | None, body: bytes, headers: Mapping[str, list[str]]
) -> tuple[bytes, bool]:
    """The integration's body as `contentHandling` and the client's Accept have it, and whether it is text.

    Source: the table "API Gateway response content type conversions" in the developer guide.
    """
    stage = exchange.stage
    came_binary = bool(stage.api.binary_types) and stage.is_binary(headers.get("content-type", [""])[0])
    if came_binary:
        if handling == "CONVERT_TO_TEXT":
            return b64encode(body), True
        if handling == "CONVERT_TO_BINARY" or stage.accepts_binary(exchange.request):
            return body, False
        return b64encode(body), True
    return body, True


def _template(exchange: Exchange, chosen: IntegrationResponse) -> tuple[str, Block | None]:
    templates = chosen.templates
    if not templates:
        return "application/json", None
    accepted = exchange.request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    for content_type in (accepted, "application/json"):
        if content_type in templates:
            return content_type, templates[content_type]
    content_type = next(iter(templates))
    return content_type, templates[content_type]


def _values(
    exchange: Exchange, expression: str, body: bytes, headers: Mapping[str, list[str]]
) -> list[str] | None:
    if not expression.startswith("integration.response."):
        return lookup_many(exchange, expression)
    place, _, name = expression.removeprefix("integration.response.").partition(".")
    if place == "header":
        return headers.get(name.lower(), [])[-1:]
    if place == "multivalueheader":
        return headers.get(name.lower())
    if place != "body":
        return None
    if not name:
        return [as_text(body)]
    value = body_value(body, name)
    return None if value is None else [value]


def _set(response: HttpResponse, name: str, values: list[str]) -> None:
    """Replaces a header of any spelling."""
    for known in [key for key in response.headers if key.lower() == name.lower()]:
        del response.headers[known]
    response.headers[name] = values[0]
    response.extra_headers += [(name, value) for value in values[1:]]


def _override(exchange: Exchange, response: HttpResponse) -> None:
    """`$context.responseOverride`, as a template set it."""
    overrides = exchange.overrides
    if not overrides:
        return
    status = overrides.get("status")
    if status is not None and str(status).isdigit():
        response.status = int(status)
    for name, value in (overrides.get("header") or {}).items():
        _set(
            response, name, [to_text(item) for item in value] if isinstance(value, list) else [to_text(value)]
        )
