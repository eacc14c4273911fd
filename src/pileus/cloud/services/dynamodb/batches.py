"""BatchGetItem and BatchWriteItem: many items of many tables, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import Call, operation

from . import legacy
from .base import DynamoDbBase
from .binding import Bound
from .capacity import Consumption, read_units
from .errors import ValidationException
from .keys import RowKey
from .values import MAX_ITEM_BYTES
from .writes import Delete, Put

Request = Mapping[str, Any]
Result = dict[str, Any]
_MAX_GETS, _MAX_WRITES = 100, 25
_MAX_ANSWER = 16 * 1024 * 1024
_DUPLICATES = "Provided list of item keys contains duplicates"


class Batches(DynamoDbBase):
    @operation("BatchGetItem", reads=True)
    def batch_get_item(self, call: Call, request: Request) -> Result:
        wanted: Mapping[str, Any] = request["RequestItems"]
        _check_tables(wanted)
        if sum(len(entry["Keys"]) for entry in wanted.values()) > _MAX_GETS:
            raise ValidationException("Too many items requested for the BatchGetItem call")
        responses: dict[str, list[Any]] = {}
        unprocessed: Result = {}
        consumed = []
        room = _MAX_ANSWER
        for name, entry in wanted.items():
            items, left, used, room = self._get_from(call, name, entry, request, room)
            responses[name] = items
            if left:
                unprocessed[name] = {**entry, "Keys": left}
            consumed.append(used)
        result: Result = {"Responses": responses, "UnprocessedKeys": unprocessed}
        if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
            result["ConsumedCapacity"] = consumed
        return result

    def _get_from(
        self, call: Call, name: str, entry: Mapping[str, Any], request: Request, room: int
    ) -> tuple[list[Any], list[Any], Result | None, int]:
        legacy.check_mix(entry, ("AttributesToGet",), ("ProjectionExpression",))
        bound = Bound(self.expressions, entry, ("ProjectionExpression",))
        projection = bound.projection() or legacy.attributes_to_get(entry)
        bound.finish()
        table = self.table(call, name)
        keys = [table.take_key(key)[1] for key in entry["Keys"]]
        if len(set(keys)) != len(keys):
            raise ValidationException(_DUPLICATES)
        used = Consumption(request.get("ReturnConsumedCapacity"), table)
        consistent = bool(entry.get("ConsistentRead"))
        items: list[Any] = []
        for position, key in enumerate(keys):
            stored = self.rows.read(table, key)
            size = stored.size if stored else 0
            if size > room:
                return items, entry["Keys"][position:], used.result(), 0
            room -= size
            used.read(read_units(size, consistent))
            if stored is not None:
                shown = self.shown(call, stored) if projection is None else projection[0](stored.item)
                items.append(shown)
        return items, [], used.result(), room

    @operation("BatchWriteItem")
    def batch_write_item(self, call: Call, request: Request) -> Result:
        wanted: Mapping[str, Any] = request["RequestItems"]
        _check_tables(wanted)
        for name, entries in wanted.items():
            if not entries:
                raise ValidationException(
                    f"The batch write request list for a table cannot be null or empty: {name}"
                )
        if sum(map(len, wanted.values())) > _MAX_WRITES:
            raise ValidationException("Too many items requested for the BatchWriteItem call")
        planned = [(name, [self._planned(e) for e in entries]) for name, entries in wanted.items()]
        consumed = []
        metrics: Result = {}
        for name, writes in planned:
            consumed.append(self._write_to(call, name, writes, request, metrics))
        result: Result = {"UnprocessedItems": {}}
        if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
            result["ConsumedCapacity"] = consumed
        if metrics:
            result["ItemCollectionMetrics"] = metrics
        return result

    def _planned(self, entry: Mapping[str, Any]) -> Put | Delete:
        given = [member for member in ("PutRequest", "DeleteRequest") if entry.get(member) is not None]
        if len(given) != 1:
            raise ValidationException(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the"
                " supported datatypes"
                if given
                else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
            )
        if given[0] == "DeleteRequest":
            return Delete(self.expressions, entry["DeleteRequest"])
        put = Put(self.expressions, entry["PutRequest"])
        assert put.size <= MAX_ITEM_BYTES
        return put

    def _write_to(
        self, call: Call, name: str, writes: list[Put | Delete], request: Request, metrics: Result
    ) -> Result | None:
        table = self.table(call, name)
        seen: set[RowKey] = set()
        for write in writes:
            write.locate(table)
            if write.key in seen:
                raise ValidationException(_DUPLICATES)
            seen.add(write.key)
        used = Consumption(request.get("ReturnConsumedCapacity"), table)
        for write in writes:
            before = self.rows.read(table, write.key)
            after = self.perform(write, before)
            used.wrote(before, after)
            if request.get("ReturnItemCollectionMetrics") == "SIZE":
                found = self.collection_metrics(write)
                if found is not None:
                    metrics.setdefault(name, []).append(found)
        return used.result()


def _check_tables(wanted: Mapping[str, Any]) -> None:
    if not wanted:
        raise ValidationException(
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1"
        )
