"""One `MetricDatum` as it came, checked and brought into the form in which it is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ...kernel import NotEmulated
from .errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter

#: Values must lie in -2^360 … 2^360 (PutMetricData, API reference).
MAX_VALUE = 2.0**360
MAX_VALUES = 150
MAX_DIMENSIONS = 30
_OLDEST = 14 * 86_400
_NEWEST = 2 * 3600
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Metric:
    """dimensions: `[[name, value], …]` in JSON, by name, since their order is no part of a metric's identity."""

    namespace: str
    name: str
    dimensions: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A statistic set."""

    count: float
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """time: seconds, at the metric's resolution. values: (value, how often it came); else a summary."""

    metric: Metric
    time: int
    unit: str
    values: Sequence[tuple[float, float]]
    summary: Summary | None


def metric_of(namespace: str, name: str, dimensions: Iterable[Mapping[str, Any]] | None) -> Metric:
    """The metric that a query or a datum names; of dimensions that come twice the first counts."""
    if not dimensions:
        return Metric(namespace, name, "[]")
    pairs: dict[str, str] = {}
    for dimension in dimensions:
        pairs.setdefault(dimension["Name"], dimension["Value"])
    return Metric(namespace, name, orjson.dumps(sorted(pairs.items())).decode())


def dimensions_of(text: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in orjson.loads(text)]


def is_text(text: str) -> bool:
    """Whether CloudWatch takes it as a namespace or in a dimension: printable ASCII, and not only blanks."""
    return text.isascii() and text.isprintable() and bool(text.strip())


def is_recent(moment: float, now: float) -> bool:
    return now - _OLDEST <= moment <= now + _NEWEST


def sample_of(namespace: str, datum: Mapping[str, Any], now: float, path: str) -> Sample:
    """Checks a `MetricDatum`. now: seconds, its time where it has none. path: `MetricData.member.1`, for errors."""
    dimensions = datum.get("Dimensions")
    if dimensions:
        _check_dimensions(dimensions, f"{path}.Dimensions")
    moment = datum.get("Timestamp", now)
    if not is_recent(moment, now):
        raise InvalidParameterValue(
            f"The parameter {path}.Timestamp must specify a time within the past two weeks."
        )
    resolution = datum.get("StorageResolution", _MINUTE)
    if resolution not in (1, _MINUTE):
        raise InvalidParameterValue(
            f"The parameter {path}.StorageResolution must be a value in the set [ 1, 60 ]."
        )
    values, summary = _content(datum, path)
    return Sample(
        metric_of(namespace, datum["MetricName"], dimensions),
        int(moment // resolution * resolution),
        datum.get("Unit", "None"),
        values,
        summary,
    )


def _check_dimensions(dimensions: Sequence[Mapping[str, Any]], path: str) -> None:
    if len(dimensions) > MAX_DIMENSIONS:
        raise InvalidParameterValue(
            f"The collection {path} must not have a size greater than {MAX_DIMENSIONS}."
        )
    seen: set[str] = set()
    for index, dimension in enumerate(dimensions, 1):
        name, value = dimension["Name"], dimension["Value"]
        if not is_text(name) or name.startswith(":"):
            raise InvalidParameterValue(
                f"The value {name} for parameter {path}.member.{index}.Name is invalid."
            )
        if not is_text(value):
            raise InvalidParameterValue(
                f"The value {value} for parameter {path}.member.{index}.Value is invalid."
            )
        if name in seen:
            raise InvalidParameterValue(f"No two members of {path} may have the same Name: {name}.")
        seen.add(name)


def _content(datum: Mapping[str, Any], path: str) -> tuple[Sequence[tuple[float, float]], Summary | None]:
    value, values, statistics = datum.get("Value"), datum.get("Values"), datum.get("StatisticValues")
    if datum.get("Counts") and not values:
        raise InvalidParameterCombination(
            f"The parameter {path}.Values must be specified when {path}.Counts is specified."
        )
    if value is not None:
        for other, name in ((statistics, "StatisticValues"), (values, "Values")):
            if other:
                raise InvalidParameterCombination(
                    f"The parameters {path}.Value and {path}.{name} are mutually exclusive and you have specified both."
                )
        _check_number(value, f"{path}.Value")
        return ((value, 1.0),), None
    if values:
        if statistics:
            raise NotEmulated(f"cloudwatch PutMetricData.{path} with both Values and StatisticValues")
        return _counted(values, datum.get("Counts"), path), None
    if not statistics:
        raise MissingParameter(
            f"At least one of the parameters {path}.Value and {path}.StatisticValues must be specified."
        )
    return _summarised(statistics, f"{path}.StatisticValues")


def _counted(values: Sequence[float], counts: Sequence[float] | None, path: str) -> list[tuple[float, float]]:
    if len(values) > MAX_VALUES:
        raise InvalidParameterValue(
            f"The collection {path}.Values must not have a size greater than {MAX_VALUES}."
        )
    if counts and len(counts) != len(values):
        raise InvalidParameterValue(
            f"The parameters {path}.Values and {path}.Counts must be of the same size."
        )
    for index, value in enumerate(values, 1):
        _check_number(value, f"{path}.Values.member.{index}")
    for index, count in enumerate(counts or (), 1):
        if not 0 < count <= MAX_VALUE:
            raise InvalidParameterValue(
                f"The value {_shown(count)} for parameter {path}.Counts.member.{index} is invalid."
            )
    return list(zip(values, counts or (1.0,) * len(values), strict=True))


def _summarised(
    statistics: Mapping[str, float], path: str
) -> tuple[Sequence[tuple[float, float]], Summary | None]:
    """A set whose values can be told from it becomes values: CloudWatch then has percentiles for it, too."""
    for name, number in statistics.items():
        _check_number(number, f"{path}.{name}")
    count, total = statistics["SampleCount"], statistics["Sum"]
    low, high = statistics["Minimum"], statistics["Maximum"]
    if count <= 0:
        raise InvalidParameterValue(f"The parameter {path}.SampleCount must be greater than 0.")
    if high < low:
        raise InvalidParameterValue(f"The parameter {path}.Maximum must be greater than {path}.Minimum.")
    if low == high and total == low * count:
        return ((low, count),), None
    return (), Summary(count, total, low, high)


def _check_number(value: float, path: str) -> None:
    if not -MAX_VALUE <= value <= MAX_VALUE:  # false for NaN, too
        raise InvalidParameterValue(f"The value {_shown(value)} for parameter {path} is invalid.")


def _shown(value: float) -> str:
    """As Java prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value)
