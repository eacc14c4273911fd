"""Keys as bytes: order, segments, prefixes."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.kernel import ValidationException
from pileus.cloud.services.dynamodb import keys

texts = st.text(min_size=1, max_size=12, alphabet=st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_texts_are_ordered_as_their_utf8(left: str, right: str) -> None:
    a, b = keys.encode("S", {"S": left}), keys.encode("S", {"S": right})
    assert (a < b) == (left.encode() < right.encode())


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_binaries_are_ordered_byte_by_byte(left: bytes, right: bytes) -> None:
    a, b = (keys.encode("B", {"B": b64encode(v).decode()}) for v in (left, right))
    assert (a < b) == (left < right)


@given(st.binary(min_size=1, max_size=6), st.binary(max_size=6))
def test_after_prefix_is_the_end_of_all_that_begins_so(prefix: bytes, other: bytes) -> None:
    end = keys.after_prefix(prefix)
    assert end is None or prefix + other < end
    inside = other >= prefix and (end is None or other < end)
    assert inside == other.startswith(prefix)


@given(texts, st.integers(1, 1_000_000), st.data())
def test_each_key_lies_in_just_one_segment(key: str, total: int, data: st.DataObject) -> None:
    row = keys.scattered(key.encode())
    own = int.from_bytes(row[:4], "big") * total >> 32
    other = data.draw(st.integers(0, total - 1))
    for segment in {own, other}:
        lower, upper = keys.segment_bounds(segment, total)
        assert (lower <= row and (upper is None or row < upper)) == (segment == own)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: keys.hash_bytes(keys.Attribute("id", "S"), {"S": "x" * 2049}),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048"
            " bytes",
        ),
        (
            lambda: keys.range_bytes(keys.Attribute("at", "S"), {"S": "x" * 1025}),
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size"
            " limit of 1024 bytes",
        ),
        (
            lambda: keys.hash_bytes(keys.Attribute("id", "S"), {"S": ""}),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
            " empty string value. Key: id",
        ),
        (
            lambda: keys.range_bytes(keys.Attribute("at", "B"), {"B": ""}),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
            " empty binary value. Key: at",
        ),
    ],
)
def test_refused(make: Any, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        make()
    assert caught.value.message == message


def test_the_longest_keys_are_taken() -> None:
    assert len(keys.hash_bytes(keys.Attribute("id", "S"), {"S": "x" * 2048})) == 2052
    assert len(keys.range_bytes(keys.Attribute("at", "S"), {"S": "x" * 1024})) == 1024
