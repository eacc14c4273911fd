"""Noticing that a file of the configuration was saved.

The files are few, and looking at their stamps costs microseconds: unlike a watcher of the operating system's, that
misses nothing while a deployment is under way, follows a file that does not exist yet, and works on every file system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

_EVERY = 0.05

Stamp = tuple[int, int, int] | None


class Saves:
    """files: those that matter now. What is saved from here on is noticed."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._stamps = {file: _stamp(file) for file in files}

    def follow(self, files: Iterable[Path]) -> None:
        """Goes on with these files; what is known of the ones that stay is kept, so that no save is missed."""
        self._stamps = {file: self._stamps[file] if file in self._stamps else _stamp(file) for file in files}

    async def next(self) -> None:
        """Returns once one of the files has changed, and none has for a moment: an editor may write in two steps."""
        known, before = self._stamps, self._stamps
        while True:
            await asyncio.sleep(_EVERY)
            now = self._now()
            if now != known and now == before:
                self._stamps = now
                return
            before = now

    def _now(self) -> dict[Path, Stamp]:
        return {file: _stamp(file) for file in self._stamps}


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
