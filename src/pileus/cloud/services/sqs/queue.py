"""A queue and its settings as the operations need them, read once and kept while they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ...kernel import Row
from .attributes import DEFAULTS, FIFO_DEFAULTS


@dataclass(slots=True, eq=False)
class Queue:
    """id: for ever. content: what its messages' rows name; new after each purge. attributes: as set, without defaults.

    total, oldest, receives: what is known of its messages without counting them. total: how many (None: count).
    oldest: none was enqueued before (None: look). receives: at least as many as are in flight (None: count).
    """

    id: int
    account: str
    region: str
    name: str
    content: int
    created: float
    modified: float
    purged: float
    attributes: dict[str, str]
    tags: dict[str, str]
    arn: str = ""
    fifo: bool = False
    visibility_timeout: int = 30
    delay: int = 0
    max_size: int = 1_048_576
    retention: int = 345_600
    wait: int = 0
    content_dedup: bool = False
    group_dedup: bool = False
    dead_letter_arn: str = ""
    max_receives: int = 0
    total: int | None = None
    oldest: float | None = None
    receives: int | None = None
    dedup_swept: float = 0.0
    redrive_allow: Mapping[str, Any] | None = field(default=None)

    @classmethod
    def read(cls, row: Row) -> Queue:
        queue = cls(
            row["id"],
            row["account"],
            row["region"],
            row["name"],
            row["content"],
            row["created"],
            row["modified"],
            row["purged"],
            orjson.loads(row["attributes"]),
            orjson.loads(row["tags"]),
        )
        queue._settle()
        return queue

    def _settle(self) -> None:
        self.arn = queue_arn(self.account, self.region, self.name)
        self.fifo = self.name.endswith(".fifo")
        merged = self.settings()
        self.visibility_timeout = int(merged["VisibilityTimeout"])
        self.delay = int(merged["DelaySeconds"])
        self.max_size = int(merged["MaximumMessageSize"])
        self.retention = int(merged["MessageRetentionPeriod"])
        self.wait = int(merged["ReceiveMessageWaitTimeSeconds"])
        self.content_dedup = merged.get("ContentBasedDeduplication") == "true"
        self.group_dedup = merged.get("DeduplicationScope") == "messageGroup"
        if redrive := merged.get("RedrivePolicy"):
            policy = orjson.loads(redrive)
            self.dead_letter_arn = policy["deadLetterTargetArn"]
            self.max_receives = policy["maxReceiveCount"]
        if allow := merged.get("RedriveAllowPolicy"):
            self.redrive_allow = orjson.loads(allow)

    def settings(self) -> dict[str, str]:
        """The attributes that can be set, with their defaults."""
        return {**DEFAULTS, **(FIFO_DEFAULTS if self.fifo else {}), **self.attributes}

    def forget_counts(self) -> None:
        """What was known of the messages may no longer hold: a transaction was undone."""
        self.total = self.oldest = self.receives = None
        self.dedup_swept = 0.0

    def url(self, base: str) -> str:
        return f"{base}/{self.account}/{self.name}"


def queue_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:sqs:{region}:{account}:{name}"
