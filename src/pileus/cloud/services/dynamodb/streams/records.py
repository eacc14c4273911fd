"""A table's streams and their records.

A stream has one shard, so all its records are in order. Sequence numbers rise over all streams; they are shown
behind a digit that makes them as long as AWS's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from pileus.cloud.kernel import Cloud

from ..storage import Stored
from ..table import Table
from ..values import Item, item_size

TRIM_TOPIC = "dynamodb.trim-stream"
RETENTION = 24 * 3600.0
_SHOWN = 10**23
_AT_ONCE = 500
_VIEWS = {
    "KEYS_ONLY": (False, False),
    "NEW_IMAGE": (True, False),
    "OLD_IMAGE": (False, True),
    "NEW_AND_OLD_IMAGES": (True, True),
}
#: Whom records of items that expired name as their cause.
TIME_TO_LIVE = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}


def shown_sequence(sequence: int) -> str:
    return str(_SHOWN + sequence)


def sequence_of(text: str) -> int:
    """Raises ValueError for what is no sequence number of ours."""
    sequence = int(text) - _SHOWN
    if sequence < 0:
        raise ValueError(text)
    return sequence


def shard_id(stream_id: int, created: float) -> str:
    return f"shardId-{int(created * 1000):020d}-{stream_id:08x}"


class Streams:
    """Opens and ends streams, and writes what happens into them."""

    def __init__(self, cloud: Cloud) -> None:
        self._store = cloud.store
        self._bus = cloud.bus
        self._clock = cloud.clock
        self._ids = cloud.ids
        self._trimmed: set[int] = set()  # streams whose next trim is planned

    def open(
        self, table_id: int, account: str, region: str, name: str, schema: Any, view: str
    ) -> dict[str, Any]:
        """Begins a stream; what the table's definition keeps of it."""
        now = self._clock.now()
        label = self._label(account, region, name, now)
        cursor = self._store.execute(
            "INSERT INTO dynamodb_stream (table_id,account,region,table_name,label,view,key_schema,created,first)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (
                table_id,
                account,
                region,
                name,
                label,
                view,
                orjson.dumps(schema),
                now,
                self.last_sequence() + 1,
            ),
        )
        return {"Id": int(cursor.lastrowid or 0), "Label": label, "View": view, "Ended": False}

    def _label(self, account: str, region: str, name: str, now: float) -> str:
        """The moment, to the millisecond; the next one that is free where a table has two streams in one."""
        while True:
            label = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            taken = self._store.one(
                "SELECT 1 FROM dynamodb_stream WHERE account=? AND region=? AND table_name=? AND label=?",
                (account, region, name, label),
            )
            if taken is None:
                return label
            now += 0.001

    def close(self, stream_id: int) -> None:
        """Ends a stream; its records stay until their time is over, then it goes."""
        now = self._clock.now()
        self._store.execute(
            "UPDATE dynamodb_stream SET ended=?,last=? WHERE id=?", (now, self.last_sequence(), stream_id)
        )
        self._bus.publish(TRIM_TOPIC, {"stream": stream_id}, due=now + RETENTION)

    def last_sequence(self) -> int:
        row = self._store.one("SELECT seq FROM sqlite_sequence WHERE name='dynamodb_stream_record'")
        return 0 if row is None else int(row[0])

    def record(
        self,
        table: Table,
        key: Item,
        before: Stored | None,
        after: Stored | None,
        identity: dict[str, str] | None = None,
    ) -> None:
        """One change of one item. A write that changes nothing leaves no record."""
        assert table.stream is not None
        if before is not None and after is not None and before.item == after.item:
            return
        stream_id = table.stream["Id"]
        now = self._clock.now()
        with_new, with_old = _VIEWS[table.stream["View"]]
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": int(now),
            "Keys": key,
            "SizeBytes": item_size(key),
            "StreamViewType": table.stream["View"],
        }
        if with_new and after is not None:
            change["NewImage"] = after.item
            change["SizeBytes"] += after.size
        if with_old and before is not None:
            change["OldImage"] = before.item
            change["SizeBytes"] += before.size
        record: dict[str, Any] = {
            "eventID": self._ids.hex(32),
            "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": table.region,
            "dynamodb": change,
        }
        if identity is not None:
            record["userIdentity"] = identity
        self._store.execute(
            "INSERT INTO dynamodb_stream_record (stream_id,created,record) VALUES (?,?,?)",
            (stream_id, now, orjson.dumps(record)),
        )
        if stream_id not in self._trimmed:
            self._plan_trim(stream_id, now)

    def _plan_trim(self, stream_id: int, now: float) -> None:
        planned = self._store.execute(
            "UPDATE dynamodb_stream SET trimming=1 WHERE id=? AND trimming=0", (stream_id,)
        ).rowcount
        if planned:
            self._bus.publish(TRIM_TOPIC, {"stream": stream_id}, due=now + RETENTION)
        self._trimmed.add(stream_id)
        self._store.on_rollback(lambda: self._trimmed.discard(stream_id))

    def trim(self, stream_id: int) -> None:
        """Deletes records older than a day; plans the next time, or forgets a stream that has ended."""
        horizon = self._clock.now() - RETENTION
        self._store.execute(
            "DELETE FROM dynamodb_stream_record WHERE sequence IN (SELECT sequence FROM dynamodb_stream_record"
            " WHERE stream_id=? AND created<=? ORDER BY sequence LIMIT ?)",
            (stream_id, horizon, _AT_ONCE),
        )
        oldest = self._store.one(
            "SELECT created FROM dynamodb_stream_record WHERE stream_id=? ORDER BY sequence LIMIT 1",
            (stream_id,),
        )
        if oldest is not None:
            self._bus.publish(TRIM_TOPIC, {"stream": stream_id}, due=oldest[0] + RETENTION)
            return
        self._trimmed.discard(stream_id)
        self._store.execute("UPDATE dynamodb_stream SET trimming=0 WHERE id=?", (stream_id,))
        self._store.execute("DELETE FROM dynamodb_stream WHERE id=? AND ended<=?", (stream_id, horizon))
