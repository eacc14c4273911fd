"""A table as requests meet it: its key schema, its indexes, what is switched on.

`definition` is what the store keeps (JSON): the members of `TableDescription` that were set, beside tags, TTL and
the like. The other fields are read from it once, when the table is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ValidationException, invalid_value
from .keys import (
    MAX_HASH_BYTES,
    MAX_RANGE_BYTES,
    Attribute,
    RowKey,
    encode,
    hash_bytes,
    range_bytes,
    scattered,
)
from .values import AttributeValue, Item, take

NO_MATCH = "The provided key element does not match the schema"


@dataclass(frozen=True, slots=True)
class Index:
    """One secondary index. kept: the attributes that it holds, None for all. status: CREATING while it is filled."""

    id: int
    name: str
    is_global: bool
    hash: Attribute
    range: Attribute | None
    kept: frozenset[str] | None
    status: str

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.hash.name,) if self.range is None else (self.hash.name, self.range.name)

    def row_key(self, item: Item, *, lenient: bool = False) -> RowKey | None:
        """Where the item lies in the index; None where it is not in it.

        lenient: an item that could not be written today (it was there before the index) is left out, not refused.
        """
        value = item.get(self.hash.name)
        if value is None:
            return None
        hash_part = self._part(self.hash, value, MAX_HASH_BYTES, lenient)
        if self.range is None:
            return None if hash_part is None else RowKey(scattered(hash_part), b"")
        value = item.get(self.range.name)
        if value is None:
            return None
        range_part = self._part(self.range, value, MAX_RANGE_BYTES, lenient)
        if hash_part is None or range_part is None:
            return None
        return RowKey(scattered(hash_part), range_part)

    def _part(self, attribute: Attribute, value: AttributeValue, limit: int, lenient: bool) -> bytes | None:
        if attribute.kind not in value:
            if lenient:
                return None
            raise invalid_value(
                f"Type mismatch for Index Key {attribute.name} Expected: {attribute.kind}"
                f" Actual: {next(iter(value))} IndexName: {self.name}"
            )
        encoded = encode(attribute.kind, value)
        if 0 < len(encoded) <= limit:
            return encoded
        if lenient:
            return None
        if not encoded:
            what = "string" if attribute.kind == "S" else "binary"
            raise ValidationException(
                "One or more parameter values are not valid. A value specified for a secondary index key is not"
                f" supported. The AttributeValue for a key attribute cannot contain an empty {what} value."
                f" IndexName: {self.name}, IndexKey: {attribute.name}"
            )
        if limit == MAX_HASH_BYTES:
            raise invalid_value(f"Size of hashkey has exceeded the maximum size limit of{limit} bytes")
        raise invalid_value(f"Aggregated size of all range keys has exceeded the size limit of {limit} bytes")


@dataclass(slots=True)
class Table:
    """ttl: the attribute that says when an item expires, if that is on. stream: its Id, Label and View, if on."""

    id: int
    account: str
    region: str
    name: str
    created: float
    definition: dict[str, Any]
    hash: Attribute
    range: Attribute | None
    indexes: dict[str, Index] = field(default_factory=dict)
    ttl: str | None = None
    stream: dict[str, Any] | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{self.name}"

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.hash.name,) if self.range is None else (self.hash.name, self.range.name)

    @property
    def locals(self) -> list[Index]:
        return [index for index in self.indexes.values() if not index.is_global]

    @classmethod
    def load(
        cls, table_id: int, account: str, region: str, name: str, created: float, definition: dict[str, Any]
    ) -> Table:
        kinds = {d["AttributeName"]: d["AttributeType"] for d in definition["AttributeDefinitions"]}
        hash_key, range_key = _schema(definition["KeySchema"], kinds)
        table = cls(table_id, account, region, name, created, definition, hash_key, range_key)
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
            for index in definition.get(member, ()):
                table.indexes[index["IndexName"]] = _index(table, index, kinds, member[0] == "G")
        ttl = definition.get("TimeToLive") or {}
        table.ttl = ttl["AttributeName"] if ttl.get("Enabled") else None
        stream = definition.get("Stream") or {}
        table.stream = None if stream.get("Ended", True) else stream
        return table

    # -- keys -------------------------------------------------------------------------------------------------------

    def key_of_item(self, item: Item) -> RowKey:
        """The key of an item to be put, in normal form."""
        encoded = self._item_part(item, self.hash)
        if self.range is None:
            return RowKey(hash_bytes(self.hash, encoded), b"")
        range_value = self._item_part(item, self.range)
        return RowKey(hash_bytes(self.hash, encoded), range_bytes(self.range, range_value))

    def _item_part(self, item: Item, attribute: Attribute) -> AttributeValue:
        value = item.get(attribute.name)
        if value is None:
            raise invalid_value(f"Missing the key {attribute.name} in the item")
        if attribute.kind not in value:
            raise invalid_value(
                f"Type mismatch for key {attribute.name} expected: {attribute.kind} actual: {next(iter(value))}"
            )
        return value

    def take_key(self, key: Any) -> tuple[Item, RowKey]:
        """A request's `Key` in normal form and where it lies. Raises where it isn't exactly the table's key."""
        taken = {name: take(value)[0] for name, value in key.items()}
        return taken, self.row_key(taken)

    def row_key(self, key: Item) -> RowKey:
        if len(key) != (1 if self.range is None else 2):
            raise ValidationException(NO_MATCH)
        value = key.get(self.hash.name)
        if value is None or self.hash.kind not in value:
            raise ValidationException(NO_MATCH)
        if self.range is None:
            return RowKey(hash_bytes(self.hash, value), b"")
        range_value = key.get(self.range.name)
        if range_value is None or self.range.kind not in range_value:
            raise ValidationException(NO_MATCH)
        return RowKey(hash_bytes(self.hash, value), range_bytes(self.range, range_value))


def _schema(schema: list[Mapping[str, str]], kinds: Mapping[str, str]) -> tuple[Attribute, Attribute | None]:
    names = [element["AttributeName"] for element in schema]
    attributes = [Attribute(name, kinds[name]) for name in names]
    return attributes[0], attributes[1] if len(attributes) > 1 else None


def _index(table: Table, definition: Mapping[str, Any], kinds: Mapping[str, str], is_global: bool) -> Index:
    hash_key, range_key = _schema(definition["KeySchema"], kinds)
    projection = definition["Projection"]
    kept: frozenset[str] | None = None
    if projection["ProjectionType"] != "ALL":
        names = [element["AttributeName"] for element in definition["KeySchema"]]
        kept = frozenset((*names, *table.key_names, *projection.get("NonKeyAttributes", ())))
    return Index(
        definition["Id"],
        definition["IndexName"],
        is_global,
        hash_key,
        range_key,
        kept,
        definition.get("IndexStatus", "ACTIVE"),
    )
