"""DynamoDB's numbers: up to 38 significant digits, magnitudes from 1E-130 to 9.9…E+125, as decimal text.

`canonical` gives the one text that each number has on the wire. `encode` gives bytes whose order is the numbers'
order: an exponent and then the digits in base 100, aligned to the decimal point, which is also how a number's size in
an item counts (two digits a byte, one for the exponent, one more below zero).
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from .errors import ValidationException

_PLAIN = re.compile(r"0|-?[1-9][0-9]{0,37}|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{0,18}[1-9]").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?").fullmatch
_LEAST, _GREATEST, _DIGITS = -130, 125, 38
# Wide enough that sums of any two numbers are exact; the result is then held to 38 digits.
_EXACT = Context(prec=300, Emax=999_999_999, Emin=-999_999_999)


def canonical(text: str) -> str:
    """The number as DynamoDB returns it: no exponent, no leading or trailing zeros. Raises ValidationException."""
    if _PLAIN(text):
        return text
    if not text:
        raise ValidationException("The parameter cannot be converted to a numeric value")
    if not _NUMBER(text):
        raise ValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    return _written(Decimal(text))


def _written(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    mantissa = "".join(map(str, digits)).lstrip("0")
    stripped = mantissa.rstrip("0")
    if not stripped:
        return "0"
    exponent += len(mantissa) - len(stripped)
    magnitude = exponent + len(stripped) - 1
    if magnitude > _GREATEST:
        raise ValidationException(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if magnitude < _LEAST:
        raise ValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    if len(stripped) > _DIGITS:
        raise ValidationException("Attempting to store more than 38 significant digits in a Number")
    return ("-" if sign else "") + _positional(stripped, exponent)


def _positional(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    point = len(digits) + exponent
    if point > 0:
        return f"{digits[:point]}.{digits[point:]}"
    return f"0.{'0' * -point}{digits}"


def add(left: str, right: str) -> str:
    if len(left) < 19 and len(right) < 19 and left.isdigit() and right.isdigit():
        return str(int(left) + int(right))
    return _written(_EXACT.add(Decimal(left), Decimal(right)))


def subtract(left: str, right: str) -> str:
    return _written(_EXACT.subtract(Decimal(left), Decimal(right)))


def _pairs(magnitude: str) -> tuple[str, int]:
    """Of canonical text without its sign: its base-100 digits as pairs of decimal ones, and their exponent."""
    whole, _, fraction = magnitude.partition(".")
    if whole == "0":
        whole = ""
    if len(whole) % 2:
        whole = "0" + whole
    if len(fraction) % 2:
        fraction += "0"
    digits = whole + fraction
    exponent = len(whole) // 2
    start, stop = 0, len(digits)
    while digits[start : start + 2] == "00":
        start += 2
    while digits[stop - 2 : stop] == "00":
        stop -= 2
    return digits[start:stop], exponent - start // 2


def encode(text: str) -> bytes:
    """Bytes of canonical text that sort as the numbers do."""
    if text == "0":
        return b"\x80"
    negative = text[0] == "-"
    digits, exponent = _pairs(text[1:] if negative else text)
    values = [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]
    if not negative:
        return bytes((exponent + 192, *(v + 1 for v in values)))
    encoded = bytes((63 - exponent, *(101 - v for v in values)))
    return encoded if len(values) >= 20 else encoded + b"\x66"


def size(text: str) -> int:
    """What canonical text counts in an item: 1 to 21 bytes."""
    if text == "0":
        return 1
    if text[-1] != "0" and text.isdigit():
        return 1 + (len(text) + 1) // 2
    negative = text[0] == "-"
    digits, _ = _pairs(text[1:] if negative else text)
    return min(1 + len(digits) // 2 + negative, 21)
