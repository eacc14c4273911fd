"""Debuggers of functions: a port that stays the same while environments come and go, and whether somebody looks.

A debugger's client connects to the function's port here, and is handed on to the environment that there is: its debugpy
or inspector listens on a port of its own, which it is told in PILEUS_DEBUG. A function that is debugged has one
environment at a time, or breakpoints would be set in one and passed in another. While a client is attached, or
`breakpoint()` waits in the terminal, the timeout's clock stands still; nothing of this costs other functions anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

import orjson

_LOCAL = "127.0.0.1"
_POLL = 0.05
#: For an environment that has begun to start: an interpreter with a debugger in it takes its time.
_PATIENCE = 30.0


class Debugger:
    """One function's. listener: where clients attach, None for `breakpoint()` in the terminal alone. terminal: the
    device that it speaks with, empty without one."""

    def __init__(self, listener: socket.socket | None, terminal: str = "") -> None:
        self._listener, self._terminal = listener, terminal
        self._clients = 0
        self._early = 0  # clients that wait for an environment
        self._connected: set[asyncio.StreamWriter] = set()
        self._pauses = 0
        self._target = 0
        self._servers: list[asyncio.Server] = []
        self._pause_port = 0

    @property
    def port(self) -> int | None:
        return None if self._listener is None else int(self._listener.getsockname()[1])

    @property
    def attached(self) -> bool:
        """Whether time stands still."""
        return bool(self._clients or self._pauses)

    async def start(self) -> None:
        pauses = await asyncio.start_server(self._paused, _LOCAL, 0)
        self._pause_port = pauses.sockets[0].getsockname()[1]
        self._servers.append(pauses)
        if self._listener is not None:
            self._servers.append(await asyncio.start_server(self._relay, sock=self._listener))

    def stop(self) -> None:
        for server in self._servers:
            server.close()

    def variables(self) -> dict[str, str]:
        """For a new environment, which is the one that clients get from now on."""
        told: dict[str, object] = {"pauses": self._pause_port, "terminal": self._terminal}
        if self._listener is not None:
            self._target = _free_port()
            told |= {"port": self._target, "wait": bool(self._early)}
            for client in self._connected:
                client.close()  # what it looks at is over
        return {"PILEUS_DEBUG": orjson.dumps(told).decode()}

    async def _paused(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """An environment holds a connection while its `breakpoint()` waits."""
        self._pauses += 1
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await reader.read()
        finally:
            self._pauses -= 1
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            self._early += 1
            try:
                there = await self._connect(reader)
            finally:
                self._early -= 1
            if there is not None:
                self._connected.add(writer)
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            self._clients -= 1
            self._connected.discard(writer)
            writer.close()

    async def _connect(
        self, client: asyncio.StreamReader
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """To the environment, once there is one; None where the client has gone meanwhile, or nothing answers."""
        deadline, target = 0.0, 0
        loop = asyncio.get_running_loop()
        while not client.at_eof() and client.exception() is None:
            if self._target != target:
                target, deadline = self._target, loop.time() + _PATIENCE
            if target:
                try:
                    return await asyncio.open_connection(_LOCAL, target)
                except OSError:
                    if loop.time() > deadline:
                        return None
            await asyncio.sleep(_POLL)
        return None


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOCAL, 0))
        return int(probe.getsockname()[1])
