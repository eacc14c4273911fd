"""SendMessage and SendMessageBatch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, operation
from . import fifo
from .base import SqsBase
from .batch import check_batch, each
from .errors import BatchRequestTooLong, InvalidParameterValue, MissingParameter
from .message import MAX_BATCH_BYTES, Draft, check_token, draft_message
from .queue import Queue

_INSERT = (
    "INSERT INTO sqs_message (id,queue,visible_at,message_id,body,sent,enqueued,sender,fifo,group_id,dedup_id,trace,"
    "attributes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


class SendOperations(SqsBase):
    @operation("SendMessage")
    def send_message(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        return self._send(call, queue, request, draft_message(request, call.trace))

    @operation("SendMessageBatch")
    def send_message_batch(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        entries = check_batch(request.get("Entries"), "SendMessageBatchRequestEntry")
        if queue.fifo:
            for entry in entries:
                if not entry.get("MessageGroupId"):
                    raise InvalidParameterValue("The request must contain the parameter MessageGroupId.")
                if not queue.content_dedup and not entry.get("MessageDeduplicationId"):
                    raise _no_dedup_id()
        size = sum(len((entry.get("MessageBody") or "").encode()) for entry in entries)
        if size > MAX_BATCH_BYTES:
            raise BatchRequestTooLong(size, MAX_BATCH_BYTES)

        def send(entry: Mapping[str, Any]) -> dict[str, Any]:
            return self._send(call, queue, entry, draft_message(entry, call.trace))

        return each(self.store, entries, send)

    def _send(self, call: Call, queue: Queue, request: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
        if draft.size > queue.max_size:
            raise InvalidParameterValue(
                f"One or more parameters are invalid. Reason: Message must be shorter than {queue.max_size} bytes."
            )
        result: dict[str, Any] = {"MD5OfMessageBody": draft.body_md5}
        if draft.attributes_md5 is not None:
            result["MD5OfMessageAttributes"] = draft.attributes_md5
        if draft.system_md5 is not None:
            result["MD5OfMessageSystemAttributes"] = draft.system_md5
        visible_at = call.now + _delay(queue, request)
        if queue.fifo:
            message_id, row_id = self._send_fifo(call, queue, request, draft, visible_at)
            result["SequenceNumber"] = fifo.sequence_number(row_id)
        else:
            group_id = request.get("MessageGroupId")
            if group_id is not None:
                check_token(group_id, "MessageGroupId")
            if (dedup_id := request.get("MessageDeduplicationId")) is not None:
                raise InvalidParameterValue.of(
                    dedup_id,
                    "MessageDeduplicationId",
                    "The request includes a parameter that is not valid for this queue type.",
                )
            message_id, _ = self._put(call, queue, draft, visible_at, None, group_id, None)
        result["MessageId"] = message_id
        return result

    def _send_fifo(
        self, call: Call, queue: Queue, request: Mapping[str, Any], draft: Draft, visible_at: float
    ) -> tuple[str, int]:
        group_id = request.get("MessageGroupId")
        if not group_id:
            raise MissingParameter.of("MessageGroupId")
        check_token(group_id, "MessageGroupId")
        dedup_id = request.get("MessageDeduplicationId")
        if dedup_id:
            check_token(dedup_id, "MessageDeduplicationId")
        elif queue.content_dedup:
            dedup_id = fifo.content_dedup_id(draft.body)
        else:
            raise _no_dedup_id()
        key = fifo.dedup_key(queue, group_id, dedup_id)
        earlier = fifo.duplicate_of(self.store, queue, key, call.now)
        if earlier is not None:
            return earlier
        message_id, row_id = self._put(call, queue, draft, visible_at, 1, group_id, dedup_id)
        fifo.remember(self.store, queue, key, message_id, row_id, call.now)
        fifo.join_group(self.store, queue.content, group_id, visible_at)
        return message_id, row_id

    def _put(
        self,
        call: Call,
        queue: Queue,
        draft: Draft,
        visible_at: float,
        is_fifo: int | None,
        group_id: str | None,
        dedup_id: str | None,
    ) -> tuple[str, int]:
        message_id = self.ids.uuid()
        row_id = self.next_id(call.now)
        self.store.execute(
            _INSERT,
            (
                row_id,
                queue.content,
                visible_at,
                message_id,
                draft.body,
                call.now,
                call.now,
                call.principal.user_id or call.principal.arn,
                is_fifo,
                group_id,
                dedup_id,
                draft.trace,
                draft.attributes,
            ),
        )
        self.arrived(queue, 1, call.now)
        return message_id, row_id


def _delay(queue: Queue, request: Mapping[str, Any]) -> int:
    delay: int | None = request.get("DelaySeconds")
    if delay is None:
        return queue.delay
    if not 0 <= delay <= 900:
        raise InvalidParameterValue.of(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
    if queue.fifo:
        if delay:
            raise InvalidParameterValue.of(
                delay,
                "DelaySeconds",
                "The request include parameter that is not valid for this queue type.",
            )
        return queue.delay
    return delay


def _no_dedup_id() -> InvalidParameterValue:
    return InvalidParameterValue(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
