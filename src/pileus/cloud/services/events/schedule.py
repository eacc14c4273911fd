"""Schedule expressions: `rate(value unit)` and AWS's six-field `cron(minutes hours day-of-month month day-of-week year)`.

Source: "Cron expressions" and "Rate expressions" in the EventBridge user guide. Days of the week are 1-7 from Sunday;
exactly one of the two day fields is `?`; `L`, `W`, `LW` and `#` are as documented. Times are UTC, in whole seconds
since the epoch.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

DayTest = Callable[[date], bool]


class InvalidSchedule(ValueError):
    """Not a schedule expression."""


@dataclass(frozen=True, slots=True)
class Rate:
    seconds: int

    def next_after(self, moment: float) -> float | None:
        return moment + self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day: DayTest

    def next_after(self, moment: float) -> float | None:
        """The first time strictly after `moment`; None when there is none until the end of 2199."""
        start = datetime.fromtimestamp(int(moment // 60 + 1) * 60, UTC)
        today = start.date()
        for hour in self.hours:
            if not self._runs_on(today):
                break
            for minute in self.minutes:
                if (hour, minute) >= (start.hour, start.minute):
                    return _epoch(today, hour, minute)
        day = self._next_day(today)
        return None if day is None else _epoch(day, self.hours[0], self.minutes[0])

    def _runs_on(self, day: date) -> bool:
        return day.year in self.years and day.month in self.months and self.day(day)

    def _next_day(self, today: date) -> date | None:
        day = today + timedelta(days=1)
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif day.month not in self.months:
                day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
            elif self.day(day):
                return day
            else:
                day += timedelta(days=1)
        return None


Schedule = Rate | Cron


def parse_schedule(expression: str) -> Schedule:
    """Raises InvalidSchedule with what is wrong."""
    rate = re.fullmatch(r"rate\(\s*(\d+)\s+(minute|hour|day)(s?)\s*\)", expression)
    if rate:
        value, unit, plural = int(rate[1]), rate[2], bool(rate[3])
        if value < 1 or (value == 1) == plural:
            raise InvalidSchedule("a rate is at least 1, and its unit is singular for 1 and plural otherwise")
        return Rate(value * _UNITS[unit])
    cron = re.fullmatch(r"cron\((.*)\)", expression)
    if not cron:
        raise InvalidSchedule("a schedule is rate(value unit) or cron(six fields)")
    fields = cron[1].upper().split()
    if len(fields) != 6:
        raise InvalidSchedule(f"a cron expression has six fields, not {len(fields)}")
    minutes, hours, month_day, months, week_day, years = fields
    if (month_day == "?") == (week_day == "?"):
        raise InvalidSchedule("exactly one of day-of-month and day-of-week is ?")
    return Cron(
        tuple(sorted(_values(minutes, 0, 59))),
        tuple(sorted(_values(hours, 0, 23))),
        frozenset(_values(months, 1, 12, _MONTHS)),
        frozenset(_values(years, _FIRST_YEAR, _LAST_YEAR)),
        _month_day(month_day) if week_day == "?" else _week_day(week_day),
    )


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        base, slash, step_text = part.partition("/")
        step = _number(step_text, 1, high) if slash else 1
        if base == "*":
            first, last = low, high
        elif "-" in base:
            left, _, right = base.partition("-")
            first, last = _number(left, low, high, names), _number(right, low, high, names)
        else:
            first = _number(base, low, high, names)
            last = high if slash else first
        if first <= last:
            found.update(range(first, last + 1, step))
        else:  # FRI-MON, 22-2: over the end and on from the beginning
            found.update(
                low + (value - low) % (high - low + 1) for value in range(first, last + high - low + 2, step)
            )
    return found


def _number(text: str, low: int, high: int, names: dict[str, int] | None = None) -> int:
    if names and text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise InvalidSchedule(f"'{text}' is not between {low} and {high}")
    return int(text)


def _month_day(field: str) -> DayTest:
    if field == "L":
        return lambda day: day.day == _last(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _last(day))
    if offset := re.fullmatch(r"L-(\d{1,2})", field):
        before = _number(offset[1], 1, 30)
        return lambda day: day.day == _last(day) - before
    if nearest := re.fullmatch(r"(\d{1,2})W", field):
        wanted = _number(nearest[1], 1, 31)
        return lambda day: wanted <= _last(day) and day.day == _nearest_weekday(day, wanted)
    days = frozenset(_values(field, 1, 31))
    return lambda day: day.day in days


def _week_day(field: str) -> DayTest:
    if field == "L":
        return lambda day: _sunday_based(day) == 7
    if nth := re.fullmatch(r"(\w+)#([1-5])", field):
        wanted, week = _number(nth[1], 1, 7, _DAYS), int(nth[2])
        return lambda day: _sunday_based(day) == wanted and (day.day - 1) // 7 + 1 == week
    if last := re.fullmatch(r"(\w+)L", field):
        wanted = _number(last[1], 1, 7, _DAYS)
        return lambda day: _sunday_based(day) == wanted and day.day + 7 > _last(day)
    days = frozenset(_values(field, 1, 7, _DAYS))
    return lambda day: _sunday_based(day) in days


def _sunday_based(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The weekday nearest to the `wanted` day of the month of `day`, never in another month."""
    weekday = date(day.year, day.month, wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:
        return wanted + 1 if wanted < _last(day) else wanted - 2
    return wanted


def _epoch(day: date, hour: int, minute: int) -> float:
    return float(calendar.timegm((day.year, day.month, day.day, hour, minute, 0)))
