"""Who waits for messages: long polls, and the poller of Lambda's event source mappings.

Nothing is stored here. A send, or a message made visible, wakes the queue's waiters after its commit; what becomes
visible by time alone is found by sleeping on the cloud's clock until the next message's moment.
"""

from __future__ import annotations

import asyncio

from ...kernel import Clock


class Waiters:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}

    def __contains__(self, queue_id: int) -> bool:
        return queue_id in self._waiting

    def wake(self, queue_id: int) -> None:
        for future in self._waiting.pop(queue_id, ()):
            if not future.done():
                future.set_result(None)

    def wake_all(self) -> None:
        for queue_id in list(self._waiting):
            self.wake(queue_id)

    async def wait(self, queue_id: int, until: float) -> None:
        """Returns when the queue is woken, or at `until` by the cloud's clock."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(queue_id, set())
        waiting.add(future)
        sleeper = asyncio.ensure_future(self._clock.sleep_until(until))
        try:
            await asyncio.wait((future, sleeper), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            future.cancel()
            waiting.discard(future)
            if not waiting and self._waiting.get(queue_id) is waiting:
                del self._waiting[queue_id]
