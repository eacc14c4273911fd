"""ASGI messages to `HttpRequest`, and `HttpResponse` to ASGI messages."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

import orjson

from ..kernel.errors import AwsError
from ..kernel.http import HttpRequest, HttpResponse

log = logging.getLogger("pileus.gateway")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: A larger body is refused where it is read whole; a streamed one (S3) has S3's limits.
MAX_BODY = 128 * 1024 * 1024


class RequestEntityTooLarge(AwsError):
    code = "RequestEntityTooLargeException"
    status = 413


def read_head(scope: Scope, receive: Receive) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    client = scope.get("client")
    request = HttpRequest(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        headers,
        client=client[0] if client else "127.0.0.1",
        scheme=scope["scheme"],
    )
    if "content-length" in headers or "transfer-encoding" in headers:
        request.stream = _chunks(receive)
    return request


async def answered(work: Coroutine[Any, Any, HttpResponse]) -> HttpResponse:
    """The last boundary: what no API has turned into an answer of its own. A bug is printed and answered with 500."""
    try:
        return await work
    except ConnectionResetError:
        return HttpResponse(400)  # nobody is there to read it
    except AwsError as error:
        body = orjson.dumps({"message": error.message, "code": error.code})
        return HttpResponse(error.status, {"content-type": "application/json"}, body)
    except Exception:
        log.exception("a request failed")
        return HttpResponse(500, {"content-type": "application/json"}, b'{"message":"Internal server error"}')


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away in the middle of its request")
        body = message.get("body", b"")
        if body:
            yield body
        if not message.get("more_body", False):
            return


async def read_body(request: HttpRequest) -> None:
    if request.stream is None:
        return
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream:
        size += len(chunk)
        if size > MAX_BODY:
            raise RequestEntityTooLarge(f"Request size exceeds {MAX_BODY} bytes")
        chunks.append(chunk)
    request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    request.stream = None


async def respond(send: Send, method: str, response: HttpResponse) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in response.headers.items()
    ]
    headers += [
        (n.lower().encode("latin-1"), v.encode("latin-1", "replace")) for n, v in response.extra_headers
    ]
    if response.stream is None and "content-length" not in response.headers:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if method == "HEAD":
        await _close(response)
        await send({"type": "http.response.body", "body": b""})
        return
    if response.stream is None:
        await send({"type": "http.response.body", "body": response.body})
        return
    if response.body:
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
    if isinstance(response.stream, AsyncIterator):
        async for chunk in response.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    else:
        for chunk in response.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _close(response: HttpResponse) -> None:
    stream = response.stream
    if inspect.isasyncgen(stream):
        await stream.aclose()
