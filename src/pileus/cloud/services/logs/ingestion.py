"""The way in for what functions print: collected in memory for a moment, then written in one transaction.

A log line is not an answer to anybody, so it may wait some milliseconds; what is read through the API is flushed
first, so that nobody sees a log without its last lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import Logs

_FLUSH_SECONDS = 0.05
_FLUSH_EVENTS = 2000

Place = tuple[str, str, str, str]  # account, region, group, stream


class Ingestion:
    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._pending: dict[Place, list[tuple[int, str]]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def append(self, place: Place, events: Iterable[tuple[int, str]]) -> None:
        waiting = self._pending.setdefault(place, [])
        before = len(waiting)
        waiting.extend(events)
        self._count += len(waiting) - before
        if self._count >= _FLUSH_EVENTS and not self._logs.store.in_transaction:
            self.flush()
        elif self._timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # no loop (a test without one): the next read flushes
            self._timer = loop.call_later(_FLUSH_SECONDS, self._due)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        pending, self._pending, self._count = self._pending, {}, 0
        with self._logs.store.transaction():
            for place, events in pending.items():
                self._logs.write(place, events)

    def _due(self) -> None:
        self._timer = None
        self.flush()
