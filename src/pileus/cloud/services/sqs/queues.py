"""The life of a queue: create, find, list, configure, tag, purge, delete."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...kernel import Call, Job, consumer, operation
from .attributes import READABLE, check_attributes, check_throughput
from .base import SqsBase
from .errors import (
    InvalidAttributeName,
    InvalidParameterValue,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)
from .queue import Queue, queue_arn

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_PAUSE = 60.0
_CHUNK = 2000
_LEFTOVERS = ("sqs_message", "sqs_group", "sqs_dedup", "sqs_attempt")


class QueueOperations(SqsBase):
    @operation("CreateQueue")
    def create_queue(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["QueueName"]
        given = dict(request.get("Attributes") or {})
        fifo = _check_name(name, given)
        arn = queue_arn(call.account, call.region, name)
        attributes = check_attributes(given, fifo=fifo, arn=arn, find=self.facts)
        existing = self.find_queue(call.account, call.region, name)
        if existing is not None:
            settings = existing.settings()
            for attribute, value in attributes.items():
                if settings.get(attribute, "") != value:
                    raise QueueNameExists(attribute)
            return {"QueueUrl": existing.url(call.base_url)}
        self._check_pause(call, name)
        attributes = {key: value for key, value in attributes.items() if value}
        check_throughput(attributes)
        tags = dict(request.get("tags") or {})
        _check_tags(tags)
        self.store.execute(
            "INSERT INTO sqs_queue (account,region,name,content,created,modified,dead_letter_arn,attributes,tags)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (
                call.account,
                call.region,
                name,
                self._new_content(),
                call.now,
                call.now,
                _dead_letter_arn(attributes),
                orjson.dumps(attributes),
                orjson.dumps(tags),
            ),
        )
        return {"QueueUrl": f"{call.base_url}/{call.account}/{name}"}

    def _check_pause(self, call: Call, name: str) -> None:
        """A name is free again sixty seconds after its queue was deleted."""
        key = (call.account, call.region, name)
        row = self.store.one("SELECT at FROM sqs_deleted WHERE account=? AND region=? AND name=?", key)
        if row is not None:
            if row["at"] + _PAUSE > call.now:
                raise QueueDeletedRecently
            self.store.execute("DELETE FROM sqs_deleted WHERE account=? AND region=? AND name=?", key)

    def _new_content(self) -> int:
        content = self.store.execute("INSERT INTO sqs_content DEFAULT VALUES").lastrowid or 0
        self.store.execute("DELETE FROM sqs_content WHERE id=?", (content,))
        return content

    @operation("GetQueueUrl", reads=True)
    def get_queue_url(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        account = request.get("QueueOwnerAWSAccountId") or call.account
        queue = self.find_queue(account, call.region, request["QueueName"])
        if queue is None:
            raise QueueDoesNotExist
        return {"QueueUrl": queue.url(call.base_url)}

    @operation("ListQueues", reads=True)
    def list_queues(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        prefix = request.get("QueueNamePrefix") or ""
        limit, after = _page(request)
        rows = self.store.all(
            "SELECT name FROM sqs_queue WHERE account=? AND region=? AND name>? AND name>=? AND name<?"
            " ORDER BY name LIMIT ?",
            (call.account, call.region, after, prefix, prefix + "\U0010ffff", limit + 1),
        )
        urls = [f"{call.base_url}/{call.account}/{row['name']}" for row in rows[:limit]]
        result: dict[str, Any] = {"QueueUrls": urls} if urls else {}
        if len(rows) > limit and request.get("MaxResults"):
            result["NextToken"] = _token(rows[limit - 1]["name"])
        return result

    @operation("ListDeadLetterSourceQueues")
    def list_dead_letter_source_queues(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        limit, after = _page(request)
        rows = self.store.all(
            "SELECT account,name FROM sqs_queue WHERE dead_letter_arn=? AND name>? ORDER BY name LIMIT ?",
            (queue.arn, after, limit + 1),
        )
        urls = [f"{call.base_url}/{row['account']}/{row['name']}" for row in rows[:limit]]
        result: dict[str, Any] = {"queueUrls": urls}
        if len(rows) > limit and request.get("MaxResults"):
            result["NextToken"] = _token(rows[limit - 1]["name"])
        return result

    # -- attributes -------------------------------------------------------------------------------------------------

    @operation("GetQueueAttributes", reads=True)
    def get_queue_attributes(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        names: Sequence[str] = request.get("AttributeNames") or ()
        if not names:
            return {}
        every = "All" in names
        for name in names:
            if name != "All" and name not in READABLE:
                raise InvalidAttributeName.unknown(name)
        attributes = {"QueueArn": queue.arn, **self._counted(call, queue, every or names)}
        attributes["CreatedTimestamp"] = str(int(queue.created))
        attributes["LastModifiedTimestamp"] = str(int(queue.modified))
        attributes.update(queue.settings())
        if not every:
            attributes = {name: attributes[name] for name in names if name in attributes}
        return {"Attributes": attributes} if attributes else {}

    def _counted(self, call: Call, queue: Queue, names: Sequence[str] | bool) -> dict[str, str]:
        if names is not True and not any(name.startswith("Approx") for name in names):  # type: ignore[union-attr]
            return {}
        visible, in_flight, delayed = self.counts(queue, call.now)
        return {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
        }

    @operation("SetQueueAttributes")
    def set_queue_attributes(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        given = dict(request.get("Attributes") or {})
        if "FifoQueue" in given:
            raise InvalidAttributeName.unknown("FifoQueue")
        self.save_attributes(
            call, queue, check_attributes(given, fifo=queue.fifo, arn=queue.arn, find=self.facts)
        )

    def save_attributes(self, call: Call, queue: Queue, changes: Mapping[str, str]) -> None:
        merged = {**queue.attributes, **changes}
        attributes = {name: value for name, value in merged.items() if value}
        check_throughput(attributes)
        self.store.execute(
            "UPDATE sqs_queue SET attributes=?,dead_letter_arn=?,modified=? WHERE id=?",
            (orjson.dumps(attributes), _dead_letter_arn(attributes), call.now, queue.id),
        )
        self.changed(queue)

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("TagQueue")
    def tag_queue(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        tags = {**queue.tags, **(request.get("Tags") or {})}
        _check_tags(tags)
        self._save_tags(queue, tags)

    @operation("UntagQueue")
    def untag_queue(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        keys = set(request.get("TagKeys") or ())
        self._save_tags(queue, {key: value for key, value in queue.tags.items() if key not in keys})

    @operation("ListQueueTags", reads=True)
    def list_queue_tags(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        tags = self.queue(call, request["QueueUrl"]).tags
        return {"Tags": tags} if tags else {}

    def _save_tags(self, queue: Queue, tags: Mapping[str, str]) -> None:
        self.store.execute("UPDATE sqs_queue SET tags=? WHERE id=?", (orjson.dumps(tags), queue.id))
        self.changed(queue)

    # -- end --------------------------------------------------------------------------------------------------------

    @operation("PurgeQueue")
    def purge_queue(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        if queue.purged and queue.purged + _PAUSE > call.now:
            raise PurgeQueueInProgress(queue.name)
        self.store.execute(
            "UPDATE sqs_queue SET content=?,purged=? WHERE id=?", (self._new_content(), call.now, queue.id)
        )
        self.bus.publish("sqs.collect", {"content": queue.content})
        self.changed(queue)

    @operation("DeleteQueue")
    def delete_queue(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        self.store.execute("DELETE FROM sqs_queue WHERE id=?", (queue.id,))
        self.store.execute(
            "INSERT OR REPLACE INTO sqs_deleted (account,region,name,at) VALUES (?,?,?,?)",
            (queue.account, queue.region, queue.name, call.now),
        )
        self.bus.publish("sqs.collect", {"content": queue.content})
        self.changed(queue)

    @consumer("sqs.collect")
    def collect(self, job: Job) -> None:
        """Deletes the messages of a purged or deleted queue, a chunk at a time so that requests come in between."""
        content = job.payload["content"]
        cursor = self.store.execute(
            "DELETE FROM sqs_message WHERE id IN (SELECT id FROM sqs_message WHERE queue=? LIMIT ?)",
            (content, _CHUNK),
        )
        if cursor.rowcount == _CHUNK:
            self.bus.publish("sqs.collect", job.payload)
            return
        for table in _LEFTOVERS:
            self.store.execute(f"DELETE FROM {table} WHERE queue=?", (content,))


def _check_name(name: str, attributes: Mapping[str, str]) -> bool:
    """Whether it is a FIFO queue's name; refuses what is no queue name."""
    if attributes.get("FifoQueue", "").lower() == "true" or name.endswith(".fifo"):
        if not _FIFO_NAME.fullmatch(name) or attributes.get("FifoQueue", "").lower() != "true":
            raise InvalidParameterValue(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
                "must end with .fifo suffix and be 1 to 80 in length."
                if attributes.get("FifoQueue")
                else "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
            )
        return True
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    return False


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > 50:
        raise InvalidParameterValue("Too many tags added for queue. Maximum allowed is 50.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            raise InvalidParameterValue("Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            raise InvalidParameterValue("Tag values must be between 0 and 256 characters in length.")


def _dead_letter_arn(attributes: Mapping[str, str]) -> str | None:
    policy = attributes.get("RedrivePolicy")
    return str(orjson.loads(policy)["deadLetterTargetArn"]) if policy else None


def _page(request: Mapping[str, Any]) -> tuple[int, str]:
    """(most results, name after which to go on)."""
    limit = request.get("MaxResults")
    if limit is None:
        limit = 1000
    elif not 1 <= limit <= 1000:
        raise InvalidParameterValue.of(
            limit, "MaxResults", "MaxResults must be an integer between 1 and 1000."
        )
    token = request.get("NextToken")
    if not token:
        return limit, ""
    try:
        return limit, urlsafe_b64decode(token).decode()
    except ValueError:
        raise InvalidParameterValue("Invalid or expired next token.") from None


def _token(name: str) -> str:
    return b64encode(name.encode(), altchars=b"-_").decode("ascii")
