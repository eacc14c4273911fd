"""`pileus offline` as a process of its own, as a user runs it: what it prints, its ports, its end."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PILEUS = str(Path(sys.executable).with_name("pileus"))
PATIENCE = 60.0

SERVICE = """\
service: small
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.hello
    events:
      - http: GET /hello
"""
HANDLER = """\
def hello(event, context):
    return {"statusCode": 200, "body": "one"}
"""


def write_service(folder: Path, text: str = SERVICE, **files: str) -> Path:
    """A service in `folder`, with `handler.py` unless `files` has another one. files: by name, `_` for the dot."""
    folder.mkdir(exist_ok=True)
    (folder / "serverless.yml").write_text(text)
    for name, content in {"handler_py": HANDLER, **files}.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(content)
    return folder


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself. Its session is empty afterwards, or this fails."""
    process = subprocess.Popen(
        [PILEUS, *arguments], cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert descendants(process.pid) == []
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def refused(folder: Path, *arguments: str) -> str:
    """What a command says that must refuse what it is given: exit code 2, on stderr, without a traceback."""
    done = run(folder, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def offline_refused(folder: Path, *arguments: str) -> str:
    return refused(folder, "offline", "--ephemeral", "--port", "0", "--http-port", "0", *arguments)


class OfflineProcess:
    """`with OfflineProcess(folder, "--ephemeral") as offline:`; it is ready then, and killed at the end at the latest."""

    def __init__(self, folder: Path, *arguments: str, command: str = "offline") -> None:
        ports = ["--port", "0", "--http-port", "0"] if command == "offline" else ["--port", "0"]
        self.process = subprocess.Popen(
            [PILEUS, command, "--json", *ports, *arguments], cwd=folder, env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> OfflineProcess:
        ready = self.wait_for("ready")
        self.url, self.endpoint = ready["url"], ready["endpoint"] if "endpoint" in ready else ready["url"]
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_for(self, kind: str) -> dict[str, Any]:
        """The next event of that kind."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                break
            if line is None:
                break
            event = json.loads(line)
            self.events.append(event)
            if event["event"] == kind:
                return dict(event)
        raise AssertionError(f"no event {kind!r}, but {self.events}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def ends(self) -> int:
        return self.process.wait(timeout=PATIENCE)

    def left_over(self) -> list[int]:
        return descendants(self.process.pid)

    def children(self) -> list[int]:
        found, frontier = [], [self.process.pid]
        while frontier:
            for task in Path(f"/proc/{frontier.pop()}/task").glob("*/children"):
                pids = [int(pid) for pid in task.read_text().split()]
                found += pids
                frontier += pids
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)


def descendants(session: int) -> list[int]:
    """Processes that are still in a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(pids: list[int]) -> list[int]:
    """Which of them run, once those that are about to end have had the time."""
    for _ in range(500):
        running = [pid for pid in pids if _runs(pid)]
        if not running:
            return []
        time.sleep(0.01)
    return running


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
