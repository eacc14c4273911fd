"""The zygote: an interpreter that has imported what handlers will import, and forks an environment when asked.

Speaks with the server over a stream socket: four bytes of length, then JSON. It gets `settle` (the variables of
its functions), `prime` (what to import) and `fork` (with two descriptors: where the environment writes its log, and its connection to the Runtime API), and says `ready`, `forked`, `exit` and `primed`.
Between two imports of its priming it looks for requests, so a cold start never waits for more than one import.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from . import environment, prime, process


class _Zygote:
    def __init__(self, control: socket.socket, parent: int) -> None:
        self.parent = parent
        self.control = control
        self.own_modules = frozenset(sys.modules)  # what a project can't replace: in Lambda neither
        self.children: set[int] = set()
        self.buffer = b""
        self.descriptors: list[int] = []
        self.work: list[Any] = [prime.base()]
        self.primes = 0  # asked for and not yet done
        self.reads: dict[str, Any] = {}
        self.waker, alarm = socket.socketpair()
        for end in (self.waker, alarm):
            end.setblocking(False)
        self.alarm = alarm
        signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.end())
        self.end_with_parent()

    def run(self) -> None:
        self.send({"type": "ready", "version": sys.version_info[:3], "pid": os.getpid()})
        while True:
            readable, _, _ = select.select([self.control, self.waker], [], [], 0 if self.work else None)
            if self.waker in readable:
                with contextlib.suppress(BlockingIOError):
                    self.waker.recv(4096)
            self.reap()
            if self.control in readable:
                self.receive()
            elif self.work:
                self.step()

    def receive(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self.control, 262_144, 64)
        if not data:
            self.end()
        self.buffer += data
        self.descriptors += descriptors
        while len(self.buffer) >= 4:
            (length,) = struct.unpack_from("!I", self.buffer)
            if len(self.buffer) < 4 + length:
                return
            message = json.loads(self.buffer[4 : 4 + length])
            self.buffer = self.buffer[4 + length :]
            self.handle(message)

    def handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "fork":
            self.fork(message, self.descriptors.pop(0), self.descriptors.pop(0))
        elif message["type"] == "prime":
            self.primes += 1
            self.work.append(prime.steps(message, self.reads))
        elif message["type"] == "settle":
            os.environ.clear()
            os.environ.update(message["variables"])
            time.tzset()
            sys.path.append(message["provided"])
            if message["bare"]:
                self.work.clear()

    def step(self) -> None:
        """One import of the priming; when the last one is done, what there is now never moves again."""
        try:
            process.die_with_parent(self.parent)  # an import may hang where no signal handler runs
            next(self.work[0])
        except StopIteration:
            self.work.pop(0)
            if not self.work and self.primes:
                self.primes = 0
                gc.collect()
                gc.freeze()
                self.send({"type": "primed", "reads": self.reads})
        except BaseException:  # a bug of ours: what is imported already is of use all the same
            self.work.clear()
            self.primes = 0
            self.send({"type": "primed", "reads": self.reads})
        finally:
            self.end_with_parent()

    def fork(self, message: dict[str, Any], log: int, api: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            process.die_with_parent(parent)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for each in (self.control, self.waker, self.alarm):
                each.close()
            for other in self.descriptors:
                os.close(other)
            self.work.clear()
            environment.become(message, log, api, self.own_modules)
        os.close(log)
        os.close(api)
        self.children.add(pid)
        self.send({"type": "forked", "id": message["id"], "pid": pid})

    def reap(self) -> None:
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.children:  # priming may have started processes of its own
                _kill_group(pid)  # what a handler left running; first, we may be told to end at any moment
                self.children.discard(pid)
                self.send({"type": "exit", "pid": pid, "code": os.waitstatus_to_exitcode(status)})

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        try:
            self.control.sendall(struct.pack("!I", len(data)) + data)
        except OSError:
            self.end()

    def end_with_parent(self) -> None:
        process.die_with_parent(self.parent, signal.SIGTERM)

    def end(self) -> None:
        """The server is gone: so are all environments, and what they started."""
        for pid in self.children:
            _kill_group(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os._exit(0)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def serve(descriptor: int) -> None:
    parent = int(os.environ.pop("PILEUS_PARENT"))
    # Nothing of the project's may be imported here, and nothing relative to where we happen to stand.
    sys.path[:] = [entry for entry in sys.path if entry]
    control = socket.socket(fileno=descriptor)
    control.setblocking(True)
    _Zygote(control, parent).run()
