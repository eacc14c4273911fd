"""A cloud that listens: the event loop's side of the embedded cloud, used by the commands and by tests."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .gateway.app import CloudApp
from .kernel.cloud import Cloud
from .kernel.settings import Settings
from .services import REGISTRY


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


class _Uvicorn(uvicorn.Server):
    """uvicorn inside a loop that is not its own: signals belong to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Gathered:
    """A transport that writes a response's head together with its body: uvicorn hands them over one after the other,
    and each write is a system call, of which a warm request has only a handful."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)  # where no body follows at once
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Gathered(transport))  # type: ignore[arg-type]


class Listener:
    """One ASGI application on one socket."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        self.socket = listener
        config = uvicorn.Config(
            app,
            http=_Protocol,
            loop="none",
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=65,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=None,
        )
        config.backlog = 1024
        self._server = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._server.serve([self.socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
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
        self._listener = Listener(CloudApp(self.cloud), self._listening)
        self._sites: list[Listener] = []

    @property
    def url(self) -> str:
        return self.cloud.settings.endpoint

    async def start(self) -> None:
        await self.cloud.start()
        self.cloud.service("xray")  # binds the daemon's address, which functions are told at their start
        await self._listener.start()

    async def serve_site(self, app: Any, listener: socket.socket) -> Listener:
        """A further address, such as a service's own HTTP port."""
        site = Listener(app, listener)
        await site.start()
        self._sites.append(site)
        return site

    async def stop(self) -> None:
        await asyncio.gather(*(listener.stop() for listener in (*self._sites, self._listener)))
        await self.cloud.stop()

    async def __aenter__(self) -> CloudServer:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()
