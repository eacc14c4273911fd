"""WebSockets over real sockets: the handshake, frames in every form, limits, and every way in which it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason

from pileus.cloud.gateway import connection, websocket
from pileus.cloud.gateway.connection import Answer
from pileus.cloud.gateway.websocket import handshake_headers, handshake_problem, wants_websocket
from pileus.cloud.kernel import HttpRequest, HttpResponse
from pileus.cloud.kernel.sockets import Socket
from pileus.cloud.server import Listener, bind

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Echo:
    """Says what it hears; `wait` is answered after the gate opens, and `end` closes with 4000."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.ends: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0
        self.socket: Socket | None = None

    def opened(self, socket: Socket) -> None:
        self.socket = socket

    def touched(self) -> None:
        pass

    async def received(self, message: str | bytes) -> None:
        self.heard.append(message)
        assert self.socket is not None
        self.running += 1
        self.most = max(self.most, self.running)
        if message == "wait":
            await self.gate.wait()
        self.running -= 1
        if message == "end":
            self.socket.close(4000, "as you wish")
        elif message == "break":
            raise RuntimeError("a bug")
        elif isinstance(message, str) and message.startswith("send "):
            self.socket.send("é" * int(message.split()[1]))
        else:
            self.socket.send(message)

    async def closed(self, code: int, reason: str) -> None:
        self.ends.put_nowait((code, reason))


class Client:
    """The other end: wsproto in the client's role, over plain streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.frames = Frames(ConnectionType.CLIENT)
        self.events: list[object] = []

    async def shake_hands(self, extra: bytes = b"") -> dict[str, str]:
        self.writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY.encode() + b"\r\n\r\n" + extra
        )
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert lines[0] == "HTTP/1.1 101 Switching Protocols"
        return {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)
        }

    def send(self, *events: object) -> None:
        for event in events:
            self.writer.write(self.frames.send(event))  # type: ignore[arg-type]

    async def event(self) -> object:
        while not self.events:
            data = await self.reader.read(65536)
            self.frames.receive_data(data or None)
            self.events += self.frames.events()
        return self.events.pop(0)

    async def message(self) -> str | bytes:
        parts: list[str | bytes] = []
        while True:
            event = await self.event()
            assert isinstance(event, TextMessage | BytesMessage), event
            parts.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
            if event.message_finished:
                return ("" if isinstance(parts[0], str) else b"").join(parts)  # type: ignore[arg-type]


async def refuse_later(echo: Echo) -> HttpResponse:
    await echo.gate.wait()
    return HttpResponse(403, {}, b"no")


Conversation = Callable[[Client, Echo, Listener], Awaitable[None]]


def talk(conversation: Conversation) -> None:
    async def run() -> None:
        echo = Echo()

        def application(request: HttpRequest) -> Answer:
            if not wants_websocket(request):
                return HttpResponse(200, {}, b"plain")
            if request.path == "/later":
                return refuse_later(echo)
            if request.path == "/no":
                return HttpResponse(403, {}, b"no")
            problem = handshake_problem(request)
            if problem is not None:
                return problem
            return HttpResponse(101, handshake_headers(request), upgrade=echo)

        listener = Listener(application, bind("127.0.0.1", 0))
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        try:
            async with asyncio.timeout(10):
                await conversation(Client(reader, writer), echo, listener)
        finally:
            writer.close()
            echo.gate.set()
            await listener.connections.close_sockets(1.0)
            await listener.stop()
            await asyncio.sleep(0)  # what was cut off is told in the next turn
        assert not listener.connections.tasks
        assert not listener.connections.open

    uvloop.run(run())


def test_the_handshake_of_rfc_6455_and_an_echo() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        headers = await client.shake_hands()
        assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert headers["upgrade"] == "websocket"
        assert headers["connection"] == "Upgrade"
        client.send(TextMessage("grüezi"), BytesMessage(b"\x00\xff"), TextMessage(""))
        assert [await client.message() for _ in range(3)] == ["grüezi", b"\x00\xff", ""]

    talk(conversation)


def test_frames_that_come_with_the_handshake_are_not_lost() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands(client.frames.send(TextMessage("early")))
        assert await client.message() == "early"

    talk(conversation)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /ws HTTP/1.1\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: KEY\r\n", 426),
        ("GET /ws HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n", 400),
        ("GET /ws HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n", 400),
        ("GET /ws HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ~~~\r\n", 400),
        ("POST /ws HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n", 400),
        ("GET /no HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n", 403),
    ],
)
def test_refused_handshakes(head: str, status: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        text = head.replace("KEY", KEY) + "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        client.writer.write(text.encode())
        answer = await client.reader.read()  # the connection ends with it
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert echo.socket is None

    talk(conversation)


def test_a_handshake_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_KEEP_ALIVE_SECONDS", 0.02)

    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        client.writer.write(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnec")
        assert await client.reader.read() == b""

    talk(conversation)


def test_what_follows_a_handshake_before_its_answer_is_not_kept_without_end() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        head = b"GET /later HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        client.writer.write(head + b"x" * 8_000_000)
        for _ in range(500):
            await asyncio.sleep(0)
        (held,) = listener.connections.open
        assert isinstance(held, connection.Connection)
        assert 65_536 < len(held._rest or b"") < 1_000_000
        echo.gate.set()
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403 ")

    talk(conversation)


def test_fragments_control_frames_between_them_and_bytes_one_by_one() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        data = b"".join(
            client.frames.send(event)
            for event in (
                TextMessage("a€", message_finished=False),
                Ping(b"there?"),
                TextMessage("", message_finished=False),
                TextMessage("b"),
            )
        )
        for byte in data:
            client.writer.write(bytes([byte]))
            await client.writer.drain()
        assert await client.event() == Pong(b"there?")
        assert await client.message() == "a€b"

    talk(conversation)


def test_a_large_message_goes_out_in_frames_of_32_kib() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("send 50000"))
        raw = b""
        while len(raw) < 100_000:
            raw += await client.reader.read(65536)
        length = int.from_bytes(raw[2:4], "big")
        assert raw[1] == 126
        assert length <= websocket.MAX_FRAME
        client.frames.receive_data(raw)
        client.events += client.frames.events()
        assert await client.message() == "é" * 50_000

    talk(conversation)


@pytest.mark.parametrize("size", [websocket.MAX_FRAME, websocket.MAX_FRAME + 1])
def test_the_largest_frame(size: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(BytesMessage(b"x" * size))
        if size <= websocket.MAX_FRAME:
            assert await client.message() == b"x" * size
            return
        event = await client.event()
        assert isinstance(event, CloseConnection)
        assert event.code == 1009
        assert (await echo.ends.get())[0] == 1009
        assert echo.heard == []

    talk(conversation)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_largest_message(extra: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        for _ in range(4):
            client.send(BytesMessage(b"x" * websocket.MAX_FRAME, message_finished=False))
        client.send(BytesMessage(b"x" * extra))
        if not extra:
            assert await client.message() == b"x" * websocket.MAX_MESSAGE
            return
        event = await client.event()
        assert isinstance(event, CloseConnection)
        assert event.code == 1009

    talk(conversation)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x03abc", 1002),  # a client's frame without a mask
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that there is not
        (b"\xc1\x81\0\0\0\0a", 1002),  # a reserved bit
        (b"\x80\x81\0\0\0\0a", 1002),  # a continuation of nothing
        (b"\x09\x80\0\0\0\0", 1002),  # a ping in fragments
        (b"\x81\x82\0\0\0\0\xc3\x28", 1007),  # no UTF-8
        (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # 1005 is never sent
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
def test_malformed_frames_close_the_connection(raw: bytes, code: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.writer.write(raw)
        event = await client.event()
        assert isinstance(event, CloseConnection)
        assert event.code == code
        assert (await echo.ends.get())[0] == code
        client.writer.write(b"\x00" * 1000)  # is read and dropped
        assert await client.reader.read() == b""

    talk(conversation)


@pytest.mark.parametrize(
    ("given", "told", "answered"),
    [
        (CloseConnection(1000, "bye"), (1000, "bye"), 1000),
        (CloseConnection(4321, ""), (4321, ""), 4321),
        (CloseConnection(CloseReason.NO_STATUS_RCVD), (1005, "Client-side close frame status not set"), 1005),
    ],
)
def test_a_client_closes(given: CloseConnection, told: tuple[int, str], answered: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(given)
        event = await client.event()
        assert isinstance(event, CloseConnection)
        assert event.code == answered
        assert await client.reader.read() == b""
        assert await echo.ends.get() == told
        assert echo.ends.empty()

    talk(conversation)


def test_a_client_goes_without_a_word() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.writer.transport.abort()
        assert (await echo.ends.get())[0] == 1006
        assert echo.socket is not None
        echo.socket.send("into the void")
        echo.socket.close(1000)
        assert echo.ends.empty()

    talk(conversation)


def test_the_server_closes() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("end"))
        event = await client.event()
        assert (event.code, event.reason) == (4000, "as you wish")  # type: ignore[attr-defined]
        assert await echo.ends.get() == (4000, "as you wish")
        client.send(event.response())  # type: ignore[attr-defined]
        assert await client.reader.read() == b""

    talk(conversation)


def test_a_client_that_does_not_answer_a_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_CLOSE_SECONDS", 0.02)

    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("end"))
        await client.event()
        with pytest.raises(ConnectionResetError):
            client.writer.write(b"x")
            if await client.reader.read() == b"":
                raise ConnectionResetError

    talk(conversation)


def test_a_server_that_stops_says_1001() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("hello"))
        await client.message()
        stopping = asyncio.create_task(listener.connections.close_sockets(1.0))
        event = await client.event()
        assert (event.code, event.reason) == (1001, "Going away")  # type: ignore[attr-defined]
        await stopping
        assert echo.ends.get_nowait() == (1001, "Going away")

    talk(conversation)


def test_messages_run_beside_one_another_but_not_without_end() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(*(TextMessage("wait") for _ in range(100)), TextMessage("last"))
        while echo.running < 32:  # noqa: ASYNC110 - they are on their way
            await asyncio.sleep(0)
        echo.gate.set()
        heard = [await client.message() for _ in range(101)]
        assert sorted(heard) == ["last"] + ["wait"] * 100
        assert echo.most == 32
        client.send(TextMessage("after"))  # it is read from again
        assert await client.message() == "after"

    talk(conversation)


def test_a_bug_in_one_message_is_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("break"), TextMessage("on"))
        assert await client.message() == "on"

    talk(conversation)
    assert "a WebSocket message failed" in caplog.text


def test_who_sends_pings_and_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_UNREAD_LIMIT", 1000)

    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.send(TextMessage("hello"))
        await client.message()
        assert echo.socket is not None
        client.writer.transport.pause_reading()
        while echo.socket.unsent < 1000:
            echo.socket.send("x" * 100_000)
            await asyncio.sleep(0)
        client.send(Ping(b""))
        assert (await echo.ends.get())[0] == 1006

    talk(conversation)


def test_two_hundred_clients() -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        async def one(number: int) -> None:
            other = Client(*await asyncio.open_connection("127.0.0.1", listener.port))
            await other.shake_hands()
            if number % 10 == 0:
                other.writer.transport.abort()
                return
            other.send(Ping(str(number).encode()))
            assert await other.event() == Pong(str(number).encode())
            other.writer.close()

        await asyncio.gather(*(one(number) for number in range(200)))
        for _ in range(200):
            await echo.ends.get()

    talk(conversation)


@pytest.mark.parametrize("seed", range(5))
def test_noise_ends_a_connection_and_nothing_else(seed: int) -> None:
    async def conversation(client: Client, echo: Echo, listener: Listener) -> None:
        await client.shake_hands()
        client.writer.write(os.urandom(200_000))
        with contextlib.suppress(ConnectionResetError):
            await client.reader.read()
        other = Client(*await asyncio.open_connection("127.0.0.1", listener.port))
        await other.shake_hands()
        other.send(Ping(b"still"))
        assert await other.event() == Pong(b"still")
        other.writer.close()

    talk(conversation)
