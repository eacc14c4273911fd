"""What all SQS operations stand on: finding queues, keeping them in memory, counting their messages."""

from __future__ import annotations

from math import inf
from typing import ClassVar
from urllib.parse import urlsplit

from ...kernel import Arn, Call, Cloud, Service
from . import fifo
from .attributes import QueueFacts
from .errors import MissingParameter, QueueDoesNotExist
from .queue import Queue
from .schema import MIGRATIONS
from .waiting import Waiters

_QUEUE = "SELECT * FROM sqs_queue WHERE account=? AND region=? AND name=?"
_CACHED = 10_000


class SqsBase(Service):
    name: ClassVar[str] = "sqs"
    migrations: ClassVar[tuple[str, ...]] = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.waiters = Waiters(cloud.clock)
        self.stopped = False
        self._last_id = 0
        self._queues: dict[tuple[str, str, str], Queue] = {}
        self._by_url: dict[tuple[str, str], Queue] = {}

    async def stop(self) -> None:
        self.stopped = True
        self.waiters.wake_all()

    # -- finding ----------------------------------------------------------------------------------------------------

    def queue(self, call: Call, url: str) -> Queue:
        """The queue of a QueueUrl, of whatever host: only its path `/ACCOUNT/NAME` counts. A bare name is taken too,
        as AWS does. Raises QueueDoesNotExist."""
        key = (url, call.region)
        queue = self._by_url.get(key)
        if queue is not None:
            return queue
        if not url:
            raise MissingParameter.of("QueueUrl")
        try:
            parts = [part for part in urlsplit(url).path.split("/") if part]
        except ValueError:
            raise QueueDoesNotExist from None
        if not parts:
            raise QueueDoesNotExist
        account = parts[-2] if len(parts) > 1 else call.account
        queue = self.find_queue(account, call.region, parts[-1])
        if queue is None:
            raise QueueDoesNotExist
        if len(self._by_url) >= _CACHED:
            self._by_url.clear()
        self._by_url[key] = queue
        return queue

    def find_queue(self, account: str, region: str, name: str) -> Queue | None:
        key = (account, region, name)
        queue = self._queues.get(key)
        if queue is None:
            row = self.store.one(_QUEUE, key)
            if row is None:
                return None
            queue = self._queues[key] = Queue.read(row)
            self.store.on_rollback(lambda: self.forget(queue))
        return queue

    def queue_by_arn(self, arn: str) -> Queue | None:
        try:
            _, _, region, account, name = Arn.parse(arn)
        except ValueError:
            return None
        return self.find_queue(account, region, name)

    def facts(self, arn: str) -> QueueFacts | None:
        queue = self.queue_by_arn(arn)
        return None if queue is None else QueueFacts(queue.fifo, queue.redrive_allow)

    def forget(self, queue: Queue) -> None:
        self._queues.pop((queue.account, queue.region, queue.name), None)
        for key in [key for key, value in self._by_url.items() if value is queue]:
            del self._by_url[key]

    def changed(self, queue: Queue) -> None:
        """The queue's row was changed: read it again when next asked for, whether or not this is undone."""
        self.forget(queue)
        key = (queue.account, queue.region, queue.name)
        self.store.on_rollback(lambda: self._drop(key))
        self.store.after_commit(lambda: self.waiters.wake(queue.id))

    def _drop(self, key: tuple[str, str, str]) -> None:
        queue = self._queues.get(key)
        if queue is not None:
            self.forget(queue)

    def next_id(self, now: float) -> int:
        """A message's row: the clock's microseconds, pushed on where that is taken, so that no handle means two."""
        last = self._last_id
        if not last:
            row = self.store.one("SELECT max(id) FROM sqs_message")
            last = (row[0] or 0) if row else 0
        self._last_id = last = max(int(now * 1e6), last + 1)
        return last

    # -- counting ---------------------------------------------------------------------------------------------------

    def arrived(self, queue: Queue, count: int, enqueued: float) -> None:
        """Messages came into the queue, in this transaction."""
        if queue.total is not None:
            queue.total += count
        if queue.oldest is not None and enqueued < queue.oldest:
            queue.oldest = enqueued
        self.store.on_rollback(queue.forget_counts)
        if queue.id in self.waiters:
            self.store.after_commit(lambda: self.waiters.wake(queue.id))

    def left(self, queue: Queue, count: int) -> None:
        if queue.total is not None:
            queue.total -= count
        if queue.receives:
            queue.receives -= count
        self.store.on_rollback(queue.forget_counts)

    def woken(self, queue: Queue) -> None:
        """Something may have become receivable, in this transaction."""
        if queue.id in self.waiters:
            self.store.after_commit(lambda: self.waiters.wake(queue.id))

    def sweep(self, queue: Queue, now: float) -> None:
        """Drops the messages whose retention has run out. Costs nothing while none has."""
        if queue.oldest is not None and queue.oldest + queue.retention > now:
            return
        if queue.oldest is None:
            queue.oldest = self._oldest(queue)
            if queue.oldest + queue.retention > now:
                return
        with self.store.transaction():
            cutoff = (queue.content, now - queue.retention)
            groups = []
            if queue.fifo:
                groups = self.store.all(
                    "SELECT DISTINCT group_id FROM sqs_message WHERE queue=? AND enqueued<=?", cutoff
                )
            self.store.execute("DELETE FROM sqs_message WHERE queue=? AND enqueued<=?", cutoff)
            for row in groups:
                fifo.settle_group(self.store, queue.content, row["group_id"], now)
            queue.forget_counts()
            queue.oldest = self._oldest(queue)
            self.store.on_rollback(queue.forget_counts)

    def _oldest(self, queue: Queue) -> float:
        row = self.store.one("SELECT min(enqueued) FROM sqs_message WHERE queue=?", (queue.content,))
        return inf if row is None or row[0] is None else float(row[0])

    def counts(self, queue: Queue, now: float) -> tuple[int, int, int]:
        """(visible, in flight, delayed). Costs what is in flight or delayed, not what is in the queue."""
        self.sweep(queue, now)
        if queue.total is None:
            row = self.store.one("SELECT count(*) FROM sqs_message WHERE queue=?", (queue.content,))
            queue.total = row[0] if row else 0
        row = self.store.one(
            "SELECT count(*), total(receive_count>0) FROM sqs_message WHERE queue=? AND visible_at>?",
            (queue.content, now),
        )
        hidden, in_flight = (row[0], int(row[1])) if row else (0, 0)
        return queue.total - hidden, in_flight, hidden - in_flight
