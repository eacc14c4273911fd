"""What a function answered, as the HTTP response that API Gateway makes of it; what is malformed is a 500.

Source: "Create AWS Lambda proxy integrations for HTTP APIs", sections on the response format, in the developer guide.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import orjson

from pileus.cloud.kernel import HttpResponse

from .answers import internal

#: What a header may be called (RFC 9110, token), and what its value can't hold.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAK = re.compile(r"[\r\n\0]")
#: The connection's own business.
_DROPPED = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"})
_MALFORMED = "The response from the Lambda function doesn't match the format that API Gateway expects"


def response_2(payload: bytes) -> HttpResponse:
    """Format 2.0: without `statusCode`, the whole answer is the body of a 200."""
    answer = _parsed(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else payload
        return HttpResponse(200, {"content-type": "application/json"}, body)
    response = HttpResponse(_status(answer["statusCode"]))
    for name, value in _map(answer, "headers").items():
        _set(response, name, value)
    cookies = answer.get("cookies")
    if cookies is not None:
        if not isinstance(cookies, list):
            raise internal(_MALFORMED)
        response.extra_headers += [("set-cookie", _text(cookie)) for cookie in cookies]
    return _with_body(response, answer)


def response_1(payload: bytes) -> HttpResponse:
    """Format 1.0: `statusCode` must be there; `multiValueHeaders` add to `headers`."""
    answer = _parsed(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        raise internal(_MALFORMED)
    response = HttpResponse(_status(answer["statusCode"]))
    many = _map(answer, "multiValueHeaders")
    known = {name.lower() for name in many}
    for name, values in many.items():
        if not isinstance(values, list):
            raise internal(_MALFORMED)
        _set_all(response, name, values)
    for name, value in _map(answer, "headers").items():
        if name.lower() not in known:
            _set(response, name, value)
    return _with_body(response, answer)


def _parsed(payload: bytes) -> Any:
    try:
        return orjson.loads(payload) if payload else None
    except orjson.JSONDecodeError:
        raise internal(_MALFORMED) from None


def _status(value: Any) -> int:
    if isinstance(value, bool):
        raise internal(_MALFORMED)
    try:
        status = int(value)
    except (TypeError, ValueError, OverflowError):
        raise internal(_MALFORMED) from None
    if not 100 <= status <= 599:
        raise internal(_MALFORMED)
    return status


def _map(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise internal(_MALFORMED)
    return found


def _set(response: HttpResponse, name: str, value: Any) -> None:
    if _NAME.fullmatch(name) is None:
        raise internal(_MALFORMED)
    lower = name.lower()
    if lower not in _DROPPED:
        response.headers[lower] = _text(value)


def _set_all(response: HttpResponse, name: str, values: Iterable[Any]) -> None:
    for index, value in enumerate(values):
        if index == 0:
            _set(response, name, value)
        elif name.lower() not in _DROPPED:
            response.extra_headers.append((name.lower(), _text(value)))


def _text(value: Any) -> str:
    if isinstance(value, str):
        if not value.isprintable() and _BREAK.search(value):
            raise internal(_MALFORMED)
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise internal(_MALFORMED)


def _with_body(response: HttpResponse, answer: dict[str, Any]) -> HttpResponse:
    body = answer.get("body")
    if body is None:
        return response
    if not isinstance(body, str):
        raise internal(_MALFORMED)
    if answer.get("isBase64Encoded") is True:
        try:
            response.body = b64decode(body, validate=True)
        except ValueError:
            raise internal(_MALFORMED) from None
    else:
        response.body = body.encode("utf-8", "surrogatepass")
    if response.body:
        response.headers.setdefault("content-type", "text/plain; charset=utf-8")
    return response
