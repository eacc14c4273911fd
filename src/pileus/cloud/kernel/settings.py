"""What one embedded cloud is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..interpreters import Started

#: The built-in root credentials: the pair that the field's emulators and their users already have in their files.
ROOT_ACCESS_KEY_ID = "test"
ROOT_SECRET_ACCESS_KEY = "test"  # not a secret: it opens nothing but a cloud on loopback


@dataclass(slots=True)
class Settings:
    """endpoint: the URL at which clients and functions reach the gateway (set once it listens).

    state: the state folder, None for memory only. account, region: what applies where a caller does not say.
    iam: `off` until policies are evaluated. cache: where compiled models are kept between runs. xray_daemon:
    `host:port` of the X-Ray daemon's UDP socket, once it is bound. python: the interpreter that functions run on,
    None for the project's own. started: an interpreter that runs already, for the first functions that it suits.
    """

    endpoint: str = "http://127.0.0.1:4566"
    state: Path | None = None
    account: str = "000000000000"
    region: str = "us-east-1"
    iam: str = "off"
    host: str = "127.0.0.1"
    cache: Path | None = None
    xray_daemon: str = ""
    python: str | None = None
    started: Started | None = None
