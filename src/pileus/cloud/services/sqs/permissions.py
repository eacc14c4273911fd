"""AddPermission and RemovePermission: statements of the queue's policy, by label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, operation
from .errors import InvalidParameterValue, MissingParameter, OverLimit
from .queue import Queue
from .queues import QueueOperations

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ACCOUNT = re.compile(r"\d{12}")
_SHAREABLE = frozenset(
    {
        "*",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
    }
)


class PermissionOperations(QueueOperations):
    @operation("AddPermission")
    def add_permission(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        label, accounts, actions = request["Label"], request["AWSAccountIds"], request["Actions"]
        _check(label, accounts, actions)
        policy = _policy(queue)
        if any(statement.get("Sid") == label for statement in policy["Statement"]):
            raise InvalidParameterValue.of(label, "Label", "Already exists.")
        principals = [f"arn:aws:iam::{account}:root" for account in accounts]
        names = [f"SQS:{action}" for action in actions]
        policy["Statement"].append(
            {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": principals if len(principals) > 1 else principals[0]},
                "Action": names if len(names) > 1 else names[0],
                "Resource": queue.arn,
            }
        )
        self.save_attributes(call, queue, {"Policy": orjson.dumps(policy).decode()})

    @operation("RemovePermission")
    def remove_permission(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        label = request["Label"]
        policy = _policy(queue)
        kept = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
        if len(kept) == len(policy["Statement"]):
            raise InvalidParameterValue.of(label, "Label", "can't find label.")
        policy["Statement"] = kept
        self.save_attributes(call, queue, {"Policy": orjson.dumps(policy).decode() if kept else ""})


def _policy(queue: Queue) -> dict[str, Any]:
    if text := queue.attributes.get("Policy"):
        policy: dict[str, Any] = orjson.loads(text)
        if isinstance(policy["Statement"], dict):
            policy["Statement"] = [policy["Statement"]]
        return policy
    return {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}


def _check(label: str, accounts: list[str], actions: list[str]) -> None:
    if not label:
        raise MissingParameter.of("Label")
    if not _LABEL.fullmatch(label):
        raise InvalidParameterValue.of(
            label,
            "Label",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )
    if not accounts:
        raise InvalidParameterValue.of("[]", "PrincipalId", "Unable to verify.")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise InvalidParameterValue.of(f"[{account}]", "PrincipalId", "Unable to verify.")
    if not actions:
        raise MissingParameter.of("Actions")
    if len(actions) > 7:
        raise OverLimit(f"{len(actions)} Actions were found, maximum allowed is 7.")
    for action in actions:
        if action not in _SHAREABLE:
            raise InvalidParameterValue.of(
                f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action."
            )
