"""Functions behind HTTP: a cold start, a warm request, requests/s, of the same Python handlers under both."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from . import prepared, wrk
from .clouds import Rounds
from .figures import Row, Sample, interleaved
from .http import ask
from .peers import npm_bin, pileus_offline, serverless_offline
from .processes import BenchmarkError, Running, free_port, wait_until
from .run import Run
from .startup import copy_of_hello

_OURS, _PEER = "pileus", "serverless-offline"
_COLD_FUNCTIONS = 5
_COLD_LIMIT_MS = 100.0


def run(run: Run) -> list[Row]:
    npm_bin()
    wrk.ensure()
    folder = copy_of_hello(run, "functions")
    return [_cold(run, folder), *_warm(run, folder)]


def _start(run: Run, folder: Path, name: str) -> tuple[int, Running]:
    """A server with its first answer behind it."""
    port = free_port()
    if name == _OURS:
        server = pileus_offline(run.processes, folder, port, "--state", str(run.scratch("functions-state")))
    else:
        server = serverless_offline(run.processes, folder, port)

    def answers() -> bool:
        answer = ask(port, "GET", "/dev/hello")
        if answer is not None and answer.status >= 500:
            raise BenchmarkError(f"{name} answers {answer.status}: {answer.body[:300]!r}\n{server.tail()}")
        return answer is not None and answer.status == 200

    try:
        wait_until("200 to GET /dev/hello", server, answers)
    except BaseException:
        run.processes.stop(server)
        raise
    return port, server


def _cold(run: Run, folder: Path) -> Row:
    """What the first request to a function takes longer than its later ones."""
    rounds = Rounds()
    for number, name in interleaved([_OURS, _PEER], max(1, run.rounds - 1)):
        run.say(f"functions: cold start, {name}, round {number + 1}")
        if name in rounds.failures:
            continue
        try:
            port, server = _start(run, folder, name)
        except BenchmarkError as error:
            rounds.failures[name] = str(error)
            continue
        try:
            for function in range(_COLD_FUNCTIONS):
                milliseconds = _cold_start(port, f"/dev/client/{function}") * 1000
                rounds.samples.setdefault(name, []).append(Sample(milliseconds))
        except BenchmarkError as error:
            rounds.failures[name] = str(error)
        finally:
            run.processes.stop(server)
    return rounds.row(
        "functions", "cold start of a handler with a boto3 client", "ms", at_most=_COLD_LIMIT_MS
    )


def _cold_start(port: int, path: str) -> float:
    first, *later = [_answered(port, path) for _ in range(11)]
    return first - median(later)


def _answered(port: int, path: str) -> float:
    answer = ask(port, "GET", path)
    if answer is None or (answer.status, answer.body) != (200, b"dynamodb"):
        raise BenchmarkError(f"GET {path} was answered with {answer}")
    return answer.seconds


def _warm(run: Run, folder: Path) -> list[Row]:
    one, eight = Rounds(), Rounds()
    servers: dict[str, tuple[int, Running]] = {}
    try:
        for name in (_OURS, _PEER):
            try:
                servers[name] = _start(run, folder, name)
            except BenchmarkError as error:
                one.failures[name] = eight.failures[name] = str(error)
        for connections, rounds in ((1, one), (8, eight)):
            for number, name in interleaved(list(servers), run.rounds + 1):
                run.say(f"functions: hello at {connections}, {name}, {number or 'warm-up'}")
                if name in rounds.failures:
                    continue
                port = servers[name][0]
                file = prepared.write(
                    run.folder / f"hello-{port}.requests",
                    [prepared.get(f"http://127.0.0.1:{port}/dev/hello")],
                )
                try:
                    sample = wrk.load(
                        f"http://127.0.0.1:{port}", file, connections=connections, seconds=run.seconds
                    )
                except BenchmarkError as error:
                    rounds.failures[name] = str(error)
                    continue
                if number:
                    rounds.samples.setdefault(name, []).append(sample)
    finally:
        for _, server in servers.values():
            run.processes.stop(server)
    latency = Rounds(
        {
            name: [Sample(s.p50, s.p50, s.p99) for s in samples if s.p50]
            for name, samples in one.samples.items()
        },
        one.failures,
    )
    return [
        latency.row("functions", "warm hello, 1 connection, p50", "ms", {_PEER: 1.0}),
        eight.row("functions", "warm hello, 8 connections", "/s", {_PEER: 1.5}),
    ]
