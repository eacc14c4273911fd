"""AWS's cron dialect against a slow, obvious model, and the documented examples."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.cloud.services.events.schedule import Cron, InvalidSchedule, parse_schedule


def following(expression: str, moment: str) -> str | None:
    start = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    due = parse_schedule(expression).next_after(start)
    return None if due is None else datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("rate(1 minute)", "2026-01-01T00:00", "2026-01-01T00:01"),
        ("rate(5 minutes)", "2026-01-01T00:00", "2026-01-01T00:05"),
        ("rate(7 days)", "2026-01-01T00:00", "2026-01-08T00:00"),
        ("cron(0 2 * * ? *)", "2026-01-01T02:00", "2026-01-02T02:00"),
        ("cron(0 2 * * ? *)", "2026-01-01T01:59", "2026-01-01T02:00"),
        ("cron(15 12 * * ? *)", "2026-12-31T12:15", "2027-01-01T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00", "2026-11-23T18:00"),
        ("cron(0 8 1 * ? *)", "2026-11-22T00:00", "2026-12-01T08:00"),
        ("cron(0/15 * * * ? *)", "2026-11-22T10:46", "2026-11-22T11:00"),
        ("cron(0/5 8-17 ? * 2-6 *)", "2026-11-20T17:55", "2026-11-23T08:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-22T00:00", "2026-12-07T09:00"),
        ("cron(0 9 ? * 6L *)", "2026-11-22T00:00", "2026-11-27T09:00"),
        ("cron(0 9 ? * L *)", "2026-11-22T00:00", "2026-11-28T09:00"),
        ("cron(0 9 L * ? *)", "2026-02-01T00:00", "2026-02-28T09:00"),
        ("cron(0 9 L-2 * ? *)", "2026-02-01T00:00", "2026-02-26T09:00"),
        ("cron(0 9 LW * ? *)", "2026-10-01T00:00", "2026-10-30T09:00"),
        ("cron(0 9 15W * ? *)", "2026-11-01T00:00", "2026-11-16T09:00"),
        ("cron(0 9 1W * ? *)", "2026-07-31T10:00", "2026-08-03T09:00"),
        ("cron(0 9 29 2 ? *)", "2026-01-01T00:00", "2028-02-29T09:00"),
        ("cron(0 9 ? * FRI-MON *)", "2026-11-23T10:00", "2026-11-27T09:00"),
        ("cron(0 9 1 1 ? 2027-2029)", "2029-01-01T09:00", None),
        ("cron(0 10 ? JAN,JUL SUN 2027/2)", "2026-01-01T00:00", "2027-01-03T10:00"),
    ],
)
def test_next_time(expression: str, moment: str, expected: str | None) -> None:
    assert following(expression, moment) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 seconds)", "rate(-1 days)", "every day", "",
        "cron(0 2 * * *)", "cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(60 2 * * ? *)", "cron(0 24 * * ? *)",
        "cron(0 2 32 * ? *)", "cron(0 2 ? * 8 *)", "cron(0 2 * 13 ? *)", "cron(0 2 * * ? 1969)", "cron(0 2 x * ? *)",
        "cron(0 0/0 * * ? *)", "cron(0 2 ? * 2#6 *)",
    ],
)  # fmt: skip
def test_refused(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)


_minutes = st.one_of(
    st.just("*"), st.integers(0, 59).map(str), st.integers(1, 30).map(lambda n: f"0/{n}"),
    st.tuples(st.integers(0, 29), st.integers(30, 59)).map(lambda p: f"{p[0]}-{p[1]}"),
)  # fmt: skip
_hours = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.just("8-17"), st.just("1,13"))
_days = st.one_of(
    st.just(("*", "?")), st.integers(1, 28).map(lambda d: (str(d), "?")), st.integers(1, 7).map(lambda d: ("?", str(d))),
    st.just(("?", "2-6")), st.just(("L", "?")), st.tuples(st.integers(1, 7), st.integers(1, 4)).map(lambda p: ("?", f"{p[0]}#{p[1]}")),
)  # fmt: skip
_months = st.one_of(st.just("*"), st.integers(1, 12).map(str), st.just("3-9"))


def _set(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        if part == "*":
            found |= set(range(low, high + 1))
        elif "/" in part:
            first, step = part.split("/")
            found |= set(range(int(first), high + 1, int(step)))
        elif "-" in part:
            first, last = part.split("-")
            found |= set(range(int(first), int(last) + 1))
        else:
            found.add(int(part))
    return found


def _obvious(fields: tuple[str, str, str, str, str], moment: datetime) -> datetime | None:
    """Tries every minute of 500 days."""
    minutes, hours, month_day, months, week_day = fields
    minute_set, hour_set, month_set = _set(minutes, 0, 59), _set(hours, 0, 23), _set(months, 1, 12)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(500):
        last = calendar.monthrange(day.year, day.month)[1]
        sunday_based = (day.weekday() + 1) % 7 + 1
        if month_day == "L":
            fits = day.day == last
        elif month_day != "?":
            fits = day.day in _set(month_day, 1, 31)
        elif "#" in week_day:
            wanted, week = map(int, week_day.split("#"))
            fits = sunday_based == wanted and (day.day + 6) // 7 == week
        else:
            fits = sunday_based in _set(week_day, 1, 7)
        if fits and day.month in month_set:
            for hour in sorted(hour_set):
                for minute in sorted(minute_set):
                    candidate = day.replace(hour=hour, minute=minute)
                    if candidate > moment:
                        return candidate
        day += timedelta(days=1)
    return None


@settings(max_examples=150, deadline=None)
@given(_minutes, _hours, _days, _months, st.integers(1_700_000_000, 1_900_000_000))
def test_against_the_obvious_model(
    minutes: str, hours: str, days: tuple[str, str], months: str, moment: int
) -> None:
    schedule = parse_schedule(f"cron({minutes} {hours} {days[0]} {months} {days[1]} *)")
    assert isinstance(schedule, Cron)
    start = datetime.fromtimestamp(moment, UTC)
    expected = _obvious((minutes, hours, days[0], months, days[1]), start)
    found = schedule.next_after(moment)
    if expected is not None:
        assert found == expected.timestamp()
