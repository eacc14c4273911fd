"""The project's files that an environment has read, so that a change retires exactly those that need it.

Only in environments whose code is mounted. Modules are found in sys.modules, other files (templates, JSON) by the
interpreter's own audit event of `open`. It also keeps bytecode from going stale: a .pyc knows its source by whole
seconds and size, which two quick edits share, so one is not written while its source is that young.
"""

# pathlib would cost each cold start milliseconds
# ruff: noqa: PTH109, PTH116, PTH118

from __future__ import annotations

import importlib.machinery as machinery
import json
import os
import sys
import time
from typing import Any

_YOUNG = 2.5


class _SourceLoader(machinery.SourceFileLoader):
    def set_data(self, path: str, data: Any, **options: Any) -> None:
        try:
            if time.time() - os.stat(self.path).st_mtime < _YOUNG:
                return
        except OSError:
            return
        super().set_data(path, data, **options)


def install_loader(root: str) -> None:
    """Has the modules under `root` loaded by our loader."""
    hook = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (_SourceLoader, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )

    def project_hook(path: str) -> Any:
        if path != root and not path.startswith(root + os.sep):
            raise ImportError("not the project's")
        return hook(path)

    sys.path_hooks.insert(0, project_hook)
    for path in [
        known for known in sys.path_importer_cache if known == root or known.startswith(root + os.sep)
    ]:
        del sys.path_importer_cache[path]


class Watched:
    def __init__(self, root: str) -> None:
        self._inside = os.path.join(root, "")
        self._modules = 0
        self._reported: set[str] = set()
        self._opened: set[str] = set()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path, mode, flags = arguments[0], arguments[1], arguments[2]
        if type(path) is str and not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            if mode and any(letter in mode for letter in "wax+"):
                return
            full = path if path.startswith("/") else os.path.join(os.getcwd(), path)
            if full.startswith(self._inside) and not full.endswith(".pyc"):
                self._opened.add(full)

    def news(self) -> bytes | None:
        """What was read since the last time, as JSON, or None."""
        if len(sys.modules) == self._modules and not self._opened:
            return None
        found, self._opened = self._opened, set()
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            for module in list(sys.modules.values()):
                path = getattr(module, "__file__", None)
                if isinstance(path, str) and path.startswith(self._inside):
                    found.add(path)
        new = found - self._reported
        if not new:
            return None
        self._reported |= new
        return json.dumps(sorted(new)).encode()
