"""Integration responses: which one a result chooses, and what it makes of it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pileus.cloud.kernel import HttpResponse

from ..vtl import parse
from ..vtl.nodes import Block
from ..vtl.values import to_text
from .exchange import Exchange
from .jsonpath import MISSING, query
from .lookup import lookup
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


def mapped(
    exchange: Exchange, chosen: IntegrationResponse, body: str, headers: Mapping[str, str]
) -> HttpResponse:
    """body, headers: what the integration answered (header names in lower case)."""
    content_type, template = _template(exchange, chosen)
    text = body if template is None else apply_template(template, exchange, body, status=str(chosen.status))
    response = HttpResponse(chosen.status, {"Content-Type": content_type})
    for name, expression in chosen.parameters.items():
        value = _value(exchange, expression, body, headers)
        if value is not None:
            _set(response, name, value)
    _override(exchange, response)
    response.body = text.encode()
    if chosen.content_handling == "CONVERT_TO_BINARY":
        try:
            response.body = b64decode(text, validate=True)
        except (Base64Error, ValueError):
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None
    return response


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


def _value(exchange: Exchange, expression: str, body: str, headers: Mapping[str, str]) -> str | None:
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    place, _, name = expression.removeprefix("integration.response.").partition(".")
    if not expression.startswith("integration.response."):
        return lookup(exchange, expression)
    if place in ("header", "multivalueheader"):
        return headers.get(name.lower())
    if place != "body":
        return None
    if not name:
        return body
    try:
        found = query(f"$.{name}", orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    return None if found is MISSING else to_text(found)


def _set(response: HttpResponse, name: str, value: str) -> None:
    """Replaces a header of any spelling."""
    for known in [key for key in response.headers if key.lower() == name.lower()]:
        del response.headers[known]
    response.headers[name] = value


def _override(exchange: Exchange, response: HttpResponse) -> None:
    """`$context.responseOverride`, as a template set it."""
    overrides = exchange.overrides
    if not overrides:
        return
    status = overrides.get("status")
    if status is not None and str(status).isdigit():
        response.status = int(status)
    for name, value in (overrides.get("header") or {}).items():
        _set(response, name, to_text(value))


def request_text(exchange: Exchange, content_handling: str | None) -> str:
    """The request's body as a template sees it: base64 where a binary body is converted to text."""
    body = exchange.request.body
    if not body:
        return ""
    content_type = exchange.request.headers.get("content-type", "application/json")
    if content_handling == "CONVERT_TO_TEXT" and exchange.stage.is_binary(content_type):
        return b64encode(body).decode("ascii")
    return body.decode("utf-8", "replace")
