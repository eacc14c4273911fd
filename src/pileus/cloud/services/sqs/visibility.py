"""What a receipt handle is good for: DeleteMessage and ChangeMessageVisibility, alone and in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, operation
from . import fifo, receipt
from .base import SqsBase
from .batch import check_batch, each
from .errors import InvalidParameterValue, ReceiptHandleIsInvalid
from .queue import Queue

_MAX_SECONDS = 43_200


class ReceiptOperations(SqsBase):
    @operation("DeleteMessage")
    def delete_message(self, call: Call, request: Mapping[str, Any]) -> None:
        self._delete(call, self.queue(call, request["QueueUrl"]), request["ReceiptHandle"])

    @operation("DeleteMessageBatch")
    def delete_message_batch(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        entries = check_batch(request.get("Entries"), "DeleteMessageBatchRequestEntry")
        return each(self.store, entries, lambda entry: self._delete(call, queue, entry["ReceiptHandle"]))

    @operation("ChangeMessageVisibility")
    def change_message_visibility(self, call: Call, request: Mapping[str, Any]) -> None:
        queue = self.queue(call, request["QueueUrl"])
        self._change(call, queue, request["ReceiptHandle"], request["VisibilityTimeout"])

    @operation("ChangeMessageVisibilityBatch")
    def change_message_visibility_batch(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        queue = self.queue(call, request["QueueUrl"])
        entries = check_batch(request.get("Entries"), "ChangeMessageVisibilityBatchRequestEntry")

        def change(entry: Mapping[str, Any]) -> None:
            self._change(call, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0))

        return each(self.store, entries, change)

    def _delete(self, call: Call, queue: Queue, handle: str) -> None:
        """An old handle deletes nothing: in a standard queue silently, in a FIFO one with an error."""
        row_id, count = _read(queue, handle)
        if not queue.fifo:
            cursor = self.store.execute(
                "DELETE FROM sqs_message WHERE id=? AND queue=? AND receive_count=?",
                (row_id, queue.content, count),
            )
            if cursor.rowcount:
                self.left(queue, 1)
            return
        row = self.store.one(
            "SELECT visible_at,receive_count,group_id FROM sqs_message WHERE id=? AND queue=?",
            (row_id, queue.content),
        )
        if row is None:
            return
        if row["receive_count"] != count or row["visible_at"] <= call.now:
            raise InvalidParameterValue.of(handle, "ReceiptHandle", "The receipt handle has expired.")
        self.store.execute("DELETE FROM sqs_message WHERE id=?", (row_id,))
        fifo.settle_group(self.store, queue.content, row["group_id"], call.now)
        self.left(queue, 1)
        self.woken(queue)

    def _change(self, call: Call, queue: Queue, handle: str, seconds: int) -> None:
        if not 0 <= seconds <= _MAX_SECONDS:
            raise InvalidParameterValue.of(
                seconds, "VisibilityTimeout", "Must be between 0 and 43200, if provided."
            )
        row_id, count = _read(queue, handle)
        row = self.store.one(
            "SELECT visible_at,receive_count,received,group_id FROM sqs_message WHERE id=? AND queue=?",
            (row_id, queue.content),
        )
        if row is None or row["receive_count"] != count or row["visible_at"] <= call.now:
            raise InvalidParameterValue.of(
                handle,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        if call.now + seconds > row["received"] + _MAX_SECONDS:
            raise InvalidParameterValue.of(
                seconds,
                "VisibilityTimeout",
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
            )
        self.store.execute("UPDATE sqs_message SET visible_at=? WHERE id=?", (call.now + seconds, row_id))
        if queue.fifo:
            fifo.settle_group(self.store, queue.content, row["group_id"], call.now)
        self.woken(queue)


def _read(queue: Queue, handle: str) -> tuple[int, int]:
    found = receipt.decode(handle)
    if found is None or found[0] != queue.id:
        raise ReceiptHandleIsInvalid(handle)
    return found[1], found[2]
