"""Lists written by columns against the same lists written entry by entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.protocol.errors import UnmodelledMember
from pileus.cloud.protocol.timestamps import to_iso
from pileus.cloud.protocol.xmltext import XmlWriter

SHAPES: dict[str, Any] = {
    "Text": {"type": "string"},
    "Number": {"type": "integer"},
    "Flag": {"type": "boolean"},
    "Time": {"type": "timestamp"},
    "Texts": {"type": "list", "flattened": True, "member": {"shape": "Text"}},
    "Owner": {"type": "structure", "members": {"Id": {"shape": "Text"}}},
    "Entry": {
        "type": "structure",
        "members": {
            "Key": {"shape": "Text"},
            "Size": {"shape": "Number"},
            "Latest": {"shape": "Flag"},
            "Modified": {"shape": "Time"},
            "Kinds": {"shape": "Texts", "locationName": "Kind"},
            "Owner": {"shape": "Owner"},
        },
    },
    "Entries": {"type": "list", "flattened": True, "member": {"shape": "Entry"}},
}
entries = st.fixed_dictionaries(
    {
        "Key": st.text(alphabet="ab%&<\n\r\x01é", max_size=4),
        "Size": st.integers(0, 3),
        "Latest": st.booleans(),
        "Modified": st.integers(0, 10**9),
    },
    optional={
        "Kinds": st.lists(st.sampled_from(["x", "<y>"]), max_size=2),
        "Owner": st.one_of(st.none(), st.just({"Id": "me & you"})),
    },
)


def writer() -> Any:
    return XmlWriter(SHAPES, to_iso).element("Contents", {"shape": "Entries"})


def one_by_one(values: list[dict[str, Any]]) -> str:
    write, out = writer(), list[str]()
    for value in values:
        write([value], out)
    return "".join(out)


def at_once(values: list[dict[str, Any]]) -> str:
    write, out = writer(), list[str]()
    write(values, out)
    return "".join(out)


@given(st.lists(entries, min_size=1, max_size=20))
def test_any_entries(values: list[dict[str, Any]]) -> None:
    assert at_once(values) == one_by_one(values)


@given(st.lists(entries, min_size=8, max_size=20), st.sampled_from(["Kinds", "Owner", "Key", "Size"]))
def test_entries_alike_and_with_holes(values: list[dict[str, Any]], hole: str) -> None:
    alike = [{"Kinds": ["x"], "Owner": {"Id": "a"}, **value} for value in values]
    alike = [dict(sorted(value.items())) for value in alike]
    alike[3][hole] = None
    text = at_once(alike)
    assert text == one_by_one(alike)
    assert text.count("<Contents>") == len(alike)


def test_what_the_model_lacks_is_a_bug_here_too() -> None:
    with pytest.raises(UnmodelledMember):
        at_once([{"Key": "k", "Colour": "red"}] * 20)
