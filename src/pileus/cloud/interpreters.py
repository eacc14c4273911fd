"""The interpreters that functions run on: which one it is, and starting it.

Imports next to nothing, so that `pileus offline` can start one first of all: while Pileus reads serverless.yml and
makes the stack, it comes up and imports what nearly every handler needs. What it becomes is told in runtime/zygote.py.
"""

# Paths are put together once a start, where pathlib costs more
# ruff: noqa: PTH100, PTH118, PTH120

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime", "bootstrap", "main.py")
#: Variables that the C library reads when a process starts, and never again.
_AT_START = ("LD_", "MALLOC_", "GLIBC_")


def choose(code: Path, *, configured: str | None = None, environ: dict[str, str] | None = None) -> str:
    """The path of an interpreter: `configured`, else the `.venv` in the code's folder, else the active virtualenv,
    else the one that runs Pileus."""
    if configured:
        return configured
    environ = dict(os.environ) if environ is None else environ
    for candidate in (code / ".venv", Path(environ["VIRTUAL_ENV"]) if environ.get("VIRTUAL_ENV") else None):
        if candidate is not None and (python := candidate / "bin" / "python").is_file():
            return str(python)
    return sys.executable


def differs(runtime: str, version: tuple[int, ...]) -> str | None:
    """A note when an interpreter of `version` stands in for another `runtime`, else None."""
    found = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    if found is None or (int(found[1]), int(found[2])) == version[:2]:
        return None
    have = ".".join(map(str, version[:2]))
    return f"{runtime} functions run on Python {have} here: make the project's .venv with {found[0]} to match AWS"


@dataclass(slots=True)
class Started:
    """An interpreter that waits to be told what it is for. python: its path. control: our end of its socket."""

    python: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    taken: bool = False

    def suits(self, python: str, variables: Mapping[str, str]) -> bool:
        """Whether it can serve functions of `python` that see `variables`."""
        alive = not self.taken and self.process.poll() is None
        return alive and python == self.python and not any(name.startswith(_AT_START) for name in variables)

    def take(self) -> Started:
        self.taken = True
        return self

    def close(self) -> None:
        """Ends it, unless it has been taken."""
        if not self.taken:
            self.taken = True
            self.control.close()
            self.process.kill()
            self.process.wait()


def base_variables(python: str) -> dict[str, str]:
    """What every function sees of the machine that it runs on."""
    return {
        "LANG": os.environ.get("LANG", "en_US.UTF-8"),
        "TZ": ":UTC",
        "PATH": f"{os.path.dirname(python)}:{os.environ.get('PATH', os.defpath)}",
        "HOME": os.environ.get("HOME", "/"),
    }


def start(python: str, variables: Mapping[str, str]) -> Started:
    """variables: what it has in its environment until it is told more. Raises OSError."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        process = subprocess.Popen(
            [python, "-I", "-X", "utf8", _MAIN, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**variables, "PILEUS_PARENT": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Started(python, process, ours)
