"""The Runtime API as any runtime sees it: raw requests on a socket."""

from __future__ import annotations

import asyncio

import pytest

from pileus.cloud.runtime.runtime_api import MAX_RESPONSE, RuntimeApi


class Recorder:
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.asked = asyncio.Event()

    def on_next(self) -> None:
        self.heard.append(("next",))
        self.asked.set()

    def on_response(self, request_id: str, body: bytes) -> bool:
        self.heard.append(("response", request_id, body))
        return request_id == "1"

    def on_error(self, request_id: str, body: bytes) -> bool:
        self.heard.append(("error", request_id, body))
        return request_id == "1"

    def on_init_error(self, body: bytes) -> None:
        self.heard.append(("init", body))

    def on_files(self, body: bytes) -> None:
        self.heard.append(("files", body))


def post(path: str, body: bytes = b"") -> bytes:
    return b"POST /2018-06-01/runtime/%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (
        path.encode(),
        len(body),
        body,
    )


async def exchange(data: bytes, recorder: Recorder, answers: int = 1) -> list[bytes]:
    """Sends `data` and reads the statuses of as many answers."""
    api = RuntimeApi(recorder)
    await api.start()
    host, _, port = api.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    found = []
    for _ in range(answers):
        head = await reader.readuntil(b"\r\n\r\n")
        found.append(head.split(b"\r\n", 1)[0].split(b" ", 1)[1])
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    api.close()
    await asyncio.sleep(0)
    return found


@pytest.mark.parametrize(
    ("request_bytes", "status", "heard"),
    [
        (post("invocation/1/response", b"{}"), b"202 Accepted", ("response", "1", b"{}")),
        (post("invocation/2/response", b"{}"), b"400 Bad Request", ("response", "2", b"{}")),
        (post("invocation/1/error", b"e"), b"202 Accepted", ("error", "1", b"e")),
        (post("init/error", b"e"), b"202 Accepted", ("init", b"e")),
        (post("pileus/files", b"[]"), b"202 Accepted", ("files", b"[]")),
        (post("invocation/1/other"), b"400 Bad Request", None),
        (post("elsewhere"), b"404 Not Found", None),
    ],
)
def test_requests(request_bytes: bytes, status: bytes, heard: tuple[object, ...] | None) -> None:
    async def story() -> None:
        recorder = Recorder()
        assert await exchange(request_bytes, recorder) == [status]
        assert recorder.heard == ([heard] if heard else [])

    asyncio.run(story())


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_our_own_runtimes_response_and_next_in_pieces(pieces: int) -> None:
    """In one piece it takes the short way, else the parser's: the same is heard."""
    identifier = "0a0b0c0d-0000-4000-8000-000000000001"
    body = b'{"a":"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n"}'

    async def story() -> list[tuple[object, ...]]:
        recorder = Recorder()
        api = RuntimeApi(recorder)
        ours = await api.connect()
        head = (
            f"POST /2018-06-01/runtime/invocation/{identifier}/response HTTP/1.1\r\nHost: {api.address}\r\n"
        )
        data = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body + api.next_request
        for begin in range(0, len(data), -(-len(data) // pieces)):
            ours.sendall(data[begin : begin + -(-len(data) // pieces)])
            await asyncio.sleep(0)
        await asyncio.wait_for(recorder.asked.wait(), 5)
        api.close()
        ours.close()
        await asyncio.sleep(0)
        return recorder.heard

    assert asyncio.run(story()) == [("response", identifier, body), ("next",)]


def test_chunked_response() -> None:
    head = b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def story() -> None:
        recorder = Recorder()
        await exchange(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", recorder)
        assert recorder.heard == [("response", "1", b"abcde")]

    asyncio.run(story())


def test_too_large_a_response_becomes_an_error() -> None:
    async def story() -> None:
        recorder = Recorder()
        body = b"x" * (MAX_RESPONSE + 1)
        assert await exchange(post("invocation/1/response", body), recorder) == [b"413 Payload Too Large"]
        kind, _, document = recorder.heard[0]
        assert kind == "error"
        assert b"Function.ResponseSizeTooLarge" in document  # type: ignore[operator]

    asyncio.run(story())


def test_next_waits_and_gets_the_event() -> None:
    async def story() -> None:
        recorder = Recorder()
        api = RuntimeApi(recorder)
        await api.start()
        host, _, port = api.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        await recorder.asked.wait()
        api.deliver(b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 7\r\nContent-Length: ", b"{}")
        assert await reader.readuntil(b"\r\n\r\n{}") == (
            b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 7\r\nContent-Length: 2\r\n\r\n{}"
        )
        # A runtime that posts and asks at once hears both answers in one piece.
        writer.write(
            post("invocation/1/response", b"{}") + b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"
        )
        recorder.asked.clear()
        await recorder.asked.wait()
        api.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: ", b"1")
        text = await reader.readuntil(b"\r\n\r\n1")
        assert text.startswith(b"HTTP/1.1 202 Accepted")
        assert text.endswith(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        writer.close()
        api.close()
        await asyncio.sleep(0)

    asyncio.run(story())
