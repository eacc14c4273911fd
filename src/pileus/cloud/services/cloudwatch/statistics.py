"""Statistics: what a period's data points come to.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html

Percentiles and their kin are exact here (AWS's are approximations) and follow one definition: a percent of the data is
cut off in whole data points, so p99 is the highest value that is left without the top 1 %, and tm99 the mean of what is
left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

Values = Sequence[tuple[float, float]]  # (value, how often it came), by value


@dataclass(frozen=True, slots=True)
class Bucket:
    """One period's data of one unit. time: where the period begins, seconds.

    values: None where they were not read, or can't be told (statistic sets, negative values).
    """

    time: int
    unit: str
    count: float
    total: float
    low: float
    high: float
    values: Values | None = None


@dataclass(frozen=True, slots=True)
class Statistic:
    """compute: the bucket's value, or None where it has none. needs_values: whether it asks for `Bucket.values`."""

    text: str
    compute: Callable[[Bucket], float | None]
    needs_values: bool = True

    def of(self, bucket: Bucket) -> float | None:
        return None if self.needs_values and bucket.values is None else self.compute(bucket)


_PLAIN: dict[str, Callable[[Bucket], float]] = {
    "SampleCount": lambda bucket: bucket.count,
    "Average": lambda bucket: bucket.total / bucket.count,
    "Sum": lambda bucket: bucket.total,
    "Minimum": lambda bucket: bucket.low,
    "Maximum": lambda bucket: bucket.high,
}
_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHORT = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


def plain_statistic(name: str) -> Statistic | None:
    compute = _PLAIN.get(name)
    return None if compute is None else Statistic(name, compute, needs_values=False)


def extended_statistic(text: str) -> Statistic | None:
    """`p99.9`, `tm90`, `TM(10%:90%)`, `PR(:300)`, `IQM`, …; None where it is none."""
    if text == "IQM":
        return _by_percent(text, "TM", Fraction(25), Fraction(75))
    if short := _SHORT.fullmatch(text):
        kind, percent = short[1], Fraction(short[2])
        if percent > 100:
            return None
        if kind == "p":
            return Statistic(text, lambda bucket: percentile(bucket.values or (), percent))
        return _by_percent(text, kind.upper(), Fraction(0), percent)
    if not (found := _RANGE.fullmatch(text)):
        return None
    kind, lower, upper = found[1], found[2], found[3]
    bounds = [bound for bound in (lower, upper) if bound]
    in_percent = [bound.endswith("%") for bound in bounds]
    if not bounds or any(in_percent) is not all(in_percent):
        return None
    if in_percent[0]:
        low, high = Fraction((lower or "0%")[:-1]), Fraction((upper or "100%")[:-1])
        return _by_percent(text, kind, low, high) if kind != "PR" and low < high <= 100 else None
    return _by_value(text, kind, float(lower) if lower else None, float(upper) if upper else None)


def percentile(values: Values, percent: Fraction) -> float:
    """The highest value that is left once the top (100 - percent) % of the data points are cut off."""
    kept = _trimmed(values, Fraction(0), percent)[0]
    return kept[-1][0] if kept else values[0][0]


def _by_percent(text: str, kind: str, low: Fraction, high: Fraction) -> Statistic:
    def compute(bucket: Bucket) -> float | None:
        values = bucket.values or ()
        kept, below, above = _trimmed(values, low, high)
        if kind == "WM" and kept:
            kept = [*kept, (kept[0][0], below), (kept[-1][0], above)]
        return _reduced(kind, kept)

    return Statistic(text, compute)


def _by_value(text: str, kind: str, low: float | None, high: float | None) -> Statistic | None:
    """Fixed boundaries: without the lower one, with the higher one."""
    if low is not None and high is not None and low >= high:
        return None

    def compute(bucket: Bucket) -> float | None:
        values = bucket.values or ()
        if kind == "WM":
            return _reduced(kind, [(_clipped(v, low, high), count) for v, count in values])
        kept = [(v, c) for v, c in values if (low is None or v > low) and (high is None or v <= high)]
        if kind == "PR":
            return 100 * _count(kept) / _count(values)
        return _reduced(kind, kept)

    return Statistic(text, compute)


def _reduced(kind: str, kept: Values) -> float | None:
    if kind == "TC":
        return _count(kept)
    total = sum(value * count for value, count in kept)
    if kind == "TS":
        return float(total)
    return total / _count(kept) if kept else None


def _count(values: Iterable[tuple[float, float]]) -> float:
    return float(sum(count for _, count in values))


def _clipped(value: float, low: float | None, high: float | None) -> float:
    if low is not None and value < low:
        return low
    return high if high is not None and value > high else value


def _trimmed(values: Values, low: Fraction, high: Fraction) -> tuple[list[tuple[float, float]], int, int]:
    """What lies between two percentages, and how many data points were cut off below and above."""
    count = _count(values)
    exact = Fraction(count)
    below, above = floor(exact * low / 100), floor(exact * (100 - high) / 100)
    skip, room = float(below), count - below - above
    kept: list[tuple[float, float]] = []
    for value, often in values:
        taken = min(often - min(often, skip), room)
        skip -= min(often, skip)
        room -= taken
        if taken > 0:
            kept.append((value, taken))
    return kept, below, above
