"""Reading a metric's data points, period by period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from .statistics import Bucket

if TYPE_CHECKING:
    from ...kernel import Store

HOUR, DAY = 3600, 86_400
#: How long data points are kept: 15 months, by the hour.
RETENTION = 455 * DAY
HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)

_RANGE = "metric_id=:metric AND time>=:first AND time<:end AND (:unit='' OR unit=:unit)"
_SUMMARIES = (
    "SELECT bucket, unit, sum(count), sum(total), min(low), max(high) FROM ("
    " SELECT (time-:start)/:period AS bucket, unit, count, value*count AS total, value AS low, value AS high"
    f" FROM cloudwatch_value WHERE {_RANGE}"
    " UNION ALL SELECT (time-:start)/:period, unit, count, total, low, high"
    f" FROM cloudwatch_summary WHERE {_RANGE}"
    ") GROUP BY bucket, unit ORDER BY bucket, unit"
)
_VALUES = (
    "SELECT (time-:start)/:period AS bucket, unit, value, sum(count) FROM cloudwatch_value"
    f" WHERE {_RANGE} GROUP BY bucket, unit, value ORDER BY bucket, unit, value"
)
_OPAQUE = f"SELECT DISTINCT (time-:start)/:period, unit FROM cloudwatch_summary WHERE {_RANGE}"


@dataclass(frozen=True, slots=True)
class Window:
    """start: where the first period begins. first: the oldest data that is there at this period. All in seconds."""

    start: int
    first: int
    end: float
    period: int

    @classmethod
    def of(cls, start: float, end: float, period: int, now: float) -> Window:
        """Rounds the start as CloudWatch says it does; the end is exclusive and stands as it is.

        Data is there by the second for 3 hours, by the minute for 15 days, by 5 minutes for 63 days and by the hour
        for 455 days: a shorter period than that finds nothing in the older part.
        """
        age = now - start
        step = 60 if age < 15 * DAY else 300 if age <= 63 * DAY else HOUR
        step = period if period < 60 else step
        rounded = int(start // step * step)
        return cls(rounded, max(rounded, int(now - _kept(period))), end, period)


def is_period(period: int) -> bool:
    return period in HIGH_RESOLUTION_PERIODS or (period > 0 and period % 60 == 0)


def _kept(period: int) -> int:
    if period < 60:
        return 3 * HOUR
    if period % HOUR == 0:
        return RETENTION
    return 63 * DAY if period % 300 == 0 else 15 * DAY


def read(store: Store, metric_id: int, window: Window, unit: str, *, with_values: bool) -> list[Bucket]:
    """The periods that have data, by time, one bucket a unit. unit: only this one, or "" for all."""
    parameters = {
        "metric": metric_id,
        "first": window.first,
        "end": window.end,
        "start": window.start,
        "period": window.period,
        "unit": unit,
    }
    buckets = [
        Bucket(window.start + number * window.period, unit, count, total, low, high)
        for number, unit, count, total, low, high in store.db.execute(_SUMMARIES, parameters)
    ]
    if not with_values:
        return buckets
    opaque = {(number, unit) for number, unit in store.db.execute(_OPAQUE, parameters)}
    values = {
        key: [(value, count) for _, _, value, count in rows]
        for key, rows in groupby(store.db.execute(_VALUES, parameters), key=lambda row: (row[0], row[1]))
    }
    found = []
    for bucket in buckets:
        key = ((bucket.time - window.start) // window.period, bucket.unit)
        # neither statistic sets nor negative values have percentiles
        known = key not in opaque and bucket.low >= 0
        found.append(replace(bucket, values=values[key]) if known else bucket)
    return found
