"""Query's and Scan's way into the store: a range of keys as SQL, and where the last page stopped.

Every statement reads one index from one place on, in order; nothing is sorted and nothing before the page is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pileus.cloud.kernel import Store

from .errors import ValidationException, invalid_value
from .expressions.keys import KeyCondition, KeyTest
from .expressions.tree import Literal, Node, Value
from .keys import Attribute, RowKey, after_prefix, encode, hash_bytes, segment_bounds
from .table import NO_MATCH, Index, Table
from .values import AttributeValue, Item, sortable, take

_MAX_PARAMETERS = 2


@dataclass(slots=True)
class Bounds:
    """A range of range keys. lower, upper: with whether the end itself belongs to it."""

    lower: tuple[bytes, bool] | None = None
    upper: tuple[bytes, bool] | None = None

    def __contains__(self, key: bytes) -> bool:
        if self.lower is not None and (key < self.lower[0] or (key == self.lower[0] and not self.lower[1])):
            return False
        return self.upper is None or key < self.upper[0] or (key == self.upper[0] and self.upper[1])


@dataclass(slots=True)
class KeyRange:
    """What to read. hash: one hash key's items (None: a scan). segment: (number, of how many)."""

    table: Table
    index: Index | None
    forward: bool = True
    hash: bytes | None = None
    bounds: Bounds = field(default_factory=Bounds)
    segment: tuple[int, int] | None = None
    start: tuple[bytes, ...] | None = (
        None  # the row after which to begin: hash, range[, item_hash, item_range]
    )

    def statement(self, limit: int | None, *, with_keys: bool = False) -> tuple[str, list[Any]]:
        """SQL that gives (item, size) in order; with_keys: and the item's hash and range."""
        keys = ""
        if self.index is None:
            if with_keys:
                keys = ",hash,range"
            sql = f"SELECT item,size{keys} FROM dynamodb_item WHERE table_id=?"
            parameters: list[Any] = [self.table.id]
            columns = ["hash", "range"]
        else:
            if with_keys:
                keys = ",item_hash,item_range"
            sql = f"SELECT item,size{keys} FROM dynamodb_entry WHERE index_id=?"
            parameters = [self.index.id]
            columns = ["hash", "range", "item_hash", "item_range"]
        start = self.start
        if self.hash is not None:
            sql += " AND hash=?"
            parameters.append(self.hash)
            columns = columns[1:]
            start = None if start is None else start[1:]
            sql += self._bounded(parameters, skip_lower=start is not None)
        elif self.segment is not None:
            lower, upper = segment_bounds(*self.segment)
            if start is None:
                sql += " AND hash>=?"
                parameters.append(lower)
            if upper is not None:
                sql += " AND hash<?"
                parameters.append(upper)
        if start is not None:
            marks = ",".join("?" * len(columns))
            sql += f" AND ({','.join(columns)}){'>' if self.forward else '<'}({marks})"
            parameters.extend(start)
        direction = "" if self.forward else " DESC"
        sql += " ORDER BY " + ",".join(column + direction for column in columns)
        if limit is not None:
            sql += " LIMIT ?"
            parameters.append(limit)
        return sql, parameters

    def _bounded(self, parameters: list[Any], *, skip_lower: bool) -> str:
        """skip_lower: the end at which the page begins is given by where the last one stopped."""
        sql = ""
        ends = [(">", self.bounds.lower, self.forward), ("<", self.bounds.upper, not self.forward)]
        for sign, bound, is_first in ends:
            if bound is not None and not (skip_lower and is_first):
                sql += f" AND range{sign}{'=' if bound[1] else ''}?"
                parameters.append(bound[0])
        return sql

    @property
    def key_names(self) -> tuple[str, ...]:
        """The attributes of LastEvaluatedKey."""
        names = self.table.key_names
        return names if self.index is None else tuple(dict.fromkeys((*self.index.key_names, *names)))

    # -- ExclusiveStartKey ------------------------------------------------------------------------------------------

    def begin_after(self, key: Any) -> None:
        """key: ExclusiveStartKey. Raises where it cannot be a place in this range."""
        try:
            taken = {name: take(value)[0] for name, value in key.items()}
        except ValidationException as error:
            raise ValidationException(f"The provided starting key is invalid: {error.message}") from None
        own = self._own_key(taken)
        self.start = (*self._place(taken), *own) if self.index is not None else own
        if self.hash is not None:
            if self.start[0] != self.hash:
                raise ValidationException(
                    "The provided starting key is outside query boundaries based on provided conditions"
                )
            if self.start[1] not in self.bounds:
                raise ValidationException("The provided starting key does not match the range key predicate")
        elif self.segment is not None:
            lower, upper = segment_bounds(*self.segment)
            if self.start[0] < lower or (upper is not None and self.start[0] >= upper):
                number, total = self.segment
                raise ValidationException(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use"
                    f" ExclusiveStartKey with correct Segment. TotalSegments: {total} Segment: {number}"
                )

    def _own_key(self, key: Item) -> RowKey:
        if len(key) != len(self.key_names):
            raise ValidationException(_invalid_start(self.index))
        try:
            return self.table.row_key({name: key[name] for name in self.table.key_names if name in key})
        except ValidationException as error:
            raise ValidationException(_invalid_start(self.index, error.message)) from None

    def _place(self, key: Item) -> tuple[bytes, bytes]:
        assert self.index is not None
        try:
            place = self.index.row_key(key)
        except ValidationException:
            place = None
        if place is None:
            raise ValidationException("The provided starting key is invalid")
        return place


def _invalid_start(index: Index | None, why: str = NO_MATCH) -> str:
    return "The provided starting key is invalid" + ("" if index is not None else f": {why}")


# -- key conditions -------------------------------------------------------------------------------------------------


def query_range(
    table: Table, index: Index | None, condition: KeyCondition, values: Item, *, forward: bool
) -> KeyRange:
    """The range of a query."""
    owner: Table | Index = table if index is None else index
    found = KeyRange(table, index, forward)
    found.hash = hash_bytes(owner.hash, _typed(owner.hash, condition.hash, values))
    if condition.range is not None:
        assert owner.range is not None
        found.bounds = _bounds(owner.range, condition.range, values)
    return found


def _value(node: Node, values: Item) -> AttributeValue:
    if isinstance(node, Value):
        return values[node.name]
    assert isinstance(node, Literal)
    return node.value


def _typed(attribute: Attribute, node: Node, values: Item) -> AttributeValue:
    value = _value(node, values)
    if attribute.kind not in value:
        raise invalid_value("Condition parameter type does not match schema type")
    return value


def _bounds(attribute: Attribute, test: KeyTest, values: Item) -> Bounds:
    operands = [_typed(attribute, node, values) for node in test.operands]
    keys = [encode(attribute.kind, operand) for operand in operands]
    for key in keys:
        if not key and test.operator != "begins_with":
            what = "string" if attribute.kind == "S" else "binary"
            raise ValidationException(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
                f" contain an empty {what} value. Key: {attribute.name}"
            )
    if test.operator == "=":
        return Bounds((keys[0], True), (keys[0], True))
    if test.operator in ("<", "<="):
        return Bounds(None, (keys[0], test.operator == "<="))
    if test.operator in (">", ">="):
        return Bounds((keys[0], test.operator == ">="), None)
    if test.operator == "BETWEEN":
        low, high = (sortable(operand) for operand in operands)
        assert low is not None and high is not None
        return Bounds((keys[0], True), (keys[1], True))
    if attribute.kind == "N":
        raise invalid_value("Condition parameter type does not match schema type")
    end = after_prefix(keys[0])
    return Bounds((keys[0], True), None if end is None else (end, False))


@contextmanager
def rows(store: Store, sql: str, parameters: list[Any]) -> Iterator[Iterator[Any]]:
    """The rows one by one, as tuples; the statement ends with the block, however many were read."""
    cursor = store.db.cursor()
    cursor.row_factory = None
    try:
        yield cursor.execute(sql, parameters)
    finally:
        cursor.close()
