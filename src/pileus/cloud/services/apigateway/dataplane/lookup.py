"""Single values of a request by name: `context.identity.sourceIp`, `method.request.header.x`, `stageVariables.y`."""

from __future__ import annotations

import re
from typing import Any

import orjson

from .exchange import Exchange
from .responses import GatewayFailure

_NAME = r"context(?:\.[A-Za-z0-9_-]+)+"
_LOG_VARIABLE = re.compile(rf"\$(?:({_NAME})|\{{({_NAME})\}})")


def lookup(exchange: Exchange, expression: str) -> str | None:
    """None where the request has no such value."""
    place, _, name = expression.partition(".")
    if place == "stageVariables":
        return exchange.stage.variables.get(name)
    if place == "method":
        return _parameter(exchange, name.removeprefix("request."))
    if place != "context":
        return None
    if name.startswith("error."):
        return _error(exchange.error, name.removeprefix("error."))
    if name == "status":
        return None
    found: Any = exchange.request_context()
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None or isinstance(found, str):
        return found
    return orjson.dumps(found).decode()


def _parameter(exchange: Exchange, name: str) -> str | None:
    place, _, key = name.partition(".")
    if place in ("header", "multivalueheader"):
        return exchange.request.headers.get(key.lower())
    if place in ("querystring", "multivaluequerystring"):
        return exchange.request.param(key)
    if place == "path":
        return exchange.parameters.get(key)
    return exchange.request.body.decode("utf-8", "replace") if place == "body" else None


def _error(failure: GatewayFailure | None, name: str) -> str | None:
    if failure is None:
        return None
    if name == "message":
        return failure.message or "null"
    if name == "messageString":
        return orjson.dumps(failure.message).decode()
    if name == "responseType":
        return failure.kind
    if name != "validationErrorString" or failure.validation is None:
        return None
    # Templates put it between quotes and what they answer with is JSON: so its own quotes must come escaped.
    return orjson.dumps(failure.validation).decode()[1:-1]


def access_log_line(exchange: Exchange, template: str, status: int, length: int, latency: int) -> str:
    """The stage's access log format, filled in; `-` stands for what the request lacks."""
    answer = {
        "context.status": str(status),
        "context.responseLength": str(length),
        "context.responseLatency": str(latency),
    }

    def filled(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return answer.get(name) or lookup(exchange, name) or "-"

    return _LOG_VARIABLE.sub(filled, template)
