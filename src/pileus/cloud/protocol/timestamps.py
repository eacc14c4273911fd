"""Timestamps as the wire writes them; inside they are float seconds since the epoch.

unixtimestamp (seconds, maybe with a fraction), iso8601 (`2015-10-21T07:28:00.000Z`), rfc822
(`Wed, 21 Oct 2015 07:28:00 GMT`): the three values of the models' `timestampFormat`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from time import gmtime
from typing import Any

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TWO = tuple(f"{number:02}" for number in range(62))  # a look-up costs a third of a format
_RFC822 = re.compile(r"\w{3}, (\d\d?) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|\+0000)")


def seconds(value: Any) -> float:
    """A service's timestamp (number or datetime) as seconds since the epoch."""
    if type(value) is float:
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value)


def to_unix(value: Any) -> Any:
    """Milliseconds are what AWS gives; whole seconds go without a fraction. A string is already formatted."""
    if isinstance(value, str | int):
        return value
    exact = round(seconds(value), 3)
    return int(exact) if exact.is_integer() else exact


def to_iso(value: Any) -> str:
    """`2015-10-21T07:28:00.123Z`."""
    if isinstance(value, str):
        return value
    moment = seconds(value)
    whole = math.floor(moment)
    millis = round((moment - whole) * 1000)
    if millis == 1000:
        whole, millis = whole + 1, 0
    return f"{_until_seconds(whole)}.{millis:03}Z"


def to_iso_whole(value: Any) -> str:
    """`2015-10-21T07:28:00Z`, as IAM and STS write."""
    if isinstance(value, str):
        return value
    return _until_seconds(math.floor(seconds(value))) + "Z"


@lru_cache(maxsize=1024)  # what a listing shows has often come within few seconds
def _until_seconds(whole: int) -> str:
    t = gmtime(whole)
    return f"{t[0]:04}-{_TWO[t[1]]}-{_TWO[t[2]]}T{_TWO[t[3]]}:{_TWO[t[4]]}:{_TWO[t[5]]}"


def to_http(value: Any) -> str:
    if isinstance(value, str):
        return value
    t = gmtime(math.floor(seconds(value)))
    date = f"{_DAYS[t[6]]}, {_TWO[t[2]]} {_MONTHS[t[1] - 1]} {t[0]:04}"
    return f"{date} {_TWO[t[3]]}:{_TWO[t[4]]}:{_TWO[t[5]]} GMT"


def from_text(text: str) -> float:
    """Any of the formats. ValueError when it is none."""
    if len(text) > 8 and text[4] == "-":
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    found = _RFC822.fullmatch(text)
    if found:
        day, month, year, hour, minute, second = found.groups()
        date = (int(year), _MONTHS.index(month) + 1, int(day))
        return datetime(*date, int(hour), int(minute), int(second), tzinfo=UTC).timestamp()
    try:
        return float(text)
    except ValueError:
        return _from_old_http(text)


def _from_old_http(text: str) -> float:
    """RFC 850 and asctime dates, which HTTP still allows."""
    from email.utils import parsedate_to_datetime  # late: rare, and slow to import

    moment = parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
