"""SQS in CloudFormation: AWS::SQS::Queue, AWS::SQS::QueuePolicy, AWS::SQS::QueueInlinePolicy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from ...kernel import REPLACE, UPDATE, Change, Created, ResourceType, StackCall
from .attributes import DEFAULTS, FIFO_DEFAULTS
from .errors import QueueDoesNotExist

_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_RESET: Mapping[str, str] = {**DEFAULTS, **FIFO_DEFAULTS}


class Queue(ResourceType):
    type_name = "AWS::SQS::Queue"
    properties: ClassVar[Mapping[str, Change]] = {
        "QueueName": REPLACE,
        "FifoQueue": REPLACE,
        "Tags": UPDATE,
        **dict.fromkeys(_ATTRIBUTES, UPDATE),
    }
    attributes = ("Arn", "QueueName", "QueueUrl")

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        fifo = _text(properties.get("FifoQueue", False)) == "true"
        name = properties.get("QueueName") or (
            stack.generated_name(75) + ".fifo" if fifo else stack.generated_name(80)
        )
        attributes = _attributes(properties)
        if fifo:
            attributes["FifoQueue"] = "true"
        request = {"QueueName": name, "Attributes": attributes, "tags": stack.all_tags(properties)}
        return self._created(stack, stack.invoke("sqs", "CreateQueue", request)["QueueUrl"])

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        gone = {name: _RESET.get(name, "") for name in _ATTRIBUTES if name in old and name not in new}
        changes = {**gone, **_attributes(new)}
        if changes:
            stack.invoke("sqs", "SetQueueAttributes", {"QueueUrl": physical_id, "Attributes": changes})
        tags = stack.all_tags(new)
        known = stack.invoke("sqs", "ListQueueTags", {"QueueUrl": physical_id}).get("Tags", {})
        if stale := [key for key in known if key not in tags]:
            stack.invoke("sqs", "UntagQueue", {"QueueUrl": physical_id, "TagKeys": stale})
        stack.invoke("sqs", "TagQueue", {"QueueUrl": physical_id, "Tags": tags})
        return self._created(stack, physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        try:
            stack.invoke("sqs", "DeleteQueue", {"QueueUrl": physical_id})
        except QueueDoesNotExist:
            return

    def _created(self, stack: StackCall, url: str) -> Created:
        name = url.rsplit("/", 1)[-1]
        arn = stack.call.arn(name, service="sqs")
        return Created(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


class QueuePolicy(ResourceType):
    type_name = "AWS::SQS::QueuePolicy"
    properties: ClassVar[Mapping[str, Change]] = {"PolicyDocument": UPDATE, "Queues": UPDATE}
    required = ("PolicyDocument", "Queues")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        _set_policies(stack, properties["Queues"], properties["PolicyDocument"])
        name = stack.generated_name(128)
        return Created(name, {"Id": name})

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        _set_policies(stack, [url for url in old["Queues"] if url not in new["Queues"]], None)
        _set_policies(stack, new["Queues"], new["PolicyDocument"])
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        _set_policies(stack, properties["Queues"], None)


class QueueInlinePolicy(ResourceType):
    type_name = "AWS::SQS::QueueInlinePolicy"
    properties: ClassVar[Mapping[str, Change]] = {"PolicyDocument": UPDATE, "Queue": REPLACE}
    required = ("PolicyDocument", "Queue")

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        _set_policies(stack, [properties["Queue"]], properties["PolicyDocument"])
        return Created(properties["Queue"])

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        _set_policies(stack, [new["Queue"]], new["PolicyDocument"])
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        _set_policies(stack, [properties["Queue"]], None)


def _set_policies(stack: StackCall, urls: list[str], document: Any) -> None:
    """document: the policy, None to take it away (from queues that are gone already, too)."""
    for url in urls:
        request = {"QueueUrl": url, "Attributes": {"Policy": "" if document is None else _json(document)}}
        try:
            stack.invoke("sqs", "SetQueueAttributes", request)
        except QueueDoesNotExist:
            if document is not None:
                raise


def _attributes(properties: Mapping[str, Any]) -> dict[str, str]:
    """As SetQueueAttributes takes them: all strings."""
    return {name: _text(properties[name]) for name in _ATTRIBUTES if name in properties}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value) if isinstance(value, dict | list) else str(value)


def _json(document: Any) -> str:
    return document if isinstance(document, str) else orjson.dumps(document).decode()
