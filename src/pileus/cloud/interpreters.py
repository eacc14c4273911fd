"""The interpreters that functions run on: which one it is, and starting it.

Imports next to nothing, so that `pileus offline` can start one first of all: while Pileus reads serverless.yml and
makes the stack, it comes up and imports what nearly every handler needs. What it becomes is told in runtime/zygote.py.
"""

# Paths are put together once a start, where pathlib costs more
# ruff: noqa: PTH100, PTH118, PTH120, PTH208

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime", "bootstrap", "main.py")
#: Variables that the C library reads when a process starts, and never again.
_AT_START = ("LD_", "MALLOC_", "GLIBC_")


def choose(
    code: Path,
    *,
    configured: str | None = None,
    environ: dict[str, str] | None = None,
    runtime: str = "",
) -> str:
    """The path of an interpreter: `configured`, else the `.venv` in the code's folder, else the active virtualenv (that
    is where the project's dependencies are), else the one of the function's `runtime` if this machine has it, else the
    one that runs Pileus."""
    if configured:
        return configured
    environ = dict(os.environ) if environ is None else environ
    for candidate in (code / ".venv", Path(environ["VIRTUAL_ENV"]) if environ.get("VIRTUAL_ENV") else None):
        if candidate is not None and (python := candidate / "bin" / "python").is_file():
            return str(python)
    return _of_version(runtime, environ) or sys.executable


def _of_version(runtime: str, environ: Mapping[str, str]) -> str | None:
    """An interpreter other than our own of just that version: in PATH, or of pyenv."""
    found = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    if found is None or (int(found[1]), int(found[2])) == sys.version_info[:2]:
        return None
    if python := shutil.which(runtime, path=environ.get("PATH", os.defpath)):
        return python
    root = environ.get("PYENV_ROOT") or os.path.join(environ.get("HOME", "/"), ".pyenv")
    return _newest(os.path.join(root, "versions"), rf"{found[1]}\.{found[2]}\.(\d+)", "bin/python")


#: Where managers of Node versions keep them, below the home folder: the folder, a version's name in it, and the program.
_NODE_FOLDERS = (
    (".nvm/versions/node", r"v{major}\.(\d+)\.(\d+)", "bin/node"),
    (".local/share/fnm/node-versions", r"v{major}\.(\d+)\.(\d+)", "installation/bin/node"),
    (".volta/tools/image/node", r"{major}\.(\d+)\.(\d+)", "bin/node"),
    (".asdf/installs/nodejs", r"{major}\.(\d+)\.(\d+)", "bin/node"),
    (".nodenv/versions", r"{major}\.(\d+)\.(\d+)", "bin/node"),
)


def choose_node(runtime: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The path of a Node.js: the version of `runtime` (as `nodejs20.x`) if this machine has it under a name or in a
    folder that says so, else the one in PATH. None where there is none."""
    environ = os.environ if environ is None else environ
    path = environ.get("PATH", os.defpath)
    found = re.match(r"nodejs(\d+)", runtime)
    if found is not None:
        major = found[1]
        for name in (f"node{major}", f"node-{major}", f"nodejs{major}"):
            if program := shutil.which(name, path=path):
                return program
        home = environ.get("HOME", "/")
        for folder, version, inside in _NODE_FOLDERS:
            root = environ.get("NVM_DIR") if folder.startswith(".nvm") else None
            base = os.path.join(root, "versions/node") if root else os.path.join(home, folder)
            if program := _newest(base, version.format(major=major), inside):
                return program
    return shutil.which("node", path=path) or shutil.which("nodejs", path=path)


def find_esbuild(root: Path) -> Path | None:
    """The project's own, from its folder or one above it."""
    import platform

    machine = platform.machine().lower()
    name = f"{sys.platform}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"
    for folder in (root, *root.parents):
        modules = folder / "node_modules"
        # The program itself starts in milliseconds; the script in .bin goes through Node.
        for program in (modules / "@esbuild" / name / "bin" / "esbuild", modules / ".bin" / "esbuild"):
            if (modules / "esbuild").is_dir() and program.is_file():
                return program
    return None


def _newest(folder: str, version: str, inside: str) -> str | None:
    """The program `inside` the folder of the highest version whose name matches."""
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    fits = [
        (tuple(map(int, match.groups())), name) for name in names if (match := re.fullmatch(version, name))
    ]
    for _, name in sorted(fits, reverse=True):
        program = os.path.join(folder, name, inside)
        if os.access(program, os.X_OK):
            return program
    return None


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
