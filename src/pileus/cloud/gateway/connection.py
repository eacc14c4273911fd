"""HTTP/1.1 on one connection: httptools parses, `HttpRequest` goes to the application, `HttpResponse` becomes bytes.

The application answers at once with a response, or with a coroutine that will. What can be answered at once is:
without a task, a turn of the loop or a second system call, which together cost more than most operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools

from ..kernel.http import HttpRequest, HttpResponse
from ..kernel.sockets import SocketListener
from .body import Body

if TYPE_CHECKING:
    from .websocket import WebSocket

log = logging.getLogger("pileus.gateway")

Answer = HttpResponse | Coroutine[Any, Any, HttpResponse]
Application = Callable[[HttpRequest], Answer]

_MAX_HEAD = 64 * 1024
_MAX_PIPELINED = 16
_KEEP_ALIVE_SECONDS = 65.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODYLESS = frozenset({204, 304})


class Connections:
    """What the connections of one listener share: the application, the date header, and who there is."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.open: set[Connection | WebSocket] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._second = 0
        self._date = ""

    def date(self) -> str:
        """The Date header's line; by the wall's clock, like the clients' signatures."""
        now = int(time.time())
        if now != self._second:
            self._second, self._date = now, f"date: {formatdate(now, usegmt=True)}\r\n"
        return self._date

    async def close_sockets(self, grace: float) -> None:
        """Says goodbye to WebSockets and waits for what that sets off, `grace` seconds at most."""
        open_sockets = [connection for connection in self.open if not isinstance(connection, Connection)]
        for connection in open_sockets:
            connection.shut()
        if open_sockets and self.tasks:
            await asyncio.wait(self.tasks, timeout=grace)

    async def close(self, grace: float) -> None:
        """Ends idle connections at once, busy ones after their answer or after `grace` seconds."""
        for connection in list(self.open):
            connection.shut()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=grace)
        for connection in list(self.open):
            connection.abort()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Connection(asyncio.Protocol):
    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer = "127.0.0.1"
        self._busy = False
        self._closing = False
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        self._writable: asyncio.Future[None] | None = None
        self._last = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None  # what answers the request under way
        self._current: Body | None = None  # the body of the request that is being answered
        self._unread: Body | None = None  # what still comes of it after its answer
        self._rest: bytearray | None = None  # what follows a request to upgrade, until that is answered
        self._begin_message()

    def _begin_message(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._spelling: dict[str, str] = {}
        self._repeated: dict[str, list[str]] | None = None
        self._head_size = 0
        self._chunks: list[bytes] = []
        self._request: HttpRequest | None = None
        self._keep = True
        self._body: Body | None = None

    # -- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = transport.get_extra_info("peername")
        if peer:
            self._peer = peer[0]
        self._shared.open.add(self)
        self._timer = self._loop.call_later(_KEEP_ALIVE_SECONDS, self._check_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._shared.open.discard(self)
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._body is not None:
            self._body.lose()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._rest is not None:
            self._keep_rest(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as found:
            self._upgrade(data, found.args[0])
            return
        except httptools.HttpParserError:
            self._malformed(400)
            return
        if self._head_size > _MAX_HEAD:
            self._malformed(431)
        elif self._request is not None and self._body is None:
            self._start_body(self._request)

    def pause_writing(self) -> None:
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # -- httptools --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._begin_message()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_size += len(url)

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        self._head_size += len(raw_name) + len(raw_value)
        written, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        name = written.lower()
        if name != written:
            self._spelling[name] = written
        headers = self._headers
        if name in headers:
            self._repeat(name, value)
        else:
            headers[name] = value

    def _repeat(self, name: str, value: str) -> None:
        if self._repeated is None:
            self._repeated = {}
        self._repeated.setdefault(name, [self._headers[name]]).append(value)
        self._headers[name] = f"{self._headers[name]},{value}"

    def on_headers_complete(self) -> None:
        self._keep = self._parser.should_keep_alive()
        path, _, query = _target(self._url).decode("latin-1").partition("?")
        method = self._parser.get_method().decode("latin-1")
        self._request = request = HttpRequest(
            method, path, query, self._headers, client=self._peer, repeated=self._repeated
        )
        request.spelling = self._spelling

    def on_body(self, data: bytes) -> None:
        if self._body is not None:
            self._body.feed(data)
        else:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        request, self._request = self._request, None
        if self._body is not None:
            self._body.end()
            self._body_ended(self._body)
        elif request is not None and self._parser.should_upgrade():
            self._request = request  # taken in `_upgrade`, once it is known where the parser stopped
        elif request is not None and self._head_size <= _MAX_HEAD:
            request.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._take(request, self._keep)

    def _start_body(self, request: HttpRequest) -> None:
        """The head is there and the body is not, or not all of it: the application may begin."""
        waits = request.headers.get("expect", "").lower() == "100-continue"
        self._body = Body(self._chunks, self._hold, self._release, self._invite if waits else None)
        request.stream = self._body
        self._take(request, self._keep)

    def _upgrade(self, data: bytes, end: int) -> None:
        """Another protocol is asked for. Unless the application agrees, the request is answered in HTTP/1.1, and
        nothing can follow it. end: of the request's head in the data that it ended in."""
        request, self._request = self._request, None
        self._rest = bytearray()
        self._keep_rest(data[end:])
        if self._head_size > _MAX_HEAD:
            self._malformed(431)
        elif request is not None:
            self._take(request, False)

    def _keep_rest(self, data: bytes) -> None:
        assert self._rest is not None
        self._rest += data
        if len(self._rest) > _MAX_HEAD:
            self._hold()

    # -- requests, one after the other ------------------------------------------------------------------------------

    def _take(self, request: HttpRequest, keep: bool) -> None:
        if self._busy:
            self._waiting.append((request, keep))
            if len(self._waiting) >= _MAX_PIPELINED:
                self._hold()
            return
        self._begin(request, keep)

    def _begin(self, request: HttpRequest, keep: bool) -> None:
        self._busy = True
        self._current = request.stream if isinstance(request.stream, Body) else None
        try:
            answer = self._shared.application(request)
            if isinstance(answer, HttpResponse) and answer.stream is None:
                if answer.upgrade is not None:
                    self._hand_over(answer, answer.upgrade)
                    return
                self._write(request, answer, keep)
                self._done(keep)
                return
        except Exception:
            log.exception("a request failed: %s %s", request.method, request.path)
            self.abort()
            return
        self._task = self._loop.create_task(self._finish(request, answer, keep))
        self._shared.tasks.add(self._task)

    async def _finish(self, request: HttpRequest, answer: Answer, keep: bool) -> None:
        task = self._task
        try:
            response = answer if isinstance(answer, HttpResponse) else await answer
            if response.upgrade is not None:
                self._hand_over(response, response.upgrade)
                return
            if response.stream is None:
                self._write(request, response, keep)
            else:
                keep = await self._stream(request, response, keep)
        except ConnectionResetError:
            self.abort()
        except Exception:
            log.exception("a response broke off: %s %s", request.method, request.path)
            self.abort()
        else:
            self._done(keep)
        finally:
            if task is not None:
                self._shared.tasks.discard(task)

    def _hand_over(self, response: HttpResponse, listener: SocketListener) -> None:
        """The answer is 101: from here on, what comes and goes is not HTTP."""
        from .websocket import WebSocket  # late: only who serves WebSockets needs it

        transport = self._transport
        if transport is None or transport.is_closing() or self._rest is None:
            # the client went away while its handshake was answered
            closing = self._loop.create_task(listener.closed(1006, "Connection Closed Abnormally"))
            self._shared.tasks.add(closing)
            closing.add_done_callback(self._shared.tasks.discard)
            self.abort()
            return
        transport.write(self._head(response, True))
        self._shared.open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        transport.resume_reading()
        following = WebSocket(self._shared, transport, listener)
        following.begin(bytes(self._rest))
        if self._closing:
            following.shut()

    def _done(self, keep: bool) -> None:
        body, self._current = self._current, None
        if body is None or body.ended:
            self._next(keep)
        elif body.is_uninvited or not keep:
            self.close()  # what the client still has to send is not wanted
        else:
            # a client that is still sending reads the answer only afterwards: the rest is taken and dropped
            body.discard()
            self._unread = body

    def _body_ended(self, body: Body) -> None:
        if body is self._unread:
            self._unread = None
            self._next(self._keep)

    def _next(self, keep: bool) -> None:
        self._busy = False
        self._last = self._loop.time()
        if not keep or self._closing:
            self.close()
        elif self._waiting:
            request, keep = self._waiting.popleft()
            self._release()
            self._loop.call_soon(self._begin_waiting, request, keep)
            self._busy = True

    def _begin_waiting(self, request: HttpRequest, keep: bool) -> None:
        if self._transport is not None:
            self._begin(request, keep)

    # -- writing ----------------------------------------------------------------------------------------------------

    def _write(self, request: HttpRequest, response: HttpResponse, keep: bool) -> None:
        if self._transport is None:
            return
        length = None if response.status in _BODYLESS else len(response.body)
        head = self._head(response, keep, length=length)
        body = b"" if request.method == "HEAD" or length is None else response.body
        self._transport.write(head + body)

    async def _stream(self, request: HttpRequest, response: HttpResponse, keep: bool) -> bool:
        """Returns whether the connection may be kept: it may not where only its end tells the end of the body."""
        stream = response.stream
        assert stream is not None
        sized = "content-length" in response.headers
        chunked = not sized and self._parser.get_http_version() == "1.1"
        keep = keep and (sized or chunked)
        head = self._head(response, keep, chunked=chunked)
        if request.method == "HEAD":
            await self._put(head)
            await _close(stream)
            return keep
        try:
            await self._put(head + (_framed(response.body) if chunked and response.body else response.body))
            if isinstance(stream, AsyncIterator):
                async for chunk in stream:
                    await self._put(_framed(chunk) if chunked else chunk)
            else:
                for chunk in stream:
                    await self._put(_framed(chunk) if chunked else chunk)
        finally:
            await _close(stream)  # where the client went away, too
        if chunked:
            await self._put(b"0\r\n\r\n")
        return keep

    async def _put(self, data: bytes) -> None:
        if self._transport is None:
            raise ConnectionResetError("the client went away in the middle of its response")
        if data:
            self._transport.write(data)
        if self._writable is not None:
            await self._writable

    def _head(
        self, response: HttpResponse, keep: bool, *, length: int | None = None, chunked: bool = False
    ) -> bytes:
        headers = response.headers
        lines = [f"{name.lower()}: {value}\r\n" for name, value in headers.items()]
        if response.extra_headers:
            lines += [f"{name.lower()}: {value}\r\n" for name, value in response.extra_headers]
        if length is not None and "content-length" not in headers:
            lines.append(f"content-length: {length}\r\n")
        if chunked:
            lines.append("transfer-encoding: chunked\r\n")
        if (not keep or self._closing) and response.upgrade is None:
            lines.append("connection: close\r\n")
        text = "".join(lines)
        if text.count("\n") != len(lines) or text.count("\r") != len(lines):
            raise ValueError("a response header holds a line break")
        status = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"
        return f"{status}{self._shared.date()}{text}\r\n".encode("latin-1", "replace")

    # -- the connection ---------------------------------------------------------------------------------------------

    def shut(self) -> None:
        """Closes now, or after the answer that is under way."""
        self._closing = True
        if not self._busy:
            self.close()

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _malformed(self, status: int) -> None:
        """What cannot be understood is answered, if nothing else is being, and ends the connection."""
        if self._body is not None:
            self._body.lose()
        if self._busy or self._closing or self._transport is None:
            self.close()
            return
        response = HttpResponse(status, {"content-type": "text/plain"}, HTTPStatus(status).phrase.encode())
        self._closing = True
        self._transport.write(self._head(response, False, length=len(response.body)) + response.body)
        self._transport.close()

    def _check_idle(self) -> None:
        if self._transport is None:
            return
        idle = self._loop.time() - self._last
        if not self._busy and idle >= _KEEP_ALIVE_SECONDS:
            self.close()
            return
        wait = _KEEP_ALIVE_SECONDS if self._busy else _KEEP_ALIVE_SECONDS - idle
        self._timer = self._loop.call_later(wait, self._check_idle)

    def _hold(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _release(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def _invite(self) -> None:
        if self._transport is not None:
            self._transport.write(_CONTINUE)


def _target(url: bytes) -> bytes:
    """The request target as path and query; a proxy's `http://host/path` loses its host."""
    if not url.startswith(b"/"):
        _, scheme, rest = url.partition(b"://")
        if scheme:
            _, slash, path = rest.partition(b"/")
            return slash + path or b"/"
    return url.partition(b"#")[0] if b"#" in url else url


def _framed(chunk: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b""


async def _close(stream: object) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
