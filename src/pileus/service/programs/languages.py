"""Which command evaluates a configuration file: node for JavaScript and TypeScript, Python for Python."""

import sys
from collections.abc import Mapping
from pathlib import Path as FilePath

from pileus.service.errors import ConfigError

JAVASCRIPT = frozenset((".js", ".cjs", ".mjs"))
TYPESCRIPT = frozenset((".ts", ".cts", ".mts"))
PYTHON = frozenset((".py",))
ALL = JAVASCRIPT | TYPESCRIPT | PYTHON

_HERE = FilePath(__file__).parent


def command(file: FilePath, folder: FilePath, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a child process for `file`. Raises ConfigError when this machine has no interpreter for it."""
    if file.suffix in PYTHON:
        return python(folder, environ), "-B", str(_HERE / "child.py")
    import shutil

    node = shutil.which("node", path=environ.get("PATH"))
    if node is None:
        raise ConfigError(
            f"{file.name} needs Node.js, and there is no node on the PATH",
            hint="install Node.js, or write the configuration as YAML, JSON or Python",
        )
    return node, str(_HERE / "node.cjs")


def python(folder: FilePath, environ: Mapping[str, str]) -> str:
    """The project's interpreter: its .venv, else the active virtualenv, else the one that runs Pileus."""
    active = environ.get("VIRTUAL_ENV")
    for home in (folder / ".venv", FilePath(active) if active else None):
        if home is not None and (found := home / "bin" / "python").is_file():
            return str(found)
    return sys.executable
