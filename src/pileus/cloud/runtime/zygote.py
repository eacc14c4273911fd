"""The server's end of a zygote: starts it, tells it what to import ahead, asks it for processes, hears of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from ..interpreters import Started, start
from .errors import EnvironmentFailed

OnExit = Callable[[int], None]


class Zygote:
    """One warm interpreter.

    python: its path. variables: what it sees in os.environ while it imports ahead. provided: see provided.py. reads: once primed, the variables
    that an import has looked at, with what it saw (None: not set). started: an interpreter that is there already; it is
    taken where it suits. bare: it only starts programs, and imports nothing ahead.
    """

    def __init__(
        self,
        python: str,
        variables: Mapping[str, str],
        provided: Path,
        started: Started | None = None,
        bare: bool = False,
    ) -> None:
        self.python = python
        self.variables = dict(variables)
        self.version: tuple[int, ...] = ()
        self.reads: dict[str, str | None] = {}
        self.primed_for: set[tuple[str, str]] = set()
        self.on_ready: list[Callable[[Zygote], None]] = []
        self._loop = asyncio.get_running_loop()
        self._exits: dict[int, OnExit] = {}
        self._early_exits: dict[int, int] = {}
        self._forks: dict[int, asyncio.Future[int]] = {}
        self._next = 0
        self._buffer = b""
        self._outbox: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._ended = False
        self._idle = asyncio.Event()
        if started is None or not started.suits(python, self.variables):
            try:
                started = start(python, self.variables)
            except OSError as error:
                raise EnvironmentFailed(
                    f"the interpreter {python} can't be started: {error.strerror}"
                ) from error
        taken = started.take()
        self._socket, self._process = taken.control, taken.process
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._send({"type": "settle", "variables": self.variables, "provided": str(provided), "bare": bare})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._ended

    def suits(self, variables: Mapping[str, str], ignore: frozenset[str]) -> bool:
        """Whether what was imported ahead would have seen the same in an environment with `variables`."""
        return all(name in ignore or variables.get(name) == value for name, value in self.reads.items())

    def prime(self, root: str, handlers: list[str]) -> None:
        new = [handler for handler in handlers if (root, handler) not in self.primed_for]
        if new and self.is_alive:
            self.primed_for.update((root, handler) for handler in new)
            self._idle.clear()
            self._send({"type": "prime", "root": root, "handlers": new})

    async def primed(self) -> None:
        """Waits until all that was asked for is imported."""
        if self.primed_for and self.is_alive:
            await self._idle.wait()

    async def fork(self, message: dict[str, Any], log: int, api: int, on_exit: OnExit) -> int:
        """Starts an environment. Returns its pid.

        log: descriptor for its standard output and error. api: descriptor of its connection to the Runtime API.
        on_exit: called with the exit code (negative: the signal) when it ends.
        """
        if self._ended:
            raise EnvironmentFailed(f"the interpreter {self.python} ended at once: does it run?")
        self._next += 1
        future: asyncio.Future[int] = self._loop.create_future()
        self._forks[self._next] = future
        self._send({"type": "fork", "id": self._next, **message}, (log, api))
        pid = await future
        if (code := self._early_exits.pop(pid, None)) is not None:
            self._loop.call_soon(on_exit, code)
        else:
            self._exits[pid] = on_exit
        return pid

    def close(self) -> None:
        """Ends the zygote, and with it its environments."""
        if not self._ended:
            self._end()

    # -- the socket -----------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        data = orjson.dumps(message)
        held = tuple(os.dup(descriptor) for descriptor in descriptors)
        self._outbox.append((struct.pack("!I", len(data)) + data, held))
        self._flush()

    def _flush(self) -> None:
        while self._outbox:
            data, descriptors = self._outbox[0]
            try:
                sent = socket.send_fds(self._socket, [data], descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._socket.fileno(), self._flush)
                return
            except OSError:
                self._end()
                return
            for descriptor in descriptors:
                os.close(descriptor)
            self._outbox.popleft()
            if sent < len(data):
                self._outbox.appendleft((data[sent:], ()))
        self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._buffer += data
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from("!I", self._buffer)
            if len(self._buffer) < 4 + length:
                return
            message = orjson.loads(self._buffer[4 : 4 + length])
            self._buffer = self._buffer[4 + length :]
            self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "forked":
                self._forks.pop(message["id"]).set_result(message["pid"])
                self._early_exits.pop(message["pid"], None)
            case "exit":
                on_exit = self._exits.pop(message["pid"], None)
                if on_exit is None:
                    self._early_exits[message["pid"]] = message["code"]
                else:
                    on_exit(message["code"])
            case "primed":
                self.reads = message["reads"]
                self._idle.set()
            case "ready":
                self.version = tuple(message["version"])
                for action in self.on_ready:
                    action(self)

    def _end(self) -> None:
        self._ended = True
        self._idle.set()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        for _, descriptors in self._outbox:
            for descriptor in descriptors:
                os.close(descriptor)
        self._outbox.clear()
        for future in self._forks.values():
            if not future.done():
                future.set_exception(EnvironmentFailed(f"the interpreter {self.python} ended: does it run?"))
        self._forks.clear()
        for pid, on_exit in self._exits.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            on_exit(-signal.SIGKILL)
        self._exits.clear()
        self._process.kill()
        self._process.wait()
