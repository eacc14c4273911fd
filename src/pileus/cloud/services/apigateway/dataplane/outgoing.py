"""What a non-Lambda integration is sent: the address with its placeholders filled in, query, headers and body.

Source: "Amazon API Gateway API request and response data mapping reference" in the developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..vtl.values import to_text
from .exchange import Exchange
from .lookup import lookup_many
from .responses import GatewayFailure

_PLACEHOLDER = re.compile(r"\{([\w.:+-]+)\}")
_PREFIX = "integration.request."
_SAFE = "-_.~!$&'()*+,;=:@/%"


@dataclass(slots=True)
class Outgoing:
    """url: whole, with its query. headers: in order; the first of a name is replaced, not repeated, by `put`."""

    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def put(self, name: str, *values: str) -> None:
        lower = name.lower()
        self.headers = [pair for pair in self.headers if pair[0].lower() != lower]
        self.headers += [(name, value) for value in values]

    def has(self, name: str) -> bool:
        return any(known.lower() == name for known, _ in self.headers)


@dataclass(frozen=True, slots=True)
class RequestMapping:
    """`requestParameters` of an integration: (place, name, expression)."""

    uri: str
    rows: tuple[tuple[str, str, str], ...]

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> RequestMapping:
        rows = []
        for target, expression in (document.get("requestParameters") or {}).items():
            place, _, name = target.removeprefix(_PREFIX).partition(".")
            rows.append((place.removeprefix("multivalue"), name, expression))
        return cls(document.get("uri") or "", tuple(rows))

    def outgoing(self, exchange: Exchange, query: str = "") -> Outgoing:
        """query: of the client, where it is passed on. Raises GatewayFailure where the address stays incomplete."""
        path: dict[str, str] = {}
        names: dict[str, list[str]] = {}
        headers: dict[str, list[str]] = {}
        for place, name, expression in self.rows:
            values = lookup_many(exchange, expression)
            if values is None:
                continue
            if place == "path":
                path[name] = values[0]
            elif place == "querystring":
                names[name] = values
            elif place == "header":
                headers[name] = values
        overrides = exchange.request_overrides
        path |= {name: to_text(value) for name, value in overrides.get("path", {}).items()}
        names |= {name: _texts(value) for name, value in overrides.get("querystring", {}).items()}
        headers |= {name: _texts(value) for name, value in overrides.get("header", {}).items()}
        outgoing = Outgoing(_address(exchange, self.uri, path, query, names))
        for name, many in headers.items():
            outgoing.put(name, *many)
        return outgoing


def _texts(value: Any) -> list[str]:
    return [to_text(item) for item in value] if isinstance(value, list) else [to_text(value)]


def _address(
    exchange: Exchange, uri: str, path: Mapping[str, str], query: str, names: Mapping[str, list[str]]
) -> str:
    def filled(found: re.Match[str]) -> str:
        value = path.get(found[1].rstrip("+"))
        if value is None:
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
        return quote(value, safe=_SAFE)

    whole = _PLACEHOLDER.sub(filled, exchange.stage.filled(uri))
    pairs = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, values in names.items()
        for value in values
    )
    query = "&".join(part for part in (query, pairs) if part)
    return f"{whole}{'&' if '?' in whole else '?'}{query}" if query else whole
