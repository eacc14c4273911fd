"""Plain YAML scalars under the rules of YAML 1.2's core schema with timestamps, and numbers as JSON has them.

`yes`, `no`, `on`, `off` are strings, `012` is 12, `0o17` is 15, `1_000` and `12:30` are strings, and an unquoted
date becomes the ISO text of that moment. Numbers go through an IEEE double where they do not fit one exactly.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from pileus.service.tree import Json

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BASED = re.compile(r"([-+]?)0(?:b([01]+)|x([0-9a-fA-F]+)|o([0-7]+))\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]*))?(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::?([0-9]{2}))?))?\Z"
)
_EXACT = 2**53


def plain(text: str) -> Json:
    """The value of an unquoted, untagged scalar."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "0123456789+-.":
        return text
    if _INT.match(text):
        return number(int(text) if len(text) < 400 else float(text))
    if based := _BASED.match(text):
        digits, base = next((d, b) for d, b in zip(based.groups()[1:], (2, 16, 8), strict=True) if d)
        return number(int(based[1] + digits, base))
    if _FLOAT.match(text):
        return number(float(text))
    if _INFINITE.match(text):
        return None  # JSON has no infinity, and a template is JSON
    return _moment(text)


def _moment(text: str) -> str:
    try:
        if date := _DATE.match(text):
            return _iso(datetime(int(date[1]), int(date[2]), int(date[3]), tzinfo=UTC))
        if time := _TIME.match(text):
            year, month, day, hour, minute, second = (int(group) for group in time.groups()[:6])
            offset = timedelta(hours=int(time[9] or 0), minutes=int(time[10] or 0))
            zone = timezone(-offset if time[8] == "-" else offset)
            milliseconds = int((time[7] or "0")[:3].ljust(3, "0"))
            at = datetime(year, month, day, hour, minute, second, milliseconds * 1000, zone)
            return _iso(at.astimezone(UTC))
    except (ValueError, OverflowError):
        pass  # 2012-13-45 is text
    return text


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def number(value: int | float) -> int | float | None:
    """A number as JSON carries it: whole ones as int, too large ones rounded to a double, no infinities."""
    if isinstance(value, int):
        if -_EXACT <= value <= _EXACT:
            return value
        try:
            value = float(value)
        except OverflowError:
            return None
    if not math.isfinite(value):
        return None
    if value == int(value) and abs(value) < 1e21:
        return int(Decimal(repr(value)))  # the shortest digits that read back as this double, then zeros
    return value


def joined(values: list[Json]) -> str:
    """A list inside a text: its items with commas between, lists in it too, null as nothing."""
    texts = []
    for item in values:
        if isinstance(item, list):
            texts.append(joined(item))
        elif isinstance(item, dict):
            texts.append("[object Object]")
        else:
            texts.append("" if item is None else as_text(item))
    return ",".join(texts)


def as_text(value: str | int | float | bool | None) -> str:
    """A scalar inside a text: `true`, `null`, `5432`, `1.5`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    return value if isinstance(value, str) else str(value)


def _float_text(value: float) -> str:
    """The shortest digits, with an exponent below 1e-6 and from 1e21 on only, as JavaScript writes numbers."""
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}" if exponent else mantissa
