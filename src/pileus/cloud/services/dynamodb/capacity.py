"""Consumed capacity: what each operation says it used, and the sizes that it is counted from.

A write unit is 1 KB, a read unit 4 KB (half for an eventually consistent read), twice in a transaction; what is not
there costs the least of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .keys import RowKey
from .storage import Stored
from .table import Index, Table
from .values import item_size


def write_units(before: Stored | None, after: Stored | None) -> float:
    size = max(before.size if before else 0, after.size if after else 0)
    return float(max(1, -(-size // 1024)))


def read_units(size: int, consistent: bool) -> float:
    units = max(1, -(-size // 4096))
    return float(units) if consistent else units * 0.5


def index_write_units(table: Table, before: Stored | None, after: Stored | None) -> dict[str, float]:
    """What the secondary indexes' entries cost: one put or delete each, both where the entry's key moves."""
    found: dict[str, float] = {}
    for index in table.indexes.values():
        units = _entry_units(index, before, after)
        if units:
            found[index.name] = units
    return found


def _entry_units(index: Index, before: Stored | None, after: Stored | None) -> float:
    old = None if before is None else index.row_key(before.item, lenient=True)
    new = None if after is None else index.row_key(after.item, lenient=True)
    if old == new and before is not None and after is not None:
        if old is None or _kept(index, before) == _kept(index, after):
            return 0.0
        return _kb(max(_size(index, before), _size(index, after)))
    return _one(index, old, before) + _one(index, new, after)


def _one(index: Index, place: RowKey | None, stored: Stored | None) -> float:
    return 0.0 if place is None or stored is None else _kb(_size(index, stored))


def _kb(size: int) -> float:
    return float(max(1, -(-size // 1024)))


def _kept(index: Index, stored: Stored) -> Mapping[str, Any]:
    if index.kept is None:
        return stored.item
    return {name: value for name, value in stored.item.items() if name in index.kept}


def _size(index: Index, stored: Stored) -> int:
    return stored.size if index.kept is None else item_size(dict(_kept(index, stored)))


class Consumption:
    """Sums what one operation used of one table."""

    __slots__ = ("_indexes", "_mode", "_table", "_units")

    def __init__(self, mode: str | None, table: Table) -> None:
        """mode: ReturnConsumedCapacity: NONE, TOTAL or INDEXES."""
        self._mode = mode or "NONE"
        self._table = table
        self._units = 0.0
        self._indexes: dict[str, float] = {}

    @property
    def wanted(self) -> bool:
        return self._mode != "NONE"

    def wrote(self, before: Stored | None, after: Stored | None, factor: float = 1.0) -> None:
        if self._mode == "NONE":
            return
        self._units += write_units(before, after) * factor
        for name, units in index_write_units(self._table, before, after).items():
            self._indexes[name] = self._indexes.get(name, 0.0) + units * factor

    def read(self, units: float, index: Index | None = None) -> None:
        if index is None:
            self._units += units
        else:
            self._indexes[index.name] = self._indexes.get(index.name, 0.0) + units

    def result(self, kind: str = "") -> dict[str, Any] | None:
        """The ConsumedCapacity member, None where it was not asked for. kind: Read or Write, in transactions."""
        if self._mode == "NONE":
            return None
        total = self._units + sum(self._indexes.values())
        result: dict[str, Any] = {"TableName": self._table.name, "CapacityUnits": total}
        if kind:
            result[f"{kind}CapacityUnits"] = total
        if self._mode == "INDEXES":
            result["Table"] = _capacity(self._units, kind)
            for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
                used = {
                    name: _capacity(units, kind)
                    for name, units in self._indexes.items()
                    if self._table.indexes[name].is_global == is_global
                }
                if used:
                    result[member] = used
        return result


def _capacity(units: float, kind: str) -> dict[str, float]:
    return {"CapacityUnits": units, f"{kind}CapacityUnits": units} if kind else {"CapacityUnits": units}
