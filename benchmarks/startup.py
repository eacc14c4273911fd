"""Start-up to the first answer: from the start of the process to the last byte of a function's first 2xx.

A hello service under both, and the reference service (17 functions, tables, queue, bucket, bus) under Pileus, which
alone can run it: with a new state folder (the stack is created) and with one that is there (the stack is compared).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .clouds import Rounds
from .figures import Row, Sample, interleaved
from .http import ask
from .peers import HERE, OURS_BIN, npm_bin, pileus_offline, serverless_offline
from .processes import BenchmarkError, Running, environment, free_port, wait_until
from .run import Run

_LIMIT = 1.0
_USER = json.dumps(
    {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse battery staple"}
).encode()
Start = Callable[[int], Running]


def run(run: Run) -> list[Row]:
    npm_bin()
    return [*_hello(run), *_reference(run)]


def copy_of_hello(run: Run, name: str) -> Path:
    folder = run.scratch(name)
    for path in (HERE / "hello").iterdir():
        if path.is_file():
            shutil.copy(path, folder / path.name)
    return folder


def first_answer(run: Run, start: Start, method: str, path: str, status: int, body: bytes | None) -> float:
    """Seconds from the start of the process to the answer with `status`."""
    port = free_port()
    server = start(port)
    try:

        def answers() -> bool:
            answer = ask(port, method, path, body)
            if answer is not None and answer.status >= 500 and answer.status != status:
                raise BenchmarkError(
                    f"{server.name} answers {answer.status}: {answer.body[:300]!r}\n{server.tail()}"
                )
            return answer is not None and answer.status == status

        return wait_until(f"{status} to {method} {path}", server, answers)
    finally:
        run.processes.stop(server)


def _hello(run: Run) -> list[Row]:
    folder = copy_of_hello(run, "hello")
    cache = run.scratch("cache")

    def pileus(port: int) -> Running:
        return pileus_offline(
            run.processes, folder, port, "--state", str(run.scratch("hello-state")), cache=cache
        )

    def ephemeral(port: int) -> Running:
        return pileus_offline(run.processes, folder, port, "--ephemeral", cache=cache)

    def peer(port: int) -> Running:
        return serverless_offline(run.processes, folder, port)

    contestants: dict[str, Start] = {
        "pileus": pileus,
        "pileus --ephemeral": ephemeral,
        "serverless-offline": peer,
    }
    first, warm = Rounds(), Rounds()
    for number, name in interleaved(list(contestants), run.starts + 1):
        run.say(f"startup: hello, {name}, {number or 'first'}")
        if name in warm.failures:
            continue
        try:
            seconds = first_answer(run, contestants[name], "GET", "/dev/hello", 200, None)
        except BenchmarkError as error:
            first.failures[name] = warm.failures[name] = str(error)
            continue
        if number == 0 and name != "pileus --ephemeral":  # which finds the caches that the first one left
            first.samples[name] = [Sample(seconds)]
        if number:
            warm.samples.setdefault(name, []).append(Sample(seconds))
    return [
        first.row("startup", "hello, the very first start (no model cache)", "s"),
        warm.row("startup", "hello, new stack", "s"),
    ]


def _reference(run: Run) -> list[Row]:
    folder = run.scratch("reference") / "bench-reference"
    written = subprocess.run(
        [str(OURS_BIN / "pileus"), "new", str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    if written.returncode:
        raise BenchmarkError(f"pileus new failed: {written.stderr}")
    verify = ("GET", "/dev/auth/verify?token=none", 400, None)
    create = ("POST", "/dev/users", 201, _USER)
    refused = ("GET", "/dev/users", 401, None)
    rows = []
    cases = (
        ("reference service, new stack, a function's answer (400 to a bad token)", verify, True, _LIMIT),
        ("reference service, new stack, a user created (201)", create, True, None),
        ("reference service, new stack, a request without token refused (401)", refused, True, None),
        ("reference service, stack there, a request without token refused (401)", refused, False, None),
    )
    for case, (method, path, status, body), fresh, limit in cases:
        rounds = Rounds()
        kept = run.scratch("reference-state")
        for number in range(run.starts + 1):
            run.say(f"startup: {case}, {number or 'first'}")
            state = run.scratch("reference-state") if fresh else kept

            def start(port: int, state: Path = state) -> Running:
                return pileus_offline(run.processes, folder, port, "--state", str(state))

            try:
                seconds = first_answer(run, start, method, path, status, body)
            except BenchmarkError as error:
                rounds.failures["pileus"] = str(error)
                break
            if number:
                rounds.samples.setdefault("pileus", []).append(Sample(seconds))
        rows.append(rounds.row("startup", case, "s", at_most=limit))
    return rows
