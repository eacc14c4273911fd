"""The operations of X-Ray, and the port through which the cloud's own services report segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...kernel import Call, Job, NotEmulated, Service, consumer, operation
from .daemon import Daemon
from .errors import InvalidRequest
from .schema import MIGRATIONS
from .segment import MAX_BYTES, problem, summary

if TYPE_CHECKING:
    from ...kernel import Cloud

_RETENTION_SECONDS = 30 * 86_400
_DAY = 86_400
_PAGE = 100


class XRay(Service):
    name = "xray"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._daemon: Daemon | None = None

    def start(self) -> None:
        settings = self.cloud.settings
        self._daemon = Daemon("127.0.0.1", lambda d: self.put_segment(settings.account, settings.region, d))
        settings.xray_daemon = self._daemon.address
        if self.store.one("SELECT 1 FROM job WHERE topic='xray.retention'") is None:
            with self.store.transaction():
                self.bus.publish("xray.retention", {}, due=self.clock.now() + _DAY)

    async def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.close()

    def put_segment(self, account: str, region: str, document: dict[str, Any]) -> None:
        """See `kernel.ports.Traces`. A document that X-Ray would not take is dropped, as the daemon does."""
        if problem(document) is None:
            with self.store.transaction():
                self._write(account, region, document)

    def _write(self, account: str, region: str, document: Mapping[str, Any]) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO xray_segment VALUES (?,?,?,?,?,?)",
            (
                account,
                region,
                document["trace_id"],
                document["id"],
                document["start_time"],
                orjson.dumps(document),
            ),
        )

    @operation("PutTraceSegments")
    def put_trace_segments(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        unprocessed: list[dict[str, Any]] = []
        for text in request["TraceSegmentDocuments"]:
            try:
                document = orjson.loads(text)
            except orjson.JSONDecodeError:
                unprocessed.append(
                    {"ErrorCode": "ParseError", "Message": "Invalid segment. ErrorCode: ParseError"}
                )
                continue
            trouble = problem(document) if isinstance(document, dict) else "Invalid segment. Not an object"
            if trouble is None and len(text) > MAX_BYTES:
                trouble = "Invalid segment. Exceeds 64 KB"
            if trouble is None:
                self._write(call.account, call.region, document)
            else:
                segment_id = document.get("id") if isinstance(document, dict) else None
                unprocessed.append({"Id": segment_id, "ErrorCode": "InvalidSegment", "Message": trouble})
        return {"UnprocessedTraceSegments": unprocessed}

    @operation("PutTelemetryRecords")
    def put_telemetry_records(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        """The daemon's report on itself, which no operation reads back."""
        return {}

    @operation("GetTraceSummaries")
    def get_trace_summaries(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("FilterExpression"):
            raise NotEmulated("xray GetTraceSummaries.FilterExpression")
        start, end = request["StartTime"], request["EndTime"]
        if end < start:
            raise InvalidRequest("EndTime must be after StartTime")
        rows = self.store.all(
            "SELECT trace_id, min(started) AS first FROM xray_segment WHERE account=? AND region=? AND started>=?"
            " AND started<=? AND trace_id>? GROUP BY trace_id ORDER BY trace_id LIMIT ?",
            (call.account, call.region, start, end, request.get("NextToken", ""), _PAGE + 1),
        )
        page = rows[:_PAGE]
        return {
            "TraceSummaries": [summary(r["trace_id"], self._segments(call, r["trace_id"])) for r in page],
            "ApproximateTime": call.now,
            "TracesProcessedCount": len(page),
            "NextToken": page[-1]["trace_id"] if len(rows) > _PAGE else None,
        }

    @operation("BatchGetTraces")
    def batch_get_traces(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        traces, missing = [], []
        for trace_id in request["TraceIds"]:
            documents = self._segments(call, trace_id)
            if not documents:
                missing.append(trace_id)
                continue
            start = min(d["start_time"] for d in documents)
            end = max(d.get("end_time", d["start_time"]) for d in documents)
            traces.append(
                {
                    "Id": trace_id,
                    "Duration": end - start,
                    "LimitExceeded": False,
                    "Segments": [{"Id": d["id"], "Document": orjson.dumps(d).decode()} for d in documents],
                }
            )
        return {"Traces": traces, "UnprocessedTraceIds": missing}

    def _segments(self, call: Call, trace_id: str) -> list[dict[str, Any]]:
        rows = self.store.all(
            "SELECT document FROM xray_segment WHERE account=? AND region=? AND trace_id=?",
            (call.account, call.region, trace_id),
        )
        return sorted((orjson.loads(row["document"]) for row in rows), key=lambda d: d["start_time"])

    @consumer("xray.retention")
    def expire(self, job: Job) -> None:
        """Once a day: X-Ray keeps traces for 30 days."""
        self.store.execute(
            "DELETE FROM xray_segment WHERE started<?", (self.clock.now() - _RETENTION_SECONDS,)
        )
        self.bus.publish("xray.retention", {}, due=job.due + _DAY)
