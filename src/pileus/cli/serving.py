"""Running until told to stop: what `offline` and `cloud` share."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from ..cloud.kernel import Settings
from ..cloud.kernel.store import StateInUse, StateTooNew
from ..cloud.server import CloudServer, PortInUse
from .failure import UserError
from .main import INTERRUPTED
from .ui import Ui

T = TypeVar("T")
_LOCAL = {"localhost": "127.0.0.1"}


def serve(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work`, which waits in `until_stopped`, on uvloop.

    Ctrl-C or SIGTERM lets it end in order, with exit code 130 where that comes before it waits; a second one ends the
    process at once.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return uvloop.run(_interruptible(work))
    except StateTooNew as error:
        raise UserError(f"{error}.", hint="upgrade Pileus, or begin anew with another --state DIR.") from None


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    told = False

    def stop() -> None:
        nonlocal told
        if told:
            os._exit(INTERRUPTED)  # functions end with this process
        told = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        sys.exit(INTERRUPTED)


async def until_stopped() -> None:
    """Waits for Ctrl-C or SIGTERM, and returns then."""
    task = asyncio.current_task()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if task is not None:
            task.uncancel()


def open_server(settings: Settings, port: int) -> CloudServer:
    """A cloud with its port and its state taken. Raises UserError."""
    try:
        with listening("--port", settings.host, port):
            return CloudServer(settings, port)
    except StateInUse as error:
        raise UserError(
            f"{error}.", hint="stop it, or give this one its own folder with --state DIR."
        ) from None
    except sqlite3.Error as error:
        raise UserError(
            f"the state in {settings.state} can't be used: {error}.",
            hint="delete the folder to begin anew, or name another with --state DIR.",
        ) from None
    except OSError as error:
        raise UserError(
            f"the state can't be kept in {settings.state}: {error.strerror} ({error.filename}).",
            hint="name a folder that can be written with --state DIR, or keep nothing with --ephemeral.",
        ) from None


@contextmanager
def listening(option: str, host: str, port: int) -> Iterator[None]:
    """Around what takes a port: turns why that can't be into UserError. option: the one that names the port."""
    try:
        yield
    except PortInUse:
        raise UserError(
            f"port {port} on {host} is in use.",
            hint=f"stop what listens there, or choose another one with {option} (0 takes any free one).",
        ) from None
    except OSError as error:
        if error.filename is not None:
            raise
        if isinstance(error, PermissionError):
            hint = f"choose one above 1023 with {option}."
            raise UserError(f"port {port} may not be listened on by you.", hint=hint) from None
        raise UserError(
            f"can't listen on {host}: {error.strerror or error}.",
            hint="--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
        ) from None


def settings_for(host: str, state: Path | None, ephemeral: bool) -> Settings:
    return Settings(
        host=_LOCAL.get(host, host),
        state=None if ephemeral else state,
        cache=cache_folder(),
    )


def cache_folder() -> Path:
    """Where compiled service models are kept between runs."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "pileus"


def warn_open_host(ui: Ui, host: str) -> None:
    if host not in ("127.0.0.1", "localhost", "::1"):
        ui.warning(
            f"listening on {host or 'every address'}: everyone who reaches this machine can use this cloud."
        )
