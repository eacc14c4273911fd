"""Log events in the store: written in chunks, read as one sorted sequence.

A chunk is the events of one stream that came together, in a row of its own. A busy function writes thousands of lines
a second; with a row for each, and its two index entries, they would cost more than the invocations that wrote them.
Chunks of a stream may overlap in time, so reading merges them. No chunk spans more than `_SPAN`, by which an index
range finds all that touch a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from ...kernel import Row, Store

#: Milliseconds, events and characters of one chunk.
_SPAN = 3_600_000
_MOST_EVENTS = 1000
_MOST_TEXT = 100_000

Edge = tuple[int, int]  # time and id of an event


class StoredEvent(NamedTuple):
    """time, ingested: milliseconds. id: rises with every event; it orders those of one time."""

    time: int
    id: int
    message: str
    ingested: int
    stream_id: int


def insert(
    store: Store,
    stream_id: int,
    group_id: int,
    first_id: int,
    ingested: int,
    events: Sequence[tuple[int, str]],
) -> None:
    """Writes `events`, (time, message), under the ids from `first_id` on, in the order of their times."""
    rows = []
    for chunk in _chunks(sorted(events, key=lambda event: event[0])):
        rows.append((first_id, stream_id, group_id, chunk[0][0], chunk[-1][0], ingested, orjson.dumps(chunk)))
        first_id += len(chunk)
    store.executemany("INSERT INTO logs_chunk VALUES (?,?,?,?,?,?,?)", rows)


def _chunks(events: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    begin, size = 0, 0
    for position, (moment, message) in enumerate(events):
        size += len(message)
        full = position - begin >= _MOST_EVENTS or size > _MOST_TEXT or moment - events[begin][0] > _SPAN
        if full and position > begin:
            yield events[begin:position]
            begin, size = position, len(message)
    yield events[begin:]


def of_stream(
    store: Store, stream_id: int, start: int, end: int, edge: Edge | None, *, forward: bool
) -> Iterator[StoredEvent]:
    """The events of a stream from `start` to before `end`: upwards those after `edge`, or downwards those before it."""
    if forward:
        return _upwards(store, "stream_id", stream_id, start, end, edge or (-1, -1))
    return _downwards(store, stream_id, start, end, edge or (end, 0))


def of_group(store: Store, group_id: int, start: int, end: int, edge: Edge) -> Iterator[StoredEvent]:
    """The events of all streams of a group from `start` to before `end`, upwards, those after `edge`."""
    return _upwards(store, "group_id", group_id, start, end, edge)


def _upwards(store: Store, column: str, key: int, start: int, end: int, edge: Edge) -> Iterator[StoredEvent]:
    rows = store.execute(
        f"SELECT * FROM logs_chunk WHERE {column}=? AND first>=? AND first<? ORDER BY first,id",
        (key, max(start, edge[0]) - _SPAN, end),
    )
    heap: list[StoredEvent] = []
    for row in rows:
        while heap and heap[0].time < row["first"]:
            yield heapq.heappop(heap)
        if row["last"] < start:
            continue
        for event in _events(row):
            if start <= event.time < end and event[:2] > edge:
                heapq.heappush(heap, event)
    while heap:
        yield heapq.heappop(heap)


def _downwards(store: Store, stream_id: int, start: int, end: int, edge: Edge) -> Iterator[StoredEvent]:
    rows = store.execute(
        "SELECT * FROM logs_chunk WHERE stream_id=? AND last>=? AND last<? ORDER BY last DESC,id DESC",
        (stream_id, start, min(end, edge[0] + 1) + _SPAN),
    )
    heap: list[tuple[int, int, StoredEvent]] = []
    for row in rows:
        while heap and -heap[0][0] > row["last"]:
            yield heapq.heappop(heap)[2]
        for event in _events(row):
            if start <= event.time < end and event[:2] < edge:
                heapq.heappush(heap, (-event.time, -event.id, event))
    while heap:
        yield heapq.heappop(heap)[2]


def _events(row: Row) -> Iterator[StoredEvent]:
    first, ingested, stream_id = row["id"], row["ingested"], row["stream_id"]
    for position, (moment, message) in enumerate(orjson.loads(row["events"])):
        yield StoredEvent(moment, first + position, message, ingested, stream_id)


def delete_before(store: Store, group_id: int, moment: int) -> None:
    """Removes the chunks of a group that ended before `moment`."""
    store.execute(
        "DELETE FROM logs_chunk WHERE group_id=? AND first<? AND last<?", (group_id, moment, moment)
    )
