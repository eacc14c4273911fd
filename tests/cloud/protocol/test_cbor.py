"""CBOR by the examples of RFC 8949, appendix A."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.protocol import cbor


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1903e8", 1000),
        ("1a000f4240", 1000000),
        ("1b000000e8d4a51000", 1000000000000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("20", -1),
        ("3903e7", -1000),
        ("3bffffffffffffffff", -18446744073709551616),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("40", b""),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("60", ""),
        ("62c3bc", "ü"),
        ("80", []),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a0", {}),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("fb3ff199999999999a", 1.1),
    ],
)
def test_both_ways(encoded: str, value: Any) -> None:
    assert cbor.loads(bytes.fromhex(encoded)) == value
    assert cbor.dumps(value).hex() == encoded


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("f93c00", 1.0),
        ("f90001", 5.960464477539063e-8),
        ("f97c00", math.inf),
        ("f9fc00", -math.inf),
        ("fa47c35000", 100000.0),
        ("f7", None),
        ("c11a514b67b0", 1363896240),
        ("c1fb41d452d9ec200000", 1363896240.5),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ],
)
def test_read_only_forms(encoded: str, value: Any) -> None:
    assert cbor.loads(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "18",
        "61",
        "44010203",
        "a1",
        "a161",
        "9f01",
        "5f",
        "1c",
        "f8ff",
        "0000",
        "62ff00",
        "9bffffffffffffffff",
        "ff",
    ],
)
def test_malformed(encoded: str) -> None:
    with pytest.raises(ValueError, match="malformed CBOR"):
        cbor.loads(bytes.fromhex(encoded))


def test_nesting_ends() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        cbor.loads(b"\x81" * 10_000 + b"\x01")


def test_times_are_tagged() -> None:
    assert cbor.dumps(cbor.Time(1363896240.5)).hex() == "c1fb41d452d9ec200000"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_round_trip(value: Any) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        cbor.loads(data)
