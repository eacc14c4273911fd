"""Cross-origin requests: which rule answers a browser, for a preflight and for the request itself.

Source: S3 user guide, "Using cross-origin resource sharing (CORS)".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...kernel import HttpRequest
from .errors import AccessDenied, InvalidRequest, MalformedXML

_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

Rule = Mapping[str, Any]


def check_rules(rules: Sequence[Rule]) -> None:
    if not 1 <= len(rules) <= 100:
        raise MalformedXML
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise MalformedXML
        for method in rule["AllowedMethods"]:
            if method not in _METHODS:
                raise InvalidRequest(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
        for origin in rule["AllowedOrigins"]:
            if origin.count("*") > 1:
                raise InvalidRequest(f'AllowedOrigin "{origin}" can not have more than one wildcard.')
        for header in rule.get("AllowedHeaders") or ():
            if header.count("*") > 1:
                raise InvalidRequest(f'AllowedHeader "{header}" can not have more than one wildcard.')


def _matches(pattern: str, text: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def find_rule(rules: Sequence[Rule], origin: str, method: str, headers: Sequence[str]) -> Rule | None:
    for rule in rules:
        if method not in rule["AllowedMethods"]:
            continue
        if not any(_matches(allowed, origin) for allowed in rule["AllowedOrigins"]):
            continue
        allowed_headers = [allowed.lower() for allowed in rule.get("AllowedHeaders") or ()]
        if all(any(_matches(allowed, name) for allowed in allowed_headers) for name in headers):
            return rule
    return None


def _headers(rule: Rule, origin: str) -> dict[str, str]:
    anyone = "*" in rule["AllowedOrigins"]
    headers = {
        "Access-Control-Allow-Origin": "*" if anyone else origin,
        "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
        "Vary": _VARY,
    }
    if not anyone:
        headers["Access-Control-Allow-Credentials"] = "true"
    if rule.get("ExposeHeaders"):
        headers["Access-Control-Expose-Headers"] = ", ".join(rule["ExposeHeaders"])
    if rule.get("MaxAgeSeconds") is not None:
        headers["Access-Control-Max-Age"] = str(rule["MaxAgeSeconds"])
    return headers


def actual_headers(rules: Sequence[Rule], request: HttpRequest) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    rule = find_rule(rules, origin, request.method, ())
    return {} if rule is None else _headers(rule, origin)


def preflight_headers(rules: Sequence[Rule] | None, request: HttpRequest) -> dict[str, str]:
    """The answer to an OPTIONS request. Raises what S3 answers where no rule allows it."""
    origin = request.headers.get("origin")
    method = request.headers.get("access-control-request-method")
    if not origin:
        raise InvalidRequest("Insufficient information. Origin request header needed.")
    if not method:
        raise InvalidRequest("Invalid Access-Control-Request-Method: null")
    if rules is None:
        raise AccessDenied(
            "CORSResponse: CORS is not enabled for this bucket.", Method=method, ResourceType="BUCKET"
        )
    asked = request.headers.get("access-control-request-headers", "")
    names = [name.strip().lower() for name in asked.split(",") if name.strip()]
    rule = find_rule(rules, origin, method, names)
    if rule is None:
        raise AccessDenied(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request"
            " method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the"
            " resource's CORS spec.",
            Method=method,
            ResourceType="OBJECT",
        )
    headers = _headers(rule, origin)
    if names:
        headers["Access-Control-Allow-Headers"] = ", ".join(names)
    return headers
