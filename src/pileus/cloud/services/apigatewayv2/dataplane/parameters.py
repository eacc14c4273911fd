"""Parameter mapping: how an integration's request and response are changed on the way.

Source: "Transform API requests and responses for HTTP APIs in API Gateway" in the developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from pileus.cloud.kernel import HttpResponse

from .exchange import Exchange
from .variables import value_of

_WHOLE = re.compile(r"\$(?:request|context|stageVariables|response)\.\S+|\$request\.path")
_PART = re.compile(r"\$\{\$?([^}]+)\}")


class Step(NamedTuple):
    """action: append, overwrite, remove. place: header, querystring, path, statuscode. name: of the header or parameter."""

    action: str
    place: str
    name: str
    value: str


def steps_of(parameters: Mapping[str, str] | None) -> tuple[Step, ...]:
    """`{"append:header.x": "$request.header.y"}`, compiled. Raises ValueError for what is no mapping."""
    found = []
    for key, value in (parameters or {}).items():
        action, _, rest = key.partition(":")
        place, _, name = rest.partition(".")
        whole = place in ("path", "statuscode")
        if action not in ("append", "overwrite", "remove") or bool(name) is whole:
            raise ValueError(f"Invalid mapping expression specified: {key}")
        if place not in ("header", "querystring", "path", "statuscode") or (whole and action != "overwrite"):
            raise ValueError(f"Invalid mapping expression specified: {key}")
        found.append(Step(action, place, name.lower() if place == "header" else name, value))
    return tuple(found)


class Outgoing:
    """A request to an integration, while it is made up."""

    def __init__(self, path: str, query: dict[str, list[str]], headers: dict[str, str]) -> None:
        self.path = path
        self.query = query
        self.headers = headers

    def apply(self, steps: tuple[Step, ...], exchange: Exchange) -> None:
        for step in steps:
            value = _filled(exchange, step.value, None)
            if step.place == "path":
                self.path = value or ""
            elif step.place == "querystring":
                self._apply_query(step, value)
            else:
                _apply_header(self.headers, step, value)

    def _apply_query(self, step: Step, value: str | None) -> None:
        if step.action == "remove":
            self.query.pop(step.name, None)
        elif value is not None:
            before = self.query.get(step.name, []) if step.action == "append" else []
            self.query[step.name] = [*before, value]


def apply_to_response(
    by_status: Mapping[str, tuple[Step, ...]], exchange: Exchange, response: HttpResponse
) -> None:
    steps = by_status.get(str(response.status))
    if not steps:
        return
    original = HttpResponse(response.status, dict(response.headers), response.body)
    for step in steps:
        value = _filled(exchange, step.value, original)
        if step.place == "statuscode":
            if value is not None and value.isdigit() and 100 <= int(value) <= 599:
                response.status = int(value)
        elif step.place == "header":
            _apply_header(response.headers, step, value)


def _apply_header(headers: dict[str, str], step: Step, value: str | None) -> None:
    if step.action == "remove":
        headers.pop(step.name, None)
    elif value is not None:
        value = re.sub(r"[\r\n\0]", "", value)
        before = headers.get(step.name) if step.action == "append" else None
        headers[step.name] = f"{before},{value}" if before is not None else value


def _filled(exchange: Exchange, text: str, response: HttpResponse | None) -> str | None:
    if _WHOLE.fullmatch(text):
        return _value(exchange, text, response)
    return _PART.sub(lambda found: _value(exchange, f"${found[1]}", response) or "", text)


def _value(exchange: Exchange, expression: str, response: HttpResponse | None) -> str | None:
    if not expression.startswith("$response."):
        return value_of(exchange, expression)
    place, _, name = expression.removeprefix("$response.").partition(".")
    if response is None:
        return None
    if place == "header":
        return response.headers.get(name.lower())
    return _member(response.body, name) if place == "body" else None


def _member(body: bytes, path: str) -> str | None:
    if not path:
        return body.decode("utf-8", "replace")
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if found is None or isinstance(found, str) else orjson.dumps(found).decode()
