"""How much memory an environment uses.

A forked process shares the zygote's pages, most of which belong to modules that this function may not even use. So we
count what it has grown by since the fork, on top of what a bare Python runtime occupies in Lambda. Of a program that
was not forked warm (Node.js), all that is resident counts.
"""

from __future__ import annotations

import os
import time

_BARE = 36
_MB = 1024 * 1024
_FRESH = 0.1


class Memory:
    """pid: the environment's process, just forked. grows: whether only its growth counts. Where there is no /proc, `used`
    stays at the bare runtime's."""

    def __init__(self, pid: int, grows: bool = True) -> None:
        self._bare = _BARE if grows else 0
        self.peak = self._bare
        self._page = os.sysconf("SC_PAGE_SIZE")
        try:
            self._file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1
        self._start = self._resident() if grows else 0
        self._next = 0.0

    def _resident(self) -> int:
        if self._file < 0:
            return 0
        try:
            return int(os.pread(self._file, 128, 0).split(b" ", 2)[1]) * self._page
        except (OSError, IndexError):
            return 0

    def sample(self) -> int:
        """MB in use now; `peak` keeps the highest."""
        used = self._bare + max(self._resident() - self._start, 0) // _MB
        self.peak = max(self.peak, used)
        return used

    def sample_sometimes(self) -> None:
        """A sample, unless the last one is fresh: reading /proc costs as much as a small event."""
        now = time.monotonic()
        if now > self._next:
            self._next = now + _FRESH
            self.sample()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
