"""Items and index entries in the store: every change of an item goes through `write` or `remove`.

Each takes the item as it was, which the caller has read anyway, and keeps in step with it: the entries of the
secondary indexes, the expiry of items with a time to live, and the counts of items and bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from pileus.cloud.kernel import Store

from .keys import RowKey
from .table import Index, Table
from .values import Item, item_size

#: TTL values more than five years in the past do not expire an item (the developer guide's safeguard).
_TOO_OLD = 5 * 365 * 86_400


class Stored:
    """An item as it lies in the store. blob: its JSON in wire form. size: as DynamoDB counts it."""

    __slots__ = ("_item", "blob", "size")

    def __init__(self, blob: bytes, size: int) -> None:
        self.blob = blob
        self.size = size
        self._item: Item | None = None

    @property
    def item(self) -> Item:
        """Parsed once; not to be changed."""
        if self._item is None:
            self._item = orjson.loads(self.blob)
        return self._item


class Change:
    """What became of one item: for streams. before, after: None where there was or is none."""

    __slots__ = ("after", "before", "key", "table")

    def __init__(self, table: Table, key: Item, before: Stored | None, after: Stored | None) -> None:
        self.table = table
        self.key = key
        self.before = before
        self.after = after


class Rows:
    """expires: called with (table, moment, key) when an item got a time to live."""

    def __init__(self, store: Store, expires: Callable[[Table, float], None]) -> None:
        self._execute = store.execute
        self._expires = expires

    def read(self, table: Table, key: RowKey) -> Stored | None:
        row = self._execute(
            "SELECT item,size FROM dynamodb_item WHERE table_id=? AND hash=? AND range=?",
            (table.id, key.hash, key.range),
        ).fetchone()
        return None if row is None else Stored(row[0], row[1])

    def write(self, table: Table, key: RowKey, item: Item, size: int, before: Stored | None) -> Stored:
        """Puts the item, in normal form, in the place of `before`."""
        stored = Stored(orjson.dumps(item), size)
        stored._item = item
        if table.indexes:
            self._reindex(table, key, before, stored)
        if table.ttl is not None:
            self._set_expiry(table, key, before, stored)
        if before is None:
            self._execute(
                "INSERT INTO dynamodb_item (table_id,hash,range,size,item) VALUES (?,?,?,?,?)",
                (table.id, key.hash, key.range, size, stored.blob),
            )
            self._count(table.id, 1, size)
            return stored
        self._execute(
            "UPDATE dynamodb_item SET size=?,item=? WHERE table_id=? AND hash=? AND range=?",
            (size, stored.blob, table.id, key.hash, key.range),
        )
        if size != before.size:
            self._count(table.id, 0, size - before.size)
        return stored

    def remove(self, table: Table, key: RowKey, before: Stored) -> None:
        if table.indexes:
            self._reindex(table, key, before, None)
        if table.ttl is not None:
            self._set_expiry(table, key, before, None)
        self._execute(
            "DELETE FROM dynamodb_item WHERE table_id=? AND hash=? AND range=?",
            (table.id, key.hash, key.range),
        )
        self._count(table.id, -1, -before.size)

    def _count(self, owner: int, items: int, size: int) -> None:
        self._execute("UPDATE dynamodb_size SET items=items+?,bytes=bytes+? WHERE id=?", (items, size, owner))

    # -- indexes ----------------------------------------------------------------------------------------------------

    def _reindex(self, table: Table, key: RowKey, before: Stored | None, after: Stored | None) -> None:
        for index in table.indexes.values():
            new = None if after is None else index.row_key(after.item)
            old = None if before is None else index.row_key(before.item, lenient=True)
            if old is not None and old != new:
                assert before is not None
                self._drop_entry(index, old, key)
            if new is not None:
                assert after is not None
                if old == new and before is not None and not _differs(index, before.item, after.item):
                    continue
                known = before if old == new else None
                self._put_entry(index, new, key, after, known)

    def _put_entry(
        self, index: Index, place: RowKey, key: RowKey, stored: Stored, before: Stored | None
    ) -> None:
        """before: the item as the index has it in this place. An index that is being filled is asked instead."""
        blob, size = stored.blob, stored.size
        if index.kept is not None:
            kept = {name: value for name, value in stored.item.items() if name in index.kept}
            blob, size = orjson.dumps(kept), item_size(kept)
        known = self._entry_size(index, place, key, before)
        self._execute(
            "INSERT OR REPLACE INTO dynamodb_entry (index_id,hash,range,item_hash,item_range,size,item)"
            " VALUES (?,?,?,?,?,?,?)",
            (index.id, *place, *key, size, blob),
        )
        if known is None:
            self._count(index.id, 1, size)
        elif known != size:
            self._count(index.id, 0, size - known)

    def _entry_size(self, index: Index, place: RowKey, key: RowKey, before: Stored | None) -> int | None:
        if index.status != "CREATING":
            return None if before is None else _entry_size(index, before)
        row = self._execute(
            "SELECT size FROM dynamodb_entry WHERE index_id=? AND hash=? AND range=? AND item_hash=?"
            " AND item_range=?",
            (index.id, *place, *key),
        ).fetchone()
        return None if row is None else row[0]

    def _drop_entry(self, index: Index, place: RowKey, key: RowKey) -> None:
        row = self._execute(
            "DELETE FROM dynamodb_entry WHERE index_id=? AND hash=? AND range=? AND item_hash=?"
            " AND item_range=? RETURNING size",
            (index.id, *place, *key),
        ).fetchone()
        if row is not None:  # an index that is still being filled may not have it yet
            self._count(index.id, -1, -row[0])

    def fill(self, table: Table, index: Index, after: RowKey | None, limit: int) -> RowKey | None:
        """Puts the table's next `limit` items into a new index; the last one's key, None when done."""
        where = "table_id=?" if after is None else "table_id=? AND (hash,range)>(?,?)"
        rows = self._execute(
            f"SELECT hash,range,item,size FROM dynamodb_item WHERE {where} ORDER BY hash,range LIMIT ?",
            (table.id, *(after or ()), limit),
        ).fetchall()
        for row in rows:
            stored = Stored(row[2], row[3])
            place = index.row_key(stored.item, lenient=True)
            if place is not None:
                self._put_entry(index, place, RowKey(row[0], row[1]), stored, None)
        return RowKey(rows[-1][0], rows[-1][1]) if len(rows) == limit else None

    # -- time to live -----------------------------------------------------------------------------------------------

    def _set_expiry(self, table: Table, key: RowKey, before: Stored | None, after: Stored | None) -> None:
        assert table.ttl is not None
        old = None if before is None else expiry(before.item, table.ttl)
        new = None if after is None else expiry(after.item, table.ttl)
        if old == new:
            return
        if old is not None:
            self._execute(
                "DELETE FROM dynamodb_expiry WHERE table_id=? AND at=? AND hash=? AND range=?",
                (table.id, old, *key),
            )
        if new is not None:
            self.note_expiry(table, key, new)

    def note_expiry(self, table: Table, key: RowKey, at: float) -> None:
        self._execute("INSERT OR REPLACE INTO dynamodb_expiry VALUES (?,?,?,?)", (table.id, at, *key))
        self._expires(table, at)


def _entry_size(index: Index, stored: Stored) -> int:
    if index.kept is None:
        return stored.size
    return item_size({name: value for name, value in stored.item.items() if name in index.kept})


def expiry(item: Item, attribute: str) -> float | None:
    """When the item expires, in seconds since the epoch; None where it says no number."""
    text: Any = item.get(attribute, {}).get("N")
    return float(text) if text is not None and len(text) < 20 else None


def is_too_old(at: float, now: float) -> bool:
    return at < now - _TOO_OLD


def _differs(index: Index, before: Item, after: Item) -> bool:
    if index.kept is None:
        return before != after
    return any(before.get(name) != after.get(name) for name in index.kept)
