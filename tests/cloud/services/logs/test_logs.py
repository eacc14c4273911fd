"""CloudWatch Logs through boto3."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.cloud.services.logs.filter_pattern import compile_pattern
from pileus.testing import EmbeddedCloud


def now() -> int:
    return int(time.time() * 1000)


def test_events_are_read_in_order_and_in_pages(aws: EmbeddedCloud) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/g", tags={"a": "b"})
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    start = now()
    logs.put_log_events(
        logGroupName="/g",
        logStreamName="s",
        logEvents=[{"timestamp": start + n, "message": f"line {n}"} for n in range(5)],
    )
    place = {"logGroupName": "/g", "logStreamName": "s"}
    first = logs.get_log_events(**place, startFromHead=True, limit=3)
    assert [e["message"] for e in first["events"]] == ["line 0", "line 1", "line 2"]
    second = logs.get_log_events(**place, nextToken=first["nextForwardToken"])
    assert [e["message"] for e in second["events"]] == ["line 3", "line 4"]
    end = logs.get_log_events(**place, nextToken=second["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], second["nextForwardToken"])
    assert [e["message"] for e in logs.get_log_events(**place, limit=2)["events"]] == ["line 3", "line 4"]
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/g", PaginationConfig={"PageSize": 2}
    )
    assert [e["message"] for page in pages for e in page["events"]] == [f"line {n}" for n in range(5)]
    assert logs.list_tags_log_group(logGroupName="/g")["tags"] == {"a": "b"}


def test_what_functions_print_is_there_at_once(aws: EmbeddedCloud) -> None:
    aws.within(lambda cloud: cloud.logs.append("000000000000", "us-east-1", "/f", "s", [(now(), "hello")]))
    found = aws.client("logs").filter_log_events(logGroupName="/f")["events"]
    assert [(e["logStreamName"], e["message"]) for e in found] == [("s", "hello")]


def test_retention_follows_the_clock(aws: EmbeddedCloud) -> None:
    logs = aws.client("logs")
    aws.within(lambda cloud: cloud.logs.append("000000000000", "us-east-1", "/f", "s", [(now(), "hello")]))
    logs.put_retention_policy(logGroupName="/f", retentionInDays=3)
    aws.travel(2.5 * 86_400)
    assert logs.filter_log_events(logGroupName="/f")["events"]
    aws.travel(2 * 86_400)
    assert logs.filter_log_events(logGroupName="/f")["events"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("create_log_group", {"logGroupName": "/kept"}, "ResourceAlreadyExistsException"),
        ("create_log_group", {"logGroupName": "a b"}, "InvalidParameterException"),
        ("put_retention_policy", {"logGroupName": "/kept", "retentionInDays": 2}, "InvalidParameterException"),
        ("describe_log_streams", {"logGroupName": "/none"}, "ResourceNotFoundException"),
        ("get_log_events", {"logGroupName": "/kept", "logStreamName": "none"}, "ResourceNotFoundException"),
        ("put_log_events", {"logGroupName": "/kept", "logStreamName": "s", "logEvents": [{"timestamp": 2, "message": "x"}, {"timestamp": 1, "message": "x"}]}, "InvalidParameterException"),
        ("filter_log_events", {"logGroupName": "/kept", "filterPattern": "[a, b]"}, "NotEmulated"),
        ("start_query", {"logGroupName": "/kept", "startTime": 0, "endTime": 1, "queryString": "fields @message"}, "NotEmulated"),
    ],
)  # fmt: skip
def test_refusals(shared_aws: EmbeddedCloud, operation: str, request_: dict[str, Any], code: str) -> None:
    logs = shared_aws.client("logs")
    shared_aws.within(
        lambda cloud: cloud.logs.append("000000000000", "us-east-1", "/kept", "s", [(now(), "x")])
    )
    logs.describe_log_groups()
    with pytest.raises(ClientError) as caught:
        getattr(logs, operation)(**request_)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR user", "ERROR for user", True),
        ("ERROR -user", "ERROR for user", False),
        ("?ERROR ?WARN", "WARN", True),
        ("?ERROR ?WARN", "INFO", False),
        ('"not found"', "was not found", True),
        ("%4[0-9]{2}%", "status 404", True),
        ('{ $.level = "ERROR" }', '{"level":"ERROR"}', True),
        ('{ $.level != "ERROR" }', '{"level":"ERROR"}', False),
        ('{ $.level = "E*" }', '{"level":"ERROR"}', True),
        ("{ $.n >= 5 && $.n < 7 }", '{"n": 6}', True),
        ("{ $.n >= 5 && $.n < 7 }", '{"n": 7}', False),
        ('{ ($.a = 1 || $.b = 2) && $.c = "x" }', '{"b": 2, "c": "x"}', True),
        ("{ $.a[1].b = 2 }", '{"a": [0, {"b": 2}]}', True),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a NOT EXISTS }", '{"b": 1}', True),
        ("{ $.a = 1 }", "not json", False),
    ],
)
def test_filter_patterns(pattern: str, message: str, expected: bool) -> None:
    assert compile_pattern(pattern)(message) is expected
