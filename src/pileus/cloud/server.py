"""A cloud that listens: the event loop's side of the embedded cloud, used by the commands and by tests."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

from .gateway.app import CloudApp
from .gateway.connection import Application, Connection, Connections
from .kernel.cloud import Cloud
from .kernel.settings import Settings
from .services import REGISTRY

_GRACE_SECONDS = 2.0


class PortInUse(Exception):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use")
        self.host, self.port = host, port


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(host, port) from None
        raise
    listener.setblocking(False)
    return listener


class Listener:
    """One application on one socket."""

    def __init__(self, application: Application, listener: socket.socket) -> None:
        self.socket = listener
        self.connections = Connections(application)
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self.connections), sock=self.socket, backlog=1024
        )

    async def stop(self) -> None:
        """Ends what is idle at once, and what is being answered after its answer (two seconds at most)."""
        if self._server is not None:
            self._server.close()
        await self.connections.close(_GRACE_SECONDS)
        self.socket.close()


class CloudServer:
    """A cloud with its endpoint. Use as `async with CloudServer(settings, port=0) as server:`.

    Raises PortInUse and StateInUse before anything has started.
    """

    def __init__(self, settings: Settings, port: int, *, clock: Any = None, ids: Any = None) -> None:
        self._listening = bind(settings.host, port)
        actual = self._listening.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        reachable = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "[::]" else host
        settings.endpoint = f"http://{reachable}:{actual}"
        try:
            self.cloud = Cloud(REGISTRY, settings, clock=clock, ids=ids)
        except BaseException:
            self._listening.close()
            raise
        self._listener = Listener(CloudApp(self.cloud).answer, self._listening)
        self._sites: list[Listener] = []

    @property
    def url(self) -> str:
        return self.cloud.settings.endpoint

    async def start(self) -> None:
        """Begins to answer. Raises StateTooNew, with nothing left open."""
        try:
            await self.cloud.start()
            self.cloud.service("xray")  # binds the daemon's address, which functions are told at their start
            await self._listener.start()
        except BaseException:
            await self.stop()
            raise

    async def serve_site(self, application: Application, listener: socket.socket) -> Listener:
        """A further address, such as a service's own HTTP port."""
        site = Listener(application, listener)
        await site.start()
        self._sites.append(site)
        return site

    async def stop(self) -> None:
        """WebSocket clients go first: the functions that hear of it may still call the cloud."""
        listeners = (*self._sites, self._listener)
        try:
            await asyncio.gather(*(one.connections.close_sockets(_GRACE_SECONDS) for one in listeners))
            await asyncio.gather(*(listener.stop() for listener in listeners))
        finally:
            await self.cloud.stop()

    async def __aenter__(self) -> CloudServer:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()
