"""Single values of a request by name: `context.identity.sourceIp`, `method.request.header.x`, `stageVariables.y`."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ..vtl.values import to_text
from .exchange import Exchange
from .jsonpath import MISSING, query
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
    if place != "body":
        return None
    body = exchange.request.body
    return body_value(body, key) if key else body.decode("utf-8", "replace")


def body_value(body: bytes, path: str) -> str | None:
    """What a JSONPath finds in a JSON body, as text: scalars as they are, others as JSON."""
    try:
        found = query(path if path.startswith("$") else f"$.{path}", orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    return None if found is MISSING or found is None else to_text(found)


def lookup_many(exchange: Exchange, expression: str) -> list[str] | None:
    """The values of a parameter mapping: a `'static'` one, all of a multi-value name, else the one that there is."""
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return [expression[1:-1]]
    if expression.startswith("method.request.multivalue"):
        place, _, name = expression.removeprefix("method.request.multivalue").partition(".")
        if place == "querystring":
            return exchange.request.params.get(name)
        headers = exchange.headers()[1]
        return next((values for key, values in headers.items() if key.lower() == name.lower()), None)
    found = lookup(exchange, expression)
    return None if found is None else [found]


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
        "context.xrayTraceId": exchange.trace.partition(";")[0].removeprefix("Root=")
        if exchange.stage.tracing
        else "",
    }
    if exchange.integration is not None:
        took, answered = exchange.integration
        answer["context.integrationLatency"] = answer["context.integration.latency"] = str(took)
        if answered is not None:
            answer["context.integrationStatus"] = answer["context.integration.integrationStatus"] = str(
                answered
            )
            answer["context.integration.status"] = "200"
        elif exchange.error is not None:
            answer["context.integration.error"] = answer["context.integrationErrorMessage"] = (
                exchange.error.message or ""
            )
    if exchange.authorizer is not None and "integrationLatency" in exchange.authorizer:
        latency_of_authorizer = str(exchange.authorizer["integrationLatency"])
        answer["context.authorizer.latency"] = answer["context.authorizer.integrationLatency"] = (
            latency_of_authorizer
        )

    def filled(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return answer.get(name) or lookup(exchange, name) or "-"

    return _LOG_VARIABLE.sub(filled, template)
