"""GetMetricData: many metrics and arithmetic on them, in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...kernel import Call, NotEmulated, ValidationError, operation
from . import paging
from .datum import metric_of
from .errors import InvalidNextToken
from .expression import Expression, ExpressionError, Operand, Series
from .series import Window, is_period, read
from .statistics import Statistic, extended_statistic, plain_statistic

if TYPE_CHECKING:
    from ...kernel import Store
    from .catalogue import Catalogue

_MAX_QUERIES = 500
_MAX_DATAPOINTS = 100_800
_LATEST = 2**62
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(slots=True)
class MetricQuery:
    """One `MetricDataQuery`: a metric's statistic, or an expression."""

    id: str
    label: str
    returned: bool
    stat: Mapping[str, Any] | None = None
    statistic: Statistic | None = None
    expression: Expression | None = None
    period: int = 0
    series: Series | None = None
    units: tuple[str, ...] = ()


class MetricData:
    """Mixed into the service."""

    if TYPE_CHECKING:
        store: Store
        catalogue: Catalogue

    @operation("GetMetricData")
    def get_metric_data(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        start, end = request["StartTime"], request["EndTime"]
        if start == end:
            raise _invalid("The parameter StartTime must not equal parameter EndTime.")
        if start > end:
            raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
        room = request.get("MaxDatapoints", _MAX_DATAPOINTS)
        if not 1 <= room <= _MAX_DATAPOINTS:
            raise _invalid(f"The parameter MaxDatapoints must be between 1 and {_MAX_DATAPOINTS}.")
        queries = _queries(call, request["MetricDataQueries"])
        for query in queries.values():
            if query.stat is not None:
                self._read(call, query, start, end)
        for query in queries.values():
            _evaluate(query, queries, ())
        return _page(
            [query for query in queries.values() if query.returned],
            descending=request.get("ScanBy") != "TimestampAscending",
            # AWS does not page where an expression is among the queries
            room=room if all(query.expression is None for query in queries.values()) else _MAX_DATAPOINTS,
            after=_place(request.get("NextToken")),
        )

    def _read(self, call: Call, query: MetricQuery, start: float, end: float) -> None:
        assert query.stat is not None and query.statistic is not None
        wanted = query.stat["Metric"]
        metric = metric_of(wanted["Namespace"], wanted["MetricName"], wanted.get("Dimensions"))
        metric_id = self.catalogue.find(call.account, call.region, metric)
        query.series = {}
        if metric_id is None:
            return
        window = Window.of(start, end, query.period, call.now)
        unit, statistic = query.stat.get("Unit", ""), query.statistic
        buckets = read(self.store, metric_id, window, unit, with_values=statistic.needs_values)
        query.units = tuple(sorted({bucket.unit for bucket in buckets}))
        # of several units AWS gives the first by name, and says that there are more
        values = ((b.time, statistic.of(b)) for b in buckets if b.unit == query.units[0])
        query.series = {time: value for time, value in values if value is not None}


def _queries(call: Call, wanted: Sequence[Mapping[str, Any]]) -> dict[str, MetricQuery]:
    if not wanted:
        raise _invalid("The parameter MetricDataQueries is required.")
    if len(wanted) > _MAX_QUERIES:
        raise _invalid(f"The collection MetricDataQueries must not have a size greater than {_MAX_QUERIES}.")
    queries: dict[str, MetricQuery] = {}
    for index, query in enumerate(wanted, 1):
        path = f"MetricDataQueries.member.{index}"
        if not _ID.fullmatch(query["Id"]):
            raise _invalid(
                f"The value {query['Id']} for parameter {path}.Id is not matching the expected pattern"
                f" ^{_ID.pattern}$."
            )
        if query["Id"] in queries:
            raise _invalid("The values for parameter id in MetricDataQueries are not unique.")
        queries[query["Id"]] = _query(call, query, path)
    _label([query for query in queries.values() if query.stat is not None])
    for made in queries.values():
        for name in made.expression.names if made.expression else ():
            if name not in queries:
                raise _invalid(f"Error in expression '{made.id}': {name} is not the id of a query.")
    return queries


def _query(call: Call, query: Mapping[str, Any], path: str) -> MetricQuery:
    stat, text, label = query.get("MetricStat"), query.get("Expression"), query.get("Label", "")
    if query.get("AccountId", call.account) != call.account:
        raise NotEmulated(f"cloudwatch GetMetricData.{path}.AccountId")
    if "${" in label:
        raise NotEmulated(f"cloudwatch GetMetricData.{path}.Label: dynamic labels")
    if stat is not None and text is not None:
        raise _invalid(
            f"The parameters {path}.Expression and {path}.MetricStat are mutually exclusive and you have specified"
            " both."
        )
    made = MetricQuery(query["Id"], label, query.get("ReturnData", True))
    if text is not None:
        made.label, made.period = label or made.id, query.get("Period", 0)
        try:
            made.expression = Expression(text)
        except ExpressionError as error:
            raise _invalid(f"Error in expression '{made.id}': {error}.") from None
        return made
    if stat is None:
        raise _invalid(f"The parameter {path}.MetricStat is required.")
    if query.get("Period", stat["Period"]) != stat["Period"]:
        raise NotEmulated(f"cloudwatch GetMetricData.{path}.Period beside MetricStat.Period")
    _check_stat(stat, f"{path}.MetricStat")
    made.stat, made.period = stat, stat["Period"]
    made.statistic = plain_statistic(stat["Stat"]) or extended_statistic(stat["Stat"])
    if made.statistic is None:
        raise _invalid(
            f"The value {stat['Stat']} for parameter {path}.MetricStat.Stat is not a valid statistic."
        )
    return made


def _check_stat(stat: Mapping[str, Any], path: str) -> None:
    for name in ("Namespace", "MetricName"):
        if not stat["Metric"].get(name):
            raise _invalid(f"The parameter {path}.Metric.{name} is required.")
    if not is_period(stat["Period"]):
        raise _invalid(
            f"The parameter {path}.Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."
        )


def _label(queries: Sequence[MetricQuery]) -> None:
    """AWS's default: the metric's name, with the statistic and the period where they tell queries apart."""
    stats = {query.statistic.text for query in queries if query.statistic}
    periods = {query.period for query in queries}
    for query in queries:
        if query.label or query.stat is None or query.statistic is None:
            continue
        parts = [query.stat["Metric"]["MetricName"]]
        parts += [query.statistic.text] if len(stats) > 1 else []
        parts += [str(query.period)] if len(periods) > 1 else []
        query.label = " ".join(parts)


def _evaluate(query: MetricQuery, queries: Mapping[str, MetricQuery], within: tuple[str, ...]) -> Series:
    """An expression's series, with those it is made of; `within` are the expressions on the way here."""
    if query.series is not None:
        return query.series
    assert query.expression is not None
    if query.id in within:
        raise _invalid(f"Error in expression '{query.id}': it refers to itself.")

    def lookup(name: str) -> Operand:
        return _evaluate(queries[name], queries, (*within, query.id))

    try:
        result = query.expression.evaluate(lookup)
    except ExpressionError as error:
        raise _invalid(f"Error in expression '{query.id}': {error}.") from None
    if not isinstance(result, dict):
        raise _invalid(f"Error in expression '{query.id}': it must return a time series.")
    periods = {queries[name].period for name in query.expression.names}
    if len(periods) > 1 or query.period not in (0, *periods):
        raise NotEmulated("cloudwatch GetMetricData.Expression over different periods")
    query.series, query.period = result, periods.pop()
    return result


def _page(
    queries: Sequence[MetricQuery], *, descending: bool, room: int, after: tuple[int, int] | None
) -> dict[str, Any]:
    """Fills a page query by query. after: where the last one ended, (index of the query, time)."""
    results: list[dict[str, Any]] = []
    token = None
    for index, query in enumerate(queries):
        times = sorted(query.series or (), reverse=descending)
        if after is not None and index <= after[0]:
            times = [t for t in times if index == after[0] and (t < after[1] if descending else t > after[1])]
        taken = times[:room]
        room -= len(taken)
        is_whole = len(taken) == len(times)
        if not is_whole and token is None:
            before_all = _LATEST if descending else -1
            token = paging.token((index, taken[-1] if taken else before_all))
        results.append(_result(query, taken, is_whole=is_whole))
    return {"MetricDataResults": results, "NextToken": token, "Messages": []}


def _result(query: MetricQuery, times: Sequence[int], *, is_whole: bool) -> dict[str, Any]:
    series = query.series or {}
    result: dict[str, Any] = {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": list(times),
        "Values": [series[time] for time in times],
        "StatusCode": "Complete" if is_whole else "PartialData",
    }
    if len(query.units) > 1:
        text = f"Multiple units returned: '[{', '.join(query.units)}]'"
        result["Messages"] = [{"Code": "MultipleUnits", "Value": text}]
    return result


def _place(token: str | None) -> tuple[int, int] | None:
    if not token:
        return None
    place = paging.read(token)
    if place is None or len(place) != 2 or not all(isinstance(part, int) for part in place):
        raise InvalidNextToken("The NextToken is not valid.")
    return place[0], place[1]


def _invalid(text: str) -> ValidationError:
    """GetMetricData ends each of its complaints with a line break."""
    return ValidationError(f"{text}\n")
