"""Noticing that mounted code has changed, without a gap between the save and the next request.

On Linux the kernel puts an event into our inotify queue before the editor's write returns, so one non-blocking read
ahead of each invocation (or the kernel's word that there is nothing to read) tells for sure that nothing was touched. Only then are an environment's own files compared.
Elsewhere they are compared every time.

Python says which modules it has read, Node only what was required: there, all of the project's modules count.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import sys
import termios
from collections.abc import Iterable

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
_MASK = (
    _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
)
#: The clock that stamps files runs a few milliseconds behind.
_SLACK_NS = 20_000_000

_JAVASCRIPT = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".node", ".wasm")

Stamp = tuple[int, int]


class Changes:
    """A count that rises whenever something in a watched folder may have changed."""

    def __init__(self) -> None:
        self._generation = 0
        self._folders: set[str] = set()
        self._unread = bytearray(4)
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
        self.descriptor = -1 if self._libc is None else self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def watch(self, files: Iterable[str]) -> None:
        """Watches the folders of `files`. Call before their stamps are taken."""
        for folder in {os.path.dirname(path) for path in files} - self._folders:  # noqa: PTH120
            if self.descriptor >= 0 and self._libc is not None:
                added = self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), _MASK)
                if added < 0:  # out of watches: compare every time, as where there is no inotify
                    self.close()
            self._folders.add(folder)

    def generation(self) -> int:
        if self.descriptor < 0:
            self._generation += 1
            return self._generation
        fcntl.ioctl(self.descriptor, termios.FIONREAD, self._unread)
        if not any(self._unread):  # a fifth of the price of a read that fails
            return self._generation
        # One read: what is left in the queue counts next time. To read on would never end where somebody writes
        # into the folder without a pause.
        with contextlib.suppress(BlockingIOError):
            if os.read(self.descriptor, 65_536):
                self._generation += 1
        return self._generation

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Modules:
    """All modules of JavaScript below a folder: what has imported which of them can't be asked of Node."""

    def __init__(self, changes: Changes, root: str) -> None:
        self._changes = changes
        self._root = root
        self._seen = -1
        self._files: list[str] = []

    def files(self) -> list[str]:
        """Walks through the folder where something in it has changed since the last time."""
        generation = self._changes.generation()
        if generation != self._seen:
            folders: list[str] = []
            self._files = _modules_below(self._root, folders)
            self._changes.watch(folder + "/" for folder in folders)
            self._seen = generation
        return self._files


def _modules_below(root: str, folders: list[str]) -> list[str]:
    found = []
    for folder, inside, names in os.walk(root):
        inside[:] = [name for name in inside if name != "node_modules" and not name.startswith(".")]
        folders.append(folder)
        found += [
            f"{folder}/{name}" for name in names if name.endswith(_JAVASCRIPT) or name == "package.json"
        ]
    return sorted(found)


class ReadFiles:
    """The files that one environment has read, as they were. since: when it was forked (ns). modules: all of these count
    as read."""

    def __init__(self, changes: Changes, since: int, modules: Modules | None = None) -> None:
        self._changes = changes
        self._since = since
        self._modules = modules
        self._known: list[str] = []
        if modules is not None:
            self._known = modules.files()
        self._stamps: dict[str, Stamp | None] = {}
        self._seen = -1
        self._stale = False
        if self._known:
            self.add(self._known)

    def add(self, files: list[str]) -> None:
        self._changes.watch(files)
        self._seen = -1
        for path in files:
            stamp = _stamp(path)
            self._stamps[path] = stamp
            # Younger than the process: it may have read what was there before.
            if stamp is None or stamp[0] > self._since - _SLACK_NS:
                self._stale = True

    def changed(self) -> bool:
        """Whether one of them is not what it was."""
        if self._stale:
            return True
        generation = self._changes.generation()
        if generation == self._seen:
            return False
        self._seen = generation
        self._stale = any(_stamp(path) != stamp for path, stamp in self._stamps.items()) or (
            self._modules is not None and self._modules.files() != self._known
        )
        return self._stale

    def changed_files(self) -> list[str]:
        return sorted(path for path, stamp in self._stamps.items() if _stamp(path) != stamp)


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a microsecond each, ahead of an invocation
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
