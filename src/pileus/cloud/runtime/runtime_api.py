"""The Lambda Runtime API (2018-06-01), as AWS documents it for custom runtimes.

Each execution environment has a listener of its own on loopback, so its port says who asks. What we fork ourselves
also inherits one end of a socket pair that speaks the same protocol in half the time. This is the hot path of every
invocation: a bare protocol on httptools, nothing between it and the socket.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from .execution import error_document

_VERSION = b"/2018-06-01/runtime/"
_NEXT = _VERSION + b"invocation/next"
_INVOCATION = _VERSION + b"invocation/"
_INIT_ERROR = _VERSION + b"init/error"
_FILES = _VERSION + b"pileus/files"
_NOTE = _VERSION + b"pileus/note"
_ACCEPTED = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MODE = b"lambda-runtime-function-response-mode"
#: The Extensions, Telemetry and Logs APIs.
_EXTENSIONS = (b"/2020-01-01/extension/", b"/2022-07-01/telemetry", b"/2020-08-15/logs")
_POST = b"POST " + _INVOCATION
_ID = slice(len(_POST), len(_POST) + 36)

#: The largest response that the Runtime API takes: 6 MB and a little.
MAX_RESPONSE = 6_291_556
_TOO_LARGE = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."


class Sink(Protocol):
    """Where the chunks of a response go."""

    def feed(self, data: bytes) -> None: ...


class RuntimeHandler(Protocol):
    """What an environment hears from its runtime."""

    def on_next(self) -> None:
        """The runtime waits for an invocation."""

    def on_response(self, request_id: str, body: bytes) -> bool:
        """Returns whether `request_id` is the invocation under way."""

    def on_error(self, request_id: str, body: bytes) -> bool: ...

    def on_stream(self, request_id: str, content_type: str, pause: Callable[[bool], None]) -> Sink | None:
        """A response in chunks begins. Returns where they go, None where no such invocation is under way."""

    def on_stream_end(self, error: bytes) -> None:
        """error: the document of what went wrong after the response had begun, b"" where nothing did."""

    def on_init_error(self, body: bytes) -> None: ...

    def on_files(self, body: bytes) -> None:
        """Pileus's own addition: the project's files that the runtime has read, a JSON document."""

    def on_note(self, body: bytes) -> None:
        """Pileus's own addition: a line for the user."""


class RuntimeApi:
    """The listener of one environment. `deliver` answers the runtime that waits on invocation/next."""

    def __init__(self, handler: RuntimeHandler) -> None:
        self.handler = handler
        self.waiting: _Connection | None = None
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(8)
        self._socket.setblocking(False)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        # What our own runtime (bootstrap/runtime_client.py) writes around its response, to the byte.
        host = f" HTTP/1.1\r\nHost: {self.address}\r\n".encode()
        self.before_length = b"/response" + host + b"Content-Length: "
        self.next_request = b"GET " + _NEXT + host + b"\r\n"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=self._socket)

    async def connect(self) -> socket.socket:
        """A connection that is there already. Returns the runtime's end."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        await self.attach(ours)
        return theirs

    async def attach(self, ours: socket.socket) -> None:
        """Serves the runtime at the other end of `ours`."""
        await asyncio.get_running_loop().create_unix_connection(lambda: _Connection(self), sock=ours)

    def deliver(self, head: bytes, payload: bytes) -> None:
        """head: the response's head without its Content-Length and the blank line."""
        connection = self.waiting
        if connection is None:
            raise RuntimeError("no runtime is waiting")
        self.waiting = None
        connection.send(b"%b%d\r\n\r\n%b" % (head, len(payload), payload))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        else:
            self._socket.close()
        for connection in list(self.connections):
            connection.close()


class _Connection(asyncio.Protocol):
    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._url = b""
        self._body: list[bytes] = []
        self._parsing = False
        self._headers: dict[bytes, bytes] = {}
        self._sink: Sink | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._api.connections.add(self)
        with contextlib.suppress(OSError):  # a pair has no such option
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._api.connections.discard(self)
        if self._api.waiting is self:
            self._api.waiting = None
        self._transport = None
        if self._sink is not None:
            self._sink = None  # the environment hears of it by the end of its process, or by its deadline

    def data_received(self, data: bytes) -> None:
        if self._parsing or not self._take_known(data):
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError:
                self.close()
                return
        # A runtime that sends its response and the next GET at once hears "accepted" together with the next event;
        # one that waits for it hears it now.
        if self._held and self._api.waiting is not self:
            self.send(b"")

    def _take_known(self, data: bytes) -> bool:
        """Takes a response with the wait for the next event behind it, as our own runtime sends them: whole, and at a
        quarter of the parser's price. Returns False, having done nothing, for anything else."""
        api = self._api
        if not data.startswith(_POST) or not data.endswith(api.next_request):
            return False
        if not data.startswith(api.before_length, _ID.stop):
            return False
        begin = _ID.stop + len(api.before_length)
        end = data.find(b"\r\n\r\n", begin, begin + 16)
        if end < 0 or not data[begin:end].isdigit():
            return False
        stop = len(data) - len(api.next_request)
        if end + 4 + int(data[begin:end]) != stop:
            return False
        self._finish(data[_ID] + b"/response", data[end + 4 : stop])
        api.waiting = self
        api.handler.on_next()
        return True

    def send(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._held:
            self._held.append(data)
            data = b"".join(self._held)
            self._held.clear()
        self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- httptools ------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._parsing = True
        self._url = b""
        self._body = []
        self._headers = {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and self._transport is not None:
            self._transport.write(_CONTINUE)
        if name == b"content-type" or name.startswith(b"lambda-"):  # of the head, or of the trailer
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        if self._headers.get(_MODE) != b"streaming" or not self._url.endswith(b"/response"):
            return
        request_id = self._url[len(_INVOCATION) : -len(b"/response")].decode("ascii", "replace")
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self._sink = self._api.handler.on_stream(request_id, content_type, self._pause)

    def _pause(self, pause: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def on_body(self, body: bytes) -> None:
        if self._sink is not None:
            self._sink.feed(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._parsing = False
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        url, handler = self._url, self._api.handler
        if self._sink is not None:
            self._sink = None
            handler.on_stream_end(_trailer_error(self._headers))
            self._held.append(_ACCEPTED)
        elif url == _NEXT:
            self._api.waiting = self
            handler.on_next()
        elif url.startswith(_INVOCATION):
            self._finish(url[len(_INVOCATION) :], body)
        elif url == _FILES:
            handler.on_files(body)
            self._held.append(_ACCEPTED)
        elif url == _NOTE:
            handler.on_note(body)
            self._held.append(_ACCEPTED)
        elif url == _INIT_ERROR:
            self.send(_ACCEPTED)
            handler.on_init_error(body)
        elif url.startswith(_EXTENSIONS):
            self._refuse(
                b"501 Not Implemented", b"NotEmulated", b"Pileus does not emulate extensions of Lambda"
            )
        else:
            self._refuse(b"404 Not Found", b"Runtime.UnknownEndpoint", b"no such path in the Runtime API")

    def _finish(self, rest: bytes, body: bytes) -> None:
        request_id, _, what = rest.partition(b"/")
        handler, identifier = self._api.handler, request_id.decode("ascii", "replace")
        if what == b"response":
            if len(body) > MAX_RESPONSE:
                self._too_large(identifier)
                return
            known = handler.on_response(identifier, body)
        elif what == b"error":
            known = handler.on_error(identifier, body)
        else:
            known = False
        if known:
            self._held.append(_ACCEPTED)
        else:
            self._refuse(b"400 Bad Request", b"InvalidRequestID", b"Invalid request ID")

    def _too_large(self, request_id: str) -> None:
        self._api.handler.on_error(request_id, too_large_document())
        self._refuse(b"413 Payload Too Large", b"RequestEntityTooLarge", _TOO_LARGE.encode())

    def _refuse(self, status: bytes, kind: bytes, text: bytes) -> None:
        body = b'{"errorMessage":"%b","errorType":"%b"}\n' % (text, kind)
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
            status,
            len(body),
        )
        self.send(head + body)


def _trailer_error(headers: dict[bytes, bytes]) -> bytes:
    kind = headers.get(b"lambda-runtime-function-error-type")
    if kind is None:
        return b""
    try:
        document = base64.b64decode(headers.get(b"lambda-runtime-function-error-body", b""), validate=True)
    except binascii.Error:
        document = b""
    return document or error_document(kind.decode("latin-1"), "")


def too_large_document() -> bytes:
    return error_document("Function.ResponseSizeTooLarge", _TOO_LARGE)
