"""Conditions of rules, compiled: each is a test of a request, and all of a rule's must hold.

Source: "Condition types for listener rules" in the user guide of application load balancers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from pileus.cloud.kernel import HttpRequest

Test = Callable[[HttpRequest, str], bool]
FIELDS: Mapping[str, str] = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


def values_of(condition: Mapping[str, Any]) -> list[Any]:
    config = condition.get(FIELDS[condition["Field"]]) or {}
    return list(config.get("Values") or condition.get("Values") or ())


def compiled(condition: Mapping[str, Any]) -> Test:
    """A test of (request, path); path: percent-encoded, as rules see it."""
    field, values = condition["Field"], values_of(condition)
    if field == "path-pattern":
        pattern = _wildcards(values)
        return lambda request, path: pattern.fullmatch(path) is not None
    if field == "host-header":
        hosts = _wildcards(values, re.IGNORECASE)
        return lambda request, path: (
            hosts.fullmatch(request.host.rpartition(":")[0] or request.host) is not None
        )
    if field == "http-request-method":
        methods = frozenset(values)
        return lambda request, path: request.method in methods
    if field == "http-header":
        return _header(condition["HttpHeaderConfig"]["HttpHeaderName"].lower(), values)
    if field == "query-string":
        return _query(values)
    return _source(values)


def _wildcards(values: list[str], flags: int = 0) -> re.Pattern[str]:
    """`*` is any characters, `?` exactly one; a backslash takes their meaning away."""
    return re.compile("|".join(_one(value) for value in values), flags | re.S)


def _one(value: str) -> str:
    parts = re.findall(r"\\[*?\\]|[*]|[?]|[^*?\\]+|\\", value)
    known = {"*": ".*", "?": "."}
    return "".join(known.get(p) or re.escape(p[1:] if len(p) == 2 and p[0] == "\\" else p) for p in parts)


def _header(name: str, values: list[str]) -> Test:
    pattern = _wildcards(values, re.IGNORECASE)

    def test(request: HttpRequest, path: str) -> bool:
        repeated = (request.repeated or {}).get(name)
        found = repeated or ([request.headers[name]] if name in request.headers else [])
        return any(pattern.fullmatch(value) for value in found)

    return test


def _query(values: list[Mapping[str, str]]) -> Test:
    pairs = [
        (
            _wildcards([pair["Key"]], re.IGNORECASE) if pair.get("Key") else None,
            _wildcards([pair.get("Value") or ""], re.IGNORECASE),
        )
        for pair in values
    ]

    def test(request: HttpRequest, path: str) -> bool:
        found = [part.partition("=")[::2] for part in request.query.split("&") if part]
        decoded = [(unquote_plus(name), unquote_plus(value)) for name, value in found]
        return any(
            (key is None or key.fullmatch(name)) and wanted.fullmatch(value)
            for key, wanted in pairs
            for name, value in decoded
        )

    return test


def _source(values: list[str]) -> Test:
    networks = [ipaddress.ip_network(value) for value in values]

    def test(request: HttpRequest, path: str) -> bool:
        try:
            address = ipaddress.ip_address(request.client)
        except ValueError:
            return False
        return any(address in network for network in networks)

    return test
