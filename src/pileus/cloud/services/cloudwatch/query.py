"""GetMetricStatistics: one metric, several statistics. GetMetricData is in metric_data.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...kernel import Call, operation
from .datum import metric_of
from .errors import InvalidParameterCombination, InvalidParameterValue
from .series import Window, is_period, read
from .statistics import Bucket, Statistic, extended_statistic, plain_statistic

if TYPE_CHECKING:
    from ...kernel import Store
    from .catalogue import Catalogue

_MAX_DATAPOINTS = 1440


class Query:
    """Mixed into the service."""

    if TYPE_CHECKING:
        store: Store
        catalogue: Catalogue

    @operation("GetMetricStatistics")
    def get_metric_statistics(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        window = _window(call, request)
        plain, extended = _statistics(request)
        metric = metric_of(request["Namespace"], request["MetricName"], request.get("Dimensions"))
        metric_id = self.catalogue.find(call.account, call.region, metric)
        buckets: list[Bucket] = []
        if metric_id is not None:
            unit = request.get("Unit", "")
            buckets = read(self.store, metric_id, window, unit, with_values=bool(extended))
        points = [_datapoint(bucket, plain, extended) for bucket in buckets]
        return {"Label": request["MetricName"], "Datapoints": [point for point in points if point]}


def _window(call: Call, request: Mapping[str, Any]) -> Window:
    start, end, period = request["StartTime"], request["EndTime"], request["Period"]
    if not is_period(period):
        raise InvalidParameterValue(
            "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."
        )
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    if (end - start) / period > _MAX_DATAPOINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {int((end - start) / period)} datapoints, which exceeds the limit of"
            f" {_MAX_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the"
            " time range."
        )
    return Window.of(start, end, period, call.now)


def _statistics(request: Mapping[str, Any]) -> tuple[list[Statistic], list[Statistic]]:
    names, texts = request.get("Statistics") or (), request.get("ExtendedStatistics") or ()
    if bool(names) == bool(texts):
        raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
    plain: list[Statistic] = []
    extended: list[Statistic] = []
    for found, wanted, parse, member in (
        (plain, names, plain_statistic, "Statistics"),
        (extended, texts, extended_statistic, "ExtendedStatistics"),
    ):
        for index, text in enumerate(wanted, 1):
            statistic = parse(text)
            if statistic is None:
                raise InvalidParameterValue(
                    f"The value {text} for parameter {member}.member.{index} is invalid."
                )
            found.append(statistic)
    return plain, extended


def _datapoint(bucket: Bucket, plain: list[Statistic], extended: list[Statistic]) -> dict[str, Any] | None:
    """None where the period has data, but none of these statistics."""
    point: dict[str, Any] = {"Timestamp": bucket.time, "Unit": bucket.unit}
    point |= {statistic.text: statistic.of(bucket) for statistic in plain}
    if extended:
        values = {statistic.text: statistic.of(bucket) for statistic in extended}
        point["ExtendedStatistics"] = {text: value for text, value in values.items() if value is not None}
        if not point["ExtendedStatistics"]:
            return None
    return point
