"""ReceiveMessage: short and long polls, redrive, and the FIFO order.

What may be received is the head of an index. Long polls wait in memory: a send wakes them, and what becomes visible by
time is slept for on the cloud's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from math import inf
from typing import Any

import orjson

from ...kernel import Call, Row, operation
from . import fifo, receipt
from .errors import InvalidAttributeName, InvalidParameterValue, OverLimit, QueueDoesNotExist
from .message import attributes_md5, select_attributes, unpack_attributes
from .queue import Queue
from .redrive import Redrive

MAX_IN_FLIGHT = 120_000
_VISIBLE = (
    "SELECT id,message_id,body,sent,enqueued,sender,receive_count,first_received,group_id,dedup_id,trace,source_arn,"
    "attributes,fifo FROM sqs_message WHERE queue=? AND visible_at<=? ORDER BY visible_at,receive_count,id LIMIT ?"
)
_IN_GROUP = (
    "SELECT id,message_id,body,sent,enqueued,sender,receive_count,first_received,group_id,dedup_id,trace,source_arn,"
    "attributes,fifo,visible_at FROM sqs_message WHERE queue=? AND group_id=? AND fifo=1 ORDER BY id LIMIT ?"
)
_BY_ID = (
    "SELECT id,message_id,body,sent,enqueued,sender,receive_count,first_received,group_id,dedup_id,trace,source_arn,"
    "attributes,fifo,visible_at FROM sqs_message WHERE id=? AND queue=?"
)
_HIDE = "UPDATE sqs_message SET visible_at=?,receive_count=?,first_received=?,received=? WHERE id=?"
_SYSTEM = frozenset(
    {
        "All",
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "SequenceNumber",
        "MessageDeduplicationId",
        "MessageGroupId",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one ReceiveMessage asks for. system, attributes: names; wait, visibility: seconds."""

    count: int
    visibility: int
    wait: int
    system: frozenset[str]
    attributes: Sequence[str]
    attempt_id: str | None

    @classmethod
    def read(cls, request: Mapping[str, Any], queue: Queue) -> Wanted:
        get = request.get
        count = get("MaxNumberOfMessages")
        if count is None:
            count = 1
        elif not 1 <= count <= 10:
            raise InvalidParameterValue.of(
                count, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."
            )
        visibility = get("VisibilityTimeout")
        if visibility is None:
            visibility = queue.visibility_timeout
        elif not 0 <= visibility <= 43_200:
            raise InvalidParameterValue.of(
                visibility, "VisibilityTimeout", "Must be between 0 and 43200, if provided."
            )
        wait = get("WaitTimeSeconds")
        if wait is None:
            wait = queue.wait
        elif not 0 <= wait <= 20:
            raise InvalidParameterValue.of(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
        system = _NO_NAMES
        if get("AttributeNames") or get("MessageSystemAttributeNames"):
            system = frozenset((*(get("AttributeNames") or ()), *(get("MessageSystemAttributeNames") or ())))
            for name in system - _SYSTEM:
                raise InvalidAttributeName.unknown(name)
        return cls(
            count,
            visibility,
            wait,
            system,
            get("MessageAttributeNames") or (),
            get("ReceiveRequestAttemptId") if queue.fifo else None,
        )


_NO_NAMES: frozenset[str] = frozenset()


class ReceiveOperations(Redrive):
    @operation("ReceiveMessage")
    async def receive_message(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        url = request["QueueUrl"]
        queue = self.queue(call, url)
        wanted = Wanted.read(request, queue)
        messages = self._take(queue, wanted, call.now)
        if not messages and wanted.wait:
            until = call.now + wanted.wait
            now = call.now
            while not messages and now < until and not self.stopped:
                await self.waiters.wait(queue.id, min(until, self._next_moment(queue, now)))
                if self.stopped:
                    break
                now = self.clock.now()
                queue = self.queue(call, url)
                messages = self._take(queue, wanted, now)
        return {"Messages": messages} if messages else {}

    async def wait_available(self, queue_arn: str, until: float) -> None:
        """For pollers inside the cloud: returns when the queue has a message to receive, or at `until` (seconds since
        the epoch, by the cloud's clock). Raises QueueDoesNotExist."""
        while not self.stopped:
            queue = self.queue_by_arn(queue_arn)
            if queue is None:
                raise QueueDoesNotExist
            now = self.clock.now()
            if now >= until or self._is_available(queue, now):
                return
            await self.waiters.wait(queue.id, min(until, self._next_moment(queue, now)))

    def _is_available(self, queue: Queue, now: float) -> bool:
        self.sweep(queue, now)
        if queue.fifo:
            sql = "SELECT 1 FROM sqs_group WHERE queue=? AND ready_at<=? LIMIT 1"
        else:
            sql = "SELECT 1 FROM sqs_message WHERE queue=? AND visible_at<=? LIMIT 1"
        return self.store.one(sql, (queue.content, now)) is not None

    def _next_moment(self, queue: Queue, now: float) -> float:
        """When the next message becomes visible by time alone."""
        if queue.fifo:
            sql = "SELECT ready_at FROM sqs_group WHERE queue=? AND ready_at>? ORDER BY ready_at LIMIT 1"
        else:
            sql = "SELECT visible_at FROM sqs_message WHERE queue=? AND visible_at>? ORDER BY visible_at LIMIT 1"
        row = self.store.one(sql, (queue.content, now))
        return inf if row is None else float(row[0])

    # -- taking -----------------------------------------------------------------------------------------------------

    def _take(self, queue: Queue, wanted: Wanted, now: float) -> list[dict[str, Any]]:
        if queue.oldest is None or queue.oldest + queue.retention <= now:
            self.sweep(queue, now)
        if queue.fifo:
            return self._take_fifo(queue, wanted, now)
        rows = self.store.all(_VISIBLE, (queue.content, now, wanted.count))
        if not rows:
            return []
        if self._in_flight_full(queue, wanted.count, now):
            raise OverLimit(
                "Too many messages are in flight: the limit of 120000 in flight messages of the queue is reached."
            )
        messages: list[dict[str, Any]] = []
        with self.store.transaction():
            target = self._dead_letter_queue(queue)
            while rows:
                moved = 0
                for row in rows:
                    if target is not None and row["receive_count"] >= queue.max_receives:
                        self.dead_letter(row, queue, target, now)
                        moved += 1
                    else:
                        messages.append(self._hand_out(queue, row, wanted, now))
                if not moved or len(messages) == wanted.count:
                    break
                if wanted.visibility == 0:  # handed out and visible still: don't hand out twice
                    break
                rows = self.store.all(_VISIBLE, (queue.content, now, wanted.count - len(messages)))
            self._received(queue, len(messages))
        return messages

    def _received(self, queue: Queue, count: int) -> None:
        if queue.receives is not None:
            queue.receives += count

    def _dead_letter_queue(self, queue: Queue) -> Queue | None:
        return self.queue_by_arn(queue.dead_letter_arn) if queue.max_receives else None

    def _in_flight_full(self, queue: Queue, count: int, now: float) -> bool:
        """Counts only when the running bound says that the limit may be near."""
        if queue.receives is not None and queue.receives + count <= MAX_IN_FLIGHT:
            return False
        row = self.store.one(
            "SELECT count(*) FROM sqs_message WHERE queue=? AND visible_at>? AND receive_count>0",
            (queue.content, now),
        )
        queue.receives = row[0] if row else 0
        return queue.receives >= MAX_IN_FLIGHT

    def _hand_out(self, queue: Queue, row: Row, wanted: Wanted, now: float) -> dict[str, Any]:
        row_id, count, first = row["id"], row["receive_count"] + 1, row["first_received"]
        if first is None:
            first = now
        self.store.execute(_HIDE, (now + wanted.visibility, count, first, now, row_id))
        return self._message(queue, row, wanted, count, first)

    def _message(self, queue: Queue, row: Row, wanted: Wanted, count: int, first: float) -> dict[str, Any]:
        body = row["body"]
        message = {
            "MessageId": row["message_id"],
            "ReceiptHandle": receipt.encode(queue.id, row["id"], count),
            "MD5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
            "Body": body,
        }
        if wanted.system:
            chosen = _system_attributes(row, count, first)
            if "All" not in wanted.system:
                chosen = {name: value for name, value in chosen.items() if name in wanted.system}
            if chosen:
                message["Attributes"] = chosen
        if wanted.attributes and row["attributes"] is not None:
            selected = select_attributes(unpack_attributes(row["attributes"]), wanted.attributes)
            if selected:
                message["MessageAttributes"] = selected
                message["MD5OfMessageAttributes"] = attributes_md5(selected)
        return message

    # -- FIFO -------------------------------------------------------------------------------------------------------

    def _take_fifo(self, queue: Queue, wanted: Wanted, now: float) -> list[dict[str, Any]]:
        if wanted.attempt_id is not None:
            again = self._attempt(queue, wanted, now)
            if again:
                return again
        groups = self.store.all(
            "SELECT group_id FROM sqs_group WHERE queue=? AND ready_at<=? ORDER BY ready_at LIMIT ?",
            (queue.content, now, wanted.count),
        )
        if not groups or self._in_flight_full(queue, wanted.count, now):
            return []
        messages: list[dict[str, Any]] = []
        with self.store.transaction():
            target = self._dead_letter_queue(queue)
            for row in groups:
                if len(messages) == wanted.count:
                    break
                self._take_group(queue, row["group_id"], target, wanted, now, messages)
            self._received(queue, len(messages))
            if wanted.attempt_id is not None and messages:
                self.store.execute(
                    "INSERT OR REPLACE INTO sqs_attempt (queue,attempt_id,until,receipts) VALUES (?,?,?,?)",
                    (
                        queue.content,
                        wanted.attempt_id,
                        now + fifo.DEDUP_SECONDS,
                        orjson.dumps([receipt.decode(m["ReceiptHandle"]) for m in messages]),
                    ),
                )
        if not messages and len(groups) == wanted.count:  # all of them went to the dead-letter queue
            return self._take_fifo(queue, wanted, now)
        return messages

    def _take_group(
        self,
        queue: Queue,
        group_id: str,
        target: Queue | None,
        wanted: Wanted,
        now: float,
        messages: list[dict[str, Any]],
    ) -> None:
        room = wanted.count - len(messages)
        moving = True
        while moving:
            moving = False
            for row in self.store.all(_IN_GROUP, (queue.content, group_id, room)):
                if row["visible_at"] > now:
                    break
                if target is not None and row["receive_count"] >= queue.max_receives:
                    self.dead_letter(row, queue, target, now)
                    moving = True
                elif moving:  # what comes after one that went may fill its place: read the group again
                    break
                else:
                    messages.append(self._hand_out(queue, row, wanted, now))
        fifo.settle_group(self.store, queue.content, group_id, now)

    def _attempt(self, queue: Queue, wanted: Wanted, now: float) -> list[dict[str, Any]]:
        """What a receive with the same attempt id got within five minutes, if all of it is still in flight."""
        kept = self.store.one(
            "SELECT until,receipts FROM sqs_attempt WHERE queue=? AND attempt_id=?",
            (queue.content, wanted.attempt_id),
        )
        if kept is None or kept["until"] <= now:
            return []
        messages = []
        with self.store.transaction():
            for _, row_id, count in orjson.loads(kept["receipts"]):
                row = self.store.one(_BY_ID, (row_id, queue.content))
                if row is None or row["receive_count"] != count or row["visible_at"] <= now:
                    return []
                self.store.execute(
                    "UPDATE sqs_message SET visible_at=? WHERE id=?", (now + wanted.visibility, row_id)
                )
                messages.append(self._message(queue, row, wanted, count, row["first_received"]))
                fifo.settle_group(self.store, queue.content, row["group_id"], now)
        return messages


def _system_attributes(row: Row, count: int, first: float) -> dict[str, str]:
    attributes = {
        "SenderId": row["sender"],
        "ApproximateFirstReceiveTimestamp": str(int(first * 1000)),
        "ApproximateReceiveCount": str(count),
        "SentTimestamp": str(int(row["sent"] * 1000)),
    }
    if row["fifo"]:
        attributes["SequenceNumber"] = fifo.sequence_number(row["id"])
    for name, column in (
        ("MessageDeduplicationId", "dedup_id"),
        ("MessageGroupId", "group_id"),
        ("AWSTraceHeader", "trace"),
        ("DeadLetterQueueSourceArn", "source_arn"),
    ):
        if row[column] is not None:
            attributes[name] = row[column]
    return attributes
