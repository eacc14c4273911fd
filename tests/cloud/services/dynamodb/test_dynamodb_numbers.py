"""Numbers: canonical text, refusals, the order of the encoding, sizes."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.kernel import ValidationException
from pileus.cloud.services.dynamodb import numbers

WIDE = Context(prec=400)


@st.composite
def decimals(draw: st.DrawFn) -> str:
    digits = draw(st.integers(min_value=0, max_value=10**38 - 1))
    count = len(str(digits))
    exponent = draw(st.integers(min_value=-130, max_value=125 - count + 1))
    sign = draw(st.sampled_from(("", "-", "+")))
    return f"{sign}{digits}E{exponent}"


@pytest.mark.parametrize(
    ("given_text", "canonical"),
    [
        ("1", "1"),
        ("-0", "0"),
        ("0.0", "0"),
        ("+5", "5"),
        ("007", "7"),
        ("1.500", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1E-5", "0.00001"),
        ("-12.30e1", "-123"),
        ("9" * 38, "9" * 38),
        ("1" + "0" * 60, "1" + "0" * 60),
        ("0.1e-129", "0." + "0" * 129 + "1"),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
    ],
)
def test_canonical(given_text: str, canonical: str) -> None:
    assert numbers.canonical(given_text) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The parameter cannot be converted to a numeric value"),
        ("b", "The parameter cannot be converted to a numeric value: b"),
        ("1 ", "The parameter cannot be converted to a numeric value: 1 "),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("Infinity", "The parameter cannot be converted to a numeric value: Infinity"),
        ("１", "The parameter cannot be converted to a numeric value: １"),
        ("1_000", "The parameter cannot be converted to a numeric value: 1_000"),
        (
            "1e126",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "-1e126",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "1e-131",
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
        ("1" + "0" * 37 + "1", "Attempting to store more than 38 significant digits in a Number"),
        ("0." + "1" * 39, "Attempting to store more than 38 significant digits in a Number"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        numbers.canonical(text)
    assert caught.value.message == message


@given(decimals())
def test_canonical_keeps_the_value(text: str) -> None:
    found = numbers.canonical(text)
    assert WIDE.compare(Decimal(found), Decimal(text)) == 0
    assert numbers.canonical(found) == found
    assert "E" not in found and "e" not in found


@given(decimals(), decimals())
def test_encoding_keeps_the_order(left: str, right: str) -> None:
    a, b = numbers.canonical(left), numbers.canonical(right)
    encoded = (numbers.encode(a), numbers.encode(b))
    assert (encoded[0] < encoded[1]) == (Decimal(a) < Decimal(b))
    assert (encoded[0] == encoded[1]) == (Decimal(a) == Decimal(b))


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-3, 3))
def test_encoding_keeps_the_order_of_near_numbers(left: int, right: int, exponent: int) -> None:
    a, b = (numbers.canonical(f"{n}e{exponent}") for n in (left, right))
    assert (numbers.encode(a) < numbers.encode(b)) == (left < right)


@given(decimals())
def test_size_is_that_of_the_encoding(text: str) -> None:
    found = numbers.canonical(text)
    encoded = numbers.encode(found)
    expected = min(len(encoded), 21) if found != "0" else 1
    if found.startswith("-") and len(encoded) == 21:
        expected = 21
    assert numbers.size(found) == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("-1", 3),
        ("100", 2),
        ("0.5", 2),
        ("1.5", 3),
        ("9" * 38, 20),
    ],
)
def test_size(text: str, size: int) -> None:
    assert numbers.size(text) == size


@given(st.integers(-(10**37), 10**37), st.integers(-(10**37), 10**37))
def test_sums_are_exact(left: int, right: int) -> None:
    assert numbers.add(str(left), str(right)) == numbers.canonical(str(left + right))
    assert numbers.subtract(str(left), str(right)) == numbers.canonical(str(left - right))


def test_a_sum_with_too_many_digits_is_refused() -> None:
    with pytest.raises(ValidationException, match="more than 38 significant digits"):
        numbers.add("1" + "0" * 40, "1")
