"""The one clock. All time in the embedded cloud comes from here, so that tests travel."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime

#: How long the loop's timer is trusted: it stands still while the machine sleeps, and the wall clock may be set.
_LONGEST_NAP = 60.0
_SLACK = 64


class Clock:
    """Real time plus `offset`, seconds, which `travel` moves forward.

    Times are float seconds since the epoch (UTC). Sleepers wake in the order of their times, also when the clock
    jumps over several of them at once.
    """

    def __init__(self, *, start: float | None = None) -> None:
        self.offset = 0.0 if start is None else start - time.time()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._asleep = 0  # of the sleepers, those that were not cancelled
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return time.time() + self.offset

    def datetime(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def travel(self, seconds: float) -> None:
        """Moves the clock forward and wakes who slept until then."""
        if seconds < 0:
            raise ValueError("the clock travels forward only")
        self.offset += seconds
        self._wake()

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + seconds)

    async def sleep_until(self, moment: float) -> None:
        if moment <= self.now():
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), future))
        self._asleep += 1
        self._arm()
        try:
            await future
        finally:
            self._asleep -= 1

    def _wake(self) -> None:
        now = self.now()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.get_loop().call_soon(_set_done, future)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if len(self._sleepers) > 2 * self._asleep + _SLACK:
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[2].done()]
            heapq.heapify(self._sleepers)
        while self._sleepers and self._sleepers[0][2].done():  # cancelled sleepers
            heapq.heappop(self._sleepers)
        if self._sleepers:
            moment, _, future = self._sleepers[0]
            delay = min(max(moment - self.now(), 0.0), _LONGEST_NAP)
            self._timer = future.get_loop().call_later(delay, self._wake)


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
