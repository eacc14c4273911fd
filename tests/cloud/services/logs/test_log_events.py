"""Chunks of log events against the plain list that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.cloud.kernel.store import Store
from pileus.cloud.services.logs.events import StoredEvent, delete_before, insert, of_group, of_stream
from pileus.cloud.services.logs.schema import MIGRATIONS

#: Seconds apart to days apart, so that chunks are cut and overlap.
moments = st.one_of(st.integers(0, 50), st.integers(0, 50).map(lambda hour: hour * 1_800_000))
batches = st.lists(
    st.tuples(st.integers(1, 3), st.lists(st.tuples(moments, st.text(max_size=3)), min_size=1, max_size=6)),
    max_size=8,
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store(None)
    for script in MIGRATIONS:
        store.db.executescript(script)
    yield store
    store.close()


def fill(store: Store, written: list[tuple[int, list[tuple[int, str]]]]) -> list[StoredEvent]:
    """Streams 1 and 2 are of group 1, stream 3 is of group 2."""
    store.execute("DELETE FROM logs_chunk")
    expected, first_id = [], 1
    for stream, events in written:
        insert(store, stream, 1 if stream < 3 else 2, first_id, 7, events)
        ordered = sorted(events, key=lambda event: event[0])
        expected += [StoredEvent(t, first_id + n, m, 7, stream) for n, (t, m) in enumerate(ordered)]
        first_id += len(events)
    return sorted(expected)


@settings(deadline=None)
@given(batches, moments, moments, st.integers(1, 5))
def test_every_page_is_a_slice_of_the_sorted_events(
    store: Store, written: list[tuple[int, list[tuple[int, str]]]], start: int, length: int, limit: int
) -> None:
    expected, end = fill(store, written), start + length
    inside = [event for event in expected if start <= event.time < end]
    assert list(of_group(store, 1, start, end, (-1, -1))) == [e for e in inside if e.stream_id < 3]
    for stream in (1, 2, 3):
        own = [event for event in inside if event.stream_id == stream]
        for forward in (True, False):
            read: list[StoredEvent] = []
            edge = None
            while page := list(islice(of_stream(store, stream, start, end, edge, forward=forward), limit)):
                read += page
                edge = page[-1][:2]
            assert read == (own if forward else own[::-1])


def test_a_batch_is_cut_by_size_and_by_time(store: Store) -> None:
    events = [(n, "x" * 60_000) for n in range(3)] + [(n * 3_700_000, "") for n in range(1, 3)]
    fill(store, [(1, events)])
    rows = store.all("SELECT first,last FROM logs_chunk ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (0, 0),
        (1, 1),
        (2, 2),
        (3_700_000, 3_700_000),
        (7_400_000, 7_400_000),
    ]
    assert len(list(of_stream(store, 1, 0, 10**9, None, forward=True))) == 5


def test_retention_removes_chunks_that_ended_before(store: Store) -> None:
    fill(store, [(1, [(10, "a"), (20, "b")]), (1, [(30, "c")])])
    delete_before(store, 1, 25)
    assert [event.message for event in of_group(store, 1, 0, 100, (-1, -1))] == ["c"]


def test_a_page_reads_only_its_own_chunks(store: Store) -> None:
    fill(store, [(1, [(n * 10_000_000, "m")]) for n in range(500)])
    plan = store.all(
        "EXPLAIN QUERY PLAN SELECT * FROM logs_chunk WHERE stream_id=1 AND last>=0 AND last<9 ORDER BY last DESC,id DESC"
    )
    assert "logs_chunk_last" in plan[0]["detail"]
    assert len(plan) == 1  # no sorting


def test_state_of_the_first_schema_is_kept() -> None:
    store = Store(None)
    store.db.executescript(MIGRATIONS[0])
    store.execute("INSERT INTO logs_event VALUES (4, 1000, 77, 2, 1001, 'an \"old\" line')")
    store.db.executescript(MIGRATIONS[1])
    found = list(of_stream(store, 4, 0, 2000, None, forward=True))
    store.close()
    assert found == [StoredEvent(1000, 77, 'an "old" line', 1001, 4)]
