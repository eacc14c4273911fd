"""Processes of Node.js that wait with the runtime loaded until they are told their function.

Node can't be forked warm as Python can: so for each way of starting that was asked for lately, one process waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import EnvironmentFailed
from .execution import FunctionSpec
from .zygote import OnExit, Zygote

_BOOTSTRAP = Path(__file__).parent / "node" / "bootstrap.mjs"
#: Variables that a process reads as it starts, before it can be told any.
_AT_START = ("NODE_", "LD_", "MALLOC_", "GLIBC_", "UV_", "SSL_CERT_", "OPENSSL_")
#: Options of Node that run code of the user's ahead of the runtime: it must see its own environment.
_RUNS_CODE = re.compile(r"(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)\b")
_MOST_SPARES = 3
#: How long after a cold start the next spare is made: not while this one's function loads.
_REST = 0.15

Spawner = Callable[[], Zygote]


@dataclass(frozen=True, slots=True)
class Start:
    """All that a process depends on before it is told more. sees_all: it must see all of its variables at once, so that
    none can wait for it."""

    argv: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    root: str
    sees_all: bool = False

    @classmethod
    def of(cls, spec: FunctionSpec, node: str, variables: Mapping[str, str], wrapper: str) -> Start:
        heap = max(int(spec.memory * 0.9), 32)
        argv = [
            *([wrapper] if wrapper else []),
            node,
            "--expose-gc",
            "--max-http-header-size=81920",
            f"--max-old-space-size={heap}",
            str(_BOOTSTRAP),
        ]
        base = {name: variables[name] for name in ("LANG", "TZ", "PATH", "HOME")}
        early = {name: value for name, value in variables.items() if name.startswith(_AT_START)}
        sees_all = bool(wrapper or _RUNS_CODE.search(variables.get("NODE_OPTIONS", "")))
        return cls(tuple(argv), tuple(sorted({**base, **early}.items())), str(spec.code), sees_all)


class Spare:
    def __init__(self, log: int, control: socket.socket) -> None:
        self.pid = 0
        self.log = log
        self.control = control
        self._code: int | None = None
        self._on_exit: OnExit | None = None

    @property
    def is_alive(self) -> bool:
        return self._code is None

    def ended(self, code: int) -> None:
        self._code = code
        if self._on_exit is not None:
            self._on_exit(code)

    def given_to(self, on_exit: OnExit) -> None:
        self._on_exit = on_exit
        if self._code is not None:
            asyncio.get_running_loop().call_soon(on_exit, self._code)

    def close(self) -> None:
        self.control.close()
        os.close(self.log)
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)


class Spares:
    """Processes that wait: one for each way of starting that was asked for lately."""

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._ready: dict[Start, Spare] = {}
        self._coming: dict[Start, asyncio.Task[None]] = {}
        self._timers: dict[Start, asyncio.TimerHandle] = {}

    async def take(self, start: Start) -> Spare:
        if start.sees_all:
            return await self._spawn(start)
        if (coming := self._coming.get(start)) is not None:
            await asyncio.wait([coming])
        spare = self._ready.pop(start, None)
        if start not in self._timers:
            self._timers[start] = asyncio.get_running_loop().call_later(_REST, self._refill, start)
        if spare is not None and spare.is_alive:
            return spare
        if spare is not None:
            spare.close()
        return await self._spawn(start)

    def prepare(self, start: Start) -> None:
        """Has one ready, soon."""
        if start.sees_all or start in self._ready or start in self._coming:
            return
        task = asyncio.get_running_loop().create_task(self._add(start))
        self._coming[start] = task
        task.add_done_callback(lambda _: self._coming.pop(start, None))

    def _refill(self, start: Start) -> None:
        self._timers.pop(start, None)
        self.prepare(start)

    async def _add(self, start: Start) -> None:
        with contextlib.suppress(EnvironmentFailed):  # the invocation says it
            spare = await self._spawn(start)
            self._ready[start] = spare
            while len(self._ready) > _MOST_SPARES:
                self._ready.pop(next(iter(self._ready))).close()

    async def _spawn(self, start: Start) -> Spare:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        spare = Spare(reading, ours)
        message = {"exec": list(start.argv), "env": dict(start.variables), "root": start.root}
        try:
            spare.pid = await self._spawner().fork(message, writing, theirs.fileno(), spare.ended)
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            os.close(writing)
        return spare

    @property
    def pids(self) -> list[int]:
        return [spare.pid for spare in self._ready.values() if spare.is_alive]

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._coming.values()):
            task.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)
        for spare in self._ready.values():
            spare.close()
        self._ready.clear()
