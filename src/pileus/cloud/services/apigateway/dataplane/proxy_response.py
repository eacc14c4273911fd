"""What a function answered, as the HTTP response that API Gateway makes of it.

Source: "Lambda proxy integrations in API Gateway", section "Output format"; anything else is a malformed response: 502.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

import orjson

from pileus.cloud.kernel import HttpResponse

from .exchange import Exchange
from .responses import GatewayFailure

_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
#: Headers that are API Gateway's own to set: what an integration says goes under another name.
_REMAPPED = frozenset(
    [
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "pragma",
        "server",
        "te",
        "trailer",
        "upgrade",
        "user-agent",
        "via",
        "warning",
        "www-authenticate",
        "x-amzn-requestid",
    ]
)
#: What a header may be called (RFC 9110, token), and what its value can't hold.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAK = re.compile(r"[\r\n\0]")
_DROPPED = frozenset({"transfer-encoding", "proxy-authenticate", "x-amz-apigw-id"})


def malformed() -> GatewayFailure:
    return GatewayFailure("INTEGRATION_FAILURE", "Internal server error", status=502)


def proxy_response(exchange: Exchange, payload: bytes) -> HttpResponse:
    """Raises GatewayFailure (502) for what is no proxy response."""
    try:
        result = orjson.loads(payload)
    except ValueError:
        raise malformed() from None
    if not isinstance(result, dict) or not _MEMBERS.issuperset(result):
        raise malformed()
    response = HttpResponse(_status(result.get("statusCode", 200)))
    _take_headers(response, result)
    body = result.get("body")
    if body is None:
        return response
    if not isinstance(body, str):
        raise malformed()
    if result.get("isBase64Encoded") and exchange.stage.wants_binary(exchange.request, response):
        try:
            response.body = b64decode(body, validate=True)
        except (Base64Error, ValueError):
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None
    else:
        response.body = body.encode("utf-8", "surrogatepass")
    return response


def _status(status: Any) -> int:
    if isinstance(status, bool):
        raise malformed()
    try:
        code = int(status)
    except (TypeError, ValueError, OverflowError):
        raise malformed() from None
    if not 100 <= code <= 599:
        raise malformed()
    return code


def _take_headers(response: HttpResponse, result: dict[str, Any]) -> None:
    single = result.get("headers") or {}
    many = result.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(many, dict):
        raise malformed()
    headers = response.headers
    has_type = False
    if many:
        for name, values in many.items():
            if not isinstance(values, list):
                raise malformed()
            for value in values:
                add_header(response, name, value)
        known = {name.lower() for name in many}
        single = {name: value for name, value in single.items() if name.lower() not in known}
        has_type = "content-type" in known
    for name, value in single.items():
        _check_name(name)
        lower = name.lower()
        if lower == "content-type":
            has_type = True
        if lower in _REMAPPED:
            name = f"x-amzn-Remapped-{name}"
        elif lower in _DROPPED:
            continue
        headers[name] = _text(value)
    if not has_type:
        headers["Content-Type"] = "application/json"


def add_header(response: HttpResponse, name: str, value: Any) -> None:
    """One header of an integration's, under the name that API Gateway leaves it. Raises GatewayFailure for none."""
    _check_name(name)
    lower = name.lower()
    if lower in _DROPPED:
        return
    if lower in _REMAPPED:
        name = f"x-amzn-Remapped-{name}"
    if name in response.headers:
        response.extra_headers.append((name, _text(value)))
    else:
        response.headers[name] = _text(value)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise malformed()


def _text(value: Any) -> str:
    if isinstance(value, str):
        if not value.isprintable() and _BREAK.search(value):
            raise malformed()
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise malformed()
