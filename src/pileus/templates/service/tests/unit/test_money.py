from decimal import Decimal

import pytest

from src.shared.errors import Invalid
from src.shared.money import format_price, parse_price


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ("12.50", "12.50"),
        ("12.5", "12.50"),
        ("0", "0.00"),
        (7, "7.00"),
        (Decimal("19.99"), "19.99"),
        (Decimal("1E+2"), "100.00"),
        ("-0", "0.00"),
        ("99999999.99", "99999999.99"),
    ],
)
def test_a_price_is_exact_and_has_two_places(given, price):
    assert str(parse_price(given)) == price
    assert format_price(parse_price(given)) == price


@pytest.mark.parametrize(
    "given", ["", "abc", "1,5", "NaN", "Infinity", "-0.01", "0.001", "100000000", Decimal("1E+400"), Decimal("0.005")]
)
def test_what_is_no_price_names_the_field(given):
    with pytest.raises(Invalid) as refused:
        parse_price(given)
    assert refused.value.field == "price"
