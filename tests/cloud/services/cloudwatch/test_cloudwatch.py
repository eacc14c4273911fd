"""CloudWatch metrics through boto3."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from pileus.cloud.kernel import Cloud
from pileus.testing import EmbeddedCloud

DAY = 86_400
#: The minute in which the tests began; queries end an hour later, so that it does not matter when they run.
BASE = datetime.now(UTC).replace(second=0, microsecond=0)


def minute(ago: float = 0) -> datetime:
    return BASE - timedelta(minutes=ago)


def stats(client: Any, name: str, *statistics: str, **more: Any) -> list[dict[str, Any]]:
    plain = [s for s in statistics if s in ("SampleCount", "Average", "Sum", "Minimum", "Maximum")]
    extended = [s for s in statistics if s not in plain]
    request = {
        "Namespace": "N",
        "MetricName": name,
        "StartTime": minute(10),
        "EndTime": minute(-60),
        "Period": 60,
        **({"Statistics": plain} if plain else {}),
        **({"ExtendedStatistics": extended} if extended else {}),
        **more,
    }
    found: list[dict[str, Any]] = client.get_metric_statistics(**request)["Datapoints"]
    return found


def query(query_id: str, name: str, stat: str = "Sum", period: int = 60, **more: Any) -> dict[str, Any]:
    metric = {
        "Namespace": more.pop("Namespace", "N"),
        "MetricName": name,
        "Dimensions": more.pop("Dimensions", []),
    }
    unit = {"Unit": more.pop("Unit")} if "Unit" in more else {}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat, **unit}, **more}


def data(client: Any, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"StartTime": minute(10), "EndTime": minute(-60), "MetricDataQueries": list(queries), **more}
    answer: dict[str, Any] = client.get_metric_data(**request)
    return answer


@pytest.mark.parametrize(
    ("datum", "expected"),
    [
        ({"Value": 3}, (1, 3, 3, 3)),
        ({"Value": 0}, (1, 0, 0, 0)),
        ({"Value": -2.5}, (1, -2.5, -2.5, -2.5)),
        ({"Values": [1, 10]}, (2, 11, 1, 10)),
        ({"Values": [1, 10], "Counts": [2, 4]}, (6, 42, 1, 10)),
        ({"StatisticValues": {"SampleCount": 4, "Sum": 20, "Minimum": 2, "Maximum": 9}}, (4, 20, 2, 9)),
    ],
)
def test_what_is_put_is_what_is_got(
    aws: EmbeddedCloud, datum: dict[str, Any], expected: tuple[float, ...]
) -> None:
    client = aws.client("cloudwatch")
    client.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Timestamp": minute(2), **datum}])
    (point,) = stats(client, "m", "SampleCount", "Sum", "Minimum", "Maximum", "Average")
    assert tuple(point[k] for k in ("SampleCount", "Sum", "Minimum", "Maximum")) == expected
    assert (point["Average"], point["Unit"]) == (expected[1] / expected[0], "None")
    assert point["Timestamp"] == minute(2)


def test_data_points_of_a_period_are_added_up(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    for ago, value in ((5, 1), (5, 1), (4, 4), (3, 8)):
        client.put_metric_data(
            Namespace="N", MetricData=[{"MetricName": "m", "Value": value, "Timestamp": minute(ago)}]
        )
    summary = {"SampleCount": 2, "Sum": 10, "Minimum": 3, "Maximum": 7}
    for _ in range(2):
        client.put_metric_data(
            Namespace="N",
            MetricData=[{"MetricName": "m", "StatisticValues": summary, "Timestamp": minute(3)}],
        )
    points = stats(client, "m", "SampleCount", "Sum", "Minimum", "Maximum", StartTime=minute(5))
    assert [(p["SampleCount"], p["Sum"], p["Minimum"], p["Maximum"]) for p in points] == [
        (2, 2, 1, 1),
        (1, 4, 4, 4),
        (5, 28, 3, 8),
    ]
    (point,) = stats(client, "m", "Sum", Period=300, StartTime=minute(5))
    assert (point["Sum"], point["Timestamp"]) == (34, minute(5))
    assert stats(client, "m", "Sum", EndTime=minute(5)) == []  # the end is exclusive
    assert len(stats(client, "m", "Sum", StartTime=minute(4))) == 2  # the start is inclusive


@pytest.mark.parametrize(
    ("datum", "expected"),
    [
        (
            {"Values": list(range(1, 101))},
            {"p50": 50, "p99": 99, "p0": 1, "tm99": 50, "TC(10:20)": 10, "PR(:30)": 30},
        ),
        ({"Values": [1, 100], "Counts": [99, 1]}, {"p99": 1, "p99.5": 100, "IQM": 1}),
        ({"StatisticValues": {"SampleCount": 3, "Sum": 6, "Minimum": 2, "Maximum": 2}}, {"p90": 2}),
        ({"StatisticValues": {"SampleCount": 3, "Sum": 7, "Minimum": 2, "Maximum": 3}}, None),
        ({"Values": [-1, 5]}, None),  # no percentiles where any value is negative
    ],
)
def test_percentiles(aws: EmbeddedCloud, datum: dict[str, Any], expected: dict[str, float] | None) -> None:
    client = aws.client("cloudwatch")
    client.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", **datum}])
    points = stats(client, "m", *(expected or {"p90": 0}))
    assert [p["ExtendedStatistics"] for p in points] == ([expected] if expected else [])
    values = data(client, query("a", "m", "p90"))["MetricDataResults"][0]["Values"]
    assert len(values) == len(points)


def test_high_resolution(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    start = minute(3)
    for second in (0, 4, 5, 11, 59):
        client.put_metric_data(
            Namespace="N",
            MetricData=[
                {"MetricName": name, "Value": 1, "Timestamp": start + timedelta(seconds=second), **more}
                for name, more in (("fine", {"StorageResolution": 1}), ("coarse", {"StorageResolution": 60}))
            ],
        )
    fine = stats(client, "fine", "Sum", Period=5, StartTime=start + timedelta(seconds=3))
    assert [((p["Timestamp"] - start).seconds, p["Sum"]) for p in fine] == [(0, 2), (5, 1), (10, 1), (55, 1)]
    coarse = stats(client, "coarse", "Sum", Period=10)
    assert [(p["Timestamp"], p["Sum"]) for p in coarse] == [(start, 5)]
    assert stats(client, "fine", "Sum")[0]["Sum"] == 5


def test_units_stand_apart(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    for unit, value in (("Seconds", 1), ("Count", 5), ("None", 10)):
        client.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": value, "Unit": unit}])
    points = stats(client, "m", "Average")
    assert {(p["Unit"], p["Average"]) for p in points} == {("Seconds", 1), ("Count", 5), ("None", 10)}
    assert [p["Average"] for p in stats(client, "m", "Average", Unit="Count")] == [5]
    assert stats(client, "m", "Average", Unit="Bytes") == []
    one, many = data(client, query("a", "m", Unit="Seconds"), query("b", "m"))["MetricDataResults"]
    assert (one["Values"], "Messages" in one) == ([1], False)
    assert many["Values"] == [5]
    assert many["Messages"] == [
        {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Count, None, Seconds]'"}
    ]


def test_dimensions_are_part_of_a_metric_in_any_order(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    a, b = {"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}
    for value, dimensions in ((1, []), (2, [a]), (4, [a, b]), (8, [b, a])):
        client.put_metric_data(
            Namespace="N", MetricData=[{"MetricName": "m", "Value": value, "Dimensions": dimensions}]
        )
    for expected, dimensions in ((1, []), (2, [a]), (12, [b, a])):
        assert stats(client, "m", "Sum", Dimensions=dimensions)[0]["Sum"] == expected
    assert stats(client, "m", "Sum", Dimensions=[b]) == []


def test_accounts_and_regions_stand_apart(aws: EmbeddedCloud) -> None:
    aws.client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}])
    elsewhere = aws.client("cloudwatch", region_name="eu-west-1")
    assert elsewhere.list_metrics()["Metrics"] == []
    assert stats(elsewhere, "m", "Sum") == []
    elsewhere.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 2}])
    assert [p["Sum"] for p in stats(elsewhere, "m", "Sum")] == [2]
    assert [p["Sum"] for p in stats(aws.client("cloudwatch"), "m", "Sum")] == [1]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["M:x[]", "N:m[]", "N:m[a=1]", "N:m[a=1,b=2]", "N:n[b=3]"]),
        ({"Namespace": "N"}, ["N:m[]", "N:m[a=1]", "N:m[a=1,b=2]", "N:n[b=3]"]),
        ({"Namespace": "none"}, []),
        ({"MetricName": "n"}, ["N:n[b=3]"]),
        ({"Namespace": "M", "MetricName": "m"}, []),
        ({"Dimensions": [{"Name": "a"}]}, ["N:m[a=1]", "N:m[a=1,b=2]"]),
        ({"Dimensions": [{"Name": "b", "Value": "3"}]}, ["N:n[b=3]"]),
        ({"Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b"}]}, ["N:m[a=1,b=2]"]),
        ({"Dimensions": [{"Name": "a", "Value": "2"}]}, []),
        ({"RecentlyActive": "PT3H"}, ["M:x[]", "N:m[]", "N:m[a=1]", "N:m[a=1,b=2]", "N:n[b=3]"]),
    ],
)
def test_list_metrics(shared_aws: EmbeddedCloud, request_: dict[str, Any], expected: list[str]) -> None:
    client = shared_aws.client("cloudwatch", region_name="eu-north-1")
    for namespace, name, pairs in (
        ("M", "x", ""), ("N", "m", ""), ("N", "m", "a1"), ("N", "m", "b2a1"), ("N", "n", "b3"),
    ):  # fmt: skip
        dimensions = [{"Name": n, "Value": v} for n, v in zip(pairs[::2], pairs[1::2], strict=True)]
        client.put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": name, "Value": 1, "Dimensions": dimensions}]
        )
    found = []
    for metric in client.list_metrics(**request_)["Metrics"]:
        pairs = ",".join(f"{d['Name']}={d['Value']}" for d in metric["Dimensions"])
        found.append(f"{metric['Namespace']}:{metric['MetricName']}[{pairs}]")
    assert sorted(found) == sorted(expected)


def test_list_metrics_pages(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    for part in range(2):
        client.put_metric_data(
            Namespace="N",
            MetricData=[{"MetricName": f"m{part * 600 + n}", "Value": 1} for n in range(600)],
        )
    pages = [page["Metrics"] for page in client.get_paginator("list_metrics").paginate(Namespace="N")]
    assert [len(page) for page in pages] == [500, 500, 200]
    assert {m["MetricName"] for page in pages for m in page} == {f"m{n}" for n in range(1200)}


def test_metrics_fade_from_the_list_before_their_data_goes(cloud: Cloud) -> None:
    then = BASE.timestamp()

    def put(**more: Any) -> None:
        datum = {"MetricName": "m", "Value": 1.0, "StorageResolution": 1, **more}
        cloud.call("cloudwatch", "PutMetricData", {"Namespace": "N", "MetricData": [datum]})

    def seen(period: int) -> int:
        start = then if period < 60 else then // DAY * DAY
        stat = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": period, "Stat": "Sum"}
        request = {
            "StartTime": start,
            "EndTime": then + 1,
            "MetricDataQueries": [{"Id": "a", "MetricStat": stat}],
        }
        return len(cloud.call("cloudwatch", "GetMetricData", request)["MetricDataResults"][0]["Values"])

    def listed(**request: Any) -> int:
        return len(cloud.call("cloudwatch", "ListMetrics", request)["Metrics"])

    async def story() -> None:
        await cloud.start()
        put(Timestamp=then)
        assert [seen(p) for p in (1, 60, 300, 3600)] == [1, 1, 1, 1]
        assert listed(RecentlyActive="PT3H") == 1
        await cloud.travel(4 * 3600)
        assert [seen(p) for p in (1, 60, 300, 3600)] == [0, 1, 1, 1]
        assert [listed(RecentlyActive="PT3H"), listed()] == [0, 1]
        await cloud.travel(15 * DAY)
        assert [seen(p) for p in (60, 300, 3600)] == [0, 1, 1]
        assert listed() == 0
        await cloud.travel(49 * DAY)
        assert [seen(p) for p in (300, 3600)] == [0, 1]
        await cloud.travel(390 * DAY)
        assert seen(3600) == 1
        assert rows(cloud) == [1, 1]
        await cloud.travel(16 * DAY)
        assert seen(3600) == 0
        assert rows(cloud) == [0, 0]
        put()
        assert listed() == 1
        await cloud.bus.stop()

    asyncio.run(story())


def rows(cloud: Cloud) -> list[int]:
    tables = ("cloudwatch_metric", "cloudwatch_value")
    return [cloud.store.all(f"SELECT count(*) FROM {table}")[0][0] for table in tables]


DIMENSION = {"Name": "a", "Value": "1"}
SET = {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}


@pytest.mark.parametrize(
    ("datum", "code", "words"),
    [
        ({}, "MissingParameter", "At least one of the parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues must be specified."),
        ({"Value": math.nan}, "InvalidParameterValue", "The value NaN for parameter MetricData.member.1.Value is invalid."),
        ({"Value": math.inf}, "InvalidParameterValue", "The value Infinity for parameter MetricData.member.1.Value is invalid."),
        ({"Value": 2.0**361}, "InvalidParameterValue", "for parameter MetricData.member.1.Value is invalid."),
        ({"Values": [1, -(2.0**361)]}, "InvalidParameterValue", "for parameter MetricData.member.1.Values.member.2 is invalid."),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination", "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both."),
        ({"Value": 1, "StatisticValues": SET}, "InvalidParameterCombination", "The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both."),
        ({"Values": [1], "StatisticValues": SET}, "NotEmulated", "Values and StatisticValues"),
        ({"Values": [1, 10], "Counts": [2, 4, 1]}, "InvalidParameterValue", "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."),
        ({"Values": [1], "Counts": [-1]}, "InvalidParameterValue", "Counts.member.1 is invalid."),
        ({"Values": list(range(151))}, "InvalidParameterValue", "The collection MetricData.member.1.Values must not have a size greater than 150."),
        ({"Value": 1, "Counts": [1]}, "InvalidParameterCombination", "MetricData.member.1.Counts"),
        ({"StatisticValues": {**SET, "SampleCount": 0}}, "InvalidParameterValue", "SampleCount must be greater than 0."),
        ({"StatisticValues": {**SET, "Minimum": 3}}, "InvalidParameterValue", "StatisticValues.Maximum must be greater than"),
        ({"Value": 1, "StorageResolution": 5}, "InvalidParameterValue", "The parameter MetricData.member.1.StorageResolution must be a value in the set [ 1, 60 ]."),
        ({"Value": 1, "Timestamp": minute(15 * 1440)}, "InvalidParameterValue", "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks."),
        ({"Value": 1, "Timestamp": minute(-240)}, "InvalidParameterValue", "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks."),
        ({"Value": 1, "Dimensions": [{"Name": f"d{n}", "Value": "1"} for n in range(31)]}, "ValidationError", "less than or equal to 30"),
        ({"Value": 1, "Dimensions": [DIMENSION, DIMENSION]}, "InvalidParameterValue", "same Name"),
        ({"Value": 1, "Dimensions": [{"Name": ":a", "Value": "1"}]}, "InvalidParameterValue", "The value :a for parameter MetricData.member.1.Dimensions.member.1.Name is invalid."),
        ({"Value": 1, "Dimensions": [{"Name": "a", "Value": "é"}]}, "InvalidParameterValue", "Dimensions.member.1.Value is invalid."),
        ({"Value": 1, "Dimensions": [{"Name": "a", "Value": " "}]}, "InvalidParameterValue", "Dimensions.member.1.Value is invalid."),
        ({"Value": 1, "Unit": "Parsecs"}, "ValidationError", "enum value set"),
    ],
)  # fmt: skip
def test_data_that_is_refused(
    shared_aws: EmbeddedCloud, datum: dict[str, Any], code: str, words: str
) -> None:
    client = shared_aws.client("cloudwatch")
    good = {"MetricName": "good", "Value": 1}
    with pytest.raises(ClientError) as caught:
        client.put_metric_data(Namespace="Refused", MetricData=[{"MetricName": "m", **datum}, good])
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error
    assert client.list_metrics(Namespace="Refused")["Metrics"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "code", "words"),
    [
        ("put_metric_data", {"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "m", "Value": 1}]}, "InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."),
        ("put_metric_data", {"Namespace": "N", "MetricData": []}, "MissingParameter", "The parameter MetricData is required."),
        ("put_metric_data", {"Namespace": "N"}, "MissingParameter", "The parameter MetricData is required."),
        ("put_metric_data", {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1}] * 1001}, "InvalidParameterValue", "The collection MetricData must not have a size greater than 1000."),
        ("put_metric_data", {"Namespace": "N", "EntityMetricData": [{"MetricData": [{"MetricName": "m", "Value": 1}]}]}, "NotEmulated", "EntityMetricData"),
        ("list_metrics", {"NextToken": "!"}, "InvalidParameterValue", "NextToken"),
        ("list_metrics", {"IncludeLinkedAccounts": True}, "NotEmulated", "IncludeLinkedAccounts"),
        ("get_metric_statistics", {"Period": 7}, "InvalidParameterValue", "The parameter Period"),
        ("get_metric_statistics", {"Period": 90}, "InvalidParameterValue", "The parameter Period"),
        ("get_metric_statistics", {"StartTime": minute(-60)}, "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."),
        ("get_metric_statistics", {"StartTime": minute(-61)}, "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."),
        ("get_metric_statistics", {"StartTime": minute(1500)}, "InvalidParameterCombination", "You have requested up to 1560 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range."),
        ("get_metric_statistics", {"Statistics": None}, "InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics"),
        ("get_metric_statistics", {"ExtendedStatistics": ["p90"]}, "InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics"),
        ("put_dashboard", {"DashboardName": "d", "DashboardBody": "{}"}, "NotEmulated", "PutDashboard"),
        ("put_metric_alarm", {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}, "NotEmulated", "PutMetricAlarm"),
    ],
)  # fmt: skip
def test_refusals(
    shared_aws: EmbeddedCloud, operation: str, request_: dict[str, Any], code: str, words: str
) -> None:
    if operation == "get_metric_statistics":
        window = {"StartTime": minute(10), "EndTime": minute(-60), "Period": 60, "Statistics": ["Sum"]}
        request_ = {"Namespace": "N", "MetricName": "m", **window, **request_}
        request_ = {name: value for name, value in request_.items() if value is not None}
    with pytest.raises(ClientError) as caught:
        getattr(shared_aws.client("cloudwatch"), operation)(**request_)
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error


def test_wrong_extended_statistic(shared_aws: EmbeddedCloud) -> None:
    with pytest.raises(
        ClientError, match=r"The value p101 for parameter ExtendedStatistics.member.2 is invalid."
    ):
        stats(shared_aws.client("cloudwatch"), "m", "p1", "p101")


# -- GetMetricData ------------------------------------------------------------------------------------------------------


def test_metric_data_order_and_pages(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    for n in range(5):
        client.put_metric_data(
            Namespace="N",
            MetricData=[
                {"MetricName": name, "Value": n + more, "Timestamp": minute(6 - n)}
                for name, more in (("a", 0), ("b", 10))
            ],
        )
    queries = (query("qa", "a"), query("qb", "b"), query("none", "c"))
    answer = data(client, *queries)
    assert answer["Messages"] == []
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in answer["MetricDataResults"]] == [
        ("qa", "a", [4, 3, 2, 1, 0], "Complete"),
        ("qb", "b", [14, 13, 12, 11, 10], "Complete"),
        ("none", "c", [], "Complete"),
    ]
    assert answer["MetricDataResults"][0]["Timestamps"] == [minute(2 + n) for n in range(5)]
    for order, expected in (
        ("TimestampAscending", {"qa": [0, 1, 2, 3, 4], "qb": [10, 11, 12, 13, 14], "none": []}),
        ("TimestampDescending", {"qa": [4, 3, 2, 1, 0], "qb": [14, 13, 12, 11, 10], "none": []}),
    ):
        for size in (1, 3, 5, 7, 10):
            got: dict[str, list[float]] = {}
            more: dict[str, Any] = {}
            pages = 0
            while True:
                page = data(client, *queries, ScanBy=order, MaxDatapoints=size, **more)
                pages += 1
                assert sum(len(r["Values"]) for r in page["MetricDataResults"]) <= size
                for result in page["MetricDataResults"]:
                    got.setdefault(result["Id"], []).extend(result["Values"])
                if "NextToken" not in page:
                    break
                more = {"NextToken": page["NextToken"]}
            assert (got, pages) == (expected, -(-10 // size))


@pytest.mark.parametrize(
    ("queries", "labels"),
    [
        ([query("a", "m"), query("b", "m")], ["m", "m"]),
        ([query("a", "m"), query("b", "n")], ["m", "n"]),
        ([query("a", "m"), query("b", "m", "Minimum")], ["m Sum", "m Minimum"]),
        ([query("a", "m"), query("b", "m", period=30)], ["m 60", "m 30"]),
        ([query("a", "m"), query("b", "m", "Minimum", 30)], ["m Sum 60", "m Minimum 30"]),
        ([query("a", "m", Label="mine"), query("b", "m", "Minimum")], ["mine", "m Minimum"]),
    ],
)
def test_default_labels(shared_aws: EmbeddedCloud, queries: list[dict[str, Any]], labels: list[str]) -> None:
    answer = data(shared_aws.client("cloudwatch"), *queries)
    assert [result["Label"] for result in answer["MetricDataResults"]] == labels


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + m2", {0: 12, 1: 22}),
        ("100 * m1 / m2", {0: 20, 1: 10}),
        ("m2 / (m1 - 2)", {1: None, 0: None, 2: None}),
        ("-m1 ^ 2 + 1", {0: -3, 1: -3, 2: -3}),
        ("(m1 + 1) * 2 - 1e0", {0: 5, 1: 5, 2: 5}),
        ("e0 * 2", {0: 24, 1: 44}),
        ("m1 - 2 - 1", {0: -1, 1: -1, 2: -1}),
    ],
)
def test_arithmetic(shared_aws: EmbeddedCloud, expression: str, expected: dict[int, float | None]) -> None:
    client = shared_aws.client("cloudwatch", region_name="eu-west-3")
    name = f"x{hash(expression)}"
    for ago, one, other in ((5, 2, 10), (4, 2, 20), (3, 2, None)):
        data_points = [{"MetricName": name + "1", "Value": one, "Timestamp": minute(ago)}]
        if other is not None:
            data_points.append({"MetricName": name + "2", "Value": other, "Timestamp": minute(ago)})
        client.put_metric_data(Namespace="N", MetricData=data_points)
    answer = data(
        client,
        query("m1", name + "1", ReturnData=False),
        query("m2", name + "2", ReturnData=False),
        {"Id": "e0", "Expression": "m1 + m2", "ReturnData": False},
        {"Id": "e1", "Expression": expression},
        ScanBy="TimestampAscending",
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["Label"]) == ("e1", "e1")
    first = minute(5)
    found = {
        int((t - first).seconds / 60): v for t, v in zip(result["Timestamps"], result["Values"], strict=True)
    }
    assert found == {k: v for k, v in expected.items() if v is not None}


@pytest.mark.parametrize(
    ("queries", "code", "words"),
    [
        ([{"Id": "a"}], "ValidationError", "The parameter MetricDataQueries.member.1.MetricStat is required.\n"),
        ([query("A", "m")], "ValidationError", "The value A for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.\n"),
        ([query("a", "m"), query("a", "m")], "ValidationError", "The values for parameter id in MetricDataQueries are not unique.\n"),
        ([query("a", "m"), query("b", "m", "p101")], "ValidationError", "The value p101 for parameter MetricDataQueries.member.2.MetricStat.Stat is not a valid statistic.\n"),
        ([query("a", "m", period=61)], "ValidationError", "MetricDataQueries.member.1.MetricStat.Period"),
        ([{**query("a", "m"), "Expression": "b"}], "ValidationError", "mutually exclusive"),
        ([query(f"a{n}", "m") for n in range(501)], "ValidationError", "must not have a size greater than 500"),
        ([{"Id": "a", "Expression": "b + 1"}], "ValidationError", "Error in expression 'a'"),
        ([{"Id": "a", "Expression": "a + 1"}], "ValidationError", "Error in expression 'a'"),
        ([{"Id": "a", "Expression": "1 + 1"}], "ValidationError", "must return a time series"),
        ([query("m", "m"), {"Id": "a", "Expression": "m +"}], "ValidationError", "Error in expression 'a'"),
        ([query("m", "m"), {"Id": "a", "Expression": "(m"}], "ValidationError", "Error in expression 'a'"),
        ([query("m", "m"), {"Id": "a", "Expression": "m m"}], "ValidationError", "Error in expression 'a'"),
        ([query("m", "m"), query("n", "m", period=300), {"Id": "a", "Expression": "m + n"}], "NotEmulated", "different periods"),
        ([query("m", "m"), {"Id": "a", "Expression": "FILL(m, 0)"}], "NotEmulated", "FILL"),
        ([query("m", "m"), {"Id": "a", "Expression": "SUM(METRICS())"}], "NotEmulated", "SUM"),
        ([query("m", "m"), {"Id": "a", "Expression": "m > 1"}], "NotEmulated", ">"),
        ([{"Id": "a", "Expression": "SELECT AVG(m) FROM N", "Period": 60}], "NotEmulated", "Metrics Insights"),
        ([query("a", "m", Label="${MAX}")], "NotEmulated", "dynamic labels"),
        ([query("a", "m", AccountId="111111111111")], "NotEmulated", "AccountId"),
    ],
)  # fmt: skip
def test_metric_data_refusals(
    shared_aws: EmbeddedCloud, queries: list[dict[str, Any]], code: str, words: str
) -> None:
    with pytest.raises(ClientError) as caught:
        data(shared_aws.client("cloudwatch"), *queries)
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"EndTime": minute(10)}, "ValidationError", "The parameter StartTime must not equal parameter EndTime.\n"),
        ({"EndTime": minute(11)}, "ValidationError", "The parameter StartTime must be less than the parameter EndTime.\n"),
        ({"MaxDatapoints": 0}, "ValidationError", "MaxDatapoints"),
        ({"NextToken": "bad"}, "InvalidNextToken", ""),
    ],
)  # fmt: skip
def test_metric_data_request_refusals(
    shared_aws: EmbeddedCloud, more: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(ClientError) as caught:
        data(shared_aws.client("cloudwatch"), query("a", "m"), **more)
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error


@pytest.mark.parametrize("protocol", ["query", "json"])
def test_other_protocols(aws: EmbeddedCloud, protocol: str) -> None:
    """boto3 speaks CBOR; older clients send these."""
    client = aws.client("cloudwatch")
    client.put_metric_data(
        Namespace="N", MetricData=[{"MetricName": "m", "Values": [1, 9], "Timestamp": minute(2)}]
    )
    if protocol == "query":
        text = (
            "Action=GetMetricStatistics&Version=2010-08-01&Namespace=N&MetricName=m&Period=60"
            f"&StartTime={minute(5):%Y-%m-%dT%H:%M:%SZ}&EndTime={minute():%Y-%m-%dT%H:%M:%SZ}"
            "&Statistics.member.1=Sum&Statistics.member.2=Maximum"
        )
        answer = signed(aws, text, {"content-type": "application/x-www-form-urlencoded"})
        for part in ("<Label>m</Label>", "<Sum>10.0</Sum>", "<Maximum>9.0</Maximum>", "<Unit>None</Unit>"):
            assert part in answer
        return
    request = {"Namespace": "N", "MetricName": "m", "Period": 60, "ExtendedStatistics": ["p50"]}
    times = {"StartTime": minute(5).timestamp(), "EndTime": minute().timestamp()}
    target = "GraniteServiceVersion20100801.GetMetricStatistics"
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    point = {"Timestamp": minute(2).timestamp(), "Unit": "None", "ExtendedStatistics": {"p50": 1}}
    assert json.loads(signed(aws, json.dumps({**request, **times}), headers)) == {
        "Label": "m",
        "Datapoints": [point],
    }


def signed(aws: EmbeddedCloud, body: str, headers: dict[str, str]) -> str:
    request = AWSRequest("POST", aws.url + "/", headers, body)
    SigV4Auth(Credentials("test", "test"), "monitoring", "us-east-1").add_auth(request)
    session = URLLib3Session()
    try:
        return str(session.send(request.prepare()).text)
    finally:
        session.close()


# -- the Embedded Metric Format -----------------------------------------------------------------------------------------


def emf(
    *,
    metrics: Any = ({"Name": "Time", "Unit": "Milliseconds"},),
    dimensions: Any = (("service",),),
    namespace: Any = "N",
    timestamp: Any = None,
    **members: Any,
) -> dict[str, Any]:
    moment = int(minute(1).timestamp() * 1000) if timestamp is None else timestamp
    directive = {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
    document = {
        "_aws": {"Timestamp": moment, "CloudWatchMetrics": [directive]},
        "service": "users",
        "Time": 12,
    }
    return {**document, **members}


def published(client: Any, namespace: str = "N") -> set[str]:
    return {
        f"{m['MetricName']}[{','.join(d['Name'] + '=' + d['Value'] for d in m['Dimensions'])}]"
        for m in client.list_metrics(Namespace=namespace)["Metrics"]
    }


METRIC = {"Name": "Time"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (json.dumps(emf()), {"Time[service=users]"}),
        ("2026-01-01T00:00:00Z\tabc\tINFO\t" + json.dumps(emf()), {"Time[service=users]"}),
        (json.dumps(emf(dimensions=[["service"], []])), {"Time[service=users]", "Time[]"}),
        (json.dumps(emf(dimensions=[["service", "stage"]], stage="dev")), {"Time[service=users,stage=dev]"}),
        (json.dumps(emf(dimensions=[])), {"Time[]"}),
        (json.dumps(emf(metrics=[METRIC, {"Name": "A.a"}], **{"A.a": 1})), {"Time[service=users]", "A.a[service=users]"}),
        (json.dumps(emf(metrics=[METRIC, {"Name": "none"}])), {"Time[service=users]"}),
        (json.dumps(emf(Time=[1, 2, 3])), {"Time[service=users]"}),
        (json.dumps(emf(Time=[])), set()),
        (json.dumps(emf(Time=[1] * 101)), set()),
        (json.dumps(emf(Time="12")), set()),
        (json.dumps(emf(Time=True)), set()),
        (json.dumps(emf(Time=1e300)), set()),
        (json.dumps(emf(service=1)), set()),
        (json.dumps(emf(dimensions=[["missing"], ["service"]])), {"Time[service=users]"}),
        (json.dumps(emf(dimensions=[[f"d{n}" for n in range(31)]])), set()),
        (json.dumps(emf(dimensions="service")), set()),
        (json.dumps(emf(metrics=[METRIC] * 101)), set()),
        (json.dumps(emf(metrics=[{"Unit": "Count"}])), set()),
        (json.dumps(emf(metrics=[{**METRIC, "Unit": "Parsecs"}])), set()),
        (json.dumps(emf(metrics=[{**METRIC, "Unit": ["Count"]}])), set()),
        (json.dumps(emf(metrics=[{**METRIC, "StorageResolution": 7}])), set()),
        (json.dumps(emf(namespace=None)), set()),
        (json.dumps(emf(namespace="")), set()),
        (json.dumps(emf(timestamp="now")), set()),
        (json.dumps(emf(timestamp=1)), set()),
        (json.dumps({"_aws": 1}), set()),
        (json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [None]}}), set()),
        (json.dumps([{"_aws": {}}]), set()),
        ('{"_aws": broken', set()),
        ('no brace, but "_aws"', set()),
        (json.dumps(emf()) + " trailing", set()),
        (json.dumps(emf(Time=math.nan)), set()),
    ],
)  # fmt: skip
def test_embedded_metrics(shared_aws: EmbeddedCloud, line: str, expected: set[str]) -> None:
    client, logs = shared_aws.client("cloudwatch"), shared_aws.client("logs")
    name = f"N{len(logs.describe_log_groups()['logGroups'])}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    moment = int(datetime.now(UTC).timestamp() * 1000)
    messages = ("START", line.replace('"N"', f'"{name}"'), "END")
    logs.put_log_events(
        logGroupName=name,
        logStreamName="s",
        logEvents=[{"timestamp": moment, "message": message} for message in messages],
    )
    assert published(client, name) == expected
    assert len(logs.get_log_events(logGroupName=name, logStreamName="s")["events"]) == 3


def test_embedded_metrics_have_value_unit_time_and_resolution(aws: EmbeddedCloud) -> None:
    client = aws.client("cloudwatch")
    moment = minute(3) + timedelta(seconds=17)
    metrics = [{"Name": "Time", "Unit": "Milliseconds", "StorageResolution": 1}, {"Name": "Calls"}]
    documents = [
        emf(metrics=metrics, timestamp=int(moment.timestamp() * 1000), Time=[5, 10, 10], Calls=n, reqId="x")
        for n in (1, 1, 2)
    ]
    lines = [(int(moment.timestamp() * 1000), json.dumps(document)) for document in documents]
    aws.within(lambda cloud: cloud.logs.append("000000000000", "us-east-1", "/aws/lambda/f", "s", lines))
    assert len(aws.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]) == 3
    dimensions = [{"Name": "service", "Value": "users"}]
    window = {"StartTime": minute(5), "EndTime": minute(), "Period": 1}
    (time,) = stats(client, "Time", "Sum", "SampleCount", Dimensions=dimensions, **window)
    assert (time["Timestamp"], time["Unit"], time["Sum"], time["SampleCount"]) == (
        moment,
        "Milliseconds",
        75,
        9,
    )
    (calls,) = stats(client, "Calls", "Sum", Dimensions=dimensions)
    assert (calls["Timestamp"], calls["Unit"], calls["Sum"]) == (minute(3), "None", 4)


def test_groups_of_infrequent_access_have_no_embedded_metrics(aws: EmbeddedCloud) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/g", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    moment = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(
        logGroupName="/g", logStreamName="s", logEvents=[{"timestamp": moment, "message": json.dumps(emf())}]
    )
    assert published(aws.client("cloudwatch")) == set()


def test_services_publish_through_the_port(aws: EmbeddedCloud) -> None:
    dimensions = [{"Name": "FunctionName", "Value": "f"}]
    datum = {"MetricName": "Invocations", "Value": 1.0, "Unit": "Count", "Dimensions": dimensions}
    for _ in range(3):
        aws.within(lambda cloud: cloud.metrics.put("000000000000", "us-east-1", "AWS/Lambda", [datum]))
    client = aws.client("cloudwatch")
    (point,) = stats(
        client, "Invocations", "Sum", "SampleCount", Namespace="AWS/Lambda", Dimensions=dimensions
    )
    assert (point["Sum"], point["SampleCount"], point["Unit"]) == (3, 3, "Count")
    assert aws.within(rows) == [1, 1]  # one value, three times


def test_what_is_undone_leaves_nothing(aws: EmbeddedCloud) -> None:
    def fail(cloud: Any) -> None:
        with pytest.raises(RuntimeError), cloud.store.transaction():
            cloud.metrics.put("000000000000", "us-east-1", "N", [{"MetricName": "m", "Value": 1.0}])
            raise RuntimeError

    client = aws.client("cloudwatch")
    assert client.list_metrics()["Metrics"] == []
    aws.within(fail)
    assert client.list_metrics()["Metrics"] == []
    client.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 2}])
    assert [p["Sum"] for p in stats(client, "m", "Sum")] == [2]


def test_a_service_first_used_in_what_is_undone_keeps_its_tables(cloud: Cloud) -> None:
    datum = {"MetricName": "m", "Value": 1.0}
    for depth in (0, 1):
        other = Cloud(cloud.registry)
        with contextlib.ExitStack() as stack:
            if depth:
                stack.enter_context(contextlib.suppress(ZeroDivisionError))
                stack.enter_context(other.store.transaction())
            with pytest.raises(RuntimeError), other.store.transaction():
                other.metrics.put("a", "r", "N", [datum])
                raise RuntimeError
            if depth:
                raise ZeroDivisionError
        other.metrics.put("a", "r", "N", [datum])
        assert rows(other) == [1, 1]
        other.store.close()
