"""Query and Scan: pages of at most 1 MB, filtered after they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pileus.cloud.kernel import Call, operation

from . import legacy
from .base import DynamoDbBase, limit_of
from .binding import Bound
from .capacity import Consumption, read_units
from .errors import ValidationException, invalid_value
from .expressions.condition import Test
from .expressions.keys import key_condition
from .expressions.projection import Project
from .items import keys_of
from .keys import RowKey
from .ranges import KeyRange, query_range, rows
from .table import Index, Table
from .values import Item

Request = Mapping[str, Any]
Result = dict[str, Any]
_PAGE_BYTES = 1024 * 1024


@dataclass(slots=True)
class Selection:
    """What of each item is answered. counts: only how many. test: the filter. project: None for all.

    fetches: the index does not hold all that is wanted, the rest comes from the table (local indexes only).
    """

    counts: bool = False
    test: Test | None = None
    project: Project | None = None
    fetches: bool = False

    @property
    def is_plain(self) -> bool:
        return self.test is None and self.project is None and not self.fetches


class Reads(DynamoDbBase):
    @operation("Query", reads=True)
    def query(self, call: Call, request: Request) -> Result:
        modern = ("FilterExpression", "KeyConditionExpression", "ProjectionExpression")
        legacy.check_mix(
            request, ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"), modern
        )
        limit = limit_of(request)
        bound = Bound(self.expressions, request, modern, modern[:2])
        tests = bound.keys() or legacy.key_conditions(request)
        if tests is None:
            raise ValidationException(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        found = bound.filter() or legacy.filters(request, "QueryFilter")
        projection = bound.projection() or legacy.attributes_to_get(request)
        bound.finish()
        table = self.table(call, request["TableName"])
        index = _index(table, request)
        owner: Table | Index = table if index is None else index
        condition = key_condition(tests, owner.hash.name, owner.range.name if owner.range else None)
        if found is not None:
            for name in owner.key_names:
                if name in found[1]:
                    what = "QueryFilter" if "QueryFilter" in request else "Filter Expression"
                    raise ValidationException(
                        f"{what} can only contain non-primary key attributes: Primary key attribute: {name}"
                    )
        selection = _selection(request, table, index, projection)
        selection.test = None if found is None else found[0]
        forward = request.get("ScanIndexForward")
        span = query_range(table, index, condition, bound.values, forward=forward is not False)
        return self._page(call, request, span, selection, bound.values, limit)

    @operation("Scan", reads=True)
    def scan(self, call: Call, request: Request) -> Result:
        modern = ("FilterExpression", "ProjectionExpression")
        legacy.check_mix(request, ("AttributesToGet", "ScanFilter", "ConditionalOperator"), modern)
        limit = limit_of(request)
        segment = _segment(request)
        bound = Bound(self.expressions, request, modern, modern[:1])
        found = bound.filter() or legacy.filters(request, "ScanFilter")
        projection = bound.projection() or legacy.attributes_to_get(request)
        bound.finish()
        table = self.table(call, request["TableName"])
        index = _index(table, request)
        selection = _selection(request, table, index, projection)
        selection.test = None if found is None else found[0]
        span = KeyRange(table, index, segment=segment)
        return self._page(call, request, span, selection, bound.values, limit)

    def _page(
        self,
        call: Call,
        request: Request,
        span: KeyRange,
        selection: Selection,
        values: Item,
        limit: int | None,
    ) -> Result:
        start = request.get("ExclusiveStartKey")
        if start is not None:
            span.begin_after(start)
        if selection.is_plain:
            page = self._read(span, limit)
        else:
            page = self._select(span, selection, values, limit)
        result: Result = {"Count": page.count, "ScannedCount": page.scanned}
        if not selection.counts:
            result["Items"] = page.items(as_bytes=call.http is not None)
        if page.last is not None:
            result["LastEvaluatedKey"] = keys_of(orjson.loads(page.last), span.key_names)
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            consistent = bool(request.get("ConsistentRead"))
            used = Consumption(mode, span.table)
            used.read(read_units(page.size, consistent), span.index)
            if selection.fetches:
                used.read(page.scanned * read_units(0, consistent))
            result["ConsumedCapacity"] = used.result()
        return result

    def _read(self, span: KeyRange, limit: int | None) -> Page:
        """A page of everything there is, without a look into the items."""
        blobs: list[bytes] = []
        size = 0
        last = None
        with rows(self.store, *span.statement(limit)) as found:
            for blob, item_size in found:
                blobs.append(blob)
                size += item_size
                if size >= _PAGE_BYTES or len(blobs) == limit:
                    last = blob
                    break
        return Page(len(blobs), len(blobs), size, last, blobs=blobs)

    def _select(self, span: KeyRange, selection: Selection, values: Item, limit: int | None) -> Page:
        test, project = selection.test, selection.project
        page = Page()
        with rows(self.store, *span.statement(limit, with_keys=selection.fetches)) as found:
            for row in found:
                item: Item = orjson.loads(row[0])
                if selection.fetches:
                    stored = self.rows.read(span.table, RowKey(row[2], row[3]))
                    assert stored is not None
                    item = stored.item
                page.scanned += 1
                page.size += row[1]
                if test is None or test(item, values):
                    page.count += 1
                    if not selection.counts:
                        page.chosen.append(item if project is None else project(item))
                if page.scanned == limit or page.size >= _PAGE_BYTES:
                    page.last = row[0]
                    break
        return page


@dataclass(slots=True)
class Page:
    """What one Query or Scan read. last: the row at which it stopped before the end. blobs, chosen: the items, as
    they lie in the store or as they were selected."""

    count: int = 0
    scanned: int = 0
    size: int = 0
    last: bytes | None = None
    blobs: list[bytes] = field(default_factory=list)
    chosen: list[Item] = field(default_factory=list)

    def items(self, *, as_bytes: bool) -> Any:
        if not self.blobs:
            return self.chosen
        together = b"[" + b",".join(self.blobs) + b"]"
        return orjson.Fragment(together) if as_bytes else orjson.loads(together)


def _index(table: Table, request: Request) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    index = table.indexes.get(name)
    if index is None:
        raise ValidationException(f"The table does not have the specified index: {name}")
    if index.status == "CREATING":
        raise ValidationException(f"Cannot read from backfilling global secondary index: {name}")
    if index.is_global and request.get("ConsistentRead"):
        raise ValidationException("Consistent reads are not supported on global secondary indexes")
    return index


def _selection(
    request: Request, table: Table, index: Index | None, projection: tuple[Project, frozenset[str]] | None
) -> Selection:
    select = request.get("Select")
    legacy_list = "AttributesToGet" in request
    if projection is not None and select not in (None, "SPECIFIC_ATTRIBUTES"):
        what = "AttributesToGet" if legacy_list else "ProjectionExpression"
        wanted = "only the Count" if select == "COUNT" else select
        raise ValidationException(f"Cannot specify the {what} when choosing to get {wanted}")
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise ValidationException(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise ValidationException(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        )
    if select == "COUNT":
        return Selection(counts=True)
    if index is None or index.kept is None:
        return Selection(project=projection[0] if projection else None)
    if projection is not None:
        missing = projection[1] - index.kept
        if missing and index.is_global:
            raise invalid_value(
                f"Global secondary index {index.name} does not project [{', '.join(sorted(missing))}]"
            )
        return Selection(project=projection[0], fetches=bool(missing))
    if select == "ALL_ATTRIBUTES":
        if index.is_global:
            raise invalid_value(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index"
                f" {index.name} because its projection type is not ALL"
            )
        return Selection(fetches=True)
    return Selection()


def _segment(request: Request) -> tuple[int, int] | None:
    number, total = request.get("Segment"), request.get("TotalSegments")
    if number is None and total is None:
        return None
    if total is None:
        raise ValidationException(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter"
            " is present"
        )
    if number is None:
        raise ValidationException(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments"
            " is present"
        )
    if number >= total:
        raise ValidationException(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments:"
            f" Segment: {number} is not less than TotalSegments: {total}"
        )
    return number, total
