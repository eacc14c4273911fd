"""Single values of a request by name, for access logs, identity sources and parameter mapping: `$request.header.x`,
`$context.requestId`, `$stageVariables.y`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from .exchange import Exchange, request_time

_LOG_VARIABLE = re.compile(r"\$context\.[A-Za-z0-9_.-]+|\$\{context\.[A-Za-z0-9_.-]+\}")


def value_of(exchange: Exchange, expression: str) -> str | None:
    """None where the request has no such value."""
    place, _, name = expression.partition(".")
    if place == "$request":
        return _of_request(exchange, name)
    if place == "$stageVariables":
        return exchange.stage.variables.get(name)
    return _of_context(exchange, name) if place == "$context" else None


def _of_request(exchange: Exchange, name: str) -> str | None:
    place, _, key = name.partition(".")
    request = exchange.request
    if place == "header":
        return request.headers.get(key.lower())
    if place == "querystring":
        values = request.params.get(key)
        return ",".join(values) if values else None
    if place == "path":
        return exchange.parameters.get(key) if key else exchange.path
    if place == "body":
        return _of_body(request.body, key)
    return None


def _of_body(body: bytes, path: str) -> str | None:
    """path: of members, as in `user.name`; JSON texts only."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None if path else body.decode("utf-8", "replace")
    for part in path.split(".") if path else ():
        found = found.get(part) if isinstance(found, dict) else None
    return _text(found)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _of_context(exchange: Exchange, name: str) -> str | None:
    special = _SPECIAL.get(name)
    if special is not None:
        return _text(special(exchange))
    if name.startswith("authorizer."):
        return _of_authorizer(exchange, name.removeprefix("authorizer."))
    found: Any = exchange.context_1()
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return _text(found)


def _of_authorizer(exchange: Exchange, name: str) -> str | None:
    place, _, key = name.partition(".")
    if place == "claims" and key:
        return (exchange.claims or {}).get(key)
    if name == "principalId":
        return exchange.principal_id
    return _text((exchange.lambda_context or {}).get(name))


def _reason(exchange: Exchange) -> str | None:
    return exchange.error.reason or None if exchange.error is not None else None


_SPECIAL: Mapping[str, Any] = {
    "authorizer.error": _reason,
    "awsEndpointRequestId": lambda e: None,
    "error.message": lambda e: e.error.message if e.error is not None else None,
    "error.messageString": lambda e: orjson.dumps(e.error.message).decode() if e.error is not None else None,
    "error.responseType": lambda e: e.error.kind if e.error is not None else None,
    "integration.error": _reason,
    "integration.latency": lambda e: e.integration_latency,
    "integration.status": lambda e: e.integration_status,
    "integrationErrorMessage": _reason,
    "integrationLatency": lambda e: e.integration_latency,
    "integrationStatus": lambda e: e.integration_status,
    "requestTime": lambda e: request_time(int(e.now)),
    "routeKey": lambda e: e.route_key or None,
}


def access_log_line(exchange: Exchange, template: str, answer: Mapping[str, str]) -> str:
    """The stage's format, filled in; `-` stands for what the request lacks. answer: status, responseLength, …"""

    def filled(found: re.Match[str]) -> str:
        name = found[0].strip("${}").removeprefix("context.")
        return answer.get(name) or _of_context(exchange, name) or "-"

    return _LOG_VARIABLE.sub(filled, template)
