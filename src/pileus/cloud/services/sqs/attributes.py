"""Queue attributes: which there are, what they may be, and the policies among them that are JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue

DEFAULTS: Mapping[str, str] = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
FIFO_DEFAULTS: Mapping[str, str] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
COMPUTED = frozenset(
    {
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    }
)
_RANGES: Mapping[str, tuple[int, int]] = {
    "VisibilityTimeout": (0, 43_200),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "SqsManagedSseEnabled": ("true", "false"),
    "FifoQueue": ("true",),
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_FIFO_ONLY = frozenset(FIFO_DEFAULTS)
_POLICIES = frozenset({"Policy", "RedrivePolicy", "RedriveAllowPolicy"})
SETTABLE = frozenset(_RANGES) | frozenset(_CHOICES) | _POLICIES | {"KmsMasterKeyId"}
READABLE = SETTABLE | COMPUTED

#: Whether a queue exists and is a FIFO one, by ARN; None where there is none.
QueueKind = Callable[[str], "QueueFacts | None"]


@dataclass(frozen=True, slots=True)
class QueueFacts:
    fifo: bool
    redrive_allow: Mapping[str, Any] | None


def check_attributes(given: Mapping[str, str], *, fifo: bool, arn: str, find: QueueKind) -> dict[str, str]:
    """The attributes as they are kept; an empty policy or key means that it goes.

    arn: of the queue itself. find: looks up a dead-letter queue.
    """
    checked: dict[str, str] = {}
    for name, value in given.items():
        if name not in SETTABLE or (name in _FIFO_ONLY and not fifo):
            raise InvalidAttributeName.unknown(name)
        checked[name] = _check_one(name, value, fifo=fifo, arn=arn, find=find)
    if checked.get("KmsMasterKeyId") and checked.get("SqsManagedSseEnabled") == "true":
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE."
        )
    if checked.get("KmsMasterKeyId"):
        checked["SqsManagedSseEnabled"] = "false"
    elif checked.get("SqsManagedSseEnabled") == "true":
        checked["KmsMasterKeyId"] = ""
    return checked


def check_throughput(attributes: Mapping[str, str]) -> None:
    """perMessageGroupId asks for deduplication by group; judged over what the queue has in the end."""
    if (
        attributes.get("FifoThroughputLimit") == "perMessageGroupId"
        and attributes.get("DeduplicationScope") != "messageGroup"
    ):
        raise InvalidParameterValue.of(
            "perMessageGroupId",
            "FifoThroughputLimit",
            "The FifoThroughputLimit can be set to perMessageGroupId only when the DeduplicationScope is"
            " set to messageGroup.",
        )


def _check_one(name: str, value: str, *, fifo: bool, arn: str, find: QueueKind) -> str:
    if name in _RANGES:
        low, high = _RANGES[name]
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise InvalidAttributeValue.of(name)
        return str(int(value))
    if name in _CHOICES:
        lowered = value.lower() if value.lower() in ("true", "false") else value
        if lowered not in _CHOICES[name]:
            raise InvalidAttributeValue.of(name)
        return lowered
    if not value:
        return ""
    if name == "RedrivePolicy":
        return _redrive_policy(value, fifo=fifo, arn=arn, find=find)
    if name == "RedriveAllowPolicy":
        return _redrive_allow_policy(value)
    if name == "Policy":
        return _policy(value)
    return value


def _policy(text: str) -> str:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidAttributeValue.of("Policy") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise InvalidAttributeValue.of("Policy")
    return text


def _map(name: str, label: str, text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise InvalidParameterValue.of(text, name, f"{label} is not a valid JSON map.")
    return document


def _redrive_policy(text: str, *, fifo: bool, arn: str, find: QueueKind) -> str:
    def bad(reason: str) -> InvalidParameterValue:
        return InvalidParameterValue.of(text, "RedrivePolicy", reason)

    policy = _map("RedrivePolicy", "Redrive policy", text)
    for member in ("deadLetterTargetArn", "maxReceiveCount"):
        if member not in policy:
            raise bad(f"Redrive policy does not contain mandatory attribute: {member}.")
    for member in policy:
        if member not in ("deadLetterTargetArn", "maxReceiveCount"):
            raise bad(f"Redrive policy contains unexpected attribute: {member}.")
    target, count = policy["deadLetterTargetArn"], str(policy["maxReceiveCount"])
    if not isinstance(target, str) or target.count(":") != 5 or not target.startswith("arn:aws:sqs:"):
        raise bad("Invalid value for deadLetterTargetArn.")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= 1000):
        raise bad(
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        )
    if target.split(":")[3:5] != arn.split(":")[3:5]:
        raise bad("Dead-letter target owner should be same as the source.")
    facts = find(target)
    if facts is None:
        raise bad("Dead letter target does not exist.")
    if facts.fifo != fifo:
        raise bad("Dead-letter queue must be same type of queue as the source.")
    if not _allows(facts.redrive_allow, arn):
        raise bad("The dead-letter queue's redrive allow policy doesn't permit this source queue.")
    return orjson.dumps({"deadLetterTargetArn": target, "maxReceiveCount": int(count)}).decode()


def _allows(policy: Mapping[str, Any] | None, source_arn: str) -> bool:
    if policy is None or policy["redrivePermission"] == "allowAll":
        return True
    return policy["redrivePermission"] == "byQueue" and source_arn in policy["sourceQueueArns"]


def _redrive_allow_policy(text: str) -> str:
    def bad(reason: str) -> InvalidParameterValue:
        return InvalidParameterValue.of(text, "RedriveAllowPolicy", reason)

    policy = _map("RedriveAllowPolicy", "Redrive allow policy", text)
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise bad("Redrive permission must be one of: allowAll, denyAll, byQueue.")
    if permission != "byQueue":
        if sources is not None:
            raise bad("sourceQueueArns can be specified only when redrivePermission is byQueue.")
        return orjson.dumps({"redrivePermission": permission}).decode()
    if not isinstance(sources, list) or not 1 <= len(sources) <= 10:
        raise bad("sourceQueueArns must hold between 1 and 10 queue ARNs.")
    return orjson.dumps({"redrivePermission": permission, "sourceQueueArns": sources}).decode()
