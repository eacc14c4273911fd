"""The poller of one SQS event source mapping.

Receives as the function's role, gathers a batch, invokes, and deletes what was processed. What failed stays in the queue
and comes again when its visibility timeout ends; the queue's own redrive policy moves what failed too often.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...kernel import Arn, AwsError, Principal

if TYPE_CHECKING:
    from .event_sources import EventSources

log = logging.getLogger("pileus.lambda")

Message = dict[str, Any]
#: Batches at work at the same time: what Lambda begins with.
_CONCURRENCY = 5
_LARGEST = 6_000_000
_LONG_POLL = 20
_PAUSE = 1.0


class QueuePoller:
    """mapping: its configuration, replaced when it changes."""

    def __init__(self, service: EventSources, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self._service = service
        self._source = Arn.parse(mapping["EventSourceArn"])
        self._url = ""
        self._batches: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._receiving = False
        self._ended = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"poller {mapping['UUID']}")

    @property
    def is_busy(self) -> bool:
        return bool(self._batches)

    def end(self) -> None:
        """Receives no more; batches under way are finished."""
        self._ended = True
        self._task.cancel()

    async def stop(self) -> None:
        """Ends at once: messages that are being processed come again."""
        self.end()
        for batch in self._batches:
            batch.cancel()
        await asyncio.gather(self._task, *self._batches, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            limit = self.mapping.get("ScalingConfig", {}).get("MaximumConcurrency") or _CONCURRENCY
            if len(self._batches) >= limit:
                self._free.clear()
                await self._free.wait()
                continue
            try:
                messages = await self._gather()
            except AwsError as error:
                log.warning("polling %s: %s", self._source, error)
                await asyncio.sleep(_PAUSE)
                continue
            if messages:
                batch = asyncio.get_running_loop().create_task(self._process(messages))
                self._batches.add(batch)
                batch.add_done_callback(self._done)

    def _done(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._free.set()
        if not batch.cancelled() and (error := batch.exception()) is not None:
            log.error("a batch of %s failed", self._source, exc_info=error)

    # -- receiving ------------------------------------------------------------------------------------------------------

    async def _gather(self) -> list[Message]:
        """One batch: full, or as large as it gets within the batching window."""
        size, window = self.mapping["BatchSize"], self.mapping["MaximumBatchingWindowInSeconds"]
        messages = await self._receive(min(size, 10), _LONG_POLL)
        if not window or not messages:
            return messages
        clock = self._service.clock
        until = clock.now() + window
        while len(messages) < size and (left := until - clock.now()) > 0:
            messages += await self._receive(min(size - len(messages), 10), min(int(left) + 1, _LONG_POLL))
        return messages

    async def _receive(self, most: int, wait: int) -> list[Message]:
        request = {
            "QueueUrl": self._queue_url(),
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": wait,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        found = await self._service.cloud.call_async("sqs", "ReceiveMessage", request, **self._place())
        messages: list[Message] = found.get("Messages") or []
        return messages

    def _queue_url(self) -> str:
        if not self._url:
            request = {"QueueName": self._source.resource}
            self._url = self._service.cloud.call("sqs", "GetQueueUrl", request, **self._place())["QueueUrl"]
        return self._url

    def _place(self) -> dict[str, Any]:
        principal: Principal = self._service.poller_principal(self.mapping["FunctionArn"])
        return {"account": self._source.account, "region": self._source.region, "principal": principal}

    # -- processing -----------------------------------------------------------------------------------------------------

    async def _process(self, messages: list[Message]) -> None:
        for part in _within_limit(messages):
            await self._invoke(part)

    async def _invoke(self, messages: list[Message]) -> None:
        service = self._service
        payload = orjson.dumps({"Records": [_record(message, self._source) for message in messages]})
        headers = {message.get("Attributes", {}).get("AWSTraceHeader") for message in messages}
        trace = headers.pop() if len(headers) == 1 else None
        try:
            target = service.target(self.mapping["FunctionArn"])
            _, outcome = await service.run(
                target, payload, service.ids.uuid(), service.lineage(target, trace)
            )
        except AwsError as error:
            log.warning("%s: %s", self.mapping["FunctionArn"], error)
            return
        if outcome.error:
            return
        failed: set[str] | None = set()
        if "ReportBatchItemFailures" in self.mapping.get("FunctionResponseTypes", ()):
            failed = _failures(outcome.payload, {message["MessageId"] for message in messages})
        if failed is not None:
            self._delete([message for message in messages if message["MessageId"] not in failed])

    def _delete(self, messages: list[Message]) -> None:
        for start in range(0, len(messages), 10):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + 10])
            ]
            request = {"QueueUrl": self._queue_url(), "Entries": entries}
            try:
                self._service.cloud.call("sqs", "DeleteMessageBatch", request, **self._place())
            except AwsError as error:
                log.warning("deleting from %s: %s", self._source, error)


def _within_limit(messages: list[Message]) -> list[list[Message]]:
    """Batches that fit into an invocation."""
    parts: list[list[Message]] = [[]]
    size = 0
    for message in messages:
        own = len(message["Body"].encode()) + 1024
        if parts[-1] and size + own > _LARGEST:
            parts.append([])
            size = 0
        parts[-1].append(message)
        size += own
    return parts


def _record(message: Message, source: Arn) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": str(source),
        "awsRegion": source.region,
    }
    if message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if value.get("StringValue") is not None:
        found["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found


def _failures(payload: bytes, sent: set[str]) -> set[str] | None:
    """The ids that the function reports as failed; None means all: it answered in a form that can't be trusted."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        return None
    items = answer.get("batchItemFailures")
    if items is None:
        return None if answer else set()
    if not isinstance(items, list):
        return None
    found: set[Any] = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in items}
    return found if found <= sent else None
