"""Entities as documents: a table whose rows are an API's own words under (account, region, kind, parent, id).

It stands below services: those whose control planes are nothing but such documents share it, each with a table of its own
(`schema.py` of the service) that has the columns account, region, kind, parent, id, handle and document.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import orjson

from pileus.cloud.kernel import Call, Row, Store

Document: TypeAlias = dict[str, Any]
K = TypeVar("K", bound=StrEnum)

_AMONG = "account=? AND region=? AND kind=? AND parent=?"
_LAST = "\U0010ffff"


class DocumentTable(Generic[K]):
    """The documents of one account in one region. K: the kinds that there are."""

    _find: ClassVar[str]
    _put: ClassVar[str]
    _delete: ClassVar[str]
    _delete_under: ClassVar[str]
    _range: ClassVar[str]

    def __init_subclass__(cls, table: str) -> None:
        """table: its name, a constant of the service. The statements are written once, not at every call."""
        cls._find = f"SELECT document FROM {table} WHERE {_AMONG} AND id=?"
        cls._put = f"INSERT OR REPLACE INTO {table} (account,region,kind,parent,id,handle,document) VALUES (?,?,?,?,?,?,?)"
        cls._delete = f"DELETE FROM {table} WHERE {_AMONG} AND id=?"
        cls._delete_under = f"DELETE FROM {table} WHERE account=? AND region=? AND parent=? AND parent<>''"
        cls._range = f"SELECT id,document FROM {table} WHERE {_AMONG} AND id>? AND id<? ORDER BY id LIMIT ?"

    def __init__(self, store: Store, account: str, region: str) -> None:
        self._store = store
        self._place = (account, region)

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(call.store, call.account, call.region)

    def find(self, kind: K, item_id: str, parent: str = "") -> Document | None:
        row = self._store.one(self._find, (*self._place, kind, parent, item_id))
        return None if row is None else orjson.loads(row[0])

    def put(
        self,
        kind: K,
        item_id: str,
        document: Mapping[str, Any],
        parent: str = "",
        handle: str | None = None,
    ) -> None:
        """handle: a second name by which the service finds it."""
        encoded = orjson.dumps(document)
        self._store.execute(self._put, (*self._place, kind, parent, item_id, handle, encoded))

    def delete(self, kind: K, item_id: str, parent: str = "") -> None:
        self._store.execute(self._delete, (*self._place, kind, parent, item_id))

    def delete_under(self, parent: str) -> None:
        """All kinds of what is under a parent."""
        self._store.execute(self._delete_under, (*self._place, parent))

    def all(self, kind: K, parent: str = "", prefix: str = "") -> list[Document]:
        """Every document of the kind under one parent, by id; prefix: the first part of two-part ids."""
        return [orjson.loads(row["document"]) for row in self._rows(kind, parent, prefix, -1, prefix)]

    def _rows(self, kind: K, parent: str, after: str, most: int, prefix: str = "") -> list[Row]:
        """(id, document) of those after an id, by id."""
        return self._store.all(self._range, (*self._place, kind, parent, after, prefix + _LAST, most))
