"""A FIFO queue against a slow, obvious model: any sequence of sends, receives, deletes and waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.cloud.kernel import AwsError, Cloud, Settings
from pileus.cloud.services import REGISTRY

_STEP = st.one_of(
    st.tuples(st.just("send"), st.sampled_from("abc")),
    st.tuples(st.just("receive"), st.integers(1, 10)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("release"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([4, 11])),
)
_TIMEOUT = 10.0


@dataclass
class Message:
    group: str
    body: str
    visible_at: float = 0.0
    handle: str = ""
    deleted: bool = False


def expected(messages: list[Message], now: float) -> dict[str, list[Message]]:
    """What each group may hand out: all its messages in order, or none while one of them is in flight."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        if not message.deleted:
            groups.setdefault(message.group, []).append(message)
    return {
        group: found for group, found in groups.items() if all(message.visible_at <= now for message in found)
    }


@settings(max_examples=80, deadline=None)
@given(st.lists(_STEP, max_size=40))
def test_fifo_agrees_with_the_model(steps: list[tuple[str, Any]]) -> None:
    cloud = Cloud(REGISTRY, Settings())
    try:
        asyncio.run(_play(cloud, steps))
    finally:
        cloud.store.close()


async def _play(cloud: Cloud, steps: list[tuple[str, Any]]) -> None:
    attributes = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "VisibilityTimeout": str(int(_TIMEOUT)),
    }
    url = cloud.call("sqs", "CreateQueue", {"QueueName": "q.fifo", "Attributes": attributes})["QueueUrl"]
    messages: list[Message] = []
    for number, (step, value) in enumerate(steps):
        held = [message for message in messages if message.handle and not message.deleted]
        if step == "send":
            body = f"{value}{number}"
            cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body, "MessageGroupId": value})
            messages.append(Message(value, body))
        elif step == "receive":
            await _receive(cloud, url, value, messages)
        elif step == "wait":
            cloud.clock.travel(value)
        elif held:
            _use_handle(cloud, url, step, held[value % len(held)])


async def _receive(cloud: Cloud, url: str, count: int, messages: list[Message]) -> None:
    now = cloud.clock.now()
    free = expected(messages, now)
    request = {"QueueUrl": url, "MaxNumberOfMessages": count}
    got = (await cloud.call_async("sqs", "ReceiveMessage", request)).get("Messages", [])
    assert len(got) == min(count, sum(map(len, free.values())))
    for group, waiting in free.items():
        mine = [message["Body"] for message in got if message["Body"][0] == group]
        assert mine == [message.body for message in waiting][: len(mine)]
    known = {message.body: message for message in messages}
    for message in got:
        assert message["Body"][0] in free
        known[message["Body"]].visible_at = now + _TIMEOUT
        known[message["Body"]].handle = message["ReceiptHandle"]


def _use_handle(cloud: Cloud, url: str, step: str, message: Message) -> None:
    request: dict[str, Any] = {"QueueUrl": url, "ReceiptHandle": message.handle}
    in_flight = message.visible_at > cloud.clock.now()
    operation = "DeleteMessage"
    if step == "release":
        operation, request["VisibilityTimeout"] = "ChangeMessageVisibility", 0
    try:
        cloud.call("sqs", operation, request)
    except AwsError as error:
        assert error.code == "InvalidParameterValue"
        assert not in_flight
        return
    assert in_flight
    if step == "release":
        message.visible_at = 0.0
    else:
        message.deleted = True
