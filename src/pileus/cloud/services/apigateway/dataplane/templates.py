"""The variables of mapping templates: `$input`, `$util`, `$context`, `$stageVariables`.

Source: "Variables for data transformations for API Gateway" in the developer guide.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from pileus.cloud.kernel import NotEmulated

from ..vtl import Refused, render
from ..vtl.nodes import Block
from ..vtl.values import to_text
from .exchange import Exchange
from .jsonpath import MISSING, query
from .responses import GatewayFailure

_SILENT = frozenset({"context", "input", "stageVariables", "util"})


def apply_template(template: Block, exchange: Exchange, body: str, **more: Any) -> str:
    """Renders a template over a payload; what it sets in `$context.responseOverride` stays in the exchange."""
    context = exchange.request_context()
    context["identity"] = {name: value or "" for name, value in context["identity"].items()}
    context.setdefault("authorizer", {})
    context["responseOverride"] = exchange.overrides
    context["requestOverride"] = exchange.request_overrides
    for place in ("header", "querystring", "path"):
        exchange.request_overrides.setdefault(place, {})
    exchange.overrides.setdefault("header", {})
    variables = {
        "input": _Input(exchange, body),
        "util": _Util(),
        "context": {**context, **more},
        "stageVariables": dict(exchange.stage.variables),
    }
    try:
        return render(template, variables, silent=_SILENT)
    except Refused:
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None


def parameters(exchange: Exchange) -> dict[str, dict[str, str]]:
    """`$input.params()`."""
    request = exchange.request
    querystring = {name: values[-1] for name, values in request.params.items()} if request.query else {}
    return {"path": exchange.parameters, "querystring": querystring, "header": exchange.headers()[0]}


class _Input:
    def __init__(self, exchange: Exchange, body: str) -> None:
        self._exchange = exchange
        self._body = body
        self._document: Any = MISSING

    def vtl_property(self, name: str) -> Any:
        if name == "body":
            return self._body
        return None

    def vtl_call(self, name: str, arguments: list[Any]) -> Any:
        if name == "params":
            return self._parameter(arguments)
        if name in ("json", "path") and len(arguments) == 1:
            value = query(to_text(arguments[0]), self._parsed())
            if name == "path":
                return None if value is MISSING else value
            return '""' if value is MISSING else orjson.dumps(value).decode()
        raise NotEmulated(f"$input.{name}() with {len(arguments)} arguments in apigateway mapping templates")

    def _parameter(self, arguments: list[Any]) -> Any:
        found = parameters(self._exchange)
        if not arguments:
            return found
        name = to_text(arguments[0])
        for place in ("path", "querystring", "header"):
            if name in found[place]:
                return found[place][name]
        lower = name.lower()
        return next((value for key, value in found["header"].items() if key.lower() == lower), "")

    def _parsed(self) -> Any:
        """The payload as JSON; what is none is a string, and nothing is an empty object."""
        if self._document is MISSING:
            try:
                self._document = orjson.loads(self._body) if self._body else {}
            except orjson.JSONDecodeError:
                self._document = self._body
        return self._document


_JAVASCRIPT = {
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\n": "\\n",
    "\t": "\\t",
    "\f": "\\f",
    "\r": "\\r",
}


class _Util:
    def vtl_property(self, name: str) -> Any:
        return None

    def vtl_call(self, name: str, arguments: list[Any]) -> Any:
        text = to_text(arguments[0]) if arguments and arguments[0] is not None else None
        if text is None:
            return None
        if name == "escapeJavaScript":
            return "".join(_escaped(char) for char in text)
        if name == "parseJson":
            try:
                return orjson.loads(text)
            except orjson.JSONDecodeError:
                return None
        if name == "urlEncode":
            return quote_plus(text, safe="*-._").replace("~", "%7E")
        if name == "urlDecode":
            return unquote_plus(text)
        if name == "base64Encode":
            return b64encode(text.encode()).decode("ascii")
        if name == "base64Decode":
            return _from_base64(text)
        raise NotEmulated(f"$util.{name}() in apigateway mapping templates")


def _from_base64(text: str) -> str | None:
    try:
        return b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except ValueError:
        return None


def _escaped(char: str) -> str:
    known = _JAVASCRIPT.get(char)
    if known is not None:
        return known
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))
