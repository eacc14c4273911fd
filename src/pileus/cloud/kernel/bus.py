"""The durable bus: every asynchronous step, in the transaction of the change that caused it.

A job is a row. `publish` writes it in the caller's transaction; after the commit the dispatcher hands it to the
consumer that its topic names; the row goes when the consumer is done, in the consumer's own transaction where that is
a plain method. So a kill at any moment delivers again (at least once) and loses nothing. Jobs with the same key are
delivered one after another, in the order in which they were published.

A row is *held* while it may not be handed out: it is under way, or an earlier one of its key is still there. The index
by due time leaves held rows out, so that finding the next jobs costs the same however many wait.
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
    """
    ALTER TABLE job ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    DROP INDEX job_due;
    CREATE INDEX job_due ON job (due, id) WHERE failure IS NULL AND held=0;
    """,
)
_BATCH = 64
_MAX_RUNNING = 2000  # more than Lambda runs at once, so that throttling, not the bus, is what events wait for
_BUG_RETRIES = 5
_PAUSE_AFTER_FAULT = 1.0
_GAVE_UP, _NO_CONSUMER = "gave up", "no consumer"

_PUBLISH = "INSERT INTO job (topic,due,created,payload) VALUES (?,?,?,?)"
_PUBLISH_KEYED = (
    "INSERT INTO job (topic,due,created,payload,key,held)"
    " VALUES (?1,?2,?3,?4,?5,EXISTS(SELECT 1 FROM job WHERE key=?5 AND failure IS NULL))"
)
_DUE = (
    "SELECT id,topic,key,due,attempt,created,payload FROM job"
    " WHERE failure IS NULL AND held=0 AND due<=? ORDER BY due,id LIMIT ?"
)
_FREE_NEXT = (
    "UPDATE job SET held=0 WHERE id=(SELECT id FROM job WHERE key=? AND failure IS NULL ORDER BY id LIMIT 1)"
)
#: At the start nothing is under way: only jobs behind an earlier one of their key are held.
_FREE_ALL = """
    UPDATE job SET held=(key IS NOT NULL AND EXISTS(
        SELECT 1 FROM job earlier WHERE earlier.key=job.key AND earlier.id<job.id AND earlier.failure IS NULL))
    WHERE failure IS NULL AND (held=1 OR key IS NOT NULL)
"""


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
        row = (topic, now if due is None else due, now, orjson.dumps(payload))
        if key is None:
            cursor = self._store.execute(_PUBLISH, row)
        else:
            cursor = self._store.execute(_PUBLISH_KEYED, (*row, key))
        self._store.after_commit(self._wake.set)
        return int(cursor.lastrowid or 0)

    def cancel(self, job_id: int) -> bool:
        """Takes a job back that has not been handed out; False if it is gone or under way."""
        row = self._store.one("SELECT key,held FROM job WHERE id=?", (job_id,))
        if row is None:
            return False
        key: str | None = row["key"]
        if row["held"]:
            if key is None or self._first_of(key) == job_id:
                return False
            key = None  # it waits behind another one, which goes on to free the next
        return self._remove(job_id, key)

    def start(self) -> None:
        """Begins to hand out: also what was under way when the cloud stopped. What had been set aside gets one more
        attempt, for this may be the version that mends it."""
        if self._task is not None and not self._task.done():
            return
        with self._store.transaction():
            self._store.execute("UPDATE job SET failure=NULL, held=1 WHERE failure IS NOT NULL")
            self._store.execute(_FREE_ALL)
        self._task = asyncio.get_running_loop().create_task(self._dispatch(), name="pileus-bus")

    async def stop(self) -> None:
        """Stops handing out; jobs under way are abandoned and come again after the next start."""
        tasks = [*([self._task] if self._task else []), *self._tasks]
        self._task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_busy(self) -> bool:
        """Whether a job can be handed out now or is under way (what lies in the future does not count)."""
        return (
            bool(self._tasks)
            or self._store.one(
                "SELECT 1 FROM job WHERE failure IS NULL AND held=0 AND due<=? LIMIT 1",
                (self._cloud.clock.now(),),
            )
            is not None
        )

    def next_due(self) -> float | None:
        """When the next job falls due that waits for its time alone."""
        row = self._store.one("SELECT min(due) FROM job WHERE failure IS NULL AND held=0")
        return None if row is None or row[0] is None else float(row[0])

    # -- handing out ------------------------------------------------------------------------------------------------

    async def _dispatch(self) -> None:
        while True:
            try:
                self._wake.clear()
                now = self._cloud.clock.now()
                if self._hand_out(now):
                    await asyncio.sleep(0)
                else:
                    await self._until_due(now)
            except Exception:  # the store failed (a full disk?): the jobs are still there
                log.exception("the bus could not hand out")
                await asyncio.sleep(_PAUSE_AFTER_FAULT)

    async def _until_due(self, now: float) -> None:
        """Waits for a new job, the end of one, or the time of one that was not due at `now`."""
        row = self._store.one(
            "SELECT due FROM job WHERE failure IS NULL AND held=0 AND due>? ORDER BY due LIMIT 1", (now,)
        )
        if row is None:
            await self._wake.wait()
            return
        sleeper = asyncio.ensure_future(self._cloud.clock.sleep_until(row["due"]))
        waker = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    def _hand_out(self, now: float) -> int:
        room = min(_BATCH, _MAX_RUNNING - len(self._tasks))
        rows = self._store.all(_DUE, (now, room)) if room > 0 else []
        for row in rows:
            self._begin(row["topic"], row)
        return len(rows)

    def _begin(self, topic: str, row: Any) -> None:
        job = Job(
            row["id"],
            topic,
            row["key"],
            row["due"],
            row["attempt"],
            row["created"],
            orjson.loads(row["payload"]),
        )
        try:
            method = self._consumer(topic)
        except Exception:  # noqa: BLE001 - logged by _failed: a service that does not load must not stop the bus
            self._failed(job)
            return
        if method is None:
            self._set_aside(job, _NO_CONSUMER)
            log.error("job %d was set aside: this version has no consumer for %s", job.id, topic)
        elif not is_async(method):
            self._run(method, job)
        elif self._hold(job):
            task = asyncio.get_running_loop().create_task(self._run_async(method, job))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _consumer(self, topic: str) -> Any:
        name = topic.partition(".")[0]
        if name not in self._cloud.registry:
            return None
        service = self._cloud.service(name)
        attribute = service.consumers.get(topic)
        return None if attribute is None else getattr(service, attribute)

    def _hold(self, job: Job) -> bool:
        """False where another job of this batch took it back."""
        with self._store.transaction():
            return self._store.execute("UPDATE job SET held=1 WHERE id=?", (job.id,)).rowcount > 0

    def _run(self, method: Any, job: Job) -> None:
        try:
            with self._store.transaction():
                if self._remove(job.id, job.key):
                    method(job)
        except Retry as retry:
            self._again(job, retry.seconds)
        except Exception:  # noqa: BLE001 - logged by _failed: one consumer's bug must not stop the bus
            self._failed(job)

    async def _run_async(self, method: Any, job: Job) -> None:
        try:
            await method(job)
            with self._store.transaction():
                self._remove(job.id, job.key)
        except Retry as retry:
            self._again(job, retry.seconds)
        except asyncio.CancelledError:
            if self._task is None:
                raise  # the bus stops
            self._failed(job)  # something that the consumer waited for was cancelled
        except Exception:  # noqa: BLE001 - logged by _failed: one consumer's bug must not stop the bus
            self._failed(job)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a job's end could not be written; it comes again after a restart", exc_info=error)

    # -- rows -------------------------------------------------------------------------------------------------------

    def _first_of(self, key: str) -> int | None:
        row = self._store.one(
            "SELECT id FROM job WHERE key=? AND failure IS NULL ORDER BY id LIMIT 1", (key,)
        )
        return None if row is None else int(row["id"])

    def _remove(self, job_id: int, key: str | None) -> bool:
        removed = self._store.execute("DELETE FROM job WHERE id=?", (job_id,)).rowcount > 0
        if removed and key is not None:
            self._store.execute(_FREE_NEXT, (key,))
            self._store.after_commit(self._wake.set)
        return removed

    def _again(self, job: Job, seconds: float) -> None:
        with self._store.transaction():
            self._store.execute(
                "UPDATE job SET attempt=attempt+1, due=?, held=0 WHERE id=?",
                (self._cloud.clock.now() + seconds, job.id),
            )
            self._store.after_commit(self._wake.set)

    def _failed(self, job: Job) -> None:
        """A consumer's bug: tried a few times more, then set aside (kept, never handed out again) and said so."""
        log.exception("job %d on %s failed (attempt %d)", job.id, job.topic, job.attempt + 1)
        if job.attempt + 1 < _BUG_RETRIES:
            self._again(job, 0.1 * 2**job.attempt)
            return
        self._set_aside(job, _GAVE_UP)
        log.error("job %d on %s was set aside after %d attempts", job.id, job.topic, _BUG_RETRIES)

    def _set_aside(self, job: Job, failure: str) -> None:
        with self._store.transaction():
            self._store.execute("UPDATE job SET failure=? WHERE id=?", (failure, job.id))
            if job.key is not None:
                self._store.execute(_FREE_NEXT, (job.key,))
            self._store.after_commit(self._wake.set)
