"""The note that a running `pileus offline` leaves in its state folder, so that other commands in the same folder find it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

_NAME = "offline.json"
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class RunningOffline:
    """endpoint: its URL for AWS's APIs. pid: its process."""

    endpoint: str
    service: str
    stage: str
    region: str
    pid: int


def note(state: Path, endpoint: str, service: str, stage: str, region: str) -> None:
    """Tells others where it runs, until `forget`."""
    running = RunningOffline(endpoint, service, stage, region, os.getpid())
    incoming = state / f"{_NAME}.new"
    incoming.write_bytes(orjson.dumps(asdict(running)))
    incoming.replace(state / _NAME)


def forget(state: Path) -> None:
    with contextlib.suppress(OSError):
        (state / _NAME).unlink()


def find(state: Path) -> RunningOffline | None:
    """The one that runs with this state folder; None also where it was killed and its note is what is left."""
    try:
        found = RunningOffline(**orjson.loads((state / _NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    import urllib.request  # of no use to the one that runs, and slow to import

    try:
        with urllib.request.urlopen(f"{found.endpoint}/_pileus/health", timeout=_PATIENCE) as answer:
            return found if answer.status == 200 else None
    except (OSError, ValueError):
        return None
