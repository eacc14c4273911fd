"""The bus: at least once, in order by key, no job hidden by others, nothing lost with what goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pileus.cloud.kernel import Cloud, Job, Retry, Service, ServiceEntry, Settings, consumer


class Toy(Service):
    """Takes jobs as the test tells it to: `plain` in the transaction of the job, `slow` as a task."""

    name: ClassVar[str] = "toy"
    migrations: ClassVar[tuple[str, ...]] = ("CREATE TABLE toy (text TEXT);",)

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.seen: list[Any] = []
        self.plainly: Callable[[Job], None] = lambda job: None
        self.slowly: Callable[[Job], Coroutine[Any, Any, None]] = _nothing

    @consumer("toy.plain")
    def plain(self, job: Job) -> None:
        self.seen.append(job.payload["n"])
        self.plainly(job)

    @consumer("toy.slow")
    async def slow(self, job: Job) -> None:
        self.seen.append(job.payload["n"])
        await self.slowly(job)


async def _nothing(job: Job) -> None:
    return


REGISTRY = {"toy": ServiceEntry("toy", f"{__name__}:Toy", ("toy",))}


def toy_cloud(state: Path | None = None) -> tuple[Cloud, Toy]:
    cloud = Cloud(REGISTRY, Settings(state=state))
    toy = cloud.service("toy")
    assert isinstance(toy, Toy)
    return cloud, toy


def jobs(cloud: Cloud) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cloud.store.all("SELECT topic, failure FROM job ORDER BY id")]


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_job_of_an_undone_transaction_never_was() -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()
        await cloud.start()
        with pytest.raises(ZeroDivisionError), cloud.store.transaction():
            cloud.bus.publish("toy.plain", {"n": 1})
            _ = 1 / 0
        cloud.bus.publish("toy.plain", {"n": 2})
        await cloud.drain()
        assert toy.seen == [2]
        await cloud.stop()

    asyncio.run(story())


@pytest.mark.parametrize("topic", ["toy.plain", "toy.slow"])
def test_jobs_of_one_key_keep_their_order_over_retries(topic: str) -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()

        def refuse_first(job: Job) -> None:
            if job.payload["n"] == 0 and job.attempt < 2:
                raise Retry(60)

        async def refuse_slowly(job: Job) -> None:
            refuse_first(job)

        toy.plainly, toy.slowly = refuse_first, refuse_slowly
        for n in range(3):
            cloud.bus.publish(topic, {"n": n}, key="k")
        cloud.bus.publish(topic, {"n": "other"}, key="j")
        await cloud.start()
        await cloud.drain()
        assert toy.seen == [
            0,
            "other",
        ]  # what follows waits, and `drain` does not wait for what is an hour away
        await cloud.travel(60)
        assert toy.seen == [0, "other", 0]
        await cloud.travel(60)
        assert toy.seen == [0, "other", 0, 0, 1, 2]
        assert jobs(cloud) == []
        await cloud.stop()

    asyncio.run(story())


def test_jobs_behind_a_busy_key_hide_nobody() -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()
        gate = asyncio.Event()

        async def wait(job: Job) -> None:
            if job.key == "k":
                await gate.wait()

        toy.slowly = wait
        with cloud.store.transaction():
            for n in range(500):  # many batches of jobs that can't run
                cloud.bus.publish("toy.slow", {"n": n}, key="k")
            cloud.bus.publish("toy.slow", {"n": "free"})
            cloud.bus.publish("toy.plain", {"n": "plain"})
        await cloud.start()
        await turns()
        assert set(toy.seen) == {0, "free", "plain"}
        assert len(toy.seen) == 3
        gate.set()
        await cloud.drain()
        assert toy.seen[3:] == list(range(1, 500))
        await cloud.stop()

    asyncio.run(story())


def test_finding_the_next_job_does_not_walk_over_those_that_wait() -> None:
    """Counted in steps of SQLite's machine: the same with ten jobs behind a key as with ten thousand."""
    steps = []
    for waiting in (10, 10_000):
        cloud, _ = toy_cloud()
        with cloud.store.transaction():
            for n in range(waiting):
                cloud.bus.publish("toy.slow", {"n": n}, key="k")
                cloud.bus.publish("toy.slow", {"n": n}, due=cloud.clock.now() + 1000)
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        cloud.store.db.set_progress_handler(tick, 1)
        assert cloud.bus.is_busy
        assert cloud.bus.next_due() is not None
        cloud.bus._hold(Job(1, "toy.slow", "k", 0, 0, 0, {}))
        cloud.bus._hand_out(cloud.clock.now())
        cloud.store.db.set_progress_handler(None, 0)
        steps.append(count)
        cloud.store.close()
    assert steps[1] < steps[0] * 1.5, steps


def test_a_job_that_was_taken_back_in_its_own_batch_is_not_handed_out() -> None:
    async def story() -> None:
        for topic in ("toy.plain", "toy.slow"):
            cloud, toy = toy_cloud()
            taken: list[bool] = []
            with cloud.store.transaction():
                first = cloud.bus.publish("toy.plain", {"n": 1})
                second = cloud.bus.publish(topic, {"n": 2})

            def cancel(
                job: Job,
                cloud: Cloud = cloud,
                taken: list[bool] = taken,
                ids: tuple[int, int] = (first, second),
            ) -> None:
                taken.append(cloud.bus.cancel(ids[1]))
                taken.append(cloud.bus.cancel(ids[0]))

            toy.plainly = cancel
            await cloud.start()
            await cloud.drain()
            assert toy.seen == [1]
            assert taken == [True, False]  # the other, and not itself
            await cloud.stop()

    asyncio.run(story())


def test_cancel_knows_what_is_under_way_and_frees_what_follows() -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()
        gate = asyncio.Event()

        async def wait(job: Job) -> None:
            await gate.wait()

        toy.slowly = wait
        ids = [cloud.bus.publish("toy.slow", {"n": n}, key="k") for n in range(4)]
        later = cloud.clock.now() + 60
        head = cloud.bus.publish("toy.slow", {"n": "head"}, key="j", due=later)
        cloud.bus.publish("toy.slow", {"n": "next"}, key="j")
        await cloud.start()
        await turns()
        assert cloud.bus.cancel(ids[0]) is False  # runs
        assert cloud.bus.cancel(ids[1]) is True  # waits behind it
        await turns()
        assert toy.seen == [0]  # … and the one behind is not let past the one that runs
        assert cloud.bus.cancel(head) is True
        assert cloud.bus.cancel(head) is False
        await turns()
        assert toy.seen == [0, "next"]
        gate.set()
        await cloud.drain()
        assert toy.seen == [0, "next", 2, 3]
        await cloud.stop()

    asyncio.run(story())


def test_what_runs_when_the_cloud_stops_comes_again(tmp_path: Path) -> None:
    async def first() -> None:
        cloud, toy = toy_cloud(tmp_path)

        async def forever(job: Job) -> None:
            await asyncio.Event().wait()

        toy.slowly = forever
        for n in range(3):
            cloud.bus.publish("toy.slow", {"n": n}, key="k" if n else None)
        await cloud.start()
        await turns()
        assert toy.seen == [0, 1]
        await cloud.stop()

    async def second() -> None:
        cloud, toy = toy_cloud(tmp_path)
        await cloud.start()
        await cloud.drain()
        assert toy.seen == [0, 1, 2]
        await cloud.stop()

    asyncio.run(first())
    asyncio.run(second())


def test_a_topic_without_a_consumer_is_kept_for_the_version_that_has_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pileus.bus")

    async def first() -> None:
        cloud, toy = toy_cloud(tmp_path)
        await cloud.start()
        for topic in ("toy.unknown", "gone.topic", "toy.plain"):
            cloud.bus.publish(topic, {"n": topic})
        await cloud.drain()
        assert toy.seen == ["toy.plain"]  # neither stops the bus nor spins
        assert jobs(cloud) == [("toy.unknown", "no consumer"), ("gone.topic", "no consumer")]
        cloud.store.execute(
            "UPDATE job SET topic='toy.plain' WHERE topic='toy.unknown'"
        )  # as if it knew it now
        await cloud.stop()

    async def second() -> None:
        cloud, toy = toy_cloud(tmp_path)
        await cloud.start()
        await cloud.drain()
        assert toy.seen == ["toy.unknown"]
        assert jobs(cloud) == [("gone.topic", "no consumer")]
        await cloud.stop()

    asyncio.run(first())
    asyncio.run(second())


@pytest.mark.parametrize("topic", ["toy.plain", "toy.slow"])
def test_a_bug_is_tried_five_times_further_apart_then_set_aside(
    topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pileus.bus")

    async def story() -> None:
        cloud, toy = toy_cloud()

        def bug(job: Job) -> None:
            cloud.store.execute("INSERT INTO toy VALUES ('half')") if topic == "toy.plain" else None
            if job.payload["n"] == 0:
                raise KeyError("a bug")

        async def slow_bug(job: Job) -> None:
            bug(job)

        toy.plainly, toy.slowly = bug, slow_bug
        cloud.bus.publish(topic, {"n": 0}, key="k")
        cloud.bus.publish(topic, {"n": 1}, key="k")
        await cloud.start()
        await cloud.travel(60)
        assert toy.seen == [0, 0, 0, 0, 0, 1]  # then the next of its key goes on
        assert jobs(cloud) == [(topic, "gave up")]
        kept = cloud.store.one("SELECT count(*) FROM toy")
        assert kept is not None
        assert kept[0] == (1 if topic == "toy.plain" else 0)  # only what succeeded
        await cloud.stop()

    asyncio.run(story())


def test_a_consumer_whose_own_wait_was_cancelled_gets_its_job_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pileus.bus")

    async def story() -> None:
        cloud, toy = toy_cloud()

        async def cancelled_inside(job: Job) -> None:
            if job.attempt == 0:
                raise asyncio.CancelledError

        toy.slowly = cancelled_inside
        await cloud.start()
        cloud.bus.publish("toy.slow", {"n": 0})
        await cloud.travel(5)
        assert toy.seen == [0, 0]
        assert jobs(cloud) == []
        await cloud.stop()

    asyncio.run(story())


def test_drain_waits_for_jobs_that_jobs_publish_and_gives_up_on_those_without_end() -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()

        def publish_next(job: Job) -> None:
            if job.payload["n"] > 0:
                cloud.bus.publish("toy.slow", {"n": job.payload["n"] - 1})

        async def publish_slowly(job: Job) -> None:
            publish_next(job)

        toy.plainly, toy.slowly = publish_next, publish_slowly
        await cloud.start()
        cloud.bus.publish("toy.plain", {"n": 50})
        await cloud.drain()
        assert toy.seen == list(range(50, -1, -1))

        toy.plainly = lambda job: [None for _ in [cloud.bus.publish("toy.plain", {"n": "on"})]].clear()
        cloud.bus.publish("toy.plain", {"n": "on"})
        with pytest.raises(TimeoutError):
            await cloud.drain(timeout=0.05)
        toy.plainly = lambda job: None
        await cloud.drain()
        await cloud.stop()

    asyncio.run(story())


def test_a_retry_undoes_what_the_consumer_did_and_counts() -> None:
    async def story() -> None:
        cloud, toy = toy_cloud()
        attempts: list[int] = []

        def write_then_retry(job: Job) -> None:
            attempts.append(job.attempt)
            cloud.store.execute("INSERT INTO toy VALUES (?)", (str(job.attempt),))
            if job.attempt < 2:
                raise Retry(1.0)

        toy.plainly = write_then_retry
        await cloud.start()
        cloud.bus.publish("toy.plain", {"n": 0})
        await cloud.travel(10)
        assert attempts == [0, 1, 2]
        assert [row[0] for row in cloud.store.all("SELECT text FROM toy")] == ["2"]
        await cloud.stop()

    asyncio.run(story())


def test_the_bus_survives_a_store_that_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pileus.bus")
    monkeypatch.setattr("pileus.cloud.kernel.bus._PAUSE_AFTER_FAULT", 0.0)

    async def story() -> None:
        cloud, toy = toy_cloud()
        await cloud.start()
        await turns()
        whole, failures = cloud.store.all, iter([OSError("disk full")] * 3)

        def failing(*arguments: Any) -> Any:
            error = next(failures, None)
            if error is not None:
                raise error
            return whole(*arguments)

        monkeypatch.setattr(cloud.store, "all", failing)
        cloud.bus.publish("toy.plain", {"n": 0})
        await cloud.drain()
        assert toy.seen == [0]
        await cloud.stop()

    asyncio.run(story())


def test_state_of_the_first_schema_is_taken_over(tmp_path: Path) -> None:
    """A job table as the first version wrote it, with jobs in it."""
    from pileus.cloud.kernel.bus import MIGRATIONS
    from pileus.cloud.kernel.store import Store

    store = Store(tmp_path)
    store.migrate("bus", MIGRATIONS[:1])
    for n in range(3):
        store.execute(
            "INSERT INTO job (topic,key,due,created,payload) VALUES ('toy.plain','k',0,0,?)",
            (b'{"n":%d}' % n,),
        )
    store.close()

    async def story() -> None:
        cloud, toy = toy_cloud(tmp_path)
        await cloud.start()
        await cloud.drain()
        assert toy.seen == [0, 1, 2]
        await cloud.stop()

    asyncio.run(story())
