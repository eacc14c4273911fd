"""The Embedded Metric Format: metrics that a log line carries.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

A document whose metadata breaks the specification gives no metrics at all. Where only a target member is at fault (it is
missing, a dimension's is no string, a metric's no number), the dimension set or the metric that refers to it is left
out. No one is told, as in AWS, where the failure only shows in a metric of CloudWatch Logs' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .datum import MAX_DIMENSIONS, is_text

_MAX_METRICS = 100
_MAX_VALUES = 100
_MAX_NAME = 255
_MAX_DIMENSION_VALUE = 1024

Datum = dict[str, Any]


def embedded_metrics(document: Mapping[str, Any], units: frozenset[str]) -> list[tuple[str, Datum]]:
    """(namespace, `MetricDatum`) of each metric in each of its dimension sets; none where it is malformed."""
    metadata = document.get("_aws")
    if not isinstance(metadata, dict):
        return []
    timestamp, directives = metadata.get("Timestamp"), metadata.get("CloudWatchMetrics")
    if not isinstance(timestamp, int | float) or not isinstance(directives, list):
        return []
    if not all(_is_directive(directive, units) for directive in directives):
        return []
    found: list[tuple[str, Datum]] = []
    for directive in directives:
        sets = list(_dimension_sets(document, directive["Dimensions"]))
        for definition in directive["Metrics"]:
            content = _target(document.get(definition["Name"]))
            if content is None:
                continue
            datum = {
                "MetricName": definition["Name"],
                "Timestamp": timestamp / 1000,
                "Unit": definition.get("Unit", "None"),
                "StorageResolution": definition.get("StorageResolution", 60),
                **content,
            }
            found += [(directive["Namespace"], {**datum, "Dimensions": dimensions}) for dimensions in sets]
    return found


def _is_directive(directive: Any, units: frozenset[str]) -> bool:
    if not isinstance(directive, dict):
        return False
    sets, metrics = directive.get("Dimensions"), directive.get("Metrics")
    return (
        _is_name(directive.get("Namespace"))
        and isinstance(sets, list)
        and all(_is_dimension_set(keys) for keys in sets)
        and isinstance(metrics, list)
        and len(metrics) <= _MAX_METRICS
        and all(_is_definition(definition, units) for definition in metrics)
    )


def _is_dimension_set(keys: Any) -> bool:
    return isinstance(keys, list) and len(keys) <= MAX_DIMENSIONS and all(_is_name(key) for key in keys)


def _is_definition(definition: Any, units: frozenset[str]) -> bool:
    return (
        isinstance(definition, dict)
        and _is_name(definition.get("Name"))
        and isinstance(unit := definition.get("Unit", "None"), str)
        and unit in units
        and definition.get("StorageResolution", 60) in (1, 60)
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 1 <= len(name) <= _MAX_NAME


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _dimension_sets(document: Mapping[str, Any], sets: list[list[str]]) -> Iterator[list[dict[str, str]]]:
    """No dimension set at all is what AWS's own libraries write for a metric without dimensions."""
    for keys in sets or [[]]:
        values = [document.get(key) for key in keys]
        if all(isinstance(v, str) and is_text(v) and len(v) <= _MAX_DIMENSION_VALUE for v in values):
            yield [{"Name": k, "Value": str(v)} for k, v in dict(zip(keys, values, strict=True)).items()]


def _target(value: Any) -> dict[str, Any] | None:
    if _is_number(value):
        return {"Value": float(value)}
    if isinstance(value, list) and 1 <= len(value) <= _MAX_VALUES and all(map(_is_number, value)):
        return {"Values": [float(number) for number in value]}
    return None
