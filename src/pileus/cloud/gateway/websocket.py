"""WebSockets (RFC 6455): the opening handshake, and the frames of one connection once HTTP is over.

`Connection` hands its transport to a `WebSocket` when the application answers an upgrade with a listener. wsproto reads
and writes frames; here are API Gateway's limits, and who waits for whom: a client that sends faster than its messages
are answered is not read from, one that does not read its own is told apart by `unsent`, and one that does not answer a
close is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Coroutine, Iterator
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from ..kernel.http import HttpRequest, HttpResponse
from ..kernel.sockets import SocketListener

if TYPE_CHECKING:
    from .connection import Connections

log = logging.getLogger("pileus.gateway")

#: Quotas of API Gateway: a larger frame or message closes the connection with 1009.
MAX_FRAME = 32 * 1024
MAX_MESSAGE = 128 * 1024

_MOST_RUNNING = 32  # messages of one client that are being answered at the same time
_CLOSE_SECONDS = 5.0  # for the client to answer a close, and to read what was sent before it
_UNREAD_LIMIT = 4 * 1024 * 1024  # a client that sends pings and reads nothing
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_OPEN = ConnectionState.OPEN


def wants_websocket(request: HttpRequest) -> bool:
    """Whether a request asks for the protocol to change to WebSocket."""
    return request.headers.get("upgrade", "").lower() == "websocket" and "upgrade" in _tokens(
        request.headers.get("connection", "")
    )


def handshake_problem(request: HttpRequest) -> HttpResponse | None:
    """The refusal of a handshake that RFC 6455 does not allow, None where all is well."""
    headers = request.headers
    if request.method != "GET":
        return _refused(400, "Bad Request")
    if headers.get("sec-websocket-version", "").strip() != "13":
        return _refused(426, "Upgrade Required")
    try:
        key = b64decode(headers.get("sec-websocket-key", "").strip(), validate=True)
    except (Base64Error, ValueError):
        return _refused(400, "Bad Request")
    return None if len(key) == 16 else _refused(400, "Bad Request")


def handshake_headers(request: HttpRequest) -> dict[str, str]:
    """What tells the client that this server understood it."""
    key = request.headers["sec-websocket-key"].strip().encode("latin-1")
    accept = b64encode(sha1(key + _GUID, usedforsecurity=False).digest()).decode("ascii")
    return {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept}


def _tokens(header: str) -> list[str]:
    return [token.strip().lower() for token in header.split(",")]


def _refused(status: int, words: str) -> HttpResponse:
    headers = {"content-type": "text/plain", "sec-websocket-version": "13"}
    return HttpResponse(status, headers, words.encode())


class WebSocket(asyncio.Protocol):
    """One connection after its handshake; the `Socket` of its listener."""

    def __init__(self, shared: Connections, transport: asyncio.Transport, listener: SocketListener) -> None:
        self._shared = shared
        self._transport: asyncio.Transport | None = transport
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._frames = Frames(ConnectionType.SERVER)
        self._parts: list[Any] = []  # of the message that is coming: all text, or all bytes
        self._size = 0  # of the message that is coming
        self._frame_size = 0
        self._running = 0
        self._pending: deque[str | bytes] = deque()
        self._deaf = False
        self._told = False  # the listener knows that it is over
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, rest: bytes) -> None:
        """Takes the transport over. rest: what came after the handshake's request."""
        assert self._transport is not None
        self._transport.set_protocol(self)
        with contextlib.suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._shared.open.add(self)
        self._listener.opened(self)
        if rest:
            self.data_received(rest)

    # -- Socket, for the listener -----------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def send(self, message: str | bytes) -> None:
        if self._frames.state is not _OPEN:
            return
        for piece, last in _pieces(message):
            event: Message[Any] = (
                TextMessage(piece, True, last) if isinstance(piece, str) else BytesMessage(piece, True, last)
            )
            self._put(event)

    def close(self, code: int, reason: str = "") -> None:
        if self._frames.state is _OPEN:
            self._put(CloseConnection(code=code, reason=reason or None))
            self._close_by(_CLOSE_SECONDS)
        self._tell(code, reason)

    # -- the server's own end ---------------------------------------------------------------------------------------

    def shut(self) -> None:
        """The server stops: 1001, as RFC 6455 says it."""
        self.close(CloseReason.GOING_AWAY, "Going away")

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol -------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._frames.state in (ConnectionState.CLOSED, ConnectionState.REMOTE_CLOSING):
            return  # after its close, or what is no frame, a client has nothing to say
        self._frames.receive_data(data)
        for event in self._frames.events():
            self._take(event)
        if self._frames.state is _OPEN:
            self._listener.touched()

    def eof_received(self) -> bool:
        return False  # the transport closes, and connection_lost tells

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._shared.open.discard(self)
        self._pending.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._tell(CloseReason.ABNORMAL_CLOSURE, "Connection Closed Abnormally")

    # -- what comes -------------------------------------------------------------------------------------------------

    def _take(self, event: object) -> None:
        if isinstance(event, CloseConnection):
            if self._frames.state is _OPEN:
                self._fail(event)
            else:
                self._client_closed(event)
        elif self._frames.state is not _OPEN:
            return  # what follows our own close is not wanted
        elif isinstance(event, Ping):
            if self.unsent > _UNREAD_LIMIT:
                self.abort()
                return
            self._put(event.response())
        elif isinstance(event, TextMessage | BytesMessage):
            self._collect(event)

    def _collect(self, event: TextMessage | BytesMessage) -> None:
        data = event.data
        size = len(data.encode()) if isinstance(data, str) and not data.isascii() else len(data)
        self._size += size
        self._frame_size += size
        if self._frame_size > MAX_FRAME or self._size > MAX_MESSAGE:
            # what the client is still sending is read and dropped: it would not see the close otherwise
            self.close(CloseReason.MESSAGE_TOO_BIG, "Message too long")
            return
        self._parts.append(data)
        if event.frame_finished:
            self._frame_size = 0
        if not event.message_finished:
            return
        parts, self._parts, self._size = self._parts, [], 0
        self._deliver("".join(parts) if isinstance(data, str) else b"".join(parts))

    def _fail(self, event: CloseConnection) -> None:
        """What came is no frame; wsproto says so with a close of its own making."""
        self._deaf = True
        self.close(int(event.code), event.reason or "")
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def _client_closed(self, event: CloseConnection) -> None:
        if self._frames.state is ConnectionState.REMOTE_CLOSING:
            code = None if event.code == CloseReason.NO_STATUS_RCVD else event.code
            self._put(CloseConnection(code=code))  # type: ignore[arg-type]
            reason = event.reason or ""
            if event.code == CloseReason.NO_STATUS_RCVD:
                reason = "Client-side close frame status not set"
            self._tell(int(event.code), reason)
        self._end_transport()

    # -- messages, several at a time ----------------------------------------------------------------------------------

    def _deliver(self, message: str | bytes) -> None:
        if self._running >= _MOST_RUNNING:
            self._pending.append(message)
            if len(self._pending) == 1 and self._transport is not None:
                self._transport.pause_reading()
            return
        self._running += 1
        self._spawn(self._answer(message))

    async def _answer(self, message: str | bytes) -> None:
        try:
            await self._listener.received(message)
        finally:
            self._running -= 1
            if self._pending:
                self._deliver(self._pending.popleft())
                if not self._pending and self._transport is not None and not self._transport.is_closing():
                    self._transport.resume_reading()

    def _tell(self, code: int, reason: str) -> None:
        if not self._told:
            self._told = True
            self._spawn(self._listener.closed(int(code), reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._shared.tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._shared.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a WebSocket message failed", exc_info=error)

    # -- what goes --------------------------------------------------------------------------------------------------

    def _put(self, event: Any) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._frames.send(event))

    def _end_transport(self) -> None:
        """Closes once all is written; at once if that takes too long."""
        if self._transport is not None:
            self._transport.close()
            self._close_by(_CLOSE_SECONDS)

    def _close_by(self, seconds: float) -> None:
        if self._timer is None and self._transport is not None:
            self._timer = self._loop.call_later(seconds, self.abort)


def _pieces(message: str | bytes) -> Iterator[tuple[str | bytes, bool]]:
    """A message in pieces that fit into a frame (of text: their UTF-8 does), the last one marked."""
    step = MAX_FRAME if isinstance(message, bytes) or message.isascii() else MAX_FRAME // 4
    if len(message) <= step:
        yield message, True
        return
    for at in range(0, len(message), step):
        yield message[at : at + step], at + step >= len(message)
