"""The durable bus: every asynchronous step, in the transaction of the change that caused it.

A job is a row. `publish` writes it in the caller's transaction; after the commit the dispatcher hands it to the
consumer that its topic names; the row goes when the consumer is done, in the consumer's own transaction where that is
a plain method. So a kill at any moment delivers again (at least once) and loses nothing. Jobs with the same key are
delivered one after another, in the order in which they were published.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from .service import is_async

if TYPE_CHECKING:
    from .cloud import Cloud

log = logging.getLogger("pileus.bus")

MIGRATIONS = (
    """
    CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        key TEXT,
        due REAL NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        payload BLOB NOT NULL,
        failure TEXT
    );
    CREATE INDEX job_due ON job (due, id) WHERE failure IS NULL;
    CREATE INDEX job_key ON job (key, id) WHERE key IS NOT NULL AND failure IS NULL;
    """,
)
_BATCH = 64
_MAX_RUNNING = 1000
_BUG_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Job:
    """id: rises with each job. attempt: 0 at first. payload: what was published. key: the order it keeps."""

    id: int
    topic: str
    key: str | None
    due: float
    attempt: int
    created: float
    payload: dict[str, Any]


class Retry(Exception):
    """Raised by a consumer that wants its job again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry in {seconds} s")
        self.seconds = seconds


class Bus:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._store = cloud.store
        self._store.migrate("bus", MIGRATIONS)
        self._running: dict[int, str | None] = {}
        self._busy_keys: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(
        self, topic: str, payload: Mapping[str, Any], *, due: float | None = None, key: str | None = None
    ) -> int:
        """Leaves a job in the current transaction. Returns its id.

        topic: `service.what`. payload: what orjson can write; bytes must be encoded before. due: when, at the
        earliest (seconds since the epoch; now by default). key: jobs of one key are delivered in order.
        """
        now = self._cloud.clock.now()
        cursor = self._store.execute(
            "INSERT INTO job (topic,key,due,created,payload) VALUES (?,?,?,?,?)",
            (topic, key, now if due is None else due, now, orjson.dumps(payload)),
        )
        self._store.after_commit(self._wake.set)
        return int(cursor.lastrowid or 0)

    def cancel(self, job_id: int) -> bool:
        """Takes a job back that has not been handed out; False if it is gone or running."""
        if job_id in self._running:
            return False
        return self._store.execute("DELETE FROM job WHERE id=?", (job_id,)).rowcount > 0

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._dispatch(), name="pileus-bus")

    async def stop(self) -> None:
        """Stops handing out; jobs under way are abandoned and come again after the next start."""
        tasks = [*self._tasks, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    @property
    def is_busy(self) -> bool:
        """Whether a job is due or running (what lies in the future does not count)."""
        return (
            bool(self._running)
            or self._store.one(
                "SELECT 1 FROM job WHERE failure IS NULL AND due<=? LIMIT 1", (self._cloud.clock.now(),)
            )
            is not None
        )

    def next_due(self) -> float | None:
        row = self._store.one("SELECT min(due) FROM job WHERE failure IS NULL")
        return None if row is None or row[0] is None else float(row[0])

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            handed = self._hand_out()
            if handed:
                await asyncio.sleep(0)
                continue
            await self._until_due()

    async def _until_due(self) -> None:
        moment = self._next_waiting()
        if moment is None:
            await self._wake.wait()
            return
        sleeper = asyncio.ensure_future(self._cloud.clock.sleep_until(moment))
        waker = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    def _next_waiting(self) -> float | None:
        """When the next job falls due; what is due already waits for a key or a place, whose release wakes us."""
        row = self._store.one(
            "SELECT due FROM job WHERE failure IS NULL AND due>? ORDER BY due LIMIT 1",
            (self._cloud.clock.now(),),
        )
        return None if row is None else float(row[0])

    def _hand_out(self) -> int:
        if len(self._running) >= _MAX_RUNNING:
            return 0
        handed = 0
        now = self._cloud.clock.now()
        limit = _BATCH + len(self._running)
        for row in self._store.all(
            "SELECT id,topic,key,due,attempt,created,payload FROM job WHERE failure IS NULL AND due<=?"
            " ORDER BY due,id LIMIT ?",
            (now, limit),
        ):
            key = row["key"]
            if row["id"] in self._running or (key is not None and not self._may_run(row["id"], key)):
                continue
            job = Job(
                row["id"],
                row["topic"],
                key,
                row["due"],
                row["attempt"],
                row["created"],
                orjson.loads(row["payload"]),
            )
            self._begin(job)
            handed += 1
        return handed

    def _may_run(self, job_id: int, key: str) -> bool:
        if key in self._busy_keys:
            return False
        row = self._store.one(
            "SELECT id FROM job WHERE key=? AND failure IS NULL ORDER BY id LIMIT 1", (key,)
        )
        return row is not None and row[0] == job_id

    def _begin(self, job: Job) -> None:
        service = self._cloud.service(job.topic.split(".", 1)[0])
        method = getattr(service, service.consumers[job.topic])
        self._running[job.id] = job.key
        if job.key is not None:
            self._busy_keys.add(job.key)
        if is_async(method):
            task = asyncio.get_running_loop().create_task(self._run_async(method, job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        try:
            with self._store.transaction():
                method(job)
                self._store.execute("DELETE FROM job WHERE id=?", (job.id,))
        except Retry as retry:
            self._again(job, retry.seconds)
        except Exception:  # noqa: BLE001 - logged by _failed: one consumer's bug must not stop the bus
            self._failed(job)
        finally:
            self._end(job)

    async def _run_async(self, method: Any, job: Job) -> None:
        try:
            await method(job)
            with self._store.transaction():
                self._store.execute("DELETE FROM job WHERE id=?", (job.id,))
        except Retry as retry:
            self._again(job, retry.seconds)
        except Exception:  # noqa: BLE001 - logged by _failed: one consumer's bug must not stop the bus
            self._failed(job)
        finally:
            self._end(job)

    def _end(self, job: Job) -> None:
        self._running.pop(job.id, None)
        if job.key is not None:
            self._busy_keys.discard(job.key)
        self._wake.set()

    def _again(self, job: Job, seconds: float) -> None:
        with self._store.transaction():
            self._store.execute(
                "UPDATE job SET attempt=attempt+1, due=? WHERE id=?",
                (self._cloud.clock.now() + seconds, job.id),
            )

    def _failed(self, job: Job) -> None:
        """A consumer's bug: tried a few times more, then set aside (kept, never handed out again) and said so."""
        log.exception("job %d on %s failed (attempt %d)", job.id, job.topic, job.attempt + 1)
        if job.attempt + 1 < _BUG_RETRIES:
            self._again(job, 0.1 * 2**job.attempt)
            return
        with self._store.transaction():
            self._store.execute("UPDATE job SET failure='gave up' WHERE id=?", (job.id,))
        log.error("job %d on %s was set aside after %d attempts", job.id, job.topic, _BUG_RETRIES)
