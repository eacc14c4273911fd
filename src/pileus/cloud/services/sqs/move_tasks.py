"""Message move tasks: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.

A task is a row and a job on the bus that moves a slice and leaves the next job; so it goes on after a restart, and a
rate of n a second is n messages in each of the clock's seconds.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, Job, Row, consumer, operation
from .errors import InvalidParameterValue, ResourceNotFoundException
from .queue import Queue
from .redrive import Redrive

_SLICE = 200
_TASK = "SELECT * FROM sqs_move_task WHERE id=?"


class MoveTaskOperations(Redrive):
    @operation("StartMessageMoveTask")
    def start_message_move_task(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        source_arn, destination_arn = request["SourceArn"], request.get("DestinationArn")
        rate = request.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= rate <= 500:
            raise InvalidParameterValue.of(
                rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided."
            )
        source = self._source(source_arn)
        if destination_arn is not None and self.queue_by_arn(destination_arn) is None:
            raise _missing("DestinationArn")
        if self.store.one("SELECT 1 FROM sqs_queue WHERE dead_letter_arn=? LIMIT 1", (source_arn,)) is None:
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if self.store.one(
            "SELECT 1 FROM sqs_move_task WHERE source_arn=? AND status IN ('RUNNING','CANCELLING')",
            (source_arn,),
        ):
            raise InvalidParameterValue(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given"
                " time."
            )
        task_id = self.ids.uuid()
        visible, _, _ = self.counts(source, call.now)
        self.store.execute(
            "INSERT INTO sqs_move_task (id,account,region,source_arn,destination_arn,rate,status,started,to_move)"
            " VALUES (?,?,?,?,?,?,'RUNNING',?,?)",
            (task_id, call.account, call.region, source_arn, destination_arn, rate, call.now, visible),
        )
        self.bus.publish("sqs.move-messages", {"task": task_id})
        return {"TaskHandle": _handle(task_id, source_arn)}

    @operation("ListMessageMoveTasks")
    def list_message_move_tasks(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        source = self._source(request["SourceArn"])
        limit = request.get("MaxResults")
        if limit is None:
            limit = 1
        elif not 1 <= limit <= 10:
            raise InvalidParameterValue.of(limit, "MaxResults", "Must be between 1 and 10, if provided.")
        rows = self.store.all(
            "SELECT * FROM sqs_move_task WHERE source_arn=? ORDER BY started DESC LIMIT ?",
            (source.arn, limit),
        )
        return {"Results": [_entry(row) for row in rows]}

    @operation("CancelMessageMoveTask")
    def cancel_message_move_task(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        task_id, source_arn = _read_handle(request["TaskHandle"])
        self._source(source_arn)
        row = self.store.one(_TASK, (task_id,))
        if row is None or row["source_arn"] != source_arn:
            raise ResourceNotFoundException("Task does not exist.")
        if row["status"] != "RUNNING":
            raise InvalidParameterValue("Only active tasks can be cancelled.")
        self.store.execute("UPDATE sqs_move_task SET status='CANCELLED' WHERE id=?", (task_id,))
        return {"ApproximateNumberOfMessagesMoved": row["moved"]}

    def _source(self, arn: str) -> Queue:
        queue = self.queue_by_arn(arn)
        if queue is None:
            raise _missing("SourceArn")
        return queue

    @consumer("sqs.move-messages")
    def move_messages(self, job: Job) -> None:
        task = self.store.one(_TASK, (job.payload["task"],))
        if task is None or task["status"] != "RUNNING":
            return
        source = self.queue_by_arn(task["source_arn"])
        if source is None:
            self._end(task, 0, "FAILED", "AWS.SimpleQueueService.NonExistentQueue")
            return
        now = self.clock.now()
        limit = task["rate"] or _SLICE
        rows = self._movable(source, limit, now)
        moved = 0
        for row in rows:
            target_arn = task["destination_arn"] or row["source_arn"]
            target = self.queue_by_arn(target_arn) if target_arn else None
            if target is None:
                reason = (
                    "AWS.SimpleQueueService.NonExistentQueue"
                    if target_arn
                    else "CouldNotDetermineMessageSource"
                )
                self._end(task, moved, "FAILED", reason)
                return
            self.send_anew(row, source, target, now)
            moved += 1
        if len(rows) < limit:
            self._end(task, moved, "COMPLETED", None)
            return
        self._end(task, moved, "RUNNING", None)
        self.bus.publish("sqs.move-messages", job.payload, due=now + 1 if task["rate"] else None)

    def _movable(self, source: Queue, limit: int, now: float) -> list[Row]:
        """What can be received now; in order. A FIFO queue's groups with messages in flight wait for a later task."""
        self.sweep(source, now)
        if not source.fifo:
            return self.store.all(
                "SELECT id,source_arn,group_id FROM sqs_message WHERE queue=? AND visible_at<=?"
                " ORDER BY visible_at,receive_count,id LIMIT ?",
                (source.content, now, limit),
            )
        return self.store.all(
            "SELECT m.id,m.source_arn,m.group_id FROM sqs_group g JOIN sqs_message m"
            " ON m.queue=g.queue AND m.group_id=g.group_id AND m.fifo=1"
            " WHERE g.queue=? AND g.ready_at<=? AND m.visible_at<=? ORDER BY g.ready_at,g.group_id,m.id LIMIT ?",
            (source.content, now, now, limit),
        )

    def _end(self, task: Row, moved: int, status: str, failure: str | None) -> None:
        self.store.execute(
            "UPDATE sqs_move_task SET moved=moved+?,status=?,failure=? WHERE id=?",
            (moved, status, failure, task["id"]),
        )


def _missing(parameter: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"The resource that you specified for the {parameter} parameter doesn't exist."
    )


def _handle(task_id: str, source_arn: str) -> str:
    return b64encode(orjson.dumps({"taskId": task_id, "sourceArn": source_arn})).decode("ascii")


def _read_handle(handle: str) -> tuple[str, str]:
    try:
        parts = orjson.loads(b64decode(handle, validate=True))
        return parts["taskId"], parts["sourceArn"]
    except (ValueError, KeyError, TypeError):
        raise InvalidParameterValue("Value for parameter TaskHandle is invalid.") from None


def _entry(row: Row) -> dict[str, Any]:
    running = row["status"] == "RUNNING"
    return {
        "TaskHandle": _handle(row["id"], row["source_arn"]) if running else None,
        "Status": row["status"],
        "SourceArn": row["source_arn"],
        "DestinationArn": row["destination_arn"],
        "MaxNumberOfMessagesPerSecond": row["rate"],
        "ApproximateNumberOfMessagesMoved": row["moved"],
        "ApproximateNumberOfMessagesToMove": row["to_move"],
        "FailureReason": row["failure"],
        "StartedTimestamp": int(row["started"] * 1000),
    }
