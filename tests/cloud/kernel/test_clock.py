"""The clock: it travels forward, wakes sleepers in order, and forgets those who left."""

from __future__ import annotations

import asyncio
import time

import pytest

from pileus.cloud.kernel import Clock


def test_it_starts_where_it_is_told_and_runs_at_the_walls_pace() -> None:
    clock = Clock(start=1_700_000_000.0)
    assert 0 <= clock.now() - 1_700_000_000.0 < 5
    assert clock.datetime().isoformat().startswith("2023-11-14T22:13:2")
    assert abs(Clock().now() - time.time()) < 1


def test_it_does_not_travel_back() -> None:
    clock = Clock()
    before = clock.now()
    with pytest.raises(ValueError, match="forward only"):
        clock.travel(-1)
    assert clock.now() >= before


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    async def story() -> None:
        clock = Clock()
        woken: list[int] = []

        async def sleep(seconds: int) -> None:
            await clock.sleep(seconds)
            woken.append(seconds)

        tasks = [asyncio.create_task(sleep(seconds)) for seconds in (300, 100, 200, 400)]
        await asyncio.sleep(0)
        clock.travel(150)
        await asyncio.sleep(0.001)
        assert woken == [100]
        clock.travel(200)
        await asyncio.sleep(0.001)
        assert woken == [100, 200, 300]
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())


def test_real_time_wakes_too_and_the_past_does_not_wait() -> None:
    async def story() -> None:
        clock = Clock(start=0.0)
        await clock.sleep_until(-5)
        await asyncio.wait_for(clock.sleep(0.002), 5)

    asyncio.run(story())


def test_a_sleeper_that_leaves_does_not_hold_up_the_next() -> None:
    async def story() -> None:
        clock = Clock()
        first = asyncio.create_task(clock.sleep(0.001))
        second = asyncio.create_task(clock.sleep(0.002))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 5)

    asyncio.run(story())


def test_sleepers_that_left_take_no_memory_behind_one_that_stays() -> None:
    async def story() -> None:
        clock = Clock()
        staying = asyncio.create_task(clock.sleep(50))
        await asyncio.sleep(0)
        for _ in range(2000):
            leaving = asyncio.create_task(clock.sleep(100))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        assert len(clock._sleepers) < 200
        clock.travel(60)
        await asyncio.wait_for(staying, 5)

    asyncio.run(story())
