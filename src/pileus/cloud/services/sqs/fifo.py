"""FIFO: message groups and deduplication.

`sqs_group` has one row for each group that has messages, with the moment from which its head may be received: while a
message of the group is in flight, that is when the last one's visibility timeout ends. In a group, the messages that
have been received are always the first ones and at most ten, so that settling a group reads a handful of rows.
"""

from __future__ import annotations

from hashlib import sha256

from ...kernel import Store
from .queue import Queue

DEDUP_SECONDS = 300
_FIRST_SEQUENCE = 18_849_496_460_467_696_128  # twenty digits, as AWS's begin
_PREFIX = 11
_SWEEP_EVERY = 60.0


def sequence_number(row_id: int) -> str:
    """Rises with each message; twenty digits."""
    return str(_FIRST_SEQUENCE + row_id * 256)


def content_dedup_id(body: str) -> str:
    return sha256(body.encode()).hexdigest()


def dedup_key(queue: Queue, group_id: str, dedup_id: str) -> str:
    return f"{group_id}\0{dedup_id}" if queue.group_dedup else dedup_id


def duplicate_of(store: Store, queue: Queue, key: str, now: float) -> tuple[str, int] | None:
    """(message id, row) of the message that was sent with the same id in the last five minutes."""
    row = store.one(
        "SELECT until,message_id,sequence FROM sqs_dedup WHERE queue=? AND key=?", (queue.content, key)
    )
    if row is None or row["until"] <= now:
        return None
    return row["message_id"], row["sequence"]


def remember(store: Store, queue: Queue, key: str, message_id: str, row_id: int, now: float) -> None:
    store.execute(
        "INSERT OR REPLACE INTO sqs_dedup (queue,key,until,message_id,sequence) VALUES (?,?,?,?,?)",
        (queue.content, key, now + DEDUP_SECONDS, message_id, row_id),
    )
    if queue.dedup_swept + _SWEEP_EVERY <= now:
        queue.dedup_swept = now
        store.execute("DELETE FROM sqs_dedup WHERE queue=? AND until<=?", (queue.content, now))
        store.execute("DELETE FROM sqs_attempt WHERE queue=? AND until<=?", (queue.content, now))


def join_group(store: Store, content: int, group_id: str, visible_at: float) -> None:
    """A message was put at the end of its group."""
    store.execute(
        "INSERT OR IGNORE INTO sqs_group (queue,group_id,ready_at) VALUES (?,?,?)",
        (content, group_id, visible_at),
    )


def settle_group(store: Store, content: int, group_id: str, now: float) -> None:
    """Sets from when the group's head may be received, after something in the group has changed."""
    rows = store.all(
        "SELECT visible_at,receive_count FROM sqs_message WHERE queue=? AND group_id=? AND fifo=1"
        " ORDER BY id LIMIT ?",
        (content, group_id, _PREFIX),
    )
    if not rows:
        store.execute("DELETE FROM sqs_group WHERE queue=? AND group_id=?", (content, group_id))
        return
    in_flight = [row["visible_at"] for row in rows if row["receive_count"] and row["visible_at"] > now]
    ready_at = max(in_flight) if in_flight else rows[0]["visible_at"]
    store.execute(
        "INSERT INTO sqs_group (queue,group_id,ready_at) VALUES (?,?,?)"
        " ON CONFLICT (queue,group_id) DO UPDATE SET ready_at=excluded.ready_at",
        (content, group_id, ready_at),
    )
