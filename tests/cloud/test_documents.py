"""Tables of documents: each kind, parent and place apart from the others; ranges by id."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from pileus.cloud.documents import DocumentTable
from pileus.cloud.kernel import Store


class Kind(StrEnum):
    ROOT = "root"
    LEAF = "leaf"


class Own(DocumentTable[Kind], table="own_item"):
    pass


class Other(DocumentTable[Kind], table="other_item"):
    pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "state")
    for table in ("own_item", "other_item"):
        columns = "account,region,kind,parent,id,handle,document,PRIMARY KEY (account,region,kind,parent,id)"
        made.migrate(table, (f"CREATE TABLE {table} ({columns});",))
    yield made
    made.close()


def test_a_document_is_found_in_its_own_place_only(store: Store) -> None:
    own = Own(store, "1", "eu")
    own.put(Kind.LEAF, "a", {"n": 1}, "p")
    assert own.find(Kind.LEAF, "a", "p") == {"n": 1}
    assert own.find(Kind.LEAF, "a") is None
    assert own.find(Kind.ROOT, "a", "p") is None
    assert Own(store, "2", "eu").find(Kind.LEAF, "a", "p") is None
    assert Own(store, "1", "us").find(Kind.LEAF, "a", "p") is None
    assert Other(store, "1", "eu").find(Kind.LEAF, "a", "p") is None


def test_put_replaces_and_delete_removes_one(store: Store) -> None:
    own = Own(store, "1", "eu")
    own.put(Kind.LEAF, "a", {"n": 1}, "p")
    own.put(Kind.LEAF, "a", {"n": 2}, "p")
    own.put(Kind.LEAF, "b", {"n": 3}, "p")
    own.delete(Kind.LEAF, "a", "p")
    assert own.all(Kind.LEAF, "p") == [{"n": 3}]


def test_all_is_by_id_and_by_prefix(store: Store) -> None:
    own = Own(store, "1", "eu")
    for name in ("r/2", "s/1", "r/1", "q"):
        own.put(Kind.LEAF, name, {"id": name}, "p")
    assert [each["id"] for each in own.all(Kind.LEAF, "p")] == ["q", "r/1", "r/2", "s/1"]
    assert [each["id"] for each in own.all(Kind.LEAF, "p", "r/")] == ["r/1", "r/2"]


def test_what_is_under_a_parent_goes_with_it(store: Store) -> None:
    own = Own(store, "1", "eu")
    own.put(Kind.ROOT, "p", {"n": 0})
    own.put(Kind.LEAF, "a", {"n": 1}, "p")
    own.put(Kind.LEAF, "a", {"n": 2}, "q")
    own.delete_under("")  # no parent: what has none stays
    own.delete_under("p")
    assert own.find(Kind.ROOT, "p") == {"n": 0}
    assert own.all(Kind.LEAF, "p") == []
    assert own.all(Kind.LEAF, "q") == [{"n": 2}]
