"""`pileus offline --debug`: stable ports, the entry of launch.json, `breakpoint()` in a terminal, and time that stands
still meanwhile."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from offline_process import PATIENCE, PILEUS, OfflineProcess, environment, offline_refused, write_service

SERVICE = """\
service: small
provider: {name: aws, runtime: python3.11, timeout: 1}
functions:
  hello: {handler: handler.hello, events: [{http: GET /hello}]}
  node: {handler: index.hello, runtime: nodejs20.x, events: [{http: GET /node}]}
"""
HANDLER = """\
def hello(event, context):
    answer = 41
    breakpoint()
    return {"statusCode": 200, "body": str(answer)}
"""
NODE = 'exports.hello = async () => ({ statusCode: 200, body: "node" });\n'
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service", SERVICE, handler_py=HANDLER, index_js=NODE)


class Terminal:
    """`pileus offline` in a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [PILEUS, "offline", "--ephemeral", "--port", "0", "--http-port", "0", *arguments], cwd=folder,
            env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def until(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.seen)) is None:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._ours], [], [], 0.1)[0]:
                self.seen += os.read(self._ours, 65_536).decode("utf-8", "replace")
        self.seen = self.seen[found.end() :]
        return found

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(service: Path) -> Iterator[Terminal]:
    found = Terminal(service, "--debug", "hello")
    yield found
    found.close()


def test_breakpoint_stops_in_the_terminal_and_time_with_it(terminal: Terminal) -> None:
    url = terminal.until(r"Server ready: \S*?(http://\S+?/dev)")[1]
    answers: list[str] = []
    caller = threading.Thread(
        target=lambda: answers.append(
            urllib.request.urlopen(f"{url}/hello", timeout=PATIENCE).read().decode()
        )
    )
    caller.start()
    terminal.until(r"\(small-dev-hello\) ")
    began = time.monotonic()
    while time.monotonic() < began + 1.5:  # the function's timeout is one second
        terminal.type("p answer")
        terminal.until("41")
        terminal.until(r"\(small-dev-hello\) ")
    terminal.type("answer = 99")
    terminal.until(r"\(small-dev-hello\) ")
    terminal.type("c")
    caller.join(PATIENCE)
    assert answers == ["99"]


@needs_node
def test_an_inspector_is_found_on_the_functions_port_whatever_environment_there_is(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral", "--debug", "node", "--debug-port", "0") as offline:
        (told,) = [event for event in offline.events if event["event"] == "debug"]
        assert told["function"] == "node"
        assert told["launch"] == {
            "name": "pileus: node",
            "type": "node",
            "request": "attach",
            "address": "127.0.0.1",
            "port": told["port"],
            "restart": True,
            "skipFiles": ["<node_internals>/**"],
        }
        ids = set()
        for body in ("node", "saved"):
            (service / "index.js").write_text(NODE.replace("node", body))
            while offline.get("/node") != (200, body):
                pass
            listed = urllib.request.urlopen(f"http://127.0.0.1:{told['port']}/json/list", timeout=PATIENCE)
            (target,) = json.load(listed)
            assert f"ws=127.0.0.1:{told['port']}/" in target["devtoolsFrontendUrl"]
            ids.add(target["id"])
        assert len(ids) == 2
        assert [event for event in offline.events if event["event"] == "error"] == []


def _with_debugpy(folder: Path) -> str:
    """An interpreter that has something of this name: whether it can be attached to is debugpy's affair."""
    subprocess.run(["python3", "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    (packages,) = (folder / ".venv").glob("lib/python3*/site-packages")
    (packages / "debugpy.py").write_text(
        "def configure(**_): pass\n"
        "def listen(address): print('debugpy listens on', address[0])\n"
        "def wait_for_client(): pass\n"
        "def is_client_connected(): return False\n"
    )
    return str(folder / ".venv/bin/python")


def test_functions_keep_their_ports_and_say_how_to_attach(service: Path) -> None:
    _with_debugpy(service)
    (service / "handler.py").write_text(HANDLER.replace("    breakpoint()\n", ""))
    with OfflineProcess(service, "--ephemeral", "--debug", "hello", "--debug-port", "0") as offline:
        (told,) = [event for event in offline.events if event["event"] == "debug"]
        assert told["launch"] == {
            "name": "pileus: hello",
            "type": "debugpy",
            "request": "attach",
            "connect": {"host": "127.0.0.1", "port": told["port"]},
            "justMyCode": True,
        }
        assert offline.get("/hello") == (200, "41")
        while (log := offline.wait_for("log"))["message"].rstrip() != "debugpy listens on 127.0.0.1":
            pass
        assert log["function"] == "small-dev-hello"


def test_breakpoint_where_nobody_can_answer_goes_on(service: Path) -> None:
    _with_debugpy(service)
    with OfflineProcess(service, "--ephemeral", "--debug", "hello", "--debug-port", "0") as offline:
        assert offline.get("/hello") == (200, "41")
        while "there is no terminal to ask" not in offline.wait_for("log")["message"]:
            pass


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--debug", "helo"], "did you mean 'hello'?"),
        (["--debug", "hello"], "debugpy is not installed for "),
        (["--debug", "hello", "--debug-port", "99999"], "99999 is not in the range"),
    ],
)
def test_mistakes(service: Path, arguments: list[str], says: str) -> None:
    said = offline_refused(service, *arguments)
    assert says in said
