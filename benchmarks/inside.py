"""CPU time of one request inside Pileus: `python -m benchmarks.inside dynamodb PutItem [--profile]`.

The gateway is called in the process, without sockets, and what counts is the CPU time of the thread, so that the figure holds
on a busy machine too. --profile prints where it goes (with the profiler's own cost in it: read the order, not the sums).
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from pathlib import Path
from statistics import median

import httptools
import uvloop

from pileus.cloud.gateway.connection import Application
from pileus.cloud.kernel import HttpRequest, HttpResponse, Settings
from pileus.cloud.server import CloudServer

from . import dynamodb, prepared, s3, sqs
from .clouds import Case

_SERVICES = {"dynamodb": dynamodb.CASES, "sqs": sqs.CASES, "s3": s3.CASES}
_ROUNDS = 7


class Received:
    """A raw request, parsed."""

    def __init__(self, raw: bytes) -> None:
        self._headers: dict[str, str] = {}
        self._url = b"/"
        self._body = b""
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(raw)

    def request(self) -> HttpRequest:
        path, _, query = self._url.decode().partition("?")
        return HttpRequest(self._parser.get_method().decode(), path, query, self._headers, self._body)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body


async def replay(application: Application, received: list[Received], count: int) -> float:
    """Microseconds of CPU a request. Raises AssertionError on an answer that is no 2xx."""
    begun = time.thread_time()
    for number in range(count):
        answer = application(received[number % len(received)].request())
        response = answer if isinstance(answer, HttpResponse) else await answer
        assert 200 <= response.status < 300, response
    return (time.thread_time() - begun) / count * 1e6


async def measure(service: str, case: Case, count: int, state: Path | None, profile: bool) -> float:
    cache = Path.home() / ".cache" / "pileus"
    async with CloudServer(Settings(state=state, cache=cache), 0) as server:
        names = await asyncio.to_thread(lambda: case.set_up(prepared.client(service, server.url)))
        requests = prepared.capture(service, server.url, lambda c, i: case.request(c, names, i), 500)
        received = [Received(request) for request in requests]
        app = server._listener.connections.application
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
