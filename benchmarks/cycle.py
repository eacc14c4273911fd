"""A load that wrk cannot make: each message is sent, received and deleted, over a connection of its own worker.

Signed on the way with a key derived once; raw sockets and a C parser, so that the client costs about 60 µs a request.
It is the same for every contestant, and flattens the ratios of the fast ones rather than the reverse.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from statistics import quantiles
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import orjson
import uvloop

from .figures import Sample
from .processes import BenchmarkError

_SIGNED = "host;x-amz-date;x-amz-target"
_EMPTY_RECEIVES = 50
_ANSWER_SECONDS = 20.0


def cycles(queue_url: str, *, connections: int, seconds: float) -> Sample:
    """Whole cycles a second, and the latencies of a cycle."""
    return uvloop.run(_load(queue_url, connections, seconds))


async def _load(queue_url: str, connections: int, seconds: float) -> Sample:
    signer = Signer(queue_url)
    durations: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(
        *(_worker(signer, queue_url, started + seconds, durations) for _ in range(connections))
    )
    took = time.perf_counter() - started
    if len(durations) < 2:
        raise BenchmarkError(f"only {len(durations)} cycles in {took:.1f} s")
    cut = quantiles(durations, n=100)
    return Sample(len(durations) / took, cut[49] * 1000, cut[98] * 1000)


async def _worker(signer: Signer, queue_url: str, deadline: float, durations: list[float]) -> None:
    connection = await Connection.open(signer.host, signer.port)
    try:
        while (begun := time.perf_counter()) < deadline:
            await connection.call(signer, "SendMessage", {"QueueUrl": queue_url, "MessageBody": "m" * 200})
            for _ in range(_EMPTY_RECEIVES):
                answer = await connection.call(signer, "ReceiveMessage", {"QueueUrl": queue_url})
                if messages := answer.get("Messages"):
                    break
            else:
                raise BenchmarkError("a message that was sent is not received")
            handle = messages[0]["ReceiptHandle"]
            await connection.call(signer, "DeleteMessage", {"QueueUrl": queue_url, "ReceiptHandle": handle})
            durations.append(time.perf_counter() - begun)
    finally:
        connection.close()


class Signer:
    """SigV4 of SQS's JSON protocol with the test credentials."""

    def __init__(self, queue_url: str) -> None:
        parts = urlsplit(queue_url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self._authority = parts.netloc
        self._day = time.strftime("%Y%m%d", time.gmtime())
        self._scope = f"{self._day}/us-east-1/sqs/aws4_request"
        key = b"AWS4test"
        for part in (self._day, "us-east-1", "sqs", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = key

    def request(self, operation: str, parameters: dict[str, Any]) -> bytes:
        body = orjson.dumps(parameters)
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = f"AmazonSQS.{operation}"
        canonical = (
            f"POST\n/\n\nhost:{self._authority}\nx-amz-date:{date}\nx-amz-target:{target}\n\n"
            f"{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{date}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nHost: {self._authority}\r\nX-Amz-Date: {date}\r\nX-Amz-Target: {target}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential=test/{self._scope}, SignedHeaders={_SIGNED}, "
            f"Signature={signature}\r\n\r\n"
        ).encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time. Opened anew where the server closes it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._parser: Any = None
        self._body: list[bytes] = []

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        connection = cls(host, port)
        await connection._connect()
        return connection

    async def _connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)

    async def call(self, signer: Signer, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._transport is None or self._transport.is_closing():
            await self._connect()
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._parser, self._body = httptools.HttpResponseParser(self), []
        self._transport.write(signer.request(operation, parameters))
        async with asyncio.timeout(_ANSWER_SECONDS):
            body = await self._answer
        status = self._parser.get_status_code()
        if status != 200:
            raise BenchmarkError(f"{operation} was answered with {status}: {body[:300]!r}")
        return dict(orjson.loads(body)) if body else {}

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # -- asyncio's and httptools' callbacks -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchmarkError("the server closed the connection without an answer"))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._transport is not None and not self._parser.should_keep_alive():
            self._transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(b"".join(self._body))
