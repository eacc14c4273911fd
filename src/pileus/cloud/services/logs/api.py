"""The operations of CloudWatch Logs, and the port through which functions' output comes in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ...kernel import Call, Job, NotEmulated, Row, Service, consumer, operation
from .embedded import MARK, documents
from .errors import InvalidParameter, ResourceAlreadyExists, ResourceNotFound
from .events import delete_before, insert
from .ingestion import Ingestion, Place
from .reading import Reading
from .schema import MIGRATIONS

if TYPE_CHECKING:
    from ...kernel import Cloud

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
#: Bytes that CloudWatch Logs adds to each event's message when it counts sizes.
EVENT_OVERHEAD = 26
MAX_BATCH_BYTES = 1_048_576
MAX_BATCH_EVENTS = 10_000
_DAY = 86_400
_DAY_MS = _DAY * 1000
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


class Logs(Reading, Service):
    name = "logs"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._ingestion = Ingestion(self)
        self._last_id = 0
        self._streams: dict[Place, tuple[int, int]] = {}

    def start(self) -> None:
        if self.store.one("SELECT 1 FROM job WHERE topic='logs.retention'") is None:
            with self.store.transaction():
                self.bus.publish("logs.retention", {}, due=self.clock.now() + _DAY, key="logs.retention")

    async def stop(self) -> None:
        self._ingestion.flush()

    # -- the port ---------------------------------------------------------------------------------------------------

    def append(
        self, account: str, region: str, group: str, stream: str, events: Iterable[tuple[int, str]]
    ) -> None:
        """See `kernel.ports.Logs`."""
        self._ingestion.append((account, region, group, stream), events)

    def flush(self) -> None:
        """Writes what `append` has collected."""
        self._ingestion.flush()

    def write(self, place: Place, events: Sequence[tuple[int, str]]) -> None:
        """Writes events of one stream in the current transaction, making group and stream where they are missing."""
        group_id, stream_id = self._streams.get(place) or self._ensure(place)
        now = int(self.clock.now() * 1000)
        insert(self.store, stream_id, group_id, self._take_ids(len(events), now), now, events)
        size = sum([len(message) for _, message in events]) + EVENT_OVERHEAD * len(events)
        embedded = [message for _, message in events if MARK in message]
        first, last = min(events)[0], max(events)[0]
        self.store.execute(
            "UPDATE logs_stream SET first_event=min(coalesce(first_event,?),?), last_event=max(coalesce(last_event,?),?),"
            " last_ingestion=? WHERE id=?",
            (first, first, last, last, now, stream_id),
        )
        self.store.execute("UPDATE logs_group SET stored=stored+? WHERE id=?", (size, group_id))
        if embedded:
            self._publish_metrics(place, group_id, embedded)

    def _publish_metrics(self, place: Place, group_id: int, messages: Sequence[str]) -> None:
        """Metrics that lines carry; groups of the class INFREQUENT_ACCESS do without."""
        row = self.store.one("SELECT class FROM logs_group WHERE id=?", (group_id,))
        if row is not None and row["class"] == "STANDARD" and (found := documents(messages)):
            self.cloud.metrics.put_embedded(place[0], place[1], found)

    def _take_ids(self, count: int, now: int) -> int:
        """The first of `count` ids. They rise with every event of this cloud, also over restarts: milliseconds, then
        a counter."""
        first = max(self._last_id + 1, now << 20)
        self._last_id = first + count - 1
        return first

    def _ensure(self, place: Place) -> tuple[int, int]:
        account, region, group, stream = place
        now = int(self.clock.now() * 1000)
        self.store.execute(
            "INSERT OR IGNORE INTO logs_group (account,region,name,created) VALUES (?,?,?,?)",
            (account, region, group, now),
        )
        row = self.store.one(
            "SELECT id FROM logs_group WHERE account=? AND region=? AND name=?", (account, region, group)
        )
        assert row is not None
        self.store.execute(
            "INSERT OR IGNORE INTO logs_stream (group_id,name,created) VALUES (?,?,?)",
            (row["id"], stream, now),
        )
        found = self.store.one("SELECT id FROM logs_stream WHERE group_id=? AND name=?", (row["id"], stream))
        assert found is not None
        ids = (int(row["id"]), int(found["id"]))
        self._streams[place] = ids
        self.store.on_rollback(self._streams.clear)
        return ids

    # -- groups -----------------------------------------------------------------------------------------------------

    @operation("CreateLogGroup")
    def create_log_group(self, call: Call, request: Mapping[str, Any]) -> None:
        name = request["logGroupName"]
        if not _GROUP_NAME.fullmatch(name):
            raise InvalidParameter(
                "1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must satisfy "
                r"regular expression pattern: [\.\-_/#A-Za-z0-9]+"
            )
        if request.get("deletionProtectionEnabled"):
            raise NotEmulated("logs CreateLogGroup.deletionProtectionEnabled")
        if self._find_group(call, name) is not None:
            raise ResourceAlreadyExists("The specified log group already exists")
        self.store.execute(
            "INSERT INTO logs_group (account,region,name,created,class,kms_key,tags) VALUES (?,?,?,?,?,?,?)",
            (
                call.account,
                call.region,
                name,
                int(call.now * 1000),
                request.get("logGroupClass", "STANDARD"),
                request.get("kmsKeyId"),
                orjson.dumps(request.get("tags") or {}),
            ),
        )

    @operation("DeleteLogGroup")
    def delete_log_group(self, call: Call, request: Mapping[str, Any]) -> None:
        group = self.group(call, request["logGroupName"])
        for table in ("logs_chunk", "logs_stream"):
            self.store.execute(f"DELETE FROM {table} WHERE group_id=?", (group["id"],))
        self.store.execute("DELETE FROM logs_group WHERE id=?", (group["id"],))
        self._streams.clear()

    @operation("DescribeLogGroups")
    def describe_log_groups(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        self.flush()
        limit = request.get("limit", 50)
        prefix, needle = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
        if prefix and needle:
            raise InvalidParameter(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        clauses, parameters = (
            ["account=?", "region=?", "name>?"],
            [call.account, call.region, request.get("nextToken", "")],
        )
        if prefix:
            clauses.append("substr(name,1,?)=?")
            parameters += [len(prefix), prefix]
        if needle:
            clauses.append("instr(lower(name),?)>0")
            parameters.append(needle.lower())
        rows = self.store.all(
            f"SELECT * FROM logs_group WHERE {' AND '.join(clauses)} ORDER BY name LIMIT ?",
            (*parameters, limit + 1),
        )
        result: dict[str, Any] = {"logGroups": [self._describe_group(call, row) for row in rows[:limit]]}
        if len(rows) > limit:
            result["nextToken"] = rows[limit - 1]["name"]
        return result

    def _describe_group(self, call: Call, row: Row) -> dict[str, Any]:
        arn = call.arn(f"log-group:{row['name']}")
        return {
            "logGroupName": row["name"],
            "creationTime": row["created"],
            "retentionInDays": row["retention"],
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": row["stored"],
            "kmsKeyId": row["kms_key"],
            "logGroupClass": row["class"],
        }

    @operation("PutRetentionPolicy")
    def put_retention_policy(self, call: Call, request: Mapping[str, Any]) -> None:
        days = request["retentionInDays"]
        if days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, RETENTION_DAYS))
            raise InvalidParameter(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member "
                f"must satisfy enum value set: [{allowed}]"
            )
        group = self.group(call, request["logGroupName"])
        self.store.execute("UPDATE logs_group SET retention=? WHERE id=?", (days, group["id"]))

    @operation("DeleteRetentionPolicy")
    def delete_retention_policy(self, call: Call, request: Mapping[str, Any]) -> None:
        group = self.group(call, request["logGroupName"])
        self.store.execute("UPDATE logs_group SET retention=NULL WHERE id=?", (group["id"],))

    @consumer("logs.retention")
    def expire(self, job: Job) -> None:
        """Once a day: removes what is older than its group's retention."""
        self.flush()
        now = int(self.clock.now() * 1000)
        for group in self.store.all("SELECT id,retention FROM logs_group WHERE retention IS NOT NULL"):
            delete_before(self.store, group["id"], now - group["retention"] * _DAY_MS)
        self.bus.publish("logs.retention", {}, due=job.due + _DAY, key="logs.retention")

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Mapping[str, Any]) -> None:
        self._change_tags(call, _group_of_arn(request["resourceArn"]), put=request["tags"])

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Mapping[str, Any]) -> None:
        self._change_tags(call, _group_of_arn(request["resourceArn"]), remove=request["tagKeys"])

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"tags": orjson.loads(self.group(call, _group_of_arn(request["resourceArn"]))["tags"])}

    @operation("TagLogGroup")
    def tag_log_group(self, call: Call, request: Mapping[str, Any]) -> None:
        self._change_tags(call, request["logGroupName"], put=request["tags"])

    @operation("UntagLogGroup")
    def untag_log_group(self, call: Call, request: Mapping[str, Any]) -> None:
        self._change_tags(call, request["logGroupName"], remove=request["tags"])

    @operation("ListTagsLogGroup")
    def list_tags_log_group(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"tags": orjson.loads(self.group(call, request["logGroupName"])["tags"])}

    def _change_tags(
        self, call: Call, name: str, *, put: Mapping[str, str] | None = None, remove: Sequence[str] = ()
    ) -> None:
        group = self.group(call, name)
        tags = {**orjson.loads(group["tags"]), **(put or {})}
        for key in remove:
            tags.pop(key, None)
        self.store.execute("UPDATE logs_group SET tags=? WHERE id=?", (orjson.dumps(tags), group["id"]))

    # -- streams ----------------------------------------------------------------------------------------------------

    @operation("CreateLogStream")
    def create_log_stream(self, call: Call, request: Mapping[str, Any]) -> None:
        name = request["logStreamName"]
        if ":" in name or "*" in name:
            raise InvalidParameter(
                f"1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: [^:*]*"
            )
        group = self.group(call, request["logGroupName"])
        if self._find_stream(group, name) is not None:
            raise ResourceAlreadyExists("The specified log stream already exists")
        self.store.execute(
            "INSERT INTO logs_stream (group_id,name,created) VALUES (?,?,?)",
            (group["id"], name, int(call.now * 1000)),
        )

    @operation("DeleteLogStream")
    def delete_log_stream(self, call: Call, request: Mapping[str, Any]) -> None:
        stream = self.stream(self.group(call, request["logGroupName"]), request["logStreamName"])
        self.store.execute("DELETE FROM logs_chunk WHERE stream_id=?", (stream["id"],))
        self.store.execute("DELETE FROM logs_stream WHERE id=?", (stream["id"],))
        self._streams.clear()

    @operation("PutLogEvents")
    def put_log_events(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self.group(call, request["logGroupName"])
        self.stream(group, request["logStreamName"])
        events = request["logEvents"]
        _check_batch(events)
        now = int(call.now * 1000)
        oldest = now - min((group["retention"] or 14), 14) * _DAY_MS
        kept: list[tuple[int, str]] = []
        rejected: dict[str, int] = {}
        for index, event in enumerate(events):
            moment = int(event["timestamp"])
            if moment > now + 2 * 3_600_000:
                rejected.setdefault("tooNewLogEventStartIndex", index)
            elif moment < oldest:
                # AWS tells "expired" (past the group's retention) from "too old" (past 14 days)
                limit = now - (group["retention"] or 10**6) * _DAY_MS
                name = "expiredLogEventEndIndex" if moment < limit else "tooOldLogEventEndIndex"
                rejected[name] = index + 1
            else:
                kept.append((moment, event["message"]))
        if kept:
            self.write((call.account, call.region, group["name"], request["logStreamName"]), kept)
        result: dict[str, Any] = {"nextSequenceToken": str(self._last_id)}
        if rejected:
            result["rejectedLogEventsInfo"] = rejected
        return result

    # -- finding ----------------------------------------------------------------------------------------------------

    def group(self, call: Call, name: str) -> Row:
        row = self._find_group(call, name)
        if row is None:
            raise ResourceNotFound("The specified log group does not exist.")
        return row

    def stream(self, group: Row, name: str) -> Row:
        row = self._find_stream(group, name)
        if row is None:
            raise ResourceNotFound("The specified log stream does not exist.")
        return row

    def _find_group(self, call: Call, name: str) -> Row | None:
        self.flush()
        return self.store.one(
            "SELECT * FROM logs_group WHERE account=? AND region=? AND name=?",
            (call.account, call.region, name),
        )

    def _find_stream(self, group: Row, name: str) -> Row | None:
        return self.store.one("SELECT * FROM logs_stream WHERE group_id=? AND name=?", (group["id"], name))


def _check_batch(events: Sequence[Mapping[str, Any]]) -> None:
    if len(events) > MAX_BATCH_EVENTS:
        raise InvalidParameter("Log event count exceeds 10,000")
    size = 0
    before = 0
    for event in events:
        size += len(event["message"].encode()) + EVENT_OVERHEAD
        moment = int(event["timestamp"])
        if moment < before:
            raise InvalidParameter(
                "Log events in a single PutLogEvents request must be in chronological order."
            )
        before = moment
    if size > MAX_BATCH_BYTES:
        raise InvalidParameter(f"Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}")
    first, last = (int(events[0]["timestamp"]), before) if events else (0, 0)
    if last - first > _DAY_MS:
        raise InvalidParameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def _group_of_arn(arn: str) -> str:
    """`arn:aws:logs:region:account:log-group:NAME[:*]` → NAME."""
    name = arn.partition(":log-group:")[2]
    if not name:
        raise InvalidParameter(f"Invalid resource ARN: {arn}")
    return name.removesuffix(":*")
