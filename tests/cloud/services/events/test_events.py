"""EventBridge through boto3: rules, targets, schedules, and what arrives in queues."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

DAY = 86_400


def queue(aws: EmbeddedCloud, name: str) -> tuple[str, str]:
    url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def bodies(aws: EmbeddedCloud, url: str) -> list[Any]:
    aws.drain()
    messages = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def entry(**change: Any) -> dict[str, Any]:
    return {"Source": "shop", "DetailType": "Sold", "Detail": json.dumps({"id": "1", "n": 5}), **change}


def test_a_matching_event_reaches_its_targets(aws: EmbeddedCloud) -> None:
    events = aws.client("events")
    events.create_event_bus(Name="shop")
    url, arn = queue(aws, "q")
    events.put_rule(
        Name="sold", EventBusName="shop", EventPattern=json.dumps({"detail": {"n": [{"numeric": [">", 3]}]}})
    )
    transformer = {
        "InputPathsMap": {"id": "$.detail.id", "n": "$.detail.n"},
        "InputTemplate": '{"sold": <id>, "text": "n=<n>"}',
    }
    events.put_targets(
        Rule="sold",
        EventBusName="shop",
        Targets=[
            {"Id": "whole", "Arn": arn},
            {"Id": "part", "Arn": arn, "InputPath": "$.detail.n"},
            {"Id": "constant", "Arn": arn, "Input": '"hello"'},
            {"Id": "made", "Arn": arn, "InputTransformer": transformer},
        ],
    )
    answer = events.put_events(
        Entries=[
            entry(EventBusName="shop"),
            entry(EventBusName="shop", Detail='{"n": 1}'),
            entry(),
            entry(EventBusName="none"),
        ]
    )
    assert answer["FailedEntryCount"] == 0
    found = bodies(aws, url)
    assert len(found) == 4
    assert all(value in found for value in (5, "hello", {"sold": "1", "text": "n=5"}))
    (whole,) = (value for value in found if isinstance(value, dict) and "detail-type" in value)
    assert whole["id"] == answer["Entries"][0]["EventId"]
    assert (whole["account"], whole["source"], whole["detail"]) == (
        "000000000000",
        "shop",
        {"id": "1", "n": 5},
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Detail": "nope"}, "MalformedDetail"),
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
    ],
)
def test_bad_entries_fail_alone(shared_aws: EmbeddedCloud, change: dict[str, Any], code: str) -> None:
    answer = shared_aws.client("events").put_events(Entries=[entry(), entry(**change)])
    assert answer["FailedEntryCount"] == 1
    assert "EventId" in answer["Entries"][0]
    assert answer["Entries"][1]["ErrorCode"] == code


def test_scheduled_rules_follow_the_clock(aws: EmbeddedCloud) -> None:
    events = aws.client("events")
    url, arn = queue(aws, "ticks")
    events.put_rule(Name="nightly", ScheduleExpression="cron(0 2 * * ? *)")
    events.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": arn}])
    aws.travel(3 * DAY)
    found = bodies(aws, url)
    assert [event["time"][10:] for event in found] == ["T02:00:00Z"] * 3
    assert found[0]["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/nightly"]
    events.disable_rule(Name="nightly")
    aws.travel(DAY)
    assert [e["time"] for e in bodies(aws, url) if e not in found] == []


def test_an_undeliverable_event_goes_to_the_dead_letter_queue(aws: EmbeddedCloud) -> None:
    events = aws.client("events")
    url, dead = queue(aws, "dead")
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    gone = "arn:aws:sqs:us-east-1:000000000000:gone"
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": gone, "DeadLetterConfig": {"Arn": dead}}])
    events.put_events(Entries=[entry()])
    aws.drain()
    (message,) = aws.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == gone
    assert json.loads(message["Body"])["source"] == "shop"


@pytest.mark.parametrize(
    ("operation", "request_", "code", "words"),
    [
        ("put_rule", {"Name": "r"}, "ValidationException", "EventPattern or ScheduleExpression must be specified"),
        ("put_rule", {"Name": "r", "ScheduleExpression": "rate(1 minutes)"}, "ValidationException", "ScheduleExpression is not valid"),
        ("put_rule", {"Name": "r", "EventPattern": "{}"}, "InvalidEventPatternException", "Reason"),
        ("put_rule", {"Name": "r", "EventPattern": '{"a":[1]}', "EventBusName": "x"}, "ResourceNotFoundException", "Event bus x does not exist."),
        ("describe_rule", {"Name": "x"}, "ResourceNotFoundException", "Rule x does not exist on EventBus default."),
        ("delete_rule", {"Name": "kept"}, "ValidationException", "Rule can't be deleted since it has targets."),
        ("create_event_bus", {"Name": "default"}, "ResourceAlreadyExistsException", "Event bus default already exists."),
        ("delete_event_bus", {"Name": "default"}, "ValidationException", "Cannot delete event bus default."),
        ("put_targets", {"Rule": "kept", "Targets": [{"Id": "1", "Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:x"}]}, "NotEmulated", "states"),
        ("put_targets", {"Rule": "kept", "Targets": [{"Id": str(n), "Arn": "arn:aws:sqs:us-east-1:000000000000:q"} for n in range(6)]}, "LimitExceededException", "exceeds the maximum"),
    ],
)  # fmt: skip
def test_refusals(
    shared_aws: EmbeddedCloud, operation: str, request_: dict[str, Any], code: str, words: str
) -> None:
    events = shared_aws.client("events")
    events.put_rule(Name="kept", EventPattern='{"source": ["x"]}')
    events.put_targets(Rule="kept", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}])
    with pytest.raises(ClientError) as caught:
        getattr(events, operation)(**request_)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]
