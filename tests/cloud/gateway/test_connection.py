"""HTTP/1.1 as clients use it, over real sockets: bodies in every form, pipelining, refusals, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from pileus.cloud.gateway.connection import Answer
from pileus.cloud.gateway.messages import read_body
from pileus.cloud.kernel import HttpRequest, HttpResponse
from pileus.cloud.server import Listener, bind

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def application(request: HttpRequest) -> Answer:
    if request.path == "/later" or (request.stream is not None and request.path != "/refused"):
        return _echo(request)
    if request.path == "/refused":
        return HttpResponse(403, {}, b"no")
    if request.path == "/stream":
        return HttpResponse(200, {"content-type": "text/plain"}, b"a", _numbers())
    if request.path == "/sized":
        return HttpResponse(200, {"content-length": "6"}, b"", _numbers())
    if request.path == "/split":
        return HttpResponse(200, {"x-bad": "a\r\nset-cookie: b"}, b"")
    return HttpResponse(200, {"X-Seen": f"{request.method} {request.path}?{request.query}"}, request.body)


async def _echo(request: HttpRequest) -> HttpResponse:
    await read_body(request)
    return HttpResponse(200, {"x-length": str(len(request.body))}, request.body[:100])


async def _numbers() -> AsyncIterator[bytes]:
    for number in (b"12", b"", b"345", b"6"):
        yield number


def talk(conversation: Talk) -> None:
    async def run() -> None:
        listener = Listener(application, bind("127.0.0.1", 0))
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        try:
            async with asyncio.timeout(10):
                await conversation(reader, writer)
        finally:
            writer.close()
            await listener.stop()

    uvloop.run(run())


async def answer(reader: asyncio.StreamReader, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif not head:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split()[1]), headers, body


def test_requests_follow_one_another_on_a_connection() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(3):
            writer.write(b"POST /a?n=%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" % number)
            status, headers, body = await answer(reader)
            assert (status, headers["x-seen"], body) == (200, f"POST /a?n={number}", b"hi")

    talk(conversation)


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paths = [b"/later", b"/1", b"/later", b"/2", *(b"/%d" % n for n in range(40))]
        writer.write(b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths))
        for path in paths:
            _, headers, _ = await answer(reader)
            expected = "x-length" if path == b"/later" else "x-seen"
            assert expected in headers, path
            if path != b"/later":
                assert headers["x-seen"] == f"GET {path.decode()}?"

    talk(conversation)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_comes_in_pieces(chunked: bool) -> None:
    size, count = 100_000, 30

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        form = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (size * count)
        writer.write(b"PUT /b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % form)
        for _ in range(count):
            piece = b"x" * size
            writer.write(b"%x\r\n%b\r\n" % (size, piece) if chunked else piece)
            await writer.drain()
        if chunked:
            writer.write(b"0\r\n\r\n")
        status, headers, _ = await answer(reader)
        assert (status, headers["x-length"]) == (200, str(size * count))
        writer.write(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader))[1]["x-seen"] == "GET /after?"

    talk(conversation)


def test_who_waits_for_100_continue_is_invited_or_refused() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b"Host: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        writer.write(b"PUT /b HTTP/1.1\r\n" + head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"12345")
        assert (await answer(reader))[2] == b"12345"
        writer.write(b"PUT /refused HTTP/1.1\r\n" + head)
        assert (await answer(reader))[0] == 403
        assert await reader.read() == b""  # closed: whether the body still comes cannot be known

    talk(conversation)


def test_an_answer_before_the_end_of_the_body_keeps_the_connection() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PUT /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert (await answer(reader))[0] == 403
        writer.write(b"x" * 1_000_000 + b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader))[1]["x-seen"] == "GET /after?"

    talk(conversation)


def test_streams_are_chunked_or_sized_and_head_has_no_body() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader))[2] == b"a123456"
        writer.write(b"GET /sized HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader))[2] == b"123456"
        writer.write(b"HEAD /sized HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader, head=True))[1]["content-length"] == "6"
        writer.write(b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.0\r\n\r\n")
        assert (await answer(reader, head=True))[1]["x-seen"] == "HEAD /h?"
        assert (await reader.read()).endswith(b"\r\n\r\na123456")

    talk(conversation)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PUT /refused HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
def test_what_is_no_http_is_refused_and_ends_the_connection(raw: bytes, status: int) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        found, headers, _ = await answer(reader)
        assert (found, headers["connection"]) == (status, "close")
        assert await reader.read() == b""

    talk(conversation)


def test_a_line_break_in_a_header_is_never_sent() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /split HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"set-cookie" not in await reader.read()

    talk(conversation)


def test_an_offer_to_upgrade_is_answered_in_http_1_1() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
        )
        assert (await answer(reader))[1]["x-seen"] == "GET /u?"

    talk(conversation)


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (b"http://host:1/p?q=1", "GET /p?q=1"),
        (b"/a//b/../c?x=%2F#f", "GET /a//b/../c?x=%2F"),
        (b"*", "GET *?"),
    ],
)
def test_targets(target: bytes, seen: str) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = b"OPTIONS" if target == b"*" else b"GET"
        writer.write(b"%b %b HTTP/1.1\r\nHost: x\r\n\r\n" % (method, target))
        assert (await answer(reader))[1]["x-seen"].replace("OPTIONS", "GET") == seen

    talk(conversation)
