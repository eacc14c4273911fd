"""CPU time of one request inside Pileus: `python -m benchmarks.inside dynamodb PutItem [--profile]`.

The gateway is called as ASGI, without sockets, and what counts is the CPU time of the thread, so that the figure holds
on a busy machine too. --profile prints where it goes (with the profiler's own cost in it: read the order, not the sums).
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import httptools
import uvloop

from pileus.cloud.kernel import Settings
from pileus.cloud.server import CloudServer

from . import dynamodb, prepared, s3, sqs
from .clouds import Case

_SERVICES = {"dynamodb": dynamodb.CASES, "sqs": sqs.CASES, "s3": s3.CASES}
_ROUNDS = 7


class Received:
    """A raw request as ASGI has it."""

    def __init__(self, request: bytes) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._url = b"/"
        self._body = b""
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(request)
        url = httptools.parse_url(self._url)
        self.scope = {
            "type": "http",
            "method": parser.get_method().decode(),
            "scheme": "http",
            "raw_path": url.path,
            "path": url.path.decode(),
            "query_string": url.query or b"",
            "headers": self._headers,
            "client": ("127.0.0.1", 1),
        }
        self.message = {"type": "http.request", "body": self._body, "more_body": False}

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body += body


async def replay(app: Any, received: list[Received], count: int) -> float:
    """Microseconds of CPU a request. Raises AssertionError on an answer that is no 2xx."""
    statuses: set[int] = set()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"])

    begun = time.thread_time()
    for number in range(count):
        one = received[number % len(received)]

        async def receive(message: dict[str, Any] = one.message) -> dict[str, Any]:
            return message

        await app(one.scope, receive, send)
    took = time.thread_time() - begun
    assert all(200 <= status < 300 for status in statuses), statuses
    return took / count * 1e6


async def measure(service: str, case: Case, count: int, state: Path | None, profile: bool) -> float:
    cache = Path.home() / ".cache" / "pileus"
    async with CloudServer(Settings(state=state, cache=cache), 0) as server:
        names = await asyncio.to_thread(lambda: case.set_up(prepared.client(service, server.url)))
        requests = prepared.capture(service, server.url, lambda c, i: case.request(c, names, i), 500)
        received = [Received(request) for request in requests]
        app = server._listener._server.config.app
        await replay(app, received, count)
        if profile:
            profiler = cProfile.Profile(time.thread_time)
            profiler.enable()
            await replay(app, received, count)
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        return median([await replay(app, received, count) for _ in range(_ROUNDS)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside")
    parser.add_argument("service", choices=list(_SERVICES), nargs="?")
    parser.add_argument("case", nargs="?", help="how a case's name begins; all by default")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--ephemeral", action="store_true")
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    for service, cases in _SERVICES.items():
        for case in cases:
            if arguments.service not in (None, service) or not case.name.startswith(arguments.case or ""):
                continue
            with tempfile.TemporaryDirectory() as folder:
                state = None if arguments.ephemeral else Path(folder) / "state"
                count = arguments.count // 20 if "1,000" in case.name else arguments.count
                micros = uvloop.run(measure(service, case, count, state, arguments.profile))
            print(f"{service} {case.name}: {micros:.1f} µs of CPU a request", flush=True)


if __name__ == "__main__":
    main()
