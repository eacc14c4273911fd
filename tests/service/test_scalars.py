"""Plain scalars, as the Serverless Framework 3.40.0 printed them (observed), and round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.service.scalars import as_text, number, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[
            (word, word)
            for word in ("yes", "no", "on", "off", "y", "Yes", "=", "12:30", "1_000", "0x", "1.2.3", "-")
        ],
        *[(word, None) for word in ("", "~", "null", "Null", "NULL", ".inf", "-.INF", ".nan")],
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("0755", 755),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", -31),
        ("0b11", 3),
        ("+12", 12),
        ("-0", 0),
        (".5", 0.5),
        ("1.50", 1.5),
        ("1.0", 1),
        ("1e3", 1000),
        ("1.50e-7", 1.5e-7),
        ("123456789012", 123456789012),
        ("12345678901234567890", 12345678901234567000),
        ("2012-10-17", "2012-10-17T00:00:00.000Z"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-15T02:59:43.100Z"),
        ("2012-13-45", "2012-13-45"),
        ("2012-1-1", "2012-1-1"),
    ],
)
def test_plain(text: str, value: object) -> None:
    result = plain(text)
    assert result == value
    assert type(result) is type(value)


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_numbers_round_trip(value: int) -> None:
    assert plain(as_text(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_value(value: float) -> None:
    kept = number(value)
    assert kept is not None and float(kept) == value


@given(st.text())
def test_any_text_has_a_value(text: str) -> None:
    plain(text)
