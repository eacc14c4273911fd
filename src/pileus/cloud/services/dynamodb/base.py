"""What all groups of operations stand on: the tables by name, the expressions' cache, the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pileus.cloud.kernel import Arn, Call, Cloud, Service

from .binding import Expressions
from .definition import check_name
from .errors import ResourceNotFoundException, ValidationException
from .expiry import Sweeps
from .schema import MIGRATIONS
from .storage import Rows, Stored
from .streams.records import TIME_TO_LIVE, Streams
from .table import Table
from .values import Item
from .writes import Write

NOT_FOUND = "Requested resource not found"


class DynamoDbBase(Service):
    name = "dynamodb"
    migrations = MIGRATIONS
    opaque_shapes = frozenset({"AttributeValue"})

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._tables: dict[tuple[str, str, str], Table] = {}
        self.expressions = Expressions()
        self.sweeps = Sweeps(cloud)
        self.streams = Streams(cloud)
        self.rows = Rows(cloud.store, self.sweeps.note)

    # -- tables -----------------------------------------------------------------------------------------------------

    def table(self, call: Call, name: str) -> Table:
        """By name or ARN. Raises ResourceNotFoundException in the words of the item operations."""
        found = self._tables.get((call.account, call.region, name)) or self.find_table(call, name)
        if found is None:
            _check_place(name)
            raise ResourceNotFoundException(NOT_FOUND)
        return found

    def described_table(self, call: Call, name: str) -> Table:
        """`table`, in the words of the operations on tables."""
        found = self.find_table(call, name)
        if found is None:
            _check_place(name)
            raise ResourceNotFoundException(f"{NOT_FOUND}: Table: {name} not found")
        return found

    def find_table(self, call: Call, name: str) -> Table | None:
        account, region, name = self._place(call, name)
        key = (account, region, name)
        found = self._tables.get(key)
        if found is None:
            row = self.store.one(
                "SELECT id,created,definition FROM dynamodb_table WHERE account=? AND region=? AND name=?",
                key,
            )
            if row is not None:
                found = Table.load(row[0], *key, row[1], orjson.loads(row[2]))
                self._tables[key] = found
        return found

    def _place(self, call: Call, name: str) -> tuple[str, str, str]:
        if not name.startswith("arn:"):
            return call.account, call.region, name
        try:
            arn = Arn.parse(name)
        except ValueError:
            raise ValidationException(f"Invalid TableArn: {name}") from None
        kind, _, table = arn.resource.partition("/")
        if arn.service != "dynamodb" or kind != "table" or not table:
            raise ValidationException(f"Invalid TableArn: {name}")
        return arn.account, arn.region, table.partition("/")[0]

    def table_by_id(self, table_id: int) -> Table | None:
        row = self.store.one(
            "SELECT account,region,name,created,definition FROM dynamodb_table WHERE id=?", (table_id,)
        )
        if row is None:
            return None
        key = (row[0], row[1], row[2])
        known = self._tables.get(key)
        return known or Table.load(table_id, *key, row[3], orjson.loads(row[4]))

    def save_definition(self, table: Table) -> Table:
        """Writes the definition and gives the table anew."""
        self.store.execute(
            "UPDATE dynamodb_table SET definition=? WHERE id=?", (orjson.dumps(table.definition), table.id)
        )
        self.forget_tables()
        key = (table.account, table.region, table.name)
        return Table.load(table.id, *key, table.created, table.definition)

    def forget_tables(self) -> None:
        """The tables changed; and are as they were again should the transaction be undone."""
        self._tables.clear()
        self.store.on_rollback(self._tables.clear)

    # -- items ------------------------------------------------------------------------------------------------------

    def perform(self, write: Write, before: Stored | None) -> Stored | None:
        """Stores what the write makes of the item. Returns the item after it."""
        outcome = write.after(before)
        if outcome is None:
            if before is not None:
                self.rows.remove(write.table, write.key, before)
                self.changed(write.table, write.key_item, before, None)
            return None
        item, size = outcome
        after = self.rows.write(write.table, write.key, item, size, before)
        self.changed(write.table, write.key_item, before, after)
        return after

    def changed(self, table: Table, key: Item, before: Stored | None, after: Stored | None) -> None:
        """Every change of an item that a caller made passes here, in its transaction."""
        if table.stream is not None:
            self.streams.record(table, key, before, after)

    def expired(self, table: Table, key: Item, before: Stored) -> None:
        """Every item that time to live deleted passes here."""
        if table.stream is not None:
            self.streams.record(table, key, before, None, TIME_TO_LIVE)

    def shown(self, call: Call, stored: Stored) -> Any:
        """The item for an answer: over the wire the stored bytes as they are, inside the cloud a dict."""
        return stored.item if call.http is None else orjson.Fragment(stored.blob)

    def collection_metrics(self, write: Write) -> dict[str, Any] | None:
        """The size of the item collection, which tables with local indexes tell; the estimate is a range of GB."""
        table = write.table
        if not table.locals:
            return None
        size = self.store.execute(
            "SELECT coalesce(sum(size),0) FROM dynamodb_item WHERE table_id=? AND hash=?",
            (table.id, write.key.hash),
        ).fetchone()[0]
        for index in table.locals:
            size += self.store.execute(
                "SELECT coalesce(sum(size),0) FROM dynamodb_entry WHERE index_id=? AND hash=?",
                (index.id, write.key.hash),
            ).fetchone()[0]
        gigabytes = size / 2**30
        return {
            "ItemCollectionKey": {table.hash.name: write.key_item[table.hash.name]},
            "SizeEstimateRangeGB": [float(int(gigabytes)), float(int(gigabytes) + 1)],
        }


def _check_place(name: str) -> None:
    if not name.startswith("arn:"):
        check_name(name)


def limit_of(request: Mapping[str, Any]) -> int | None:
    limit: int | None = request.get("Limit")
    if limit is not None and limit < 1:
        raise ValidationException(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint:"
            " Member must have value greater than or equal to 1"
        )
    return limit
