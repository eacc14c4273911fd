"""Loads on AWS APIs: the same prepared requests to every emulator, at 1 and at 8 connections, taking turns.

All servers of a benchmark run at once, those that are not under load idle; each starts empty. Before a case is
measured, what it needs is set up and checked with boto3: an emulator that does not really do it is not measured.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import prepared, wrk
from .figures import Figure, Row, Sample, interleaved
from .peers import CLOUDS, Cloud
from .processes import BenchmarkError, wait_until
from .run import Run

CONNECTIONS = (1, 8)


@dataclass(frozen=True, slots=True)
class Case:
    """One operation.

    set_up: makes with a boto3 client what the requests need, checks with boto3 that the operation does what it should
    (AssertionError otherwise), and gives what `request` needs to know. request: makes the i-th request.
    """

    name: str
    set_up: Callable[[Any], Mapping[str, str]]
    request: Callable[[Any, Mapping[str, str], int], Any]


@dataclass(slots=True)
class Rounds:
    """Samples of one row by contestant, and who failed."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def row(
        self,
        benchmark: str,
        case: str,
        unit: str,
        wanted: Mapping[str, float] | None = None,
        at_most: float | None = None,
    ) -> Row:
        order = [name for name in CLOUDS if name in self.samples]
        order += [name for name in self.samples if name not in order]
        figures = {name: Figure.of(self.samples[name]) for name in order if name not in self.failures}
        return Row(benchmark, case, unit, figures, wanted or {}, at_most, self.failures)


@contextlib.contextmanager
def running(run: Run, benchmark: str) -> Iterator[list[Cloud]]:
    """All emulators, answering."""
    clouds: list[Cloud] = []
    try:
        for label, start in CLOUDS.items():
            clouds.append(start(run.processes, run.scratch(f"{benchmark}-{label.replace(' --', '-')}")))
        for cloud in clouds:
            wait_until("its port", cloud.server, lambda port=cloud.port: _listens(port))  # type: ignore[misc]
        yield clouds
    finally:
        for cloud in clouds:
            run.processes.stop(cloud.server)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def measure(
    run: Run, benchmark: str, service: str, cases: Sequence[Case], wanted: Mapping[str, float]
) -> list[Row]:
    """wanted: by peer, how many times its requests/s at 8 connections."""
    wrk.ensure()
    rows = []
    with running(run, benchmark) as clouds:
        for case in cases:
            run.say(f"{benchmark}: {case.name}")
            rows += _measure_case(run, benchmark, service, case, clouds, wanted)
    return rows


def _measure_case(
    run: Run, benchmark: str, service: str, case: Case, clouds: Sequence[Cloud], wanted: Mapping[str, float]
) -> list[Row]:
    files = {}
    by_connections = {connections: Rounds() for connections in CONNECTIONS}
    for cloud in clouds:
        try:
            names = case.set_up(prepared.client(service, cloud.url))
        except Exception as error:  # noqa: BLE001 - whatever a peer does wrong is its failure, not the run's
            for rounds in by_connections.values():
                rounds.failures[cloud.label] = f"{type(error).__name__}: {error}"
            continue
        requests = prepared.capture(
            service,
            cloud.url,
            lambda client, i, names=names: case.request(client, names, i),  # type: ignore[misc]
            run.requests,
        )
        path = run.folder / f"{benchmark}-{case.name}-{cloud.port}.requests"
        files[cloud.label] = prepared.write(path, requests)
    by_label = {cloud.label: cloud for cloud in clouds if cloud.label in files}
    for connections, rounds in by_connections.items():
        _take_turns(run, by_label, rounds, files, connections)
    for path in files.values():
        path.unlink()
    return [
        rounds.row(
            benchmark, f"{case.name}, {_connections(n)}", "/s", wanted if n == max(CONNECTIONS) else None
        )
        for n, rounds in by_connections.items()
    ]


def _take_turns(
    run: Run, clouds: Mapping[str, Cloud], rounds: Rounds, files: Mapping[str, Any], connections: int
) -> None:
    for number, label in interleaved(list(clouds), run.rounds + 1):
        if label in rounds.failures:
            continue
        cloud = clouds[label]
        try:
            # the first round is the warm-up: caches, JITs, and all requests answered once
            sample = wrk.load(
                cloud.url,
                files[label],
                connections=connections,
                seconds=run.seconds if number else min(1.0, run.seconds),
            )
            cloud.server.check_alive()
        except BenchmarkError as error:
            rounds.failures[label] = str(error)
            continue
        if number:
            rounds.samples.setdefault(label, []).append(sample)


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"
