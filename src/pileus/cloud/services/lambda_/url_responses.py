"""From what a function returned to the HTTP response of its URL: payload format 2.0."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import HttpResponse

_FAILED = b"Internal Server Error"


def bad_gateway() -> HttpResponse:
    return HttpResponse(502, {"content-type": "application/json"}, _FAILED)


def from_result(payload: bytes, *, failed: bool) -> HttpResponse:
    """payload: the function's result. A result without a statusCode is the body itself."""
    if failed:
        return bad_gateway()
    try:
        result = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return bad_gateway()
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode() if isinstance(result, str) else payload
        return HttpResponse(200, {"content-type": "application/json"}, body)
    response = _head(result)
    if response is None:
        return bad_gateway()
    given = result.get("body")
    if given is None:
        return response
    text = _text(given)
    if not result.get("isBase64Encoded"):
        response.body = text.encode("utf-8", "surrogatepass")
        return response
    try:
        response.body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return bad_gateway()
    return response


def from_prelude(head: bytes) -> HttpResponse:
    """head: the JSON that a streaming function writes ahead of its body: statusCode, headers, cookies."""
    try:
        found = orjson.loads(head)
    except orjson.JSONDecodeError:
        return bad_gateway()
    if not isinstance(found, dict):
        return bad_gateway()
    response = _head({"statusCode": 200, **found}, default="application/octet-stream")
    return bad_gateway() if response is None else response


def _head(result: Mapping[str, Any], default: str = "application/json") -> HttpResponse | None:
    status = result["statusCode"]
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    given, cookies = result.get("headers") or {}, result.get("cookies") or []
    well_formed = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599
    if not well_formed or not isinstance(given, dict) or not isinstance(cookies, list):
        return None
    headers = {str(name).lower(): _text(value) for name, value in given.items()}
    for name in ("content-length", "transfer-encoding", "connection"):
        headers.pop(name, None)
    headers.setdefault("content-type", default)
    if any("\r" in value or "\n" in value for value in (*headers, *headers.values(), *map(str, cookies))):
        return None
    return HttpResponse(status, headers, extra_headers=[("set-cookie", str(cookie)) for cookie in cookies])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
