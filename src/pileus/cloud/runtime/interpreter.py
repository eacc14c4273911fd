"""Which Python runs a function: the project's own, with the project's own site-packages."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path


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
