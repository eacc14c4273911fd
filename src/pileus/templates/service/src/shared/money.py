"""Prices: decimals with two places, never floats. In JSON they go out as "12.50" and come in as text or number."""

from decimal import Decimal, InvalidOperation

from src.shared.errors import Invalid

CENT = Decimal("0.01")
MAX_PRICE = Decimal("99999999.99")


def parse_price(value: str | int | Decimal) -> Decimal:
    try:
        price = Decimal(value)
    except InvalidOperation:
        raise Invalid("price must be a decimal number", field="price") from None
    if not price.is_finite() or not 0 <= price <= MAX_PRICE:
        raise Invalid(f"price must be between 0 and {MAX_PRICE}", field="price")
    if price != price.quantize(CENT):
        raise Invalid("price must have at most two decimal places", field="price")
    return abs(price.quantize(CENT))  # abs: -0 is a price of 0


def format_price(price: Decimal) -> str:
    return f"{price:.2f}"
