"""A server as a process of its own, which these tests kill, and what tells whether something was left."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

PILEUS = str(Path(sys.executable).with_name("pileus"))
ACCOUNT = "000000000000"
_PATIENCE = 30.0  # for a machine under load; nothing waits for it where all is well


class Process:
    """One `pileus` that serves. `with Process(["cloud", …]) as server:` starts it and waits until it is ready."""

    def __init__(self, arguments: Sequence[str], folder: Path, log: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["NO_COLOR"] = "1"
        self._errors = log.open("ab")
        self.popen = subprocess.Popen(
            [PILEUS, *arguments, "--json"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        self.ready: dict[str, Any] = {}
        self.log = log

    def wait_until_ready(self) -> Process:
        assert self.popen.stdout is not None
        line = b""
        for line in self.popen.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                self.ready = event
                threading.Thread(target=self.popen.stdout.read, daemon=True).start()
                return self
        raise AssertionError(f"it ended with {self._over()}: {line.decode()}{self.log.read_text()}")

    @property
    def url(self) -> str:
        return str(self.ready.get("endpoint") or self.ready["url"])

    def client(self, service: str, **options: Any) -> Any:
        config = Config(
            retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, max_pool_connections=80
        )
        if service == "s3":
            config = config.merge(Config(signature_version="s3v4"))
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **options}
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", config=config, **keys)

    def drain(self) -> None:
        """Waits until no event is under way."""
        self._ask("drain", {})

    def travel(self, seconds: float) -> None:
        """Moves its clock, and lets all that falls due happen."""
        self._ask("travel", {"seconds": seconds})

    def _ask(self, what: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.url}/_pileus/{what}", json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            assert answer.status == 200

    def kill(self) -> None:
        """As `kill -9` does, or a crash: no handler runs."""
        self.popen.kill()
        self._over()

    def interrupt(self) -> int:
        """Ctrl-C. Returns the exit code."""
        self.popen.send_signal(signal.SIGINT)
        return self._over()

    def _over(self) -> int:
        code = self.popen.wait(_PATIENCE)
        self._errors.close()
        return code

    def __enter__(self) -> Process:
        return self.wait_until_ready()

    def __exit__(self, *exc_info: object) -> None:
        if self.popen.poll() is None:
            self.kill()


class State:
    """A state folder and the processes that are started on it, one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "state"
        self._log = folder / "errors.txt"

    def cloud(self) -> Process:
        return Process(["cloud", "--state", str(self.path), "--port", "0"], self.folder, self._log)

    def offline(self, service: Path) -> Process:
        ports = ["--port", "0", "--http-port", "0"]
        return Process(["offline", "--state", str(self.path), *ports], service, self._log)

    def errors(self) -> str:
        return self._log.read_text()


class Killed(Exception):
    """The server was killed while this call was under way: whether it happened, nobody knows."""


class Answers:
    """Counts answers over all threads and kills the server at the one that was chosen."""

    def __init__(self, server: Process, until: int) -> None:
        self._server = server
        self._left = until
        self._lock = threading.Lock()

    def __call__(self, action: Callable[..., Any], **request: Any) -> Any:
        """The answer of one call. Raises Killed where there was none."""
        try:
            answer = action(**request)
        except Exception as error:
            if self._left > 0:
                raise
            raise Killed from error
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._server.popen.kill()
        return answer

    def run(self, work: Sequence[Callable[[], None]]) -> None:
        """Runs each in a thread of its own until the server has been killed under them."""
        with ThreadPoolExecutor(len(work)) as pool:
            futures = [pool.submit(self._until_killed, action) for action in work]
            for future in futures:
                future.result()
        self._server.kill()

    @staticmethod
    def _until_killed(action: Callable[[], None]) -> None:
        with contextlib.suppress(Killed):
            action()


def gone(pid: int) -> bool:
    """Whether the process ends soon."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(10_000))
    finally:
        os.close(handle)


def descendants(pid: int) -> set[int]:
    """All processes below one, from /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: set[int] = set()
    left = [pid]
    while left:
        for child in parents.get(left.pop(), ()):
            found.add(child)
            left.append(child)
    return found


def until(condition: Callable[[], Any]) -> Any:
    """Asks until the answer is true; for what another process does in its own time."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come"
        select.select((), (), (), 0.01)
    return found
