"""Servers under measurement: started on free loopback ports, bounded in time, and gone when the run ends.

Each server leads a session of its own. We are the subreaper of all that they start, so that whatever outlives its
server falls to us and is ended too, also after Ctrl-C; a server whose benchmark is killed gets SIGTERM from the kernel.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.004
_LIBC = ctypes.CDLL(None, use_errno=True)

#: Not handed on to measured processes: what changes how Python starts, and the user's own AWS account.
_DROPPED = (
    "PYTHON",
    "AWS_",
    "SLS_",
    "MOTO_",
    "VIRTUAL_ENV",
    "GATEWAY_",
    "MINISTACK",
    "LOCALSTACK",
    "NODE_OPTIONS",
)


class BenchmarkError(Exception):
    """The run cannot go on, or a figure would be false; the message is for people."""


def environment(**extra: str) -> dict[str, str]:
    """The environment of measured processes: ours without what would falsify, with the well-known test credentials.

    PYTHONDONTWRITEBYTECODE above all: with it every start would compile every module anew.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        **extra,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Running:
    """One server. log: where its output goes. started: `time.perf_counter()` just before it was started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    | {line}" for line in lines[-15:]) or "    | (no output)"

    def check_alive(self) -> None:
        if (code := self.process.poll()) is not None:
            raise BenchmarkError(f"{self.name} ended with exit code {code}:\n{self.tail()}")


class Processes:
    """All servers of a run: `with Processes(folder) as processes:`. folder: where logs go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Running] = []
        self._former: dict[int, signal._HANDLER] = {}
        self._count = 0

    def __enter__(self) -> Processes:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._former[number] = signal.signal(number, _interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        former = signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # a second Ctrl-C must not leave processes behind
        try:
            for running in list(self._running):
                self.stop(running)
            _end_descendants()
        finally:
            signal.signal(signal.SIGINT, former)
            for number, handler in self._former.items():
                signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Running:
        self._count += 1
        log = self._folder / f"{self._count:03d}-{name}.log"
        with log.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        running = Running(name, process, log, started)
        self._running.append(running)
        return running

    def stop(self, running: Running) -> None:
        """SIGTERM to the server, as a supervisor does; what is still there after ten seconds is killed."""
        running.process.terminate()
        try:
            running.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(
                f"  note: {running.name} did not stop on SIGTERM within {_STOP_SECONDS:.0f} s and was killed"
            )
        _kill_session(running.process.pid)
        running.process.wait()
        if running in self._running:
            self._running.remove(running)


def wait_until(what: str, running: Running, ready: Callable[[], bool], *, seconds: float = 60.0) -> float:
    """Asks `ready` every few milliseconds; gives the seconds since the server was started."""
    deadline = running.started + seconds
    while not ready():
        running.check_alive()
        if time.perf_counter() > deadline:
            raise BenchmarkError(
                f"{running.name}: {what} did not come within {seconds:.0f} s:\n{running.tail()}"
            )
        time.sleep(_POLL_SECONDS)
    return time.perf_counter() - running.started


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _end_descendants() -> None:
    """Ends what our servers started and left: it has become our child."""
    for number, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        for pid in _children():
            os.kill(pid, number)
        while _children() and time.monotonic() < deadline:
            time.sleep(0.01)
            _reap()


def _children() -> list[int]:
    _reap()
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return []
    return [int(pid) for pid in text.split()]


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
