"""Moving a stored message to another queue: to the dead-letter queue after too many receives, and back by a task."""

from __future__ import annotations

from ...kernel import Row
from . import fifo
from .base import SqsBase
from .queue import Queue

_COPIED = "message_id,body,sent,sender,fifo,group_id,dedup_id,trace,attributes,receive_count,first_received"


class Redrive(SqsBase):
    def dead_letter(self, row: Row, queue: Queue, target: Queue, now: float) -> None:
        """Puts the message into the queue's dead-letter queue, as it is.

        A standard queue's message keeps the age by which retention counts, a FIFO one's begins anew (SQS developer
        guide, "Setting up dead-letter queue retention").
        """
        if queue.fifo:
            self.store.execute(
                f"INSERT INTO sqs_message (id,queue,visible_at,enqueued,source_arn,{_COPIED})"
                f" SELECT ?,?,?,?,?,{_COPIED} FROM sqs_message WHERE id=?",
                (self.next_id(now), target.content, now, now, queue.arn, row["id"]),
            )
            self.store.execute("DELETE FROM sqs_message WHERE id=?", (row["id"],))
            fifo.join_group(self.store, target.content, row["group_id"], now)
        else:
            self.store.execute(
                "UPDATE sqs_message SET queue=?,visible_at=?,source_arn=? WHERE id=?",
                (target.content, now, queue.arn, row["id"]),
            )
        self.left(queue, 1)
        self.arrived(target, 1, now if queue.fifo else row["enqueued"])

    def send_anew(self, row: Row, queue: Queue, target: Queue, now: float) -> None:
        """Puts the message into `target` as a new one: new id, new age, never received (StartMessageMoveTask)."""
        is_fifo = 1 if target.fifo else None
        self.store.execute(
            "INSERT INTO sqs_message (id,queue,visible_at,message_id,body,sent,enqueued,sender,fifo,group_id,dedup_id,"
            "trace,attributes) SELECT ?,?,?,?,body,?,?,sender,?,group_id,dedup_id,trace,attributes"
            " FROM sqs_message WHERE id=?",
            (
                self.next_id(now),
                target.content,
                now + target.delay,
                self.ids.uuid(),
                now,
                now,
                is_fifo,
                row["id"],
            ),
        )
        self.store.execute("DELETE FROM sqs_message WHERE id=?", (row["id"],))
        if queue.fifo:
            fifo.settle_group(self.store, queue.content, row["group_id"], now)
        if target.fifo:
            fifo.join_group(self.store, target.content, row["group_id"], now + target.delay)
        self.left(queue, 1)
        self.arrived(target, 1, now)
