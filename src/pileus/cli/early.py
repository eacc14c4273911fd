"""The interpreter that functions run on, before anything else is imported: it comes up while the command itself does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cloud.interpreters import Started


def early_interpreter(folder: Path) -> Started | None:
    """The interpreter of the folder's functions, started; None where there is no service, or it can't be started (the
    first function that needs it says so)."""
    if not any(folder.glob("serverless.*")):
        return None
    from ..cloud import interpreters

    python = interpreters.choose(folder)
    try:
        return interpreters.start(python, interpreters.base_variables(python))
    except OSError:
        return None


def named_interpreter(python: str | None) -> str | None:
    """The interpreter that --python names, by its full path. Raises UserError where it is none."""
    from .failure import UserError

    if python is None:
        return None
    found = shutil.which(python)
    if found is None:
        raise UserError(
            f"the interpreter {python} does not exist, or is not executable.",
            hint="--python takes a path such as .venv/bin/python, or a command such as python3.12.",
        )
    probe = [found, "-I", "-S", "-c", "import sys; sys.exit(sys.version_info < (3, 8))"]
    try:
        runs = subprocess.run(probe, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        runs = False
    if not runs:
        raise UserError(
            f"{python} is not a Python that functions can run on.", hint="name one of 3.8 or later."
        )
    return str(Path(found).absolute())
