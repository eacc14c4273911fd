"""Attribute values: the gate through which every value comes, and what it refuses."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.kernel import AwsError
from pileus.cloud.services.dynamodb import values

INVALID = "One or more parameter values were invalid: "


def binary(content: bytes) -> str:
    return b64encode(content).decode()


texts = st.text(max_size=8).filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t))
number_texts = st.integers(-(10**20), 10**20).map(str)
blobs = st.binary(max_size=8).map(binary)
scalars = st.one_of(
    texts.map(lambda t: {"S": t}),
    number_texts.map(lambda n: {"N": n}),
    blobs.map(lambda b: {"B": b}),
    st.booleans().map(lambda b: {"BOOL": b}),
    st.just({"NULL": True}),
    st.lists(texts, min_size=1, max_size=4, unique=True).map(lambda s: {"SS": s}),
    st.lists(number_texts, min_size=1, max_size=4, unique=True).map(lambda s: {"NS": s}),
    st.lists(blobs, min_size=1, max_size=4, unique=True).map(lambda s: {"BS": s}),
)
attribute_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda v: {"L": v}),
        st.dictionaries(texts, inner, max_size=4).map(lambda v: {"M": v}),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        (
            {"S": None},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        ({"X": "a"}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        (
            {"S": "a", "N": "1"},
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
            " datatypes",
        ),
        ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
        ({"SS": []}, INVALID + "An string set  may not be empty"),
        ({"NS": []}, INVALID + "An number set  may not be empty"),
        ({"BS": []}, INVALID + "Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, INVALID + "Input collection [a, a] contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"BS": ["Yg==", "Yg=="]}, INVALID + "Input collection [Yg==, Yg==]of type BS contains duplicates."),
        ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"L": [{"N": "x"}]}, "The parameter cannot be converted to a numeric value: x"),
        ({"S": 1}, "NUMBER_VALUE cannot be converted to String"),
        ({"N": 1}, "NUMBER_VALUE cannot be converted to String"),
        ({"BOOL": "true"}, "STRING_VALUE cannot be converted to Boolean"),
        ({"M": []}, "Start of list found where not expected"),
        ({"L": {}}, "Start of structure or map found where not expected."),
    ],
)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        values.take(value)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("value", "taken", "size"),
    [
        ({"S": ""}, {"S": ""}, 0),
        ({"S": "é"}, {"S": "é"}, 2),
        ({"N": "1.0"}, {"N": "1"}, 2),
        ({"B": ""}, {"B": ""}, 0),
        ({"B": "YWI="}, {"B": "YWI="}, 2),
        ({"BOOL": False}, {"BOOL": False}, 1),
        ({"NULL": True}, {"NULL": True}, 1),
        ({"SS": ["b", "a"]}, {"SS": ["a", "b"]}, 2),
        ({"NS": ["10", "2"]}, {"NS": ["2", "10"]}, 4),
        ({"L": []}, {"L": []}, 3),
        ({"M": {}}, {"M": {}}, 3),
        ({"M": {"ab": {"S": "c"}}}, {"M": {"ab": {"S": "c"}}}, 7),
        ({"L": [{"S": "c"}]}, {"L": [{"S": "c"}]}, 5),
        ({"S": "a", "N": None}, {"S": "a"}, 1),
    ],
)
def test_taken(value: Any, taken: Any, size: int) -> None:
    found, counted = values.take(value)
    assert (found, counted) == (taken, size)


@given(attribute_values)
def test_taking_twice_changes_nothing(value: dict[str, Any]) -> None:
    taken, size = values.take(value)
    assert values.take(taken) == (taken, size)
    assert values.size_of(taken) == size


@given(st.dictionaries(texts, attribute_values, max_size=5))
def test_an_items_size_is_that_of_its_names_and_values(item: dict[str, Any]) -> None:
    taken, size = values.take_item(item)
    assert size == sum(len(n.encode()) + values.size_of(v) for n, v in taken.items())


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(depth):
        value = {"L": [value]}
    return value


def test_thirty_two_levels_and_no_more() -> None:
    assert values.depth_of(values.take(nested(32))[0]) == 32
    with pytest.raises(AwsError, match="Nesting Levels have exceeded supported limits"):
        values.take(nested(33))
