"""CloudWatch as a service: publishing, the port for other services, and retention.

What reads is in listing.py, query.py and metric_data.py. Alarms, dashboards, anomaly detectors, insight rules and
metric streams are not emulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...kernel import AwsError, Call, Job, NotEmulated, Service, consumer, operation
from .catalogue import Catalogue
from .datum import Sample, is_text, sample_of
from .embedded import embedded_metrics
from .errors import InvalidParameterValue, MissingParameter
from .listing import Listing
from .metric_data import MetricData
from .query import Query
from .schema import MIGRATIONS
from .series import RETENTION

if TYPE_CHECKING:
    from ...kernel import Cloud

_MAX_DATA = 1000
#: What is older than its retention is not found by queries anyway; that it goes matters to the disk only.
_SWEEP = 7 * 86_400

_PLAIN = ("Percent", "Count", "Count/Second", "None")
_SIZES = tuple(
    f"{factor}{unit}".capitalize()
    for unit in ("bytes", "bits")
    for factor in ("", "kilo", "mega", "giga", "tera")
)
_TIMES = ("Seconds", "Microseconds", "Milliseconds")
UNITS = frozenset((*_TIMES, *_SIZES, *(f"{size}/Second" for size in _SIZES), *_PLAIN))


class CloudWatch(Listing, Query, MetricData, Service):
    name = "cloudwatch"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.catalogue = Catalogue(self.store)

    def start(self) -> None:
        if self.store.one("SELECT 1 FROM job WHERE topic='cloudwatch.retention'") is None:
            with self.store.transaction():
                self.bus.publish("cloudwatch.retention", {}, due=self.clock.now() + _SWEEP)

    # -- publishing -------------------------------------------------------------------------------------------------

    @operation("PutMetricData")
    def put_metric_data(self, call: Call, request: Mapping[str, Any]) -> None:
        if request.get("EntityMetricData"):
            raise NotEmulated("cloudwatch PutMetricData.EntityMetricData")
        namespace, data = request["Namespace"], request.get("MetricData")
        if not data:
            raise MissingParameter("The parameter MetricData is required.")
        if len(data) > _MAX_DATA:
            raise InvalidParameterValue(
                f"The collection MetricData must not have a size greater than {_MAX_DATA}."
            )
        if not _is_own_namespace(namespace):
            shown = "AWS/" if namespace.startswith("AWS/") else namespace
            raise InvalidParameterValue(f"The value {shown} for parameter Namespace is invalid.")
        self.catalogue.write(call.account, call.region, _samples(namespace, data, call.now), call.now)

    # -- the port ---------------------------------------------------------------------------------------------------

    def put(self, account: str, region: str, namespace: str, data: Iterable[Mapping[str, Any]]) -> None:
        """See `kernel.ports.Metrics`."""
        now = self.clock.now()
        samples = _samples(namespace, data, now)
        with self.store.transaction():
            self.catalogue.write(account, region, samples, now)

    def put_embedded(self, account: str, region: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """See `kernel.ports.Metrics`."""
        now = self.clock.now()
        samples: list[Sample] = []
        for document in documents:
            for namespace, datum in embedded_metrics(document, UNITS):
                try:
                    if _is_own_namespace(namespace):
                        samples.append(sample_of(namespace, datum, now, ""))
                except (
                    AwsError
                ):  # a value or a time that CloudWatch does not take: nobody is there to be told
                    continue
        if samples:
            with self.store.transaction():
                self.catalogue.write(account, region, samples, now)

    # -- retention --------------------------------------------------------------------------------------------------

    @consumer("cloudwatch.retention")
    def expire(self, job: Job) -> None:
        """Once a week: removes data points older than 15 months, and the metrics that had no younger ones."""
        horizon = self.clock.now() - RETENTION
        for row in self.store.all("SELECT id,active FROM cloudwatch_metric"):
            for table in ("cloudwatch_value", "cloudwatch_summary"):
                self.store.execute(
                    f"DELETE FROM {table} WHERE metric_id=? AND time<?", (row["id"], int(horizon))
                )
            if row["active"] < horizon - 86_400:  # data points may lie up to 2 hours after the day they came
                self.store.execute("DELETE FROM cloudwatch_dimension WHERE metric_id=?", (row["id"],))
                self.store.execute("DELETE FROM cloudwatch_metric WHERE id=?", (row["id"],))
        self.catalogue.forget()
        self.bus.publish("cloudwatch.retention", {}, due=job.due + _SWEEP)


def _samples(namespace: str, data: Iterable[Mapping[str, Any]], now: float) -> list[Sample]:
    return [
        sample_of(namespace, datum, now, f"MetricData.member.{index}") for index, datum in enumerate(data, 1)
    ]


def _is_own_namespace(namespace: str) -> bool:
    """Whether users may publish into it; those that begin with `AWS/` are the services'."""
    return is_text(namespace) and not namespace.startswith(("AWS/", ":"))
