"""Which metrics there are, and the writing of their data points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

from .datum import Metric, Sample

if TYPE_CHECKING:
    from ...kernel import Store

#: How exactly a metric's last activity is kept, in seconds: what saves a write for most data points.
_ACTIVITY = 60.0
_CACHED = 10_000

_ADD_VALUE = (
    "INSERT INTO cloudwatch_value VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET count=count+excluded.count"
)
_ADD_SUMMARY = (
    "INSERT INTO cloudwatch_summary VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET count=count+excluded.count,"
    " total=total+excluded.total, low=min(low,excluded.low), high=max(high,excluded.high)"
)

Key = tuple[str, str, Metric]  # account, region, metric


class Catalogue:
    """Metrics by identity, with a cache of their ids and of when they were last written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Key, tuple[int, float]] = {}

    def find(self, account: str, region: str, metric: Metric) -> int | None:
        """The metric's id, or None where it was never published."""
        known = self._known.get((account, region, metric))
        if known is not None:
            return known[0]
        row = self._store.one(
            "SELECT id FROM cloudwatch_metric WHERE account=? AND region=? AND namespace=? AND name=? AND dimensions=?",
            (account, region, metric.namespace, metric.name, metric.dimensions),
        )
        return None if row is None else int(row["id"])

    def write(self, account: str, region: str, samples: Iterable[Sample], now: float) -> None:
        """Adds data points to what is there, in the current transaction."""
        values: list[tuple[int, int, str, float, float]] = []
        for sample in samples:
            metric_id = self._touch((account, region, sample.metric), now)
            at = (metric_id, sample.time, sample.unit)
            values += [(*at, value, count) for value, count in sample.values]
            if sample.summary is not None:
                s = sample.summary
                self._store.execute(_ADD_SUMMARY, (*at, s.count, s.total, s.low, s.high))
        if values:
            self._store.executemany(_ADD_VALUE, values)

    def forget(self) -> None:
        self._known.clear()

    def _touch(self, key: Key, now: float) -> int:
        known = self._known.get(key)
        if known is not None and now - known[1] < _ACTIVITY:
            return known[0]
        metric_id = self.find(*key)
        if metric_id is None:
            metric_id = self._create(key, now)
        else:
            self._store.execute("UPDATE cloudwatch_metric SET active=? WHERE id=?", (now, metric_id))
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[key] = (metric_id, now)
        self._store.on_rollback(self._known.clear)
        return metric_id

    def _create(self, key: Key, now: float) -> int:
        account, region, metric = key
        cursor = self._store.execute(
            "INSERT INTO cloudwatch_metric (account,region,namespace,name,dimensions,active) VALUES (?,?,?,?,?,?)",
            (account, region, metric.namespace, metric.name, metric.dimensions, now),
        )
        metric_id = int(cursor.lastrowid or 0)
        self._store.executemany(
            "INSERT INTO cloudwatch_dimension VALUES (?,?,?,?,?)",
            [(account, region, name, value, metric_id) for name, value in orjson.loads(metric.dimensions)],
        )
        return metric_id
