"""Statistics against a slow model that writes every data point out."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.services.cloudwatch.statistics import Bucket, extended_statistic, plain_statistic

POINTS = st.lists(st.integers(0, 30).map(lambda n: n / 2), min_size=1, max_size=40)
PERCENTS = st.integers(0, 1000).map(lambda n: Fraction(n, 10))


def bucket(points: list[float]) -> Bucket:
    values = sorted((value, float(count)) for value, count in Counter(points).items())
    return Bucket(0, "None", len(points), math.fsum(points), min(points), max(points), values)


def of(text: str, points: list[float]) -> float | None:
    statistic = extended_statistic(text) or plain_statistic(text)
    assert statistic is not None
    return statistic.of(bucket(points))


def text(percent: Fraction) -> str:
    return f"{float(percent):g}"


def left(points: list[float], low: Fraction, high: Fraction) -> tuple[list[float], int, int]:
    """Cuts whole data points off both ends of the sorted list."""
    below = math.floor(len(points) * low / 100)
    above = math.floor(len(points) * (100 - high) / 100)
    return sorted(points)[below : len(points) - above], below, above


@given(POINTS, PERCENTS)
def test_percentiles(points: list[float], percent: Fraction) -> None:
    kept, _, _ = left(points, Fraction(0), percent)
    assert of(f"p{text(percent)}", points) == (max(kept) if kept else min(points))


@given(POINTS, PERCENTS, PERCENTS)
def test_trimmed_and_winsorised(points: list[float], one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    bounds = f"({text(low)}%:{text(high)}%)"
    kept, below, above = left(points, low, high)
    assert of(f"TC{bounds}", points) == len(kept)
    assert of(f"TS{bounds}", points) == sum(kept)
    assert of(f"TM{bounds}", points) == (sum(kept) / len(kept) if kept else None)
    edged = [kept[0]] * below + kept + [kept[-1]] * above if kept else []
    assert of(f"WM{bounds}", points) == (sum(edged) / len(edged) if edged else None)


@given(POINTS, st.integers(0, 10), st.integers(1, 10))
def test_fixed_boundaries(points: list[float], low: int, width: int) -> None:
    high = low + width
    kept = [point for point in points if low < point <= high]
    assert of(f"TC({low}:{high})", points) == len(kept)
    assert of(f"TM({low}:{high})", points) == (sum(kept) / len(kept) if kept else None)
    assert of(f"PR({low}:{high})", points) == 100 * len(kept) / len(points)
    assert of(f"PR(:{high})", points) == 100 * sum(point <= high for point in points) / len(points)
    clipped = [min(max(point, low), high) for point in points]
    assert of(f"WM({low}:{high})", points) == sum(clipped) / len(clipped)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("p0", 1), ("p50", 5), ("p90", 9), ("p99", 10), ("p99.99", 10), ("p100", 10),
        ("tm90", 5), ("tc90", 9), ("ts90", 45), ("wm90", 5.4), ("TM(:90%)", 5), ("TS(80%:)", 19),
        ("IQM", 5.5), ("TM(25%:75%)", 5.5), ("TM(2:9)", 6), ("TC(2:)", 8), ("PR(:3)", 30), ("PR(3:5)", 20),
        ("SampleCount", 10), ("Average", 5.5), ("Sum", 55), ("Minimum", 1), ("Maximum", 10),
    ],
)  # fmt: skip
def test_one_to_ten(statistic: str, expected: float) -> None:
    assert of(statistic, [float(n) for n in range(1, 11)]) == pytest.approx(expected)


@pytest.mark.parametrize(
    "wrong",
    ["p101", "p", "P90", "p-1", "p1.12345678901", "TM90", "tm(10%:90%)", "TM()", "TM(:)", "TM(10%:90)", "TM(90%:10%)",
     "PR(10%:20%)", "PR(5:5)", "TM(:101%)", "iqm", "average", "TM(:9", ""],
)  # fmt: skip
def test_what_is_no_statistic(wrong: str) -> None:
    assert extended_statistic(wrong) is None
    assert plain_statistic(wrong) is None
