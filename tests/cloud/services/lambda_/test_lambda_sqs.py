"""SQS event source mappings: the event, batches, partial failures, settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

#: Sends what it got to another queue, and reports the messages whose body is `bad`.
RECORDER = """
    import boto3, json, os
    sqs = boto3.client("sqs")
    def handler(event, context):
        sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
        bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
        if any(r["body"] == "crash" for r in event["Records"]):
            raise ValueError("crash")
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""


@pytest.fixture
def story(lambdas: Any) -> Any:
    """A queue `in`, whose messages a function records in the queue `out`."""
    lambdas.url, lambdas.source = lambdas.queue("in")
    lambdas.out, _ = lambdas.queue("out")
    lambdas.create("f", RECORDER, Environment={"Variables": {"OUT": lambdas.out}})
    return lambdas


def _map(story: Any, **settings: Any) -> Any:
    return story.client.create_event_source_mapping(FunctionName="f", EventSourceArn=story.source, **settings)


def _left(story: Any) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = story.sqs.get_queue_attributes(QueueUrl=story.url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_the_event(story: Any) -> None:
    mapping = _map(story)
    assert (mapping["State"], mapping["BatchSize"]) == ("Creating", 10)
    assert story.client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled"
    attributes = {
        "s": {"DataType": "String", "StringValue": "v"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    sent = story.sqs.send_message(QueueUrl=story.url, MessageBody="hello", MessageAttributes=attributes)
    story.aws.drain()
    (record,) = story.bodies(story.out)[0]["Records"]
    assert record.pop("receiptHandle")
    system = record.pop("attributes")
    assert system["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= system.keys()
    assert record == {
        "messageId": sent["MessageId"],
        "body": "hello",
        "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "messageAttributes": {
            "s": {"stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "b": {
                "binaryValue": "AA==",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Binary",
            },
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": story.source,
        "awsRegion": "us-east-1",
    }
    assert _left(story) == 0


@pytest.mark.parametrize(
    ("bodies", "settings", "left"),
    [
        (["good", "bad"], {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, 1),
        (["good", "bad"], {}, 0),  # the report counts only where it was asked for
        (["good", "crash"], {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, 2),
        (["good", "crash"], {"BatchSize": 1}, 1),
    ],
)
def test_what_failed_stays_and_comes_again(
    story: Any, bodies: list[str], settings: dict[str, Any], left: int
) -> None:
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    story.sqs.send_message_batch(QueueUrl=story.url, Entries=entries)
    _map(story, **settings)
    story.aws.drain()
    assert _left(story) == left
    story.aws.travel(31)  # the queue's visibility timeout
    again = [record for event in story.bodies(story.out) for record in event["Records"]]
    assert [r for r in again if r["attributes"]["ApproximateReceiveCount"] == "2"] or left == 0


def test_batching_window_gathers(story: Any) -> None:
    _map(story, BatchSize=3, MaximumBatchingWindowInSeconds=20)
    for number in range(3):
        story.sqs.send_message(QueueUrl=story.url, MessageBody=str(number))
    story.aws.travel(21)
    (event,) = story.bodies(story.out)
    assert sorted(record["body"] for record in event["Records"]) == ["0", "1", "2"]


def test_disabled_mapping_leaves_the_queue_alone(story: Any) -> None:
    mapping = _map(story, Enabled=False)
    story.sqs.send_message(QueueUrl=story.url, MessageBody="x")
    story.aws.drain()
    assert _left(story) == 1
    assert story.client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)["State"] == "Enabling"
    story.aws.drain()
    assert len(story.bodies(story.out)) == 1
    assert story.client.delete_event_source_mapping(UUID=mapping["UUID"])["State"] == "Deleting"
    story.sqs.send_message(QueueUrl=story.url, MessageBody="y")
    story.aws.drain()
    assert _left(story) == 1
    assert story.client.list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"BatchSize": 11}, "InvalidParameterValueException", "Maximum batch window in seconds must be greater than 0"),
        ({"StartingPosition": "LATEST"}, "InvalidParameterValueException", "Unsupported StartingPosition parameter"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "NotEmulated", "Pileus does not emulate lambda CreateEventSourceMapping.FilterCriteria"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:none"}, "InvalidParameterValueException", "Error occurred while ReceiveMessage. SQS Error Code: "),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}, "NotEmulated", "Pileus does not emulate lambda CreateEventSourceMapping.EventSourceArn of kinesis"),
    ],
)  # fmt: skip
def test_refusals(story: Any, settings: dict[str, Any], code: str, message: str) -> None:
    request = {"FunctionName": "f", "EventSourceArn": story.source, **settings}
    found, _, text = story.error("create_event_source_mapping", **request)
    assert (found, text[: len(message)]) == (code, message)


def test_queue_must_hide_a_message_for_as_long_as_the_function_may_run(story: Any) -> None:
    story.client.update_function_configuration(FunctionName="f", Timeout=31)
    request = {"FunctionName": "f", "EventSourceArn": story.source}
    assert story.error("create_event_source_mapping", **request) == (
        "InvalidParameterValueException",
        400,
        "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
    )
    story.client.update_function_configuration(FunctionName="f", Timeout=3)
    mapping = _map(story)
    assert story.error("create_event_source_mapping", **request) == (
        "ResourceConflictException",
        409,
        f'The event source arn (" {story.source} ") and function (" f ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {mapping['UUID']}",
    )
    assert (
        json.dumps(story.client.get_event_source_mapping(UUID=mapping["UUID"])["FunctionResponseTypes"])
        == "[]"
    )
