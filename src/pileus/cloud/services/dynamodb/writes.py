"""The four things that can be done to one item: put, update, delete, and (in transactions) check.

Each is made from a request in two steps, as AWS checks it: what can be said without the table (expressions, values),
then what its key schema says. `after` gives the item as it will be; the caller stores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import legacy
from .binding import Bound, Expressions, UpdateProgram
from .errors import ConditionalCheckFailedException, ValidationException, invalid_value
from .expressions.condition import Test
from .expressions.update import apply
from .keys import RowKey
from .storage import Stored
from .table import Table
from .values import MAX_ITEM_BYTES, Item, depth_of, item_size, size_of, take, take_item, text_size

Outcome = tuple[Item, int]
_MAX_DEPTH = 32


class Write:
    """test: the condition, None for none. on_failure: ReturnValuesOnConditionCheckFailure.

    key, key_item: where the item lies and its key attributes, known after `locate`.
    """

    __slots__ = ("key", "key_item", "on_failure", "table", "test", "values")

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.test: Test | None = None
        self.values: Item = {}
        self.on_failure: str | None = request.get("ReturnValuesOnConditionCheckFailure")
        self.table: Table
        self.key: RowKey
        self.key_item: Item

    def locate(self, table: Table) -> None:
        raise NotImplementedError

    def after(self, before: Stored | None) -> Outcome | None:
        """The item and its size as they will be; None: gone."""
        raise NotImplementedError

    def holds(self, before: Stored | None) -> bool:
        return self.test is None or self.test({} if before is None else before.item, self.values)

    def check(self, before: Stored | None) -> None:
        if self.holds(before):
            return
        members = {"Item": before.item} if before is not None and self.on_failure == "ALL_OLD" else {}
        raise ConditionalCheckFailedException("The conditional request failed", **members)


class Put(Write):
    __slots__ = ("item", "size")

    def __init__(self, expressions: Expressions, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self.item, self.size = take_item(request["Item"])
        legacy.check_mix(request, ("Expected", "ConditionalOperator"), ("ConditionExpression",))
        bound = Bound(expressions, request, ("ConditionExpression",), ("ConditionExpression",))
        self.test = bound.condition() or legacy.expected(request)
        bound.finish()
        self.values = bound.values
        if self.size > MAX_ITEM_BYTES:
            raise ValidationException("Item size has exceeded the maximum allowed size")

    def locate(self, table: Table) -> None:
        self.table = table
        self.key = table.key_of_item(self.item)
        self.key_item = {name: self.item[name] for name in table.key_names}

    def after(self, before: Stored | None) -> Outcome | None:
        return self.item, self.size


class _Keyed(Write):
    __slots__ = ("_raw_key",)

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self._raw_key = {name: take(value)[0] for name, value in request["Key"].items()}

    def locate(self, table: Table) -> None:
        self.table = table
        self.key = table.row_key(self._raw_key)
        self.key_item = self._raw_key


class Delete(_Keyed):
    __slots__ = ()

    def __init__(self, expressions: Expressions, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        legacy.check_mix(request, ("Expected", "ConditionalOperator"), ("ConditionExpression",))
        bound = Bound(expressions, request, ("ConditionExpression",), ("ConditionExpression",))
        self.test = bound.condition() or legacy.expected(request)
        bound.finish()
        self.values = bound.values

    def after(self, before: Stored | None) -> Outcome | None:
        return None


class Check(Delete):
    """A condition on an item that stays as it is."""

    __slots__ = ()


class Update(_Keyed):
    __slots__ = ("program",)

    def __init__(self, expressions: Expressions, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        legacy.check_mix(
            request,
            ("AttributeUpdates", "Expected", "ConditionalOperator"),
            ("UpdateExpression", "ConditionExpression"),
        )
        parameters = ("UpdateExpression", "ConditionExpression")
        bound = Bound(expressions, request, parameters, parameters)
        self.program: UpdateProgram | None = bound.update() or legacy.updates(request)
        self.test = bound.condition() or legacy.expected(request)
        bound.finish()
        self.values = bound.values

    def locate(self, table: Table) -> None:
        super().locate(table)
        if self.program is not None:
            for name in table.key_names:
                if name in self.program.changed:
                    raise invalid_value(f"Cannot update attribute {name}. This attribute is part of the key")

    def after(self, before: Stored | None) -> Outcome | None:
        if self.program is None:
            return (before.item, before.size) if before else (self.key_item, item_size(self.key_item))
        old = {} if before is None else before.item
        new = apply(self.program.steps, old, self.values)
        if before is None:
            new = {**self.key_item, **new}
            size = item_size(new)
        else:
            size = before.size
            for name in self.program.changed:
                size += _size(name, new) - _size(name, old)
        if self.table.indexes:
            self._check_index_keys(self.program.changed, new)
        for name in self.program.changed:
            if name in new and depth_of(new[name]) > _MAX_DEPTH:
                raise ValidationException(
                    "Nesting Levels have exceeded supported limits: Attributes cannot have a nesting level"
                    f" greater than {_MAX_DEPTH}"
                )
        if size > MAX_ITEM_BYTES:
            raise ValidationException("Item size to update has exceeded the maximum allowed size")
        return new, size

    def _check_index_keys(self, changed: frozenset[str], new: Item) -> None:
        for index in self.table.indexes.values():
            for attribute in (index.hash, index.range):
                if attribute is None or attribute.name not in changed or attribute.name not in new:
                    continue
                value = new[attribute.name]
                if attribute.kind not in value:
                    raise ValidationException(
                        "The update expression attempted to update the secondary index key to unsupported type"
                    )
                if value[attribute.kind] == "":
                    what = "string" if attribute.kind == "S" else "binary"
                    raise ValidationException(
                        "One or more parameter values are not valid. The update expression attempted to update a"
                        " secondary index key to a value that is not supported. The AttributeValue for a key"
                        f" attribute cannot contain an empty {what} value."
                    )


def _size(name: str, item: Item) -> int:
    value = item.get(name)
    return 0 if value is None else text_size(name) + size_of(value)
