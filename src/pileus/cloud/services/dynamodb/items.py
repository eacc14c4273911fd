"""Single items: PutItem, GetItem, UpdateItem, DeleteItem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pileus.cloud.kernel import Call, operation

from . import legacy
from .base import DynamoDbBase
from .binding import Bound
from .capacity import Consumption, read_units
from .errors import ValidationException
from .storage import Stored
from .table import Table
from .values import Item
from .writes import Delete, Put, Update, Write

Request = Mapping[str, Any]
Result = dict[str, Any]


class Items(DynamoDbBase):
    @operation("PutItem")
    def put_item(self, call: Call, request: Request) -> Result:
        _old_or_none(request)
        return self._write(call, request, Put(self.expressions, request))

    @operation("DeleteItem")
    def delete_item(self, call: Call, request: Request) -> Result:
        _old_or_none(request)
        return self._write(call, request, Delete(self.expressions, request))

    def _write(self, call: Call, request: Request, write: Put | Delete) -> Result:
        table = self.table(call, request["TableName"])
        write.locate(table)
        before = self.rows.read(table, write.key)
        write.check(before)
        after = self.perform(write, before)
        result: Result = {}
        if before is not None and request.get("ReturnValues") == "ALL_OLD":
            result["Attributes"] = self.shown(call, before)
        self._account(request, write, before, after, result)
        return result

    @operation("UpdateItem")
    def update_item(self, call: Call, request: Request) -> Result:
        write = Update(self.expressions, request)
        table = self.table(call, request["TableName"])
        write.locate(table)
        before = self.rows.read(table, write.key)
        write.check(before)
        after = self.perform(write, before)
        assert after is not None
        result: Result = {}
        wanted = request.get("ReturnValues", "NONE")
        if wanted != "NONE":
            attributes = self._returned(call, wanted, write, before, after)
            if attributes is not None:
                result["Attributes"] = attributes
        self._account(request, write, before, after, result)
        return result

    def _returned(
        self, call: Call, wanted: str, write: Update, before: Stored | None, after: Stored
    ) -> Any | None:
        if wanted == "ALL_NEW":
            return self.shown(call, after)
        if wanted == "ALL_OLD":
            return None if before is None else self.shown(call, before)
        stored = before if wanted == "UPDATED_OLD" else after
        if stored is None or write.program is None:
            return None
        return write.program.returned(stored.item) or None

    def _account(
        self, request: Request, write: Write, before: Stored | None, after: Stored | None, result: Result
    ) -> None:
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            used = Consumption(mode, write.table)
            used.wrote(before, after)
            result["ConsumedCapacity"] = used.result()
        if request.get("ReturnItemCollectionMetrics") == "SIZE":
            metrics = self.collection_metrics(write)
            if metrics is not None:
                result["ItemCollectionMetrics"] = metrics

    @operation("GetItem", reads=True)
    def get_item(self, call: Call, request: Request) -> Result:
        legacy.check_mix(request, ("AttributesToGet",), ("ProjectionExpression",))
        bound = Bound(self.expressions, request, ("ProjectionExpression",))
        projection = bound.projection() or legacy.attributes_to_get(request)
        bound.finish()
        table = self.table(call, request["TableName"])
        _, key = table.take_key(request["Key"])
        stored = self.rows.read(table, key)
        result: Result = {}
        if stored is not None:
            if projection is None:
                result["Item"] = stored.item if call.http is None else orjson.Fragment(stored.blob)
            else:
                result["Item"] = projection[0](stored.item)
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            result["ConsumedCapacity"] = consumed_read(
                mode, table, stored.size if stored else 0, request.get("ConsistentRead") or False
            )
        return result


def consumed_read(mode: str, table: Table, size: int, consistent: bool) -> Result | None:
    used = Consumption(mode, table)
    used.read(read_units(size, consistent))
    return used.result()


def _old_or_none(request: Request) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise ValidationException("ReturnValues can only be ALL_OLD or NONE")


def keys_of(item: Item, names: tuple[str, ...]) -> Item:
    return {name: item[name] for name in names}
