"""Running until told to stop: what `offline` and `cloud` share."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
import uvloop

from ..cloud.kernel import Settings
from ..cloud.kernel.store import StateInUse, StateTooNew
from ..cloud.server import PortInUse
from .failure import UserError
from .ui import Ui

_LOCAL = {"localhost": "127.0.0.1"}


def serve(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` on uvloop, with the mistakes that a machine's state brings turned into words."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(work)
    except PortInUse as error:
        raise UserError(
            f"port {error.port} on {error.host} is in use.",
            hint="stop what listens there, or choose another port (see --help).",
        ) from None
    except StateInUse as error:
        raise UserError(
            f"{error}.", hint="stop it, or give this one its own folder with --state DIR."
        ) from None
    except StateTooNew as error:
        raise UserError(f"{error}.", hint="upgrade Pileus, or begin anew with another --state DIR.") from None


async def until_stopped(*, ends: asyncio.Event | None = None) -> None:
    """Waits for Ctrl-C or SIGTERM (or `ends`)."""
    stopped = ends or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def settings_for(host: str, state: Path | None, ephemeral: bool) -> Settings:
    return Settings(
        host=_LOCAL.get(host, host),
        state=None if ephemeral else state,
        cache=cache_folder(),
    )


def cache_folder() -> Path:
    """Where compiled service models are kept between runs."""
    import os

    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "pileus"


def check_iam(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value != "off":
        raise click.BadParameter(
            f"'{value}' is not available yet: policies are stored but not evaluated in this version, "
            "so only --iam off tells the truth."
        )
    return value


def warn_open_host(ui: Ui, host: str) -> None:
    if host not in ("127.0.0.1", "localhost", "::1"):
        ui.warning(f"listening on {host}: everyone who reaches this machine can use this cloud.")
