"""SQS against AWS's documented behaviour, in the process: the wire is tested with the protocols."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from hashlib import md5
from typing import Any

import orjson
import pytest

from pileus.cloud.kernel import AwsError, Cloud, Settings
from pileus.cloud.services import REGISTRY

Result = dict[str, Any]


class Sqs:
    """The service as a client sees it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, operation: str, **request: Any) -> Result:
        return self.cloud.call("sqs", operation, request)

    def create(self, name: str = "q", **attributes: str) -> str:
        return str(self("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"])

    def arn(self, url: str) -> str:
        found = self("GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def counts(self, url: str) -> tuple[int, int, int]:
        found = self("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        kinds = ("", "NotVisible", "Delayed")
        return tuple(int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in kinds)  # type: ignore[return-value]

    def send(self, url: str, body: str = "hello", **more: Any) -> Result:
        return self("SendMessage", QueueUrl=url, MessageBody=body, **more)

    def receive(self, url: str, count: int = 1, **more: Any) -> list[Result]:
        return asyncio.run(self.receive_async(url, count, **more))

    async def receive_async(self, url: str, count: int = 1, **more: Any) -> list[Result]:
        request = {"QueueUrl": url, "MaxNumberOfMessages": count, **more}
        found: list[Result] = (await self.cloud.call_async("sqs", "ReceiveMessage", request)).get(
            "Messages", []
        )
        return found

    def bodies(self, url: str, count: int = 10, **more: Any) -> list[str]:
        return [message["Body"] for message in self.receive(url, count, **more)]

    def delete(self, url: str, message: Result) -> None:
        self("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def fails(self, operation: str, **request: Any) -> tuple[str, str]:
        with pytest.raises(AwsError) as caught:
            self(operation, **request)
        return caught.value.code, caught.value.message


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    cloud = Cloud(REGISTRY, Settings())
    yield Sqs(cloud)
    cloud.store.close()


def running(action: Callable[[Sqs], Coroutine[Any, Any, None]]) -> None:
    """Runs `action` in a cloud whose bus hands out jobs."""

    async def run() -> None:
        cloud = Cloud(REGISTRY, Settings())
        await cloud.start()
        try:
            await action(Sqs(cloud))
        finally:
            await cloud.stop()

    asyncio.run(run())


def test_a_message_comes_and_goes(sqs: Sqs) -> None:
    url = sqs.create()
    sent = sqs.send(url, "hällo")
    assert sent["MD5OfMessageBody"] == md5("hällo".encode()).hexdigest()
    [message] = sqs.receive(url)
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hällo")
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert sqs.counts(url) == (0, 1, 0)
    sqs.delete(url, message)
    sqs.delete(url, message)  # again is no error
    assert sqs.counts(url) == (0, 0, 0)


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [  # as recorded from AWS
        ({"Foo": {"DataType": "String", "StringValue": "Bar"}}, "ae7155c6026991b6d54b11589678bf9c"),
        (
            {"Hello": {"DataType": "String", "StringValue": "There"}},
            "a311262e065454b75da111d535b8dacd",
        ),
        (
            {
                "General": {"DataType": "String", "StringValue": "Kenobi"},
                "Hello": {"DataType": "String", "StringValue": "There"},
                "Help.Me": {"DataType": "String", "StringValue": "Me"},
            },
            "4c360f3fdafd970e05fae2f149d997f5",
        ),
        (
            {
                "attr1": {
                    "DataType": "Binary",
                    "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
                }
            },
            "8cbe4db156db8a94db8b801b7addb984",
        ),
    ],
)
def test_the_digest_of_message_attributes_is_aws_s(sqs: Sqs, attributes: Result, digest: str) -> None:
    url = sqs.create()
    assert sqs.send(url, MessageAttributes=attributes)["MD5OfMessageAttributes"] == digest
    [message] = sqs.receive(url, MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == digest


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], set()),
        (["All"], {"General", "Hello", "Help.Me"}),
        ([".*"], {"General", "Hello", "Help.Me"}),
        (["Hel.*"], {"Hello", "Help.Me"}),
        (["Hello", "Nope"], {"Hello"}),
        (["Nope"], set()),
    ],
)
def test_message_attribute_names_choose(sqs: Sqs, names: list[str], found: set[str]) -> None:
    url = sqs.create()
    every = {name: {"DataType": "String", "StringValue": "x"} for name in ("General", "Hello", "Help.Me")}
    sqs.send(url, MessageAttributes=every)
    [message] = sqs.receive(url, MessageAttributeNames=names)
    assert set(message.get("MessageAttributes", {})) == found
    assert ("MD5OfMessageAttributes" in message) == bool(found)


def test_system_attributes_are_what_was_asked_for(sqs: Sqs) -> None:
    url = sqs.create()
    trace = {
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    }
    assert len(sqs.send(url, MessageSystemAttributes=trace)["MD5OfMessageSystemAttributes"]) == 32
    [message] = sqs.receive(url, VisibilityTimeout=0, MessageSystemAttributeNames=["All"])
    assert set(message["Attributes"]) == {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "AWSTraceHeader",
    }
    [message] = sqs.receive(url, AttributeNames=["ApproximateReceiveCount"])
    assert message["Attributes"] == {"ApproximateReceiveCount": "2"}


def test_visibility_timeout_by_the_clock(sqs: Sqs) -> None:
    url = sqs.create(VisibilityTimeout="20")
    sqs.send(url)
    [first] = sqs.receive(url)
    assert sqs.receive(url) == []
    sqs("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=60)
    sqs.cloud.clock.travel(59)
    assert sqs.receive(url) == []
    sqs.cloud.clock.travel(2)
    [second] = sqs.receive(url)
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    sqs.delete(url, first)  # an old handle: succeeds and deletes nothing
    assert sqs.counts(url) == (0, 1, 0)
    code, words = sqs.fails(
        "ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=1
    )
    assert code == "InvalidParameterValue"
    assert words.endswith("Message does not exist or is not available for visibility timeout change.")


def test_visibility_cannot_go_beyond_twelve_hours_in_all(sqs: Sqs) -> None:
    url = sqs.create()
    sqs.send(url)
    [message] = sqs.receive(url)
    sqs.cloud.clock.travel(10)
    request = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    code, words = sqs.fails("ChangeMessageVisibility", **request, VisibilityTimeout=43_200)
    assert (code, words.endswith("beyond the limit [43200 seconds]")) == ("InvalidParameterValue", True)


def test_delays_of_queue_and_message(sqs: Sqs) -> None:
    url = sqs.create(DelaySeconds="10")
    sqs.send(url, "by queue")
    sqs.send(url, "by message", DelaySeconds=100)
    sqs.send(url, "at once", DelaySeconds=0)
    assert sqs.bodies(url) == ["at once"]
    assert sqs.counts(url) == (0, 1, 2)
    sqs.cloud.clock.travel(11)
    assert sqs.bodies(url) == ["by queue"]
    sqs.cloud.clock.travel(90)
    assert "by message" in sqs.bodies(url)


def test_retention_by_the_clock(sqs: Sqs) -> None:
    url = sqs.create(MessageRetentionPeriod="60")
    sqs.send(url, "old")
    sqs.cloud.clock.travel(40)
    sqs.send(url, "young")
    sqs.cloud.clock.travel(25)
    assert sqs.counts(url) == (1, 0, 0)
    assert sqs.bodies(url) == ["young"]


def test_redrive_after_the_last_allowed_receive(sqs: Sqs) -> None:
    dead = sqs.create("dead")
    policy = orjson.dumps({"deadLetterTargetArn": sqs.arn(dead), "maxReceiveCount": 2}).decode()
    url = sqs.create("q", RedrivePolicy=policy, VisibilityTimeout="1")
    sent = sqs.send(url, "poison")
    for _ in range(2):
        assert sqs.bodies(url) == ["poison"]
        sqs.cloud.clock.travel(2)
    assert sqs.counts(dead) == (0, 0, 0)
    assert sqs.bodies(url) == []
    [message] = sqs.receive(dead, AttributeNames=["All"])
    assert message["MessageId"] == sent["MessageId"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == sqs.arn(url)
    assert sqs("ListDeadLetterSourceQueues", QueueUrl=dead)["queueUrls"] == [url]


def _redrive(**parts: Any) -> str:
    return orjson.dumps(parts).decode()


_ARN = "arn:aws:sqs:us-east-1:000000000000:"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (_redrive(deadLetterTargetArn="dummy", maxReceiveCount=42), "Invalid value for deadLetterTargetArn."),
        (
            _redrive(deadLetterTargetArn=_ARN + "none", maxReceiveCount=1),
            "Dead letter target does not exist.",
        ),
        (
            _redrive(deadLetterTargetArn=_ARN + "dead"),
            "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
        ),
        (
            _redrive(deadLetterTargetArn=_ARN + "dead", maxReceiveCount=0),
            "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            _redrive(deadLetterTargetArn=_ARN + "dead.fifo", maxReceiveCount=1),
            "Dead-letter queue must be same type of queue as the source.",
        ),
        ("nope", "Redrive policy is not a valid JSON map."),
    ],
)
def test_bad_redrive_policies(sqs: Sqs, policy: str, reason: str) -> None:
    sqs.create("dead")
    sqs.create("dead.fifo", FifoQueue="true")
    code, words = sqs.fails("CreateQueue", QueueName="q", Attributes={"RedrivePolicy": policy})
    assert (code, words) == (
        "InvalidParameterValue",
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}",
    )


def test_redrive_allow_policy_is_held(sqs: Sqs) -> None:
    deny = sqs.create("deny", RedriveAllowPolicy='{"redrivePermission":"denyAll"}')
    allow = orjson.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [_ARN + "good"]}).decode()
    some = sqs.create("some", RedriveAllowPolicy=allow)
    for name, target, works in (("good", deny, False), ("bad", some, False), ("good", some, True)):
        attributes = {"RedrivePolicy": _redrive(deadLetterTargetArn=sqs.arn(target), maxReceiveCount=1)}
        if works:
            sqs("CreateQueue", QueueName=name, Attributes=attributes)
        else:
            assert (
                sqs.fails("CreateQueue", QueueName=name, Attributes=attributes)[0] == "InvalidParameterValue"
            )


def test_create_is_idempotent_and_minds_different_attributes(sqs: Sqs) -> None:
    url = sqs.create("q", DelaySeconds="1")
    assert sqs.create("q", DelaySeconds="1") == url == sqs.create("q")
    assert url == "http://127.0.0.1:4566/000000000000/q"
    assert sqs.fails("CreateQueue", QueueName="q", Attributes={"DelaySeconds": "2"}) == (
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


def test_a_queue_url_counts_by_its_path(sqs: Sqs) -> None:
    sqs.create("q")
    sqs.send("https://sqs.us-east-1.amazonaws.com/000000000000/q")
    assert sqs.counts("http://localhost:9/000000000000/q") == (1, 0, 0)


def test_places_never_meet(sqs: Sqs) -> None:
    sqs.create("q")
    for place in ({"region": "eu-central-1"}, {"account": "111111111111"}):
        with pytest.raises(AwsError, match=r"The specified queue does not exist\."):
            sqs.cloud.call("sqs", "GetQueueUrl", {"QueueName": "q"}, **place)


def test_a_deleted_name_is_free_after_sixty_seconds(sqs: Sqs) -> None:
    url = sqs.create("q")
    sqs.send(url)
    sqs("DeleteQueue", QueueUrl=url)
    assert sqs.fails("SendMessage", QueueUrl=url, MessageBody="x")[0] == "QueueDoesNotExist"
    assert sqs.fails("CreateQueue", QueueName="q")[0] == "QueueDeletedRecently"
    sqs.cloud.clock.travel(61)
    assert sqs.counts(sqs.create("q")) == (0, 0, 0)


def test_purge_takes_all_and_once_a_minute(sqs: Sqs) -> None:
    url = sqs.create("q")
    for _ in range(3):
        sqs.send(url)
    [message] = sqs.receive(url)
    sqs("PurgeQueue", QueueUrl=url)
    assert sqs.counts(url) == (0, 0, 0)
    sqs.delete(url, message)
    assert sqs.fails("PurgeQueue", QueueUrl=url) == (
        "PurgeQueueInProgress",
        "Only one PurgeQueue operation on q is allowed every 60 seconds.",
    )
    sqs.send(url, "new")
    assert sqs.bodies(url) == ["new"]


def test_list_queues_by_page_and_prefix(sqs: Sqs) -> None:
    for name in ("a1", "b1", "b2", "b3", "c1"):
        sqs.create(name)
    first = sqs("ListQueues", QueueNamePrefix="b", MaxResults=2)
    second = sqs("ListQueues", QueueNamePrefix="b", MaxResults=2, NextToken=first["NextToken"])
    names = [url.rsplit("/", 1)[1] for url in first["QueueUrls"] + second["QueueUrls"]]
    assert names == ["b1", "b2", "b3"]
    assert "NextToken" not in second
    assert sqs("ListQueues", QueueNamePrefix="zzz") == {}


def test_attributes_as_aws_shows_them(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true")
    found = sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    del found["CreatedTimestamp"], found["LastModifiedTimestamp"]
    assert found == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "DelaySeconds": "0",
        "FifoQueue": "true",
        "FifoThroughputLimit": "perQueue",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": "arn:aws:sqs:us-east-1:000000000000:q.fifo",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }


@pytest.mark.parametrize(
    ("attributes", "code", "words"),
    [
        ({"Nope": "1"}, "InvalidAttributeName", "Unknown Attribute Nope."),
        ({"FifoQueue": "false"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        (
            {"ContentBasedDeduplication": "true"},
            "InvalidAttributeName",
            "Unknown Attribute ContentBasedDeduplication.",
        ),
        (
            {"VisibilityTimeout": "43201"},
            "InvalidAttributeValue",
            "Invalid value for the parameter VisibilityTimeout.",
        ),
        ({"DelaySeconds": "x"}, "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
        (
            {"MessageRetentionPeriod": "59"},
            "InvalidAttributeValue",
            "Invalid value for the parameter MessageRetentionPeriod.",
        ),
        ({"Policy": "nope"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
    ],
)
def test_bad_attributes(sqs: Sqs, attributes: dict[str, str], code: str, words: str) -> None:
    assert sqs.fails("CreateQueue", QueueName="q", Attributes=attributes) == (code, words)


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "x.y", "x.fifo"])
def test_bad_names(sqs: Sqs, name: str) -> None:
    assert sqs.fails("CreateQueue", QueueName=name)[0] == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        (
            {"MessageBody": "a" * 1025},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            {"MessageBody": "x", "DelaySeconds": 901},
            "InvalidParameterValue",
            "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
        (
            {"MessageBody": "a\x00"},
            "InvalidMessageContents",
            "Invalid binary character '#x0' was found in the message body, the set of allowed characters is #x9 | #xA"
            " | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        ),
        (
            {"MessageBody": "x", "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1x"}}},
            "InvalidParameterValue",
            "Can't cast the value of message (user) attribute 'n' to a number.",
        ),
    ],
)
def test_bad_messages(sqs: Sqs, request_: Result, code: str, words: str) -> None:
    url = sqs.create("q", MaximumMessageSize="1024")
    assert sqs.fails("SendMessage", QueueUrl=url, **request_) == (code, words)
    assert sqs.counts(url) == (0, 0, 0)


def test_batches_fail_entry_by_entry(sqs: Sqs) -> None:
    url = sqs.create("q", MaximumMessageSize="1024")
    entries = [
        {"Id": "good", "MessageBody": "x"},
        {"Id": "long", "MessageBody": "x" * 2000},
        {"Id": "late", "MessageBody": "y", "DelaySeconds": 5},
    ]
    answer = sqs("SendMessageBatch", QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["good", "late"]
    assert [(f["Id"], f["Code"], f["SenderFault"]) for f in answer["Failed"]] == [
        ("long", "InvalidParameterValue", True)
    ]
    [message] = sqs.receive(url, 10)
    handles = [
        {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]},
        {"Id": "2", "ReceiptHandle": "garbage"},
    ]
    answer = sqs("DeleteMessageBatch", QueueUrl=url, Entries=handles)
    assert answer["Successful"] == [{"Id": "1"}]
    assert answer["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    assert sqs.counts(url) == (0, 0, 1)


@pytest.mark.parametrize(
    ("ids", "code", "words"),
    [
        (
            [],
            "EmptyBatchRequest",
            "There should be at least one DeleteMessageBatchRequestEntry in the request.",
        ),
        (
            [str(n) for n in range(20)],
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 20.",
        ),
        (["a", "a"], "BatchEntryIdsNotDistinct", "Id a repeated."),
        (
            ["invalid:id"],
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            " It can be at most 80 letters long.",
        ),
    ],
)
def test_bad_batches(sqs: Sqs, ids: list[str], code: str, words: str) -> None:
    entries = [{"Id": entry_id, "ReceiptHandle": "x"} for entry_id in ids]
    assert sqs.fails("DeleteMessageBatch", QueueUrl=sqs.create(), Entries=entries) == (code, words)


def test_a_batch_has_a_limit_in_all(sqs: Sqs) -> None:
    entries = [{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)]
    assert sqs.fails("SendMessageBatch", QueueUrl=sqs.create(), Entries=entries) == (
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
    )


# -- FIFO --------------------------------------------------------------------------------------------------------------


def _fill(sqs: Sqs, url: str, *bodies: str) -> list[Result]:
    """Bodies like `a1`: the group is the letter."""
    return [sqs.send(url, body, MessageGroupId=body[0]) for body in bodies]


def test_fifo_groups_keep_their_order_and_lock(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    sent = _fill(sqs, url, "a1", "a2", "b1", "a3")
    numbers = [int(result["SequenceNumber"]) for result in sent]
    assert numbers == sorted(set(numbers))
    assert len(sent[0]["SequenceNumber"]) == 20
    [a1] = sqs.receive(url)
    assert a1["Body"] == "a1"
    [b1] = sqs.receive(url, 10)  # group a waits for a1
    assert b1["Body"] == "b1"
    assert sqs.bodies(url) == []
    sqs.delete(url, a1)
    assert sqs.bodies(url) == ["a2", "a3"]


def test_fifo_a_message_that_comes_back_is_first_again(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="10")
    _fill(sqs, url, "a1", "a2", "a3")
    a1, a2 = sqs.receive(url, 2)
    sqs.delete(url, a2)
    assert sqs.bodies(url) == []
    sqs.cloud.clock.travel(11)
    code, words = sqs.fails("DeleteMessage", QueueUrl=url, ReceiptHandle=a1["ReceiptHandle"])
    assert code == "InvalidParameterValue"
    assert words.endswith("Reason: The receipt handle has expired.")
    assert sqs.bodies(url) == ["a1", "a3"]


def test_fifo_deduplicates_for_five_minutes(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true")
    first = sqs.send(url, "x", MessageGroupId="a", MessageDeduplicationId="1")
    [message] = sqs.receive(url)
    sqs.delete(url, message)
    again = sqs.send(url, "other", MessageGroupId="b", MessageDeduplicationId="1")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert sqs.bodies(url) == []
    sqs.cloud.clock.travel(301)
    sqs.send(url, "later", MessageGroupId="a", MessageDeduplicationId="1")
    assert sqs.bodies(url) == ["later"]


def test_fifo_dedup_by_group(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true", DeduplicationScope="messageGroup")
    for group in ("a", "b", "a"):
        sqs.send(url, group, MessageGroupId=group, MessageDeduplicationId="1")
    assert sqs.bodies(url) == ["a", "b"]


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "a"},
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
            " explicitly",
        ),
        (
            {"MessageGroupId": "a", "MessageDeduplicationId": "1", "DelaySeconds": 2},
            "InvalidParameterValue",
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid"
            " for this queue type.",
        ),
    ],
)
def test_bad_fifo_messages(sqs: Sqs, request_: Result, code: str, words: str) -> None:
    url = sqs.create("q.fifo", FifoQueue="true")
    assert sqs.fails("SendMessage", QueueUrl=url, MessageBody="x", **request_) == (code, words)


def test_fifo_redrive_keeps_the_group_going(sqs: Sqs) -> None:
    dead = sqs.create("dead.fifo", FifoQueue="true")
    policy = _redrive(deadLetterTargetArn=sqs.arn(dead), maxReceiveCount=1)
    url = sqs.create(
        "q.fifo",
        FifoQueue="true",
        ContentBasedDeduplication="true",
        RedrivePolicy=policy,
        VisibilityTimeout="5",
    )
    _fill(sqs, url, "a1", "a2")
    assert sqs.bodies(url, 1) == ["a1"]
    sqs.cloud.clock.travel(6)
    assert sqs.bodies(url, 1) == ["a2"]
    assert sqs.bodies(dead) == ["a1"]


def test_fifo_receive_attempt_id_gives_the_same_again(sqs: Sqs) -> None:
    url = sqs.create("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    _fill(sqs, url, "a1", "b1")
    first = sqs.receive(url, 10, ReceiveRequestAttemptId="t")
    again = sqs.receive(url, 10, ReceiveRequestAttemptId="t")
    assert [m["ReceiptHandle"] for m in again] == [m["ReceiptHandle"] for m in first]
    sqs.delete(url, first[0])
    assert sqs.receive(url, 10, ReceiveRequestAttemptId="t") == []


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_a_long_poll_wakes_when_a_message_is_sent(sqs: Sqs) -> None:
    url = sqs.create()

    async def scene() -> None:
        poll = asyncio.ensure_future(sqs.receive_async(url, WaitTimeSeconds=20))
        await asyncio.sleep(0)
        assert not poll.done()
        begun = time.perf_counter()
        sqs.send(url, "now")
        assert [m["Body"] for m in await poll] == ["now"]
        assert time.perf_counter() - begun < 1

    asyncio.run(scene())


def test_a_long_poll_wakes_when_a_message_becomes_visible_or_its_time_is_up(sqs: Sqs) -> None:
    url = sqs.create()

    async def scene() -> None:
        sqs.send(url, "late", DelaySeconds=5)
        poll = asyncio.ensure_future(sqs.receive_async(url, WaitTimeSeconds=20))
        empty = asyncio.ensure_future(sqs.receive_async(sqs.create("other"), WaitTimeSeconds=3))
        for _ in range(3):
            await asyncio.sleep(0)
        sqs.cloud.clock.travel(4)
        assert await empty == []
        assert not poll.done()
        sqs.cloud.clock.travel(2)
        assert [m["Body"] for m in await poll] == ["late"]

    asyncio.run(scene())


def test_wait_available_for_pollers(sqs: Sqs) -> None:
    url = sqs.create()
    service: Any = sqs.cloud.service("sqs")

    async def scene() -> None:
        waiting = asyncio.ensure_future(service.wait_available(sqs.arn(url), sqs.cloud.clock.now() + 100))
        await asyncio.sleep(0)
        assert not waiting.done()
        sqs.send(url)
        await waiting
        await sqs.receive_async(url)
        waiting = asyncio.ensure_future(service.wait_available(sqs.arn(url), sqs.cloud.clock.now() + 10))
        await asyncio.sleep(0)
        sqs.cloud.clock.travel(11)
        await waiting

    asyncio.run(scene())


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_move_tasks_bring_messages_back_as_new() -> None:
    async def scene(sqs: Sqs) -> None:
        dead = sqs.create("dead")
        policy = _redrive(deadLetterTargetArn=sqs.arn(dead), maxReceiveCount=1)
        url = sqs.create("q", RedrivePolicy=policy, VisibilityTimeout="1")
        for n in range(3):
            sqs.send(url, str(n))
        await sqs.receive_async(url, 10)
        await sqs.cloud.travel(2)
        assert await sqs.receive_async(url, 10) == []
        assert sqs.counts(dead) == (3, 0, 0)
        sqs("StartMessageMoveTask", SourceArn=sqs.arn(dead))
        await sqs.cloud.drain()
        [task] = sqs("ListMessageMoveTasks", SourceArn=sqs.arn(dead))["Results"]
        assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
        back = await sqs.receive_async(url, 10, AttributeNames=["ApproximateReceiveCount"])
        assert sorted(m["Body"] for m in back) == ["0", "1", "2"]
        assert {m["Attributes"]["ApproximateReceiveCount"] for m in back} == {"1"}

    running(scene)


def test_move_tasks_keep_their_rate_and_can_be_cancelled() -> None:
    async def scene(sqs: Sqs) -> None:
        dead, other = sqs.create("dead"), sqs.create("other")
        sqs.create("q", RedrivePolicy=_redrive(deadLetterTargetArn=sqs.arn(dead), maxReceiveCount=1))
        for n in range(10):
            sqs.send(dead, str(n))
        start = {"SourceArn": sqs.arn(dead), "DestinationArn": sqs.arn(other)}
        handle = sqs("StartMessageMoveTask", **start, MaxNumberOfMessagesPerSecond=2)["TaskHandle"]
        await sqs.cloud.drain()
        assert sqs.counts(other)[0] == 2
        assert sqs.fails("StartMessageMoveTask", **start)[1].startswith("There is already a task running.")
        await sqs.cloud.travel(1.5)
        assert sqs.counts(other)[0] == 4
        assert sqs("CancelMessageMoveTask", TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 4}
        await sqs.cloud.travel(5)
        assert (sqs.counts(other)[0], sqs.counts(dead)[0]) == (4, 6)

    running(scene)


def test_move_task_refusals(sqs: Sqs) -> None:
    arn = sqs.arn(sqs.create())
    assert sqs.fails("StartMessageMoveTask", SourceArn=arn) == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
    )
    assert sqs.fails("StartMessageMoveTask", SourceArn=arn + "x")[0] == "ResourceNotFoundException"
    assert (
        sqs.fails("CancelMessageMoveTask", TaskHandle="x")[1] == "Value for parameter TaskHandle is invalid."
    )


def test_purged_messages_go_in_the_background() -> None:
    async def scene(sqs: Sqs) -> None:
        url = sqs.create()
        for _ in range(3):
            sqs.send(url)
        sqs("PurgeQueue", QueueUrl=url)
        await sqs.cloud.drain()
        row = sqs.cloud.store.one("SELECT count(*) FROM sqs_message")
        assert row is not None
        assert row[0] == 0

    running(scene)


def test_permissions_are_statements_of_the_policy(sqs: Sqs) -> None:
    url = sqs.create()
    add = {"QueueUrl": url, "Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["ReceiveMessage"]}
    sqs("AddPermission", **add)
    found = sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert orjson.loads(found)["Statement"] == [
        {
            "Sid": "l",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
            "Action": "SQS:ReceiveMessage",
            "Resource": sqs.arn(url),
        }
    ]
    assert sqs.fails("AddPermission", **add)[1].endswith("Reason: Already exists.")
    sqs("RemovePermission", QueueUrl=url, Label="l")
    assert sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=["Policy"]) == {}
    assert sqs.fails("RemovePermission", QueueUrl=url, Label="l")[1].endswith("Reason: can't find label.")


def test_tags(sqs: Sqs) -> None:
    url = str(sqs("CreateQueue", QueueName="q", tags={"a": "1"})["QueueUrl"])
    sqs("TagQueue", QueueUrl=url, Tags={"b": "2", "a": "3"})
    assert sqs("ListQueueTags", QueueUrl=url) == {"Tags": {"a": "3", "b": "2"}}
    sqs("UntagQueue", QueueUrl=url, TagKeys=["a", "b"])
    assert sqs("ListQueueTags", QueueUrl=url) == {}


def test_what_is_undone_leaves_no_trace_in_memory(sqs: Sqs) -> None:
    url = sqs.create()
    sqs.send(url)
    assert sqs.counts(url) == (1, 0, 0)
    with pytest.raises(RuntimeError), sqs.cloud.store.transaction():
        sqs.send(url)
        sqs("SetQueueAttributes", QueueUrl=url, Attributes={"DelaySeconds": "900"})
        sqs.create("other")
        sqs.send(sqs.create("other"))
        raise RuntimeError
    assert sqs.counts(url) == (1, 0, 0)
    sqs.send(url)
    assert len(sqs.receive(url, 10)) == 2
    assert sqs.fails("GetQueueUrl", QueueName="other")[0] == "QueueDoesNotExist"


def test_receiving_reads_an_index_however_full_the_queue_is(sqs: Sqs) -> None:
    sqs.create()
    for sql in (
        "SELECT id FROM sqs_message WHERE queue=1 AND visible_at<=5 ORDER BY visible_at,receive_count,id LIMIT 10",
        "SELECT id FROM sqs_message WHERE queue=1 AND group_id='a' AND fifo=1 ORDER BY id LIMIT 10",
        "SELECT group_id FROM sqs_group WHERE queue=1 AND ready_at<=5 ORDER BY ready_at LIMIT 10",
        "SELECT count(*), total(receive_count>0) FROM sqs_message WHERE queue=1 AND visible_at>5",
    ):
        plan = " ".join(row["detail"] for row in sqs.cloud.store.all("EXPLAIN QUERY PLAN " + sql))
        assert "SEARCH" in plan, plan
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
