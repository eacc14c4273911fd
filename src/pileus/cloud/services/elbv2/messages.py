"""The event that a function gets from a load balancer, and what becomes of its answer.

Source: "Use Lambda functions as targets of an Application Load Balancer" in the user guide.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from pileus.cloud.kernel import HttpRequest, HttpResponse

_TEXT = frozenset({"application/json", "application/javascript", "application/xml"})
#: Between two neighbours only (RFC 9110): a load balancer neither passes them on nor takes them from a function.
_HOP = frozenset(
    [
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    ]
)
_LARGEST = 1024 * 1024


class BadGateway(Exception):
    """The answer of a function is none for a load balancer."""


def page(status: int) -> HttpResponse:
    """What the load balancer itself answers with."""
    title = f"{status} {HTTPStatus(status).phrase}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return HttpResponse(status, {"server": "awselb/2.0", "content-type": "text/html"}, body.encode())


def event_of(request: HttpRequest, path: str, group: str, trace: str, many: bool, port: str) -> bytes:
    """many: whether the target group asks for multi-value headers. Parameters stay as they are encoded."""
    headers = {name: [value] for name, value in request.headers.items() if name not in _HOP}
    if request.repeated is not None:
        headers |= {name: list(values) for name, values in request.repeated.items() if name not in _HOP}
    way = request.headers.get("x-forwarded-for")
    headers["x-amzn-trace-id"] = [trace]
    headers["x-forwarded-for"] = [f"{way}, {request.client}" if way else request.client]
    headers["x-forwarded-port"] = [port]
    headers["x-forwarded-proto"] = [request.scheme]
    query: dict[str, list[str]] = {}
    for part in request.query.split("&") if request.query else ():
        name, _, value = part.partition("=")
        query.setdefault(name, []).append(value)
    body, is_base64 = _body(request)
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": request.method,
        "path": path,
    }
    if many:
        event["multiValueQueryStringParameters"] = query
        event["multiValueHeaders"] = headers
    else:
        event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        event["headers"] = {name: values[-1] for name, values in headers.items()}
    event["body"] = body
    event["isBase64Encoded"] = is_base64
    return orjson.dumps(event)


def health_check_event(group: str, path: str) -> bytes:
    return orjson.dumps(
        {
            "requestContext": {"elb": {"targetGroupArn": group}},
            "httpMethod": "GET",
            "path": path,
            "queryStringParameters": {},
            "headers": {"user-agent": "ELB-HealthChecker/2.0"},
            "body": "",
            "isBase64Encoded": False,
        }
    )


def _body(request: HttpRequest) -> tuple[str, bool]:
    """Text of the content types that are text, unless it is encoded; base64 of all else."""
    if not request.body:
        return "", False
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = (kind.startswith("text/") or kind in _TEXT) and "content-encoding" not in request.headers
    if is_text:
        return request.body.decode("utf-8", "replace"), False
    return b64encode(request.body).decode("ascii"), True


def response_of(payload: bytes, many: bool) -> HttpResponse:
    """Raises BadGateway for what is no answer. Headers count in the form that the target group asks for."""
    if len(payload) > _LARGEST:
        raise BadGateway("the answer is larger than 1 MB")
    try:
        answer = orjson.loads(payload)
    except ValueError:
        raise BadGateway("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise BadGateway("the answer is no object")
    response = HttpResponse(_status(answer.get("statusCode")))
    named = answer.get("multiValueHeaders" if many else "headers") or {}
    if not isinstance(named, Mapping):
        raise BadGateway("headers must be an object")
    for name, value in named.items():
        values = value if many else [value]
        if not isinstance(values, list):
            raise BadGateway(f"the header {name} must have a list of values")
        _add(response, name, values)
    if not any(name.lower() == "content-type" for name in response.headers):
        response.headers["content-type"] = "application/octet-stream"
    response.body = _answered(answer)
    return response


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise BadGateway("statusCode must be a number")
    if not 100 <= int(value) <= 599:
        raise BadGateway(f"{value} is no status")
    return int(value)


def _add(response: HttpResponse, name: str, values: list[Any]) -> None:
    if name.lower() in _HOP or name.lower() == "content-length":
        return
    for value in values:
        text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
        if any(char in text + name for char in "\r\n\0"):
            raise BadGateway(f"the header {name} holds a line break")
        if name in response.headers:
            response.extra_headers.append((name, text))
        else:
            response.headers[name] = text


def _answered(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadGateway("the body must be a string")
    if not answer.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return b64decode(body, validate=True)
    except (Base64Error, ValueError):
        raise BadGateway("the body is not base64") from None
