"""Reading a body whole, and the last boundary of what answers outside the AWS protocols."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

import orjson

from ..kernel.errors import AwsError
from ..kernel.http import HttpRequest, HttpResponse

log = logging.getLogger("pileus.gateway")

#: A larger body is refused where it is read whole; a streamed one (S3) has S3's limits.
MAX_BODY = 128 * 1024 * 1024


class RequestEntityTooLarge(AwsError):
    code = "RequestEntityTooLargeException"
    status = 413


async def answered(work: Coroutine[Any, Any, HttpResponse]) -> HttpResponse:
    """What no API has turned into an answer of its own becomes one; a bug is printed and answered with 500."""
    try:
        return await work
    except ConnectionResetError:
        raise
    except Exception as error:  # noqa: BLE001 - logged in `failed`
        return failed(error)


def failed(error: Exception) -> HttpResponse:
    """The answer to a request that ended in `error`."""
    if isinstance(error, AwsError):
        body = orjson.dumps({"message": error.message, "code": error.code})
        return HttpResponse(error.status, {"content-type": "application/json"}, body)
    log.error("a request failed", exc_info=error)
    return HttpResponse(500, {"content-type": "application/json"}, b'{"message":"Internal server error"}')


async def read_body(request: HttpRequest) -> None:
    """Reads the body whole where it was still coming."""
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
