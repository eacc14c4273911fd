"""Reading logs: streams of a group, the events of a stream, and filtering over a group."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...kernel import Call, NotEmulated, Row, operation
from .errors import InvalidParameter
from .events import of_group, of_stream
from .filter_pattern import compile_pattern

if TYPE_CHECKING:
    from ...kernel import Store

_PAGE_EVENTS = 10_000
_PAGE_BYTES = 1_000_000
_MAX_TIME = 2**62


class Reading:
    """Mixed into the service, which has `store`, `group` and `stream`."""

    if TYPE_CHECKING:
        store: Store

        def group(self, call: Call, name: str) -> Row: ...
        def stream(self, group: Row, name: str) -> Row: ...

    @operation("DescribeLogStreams")
    def describe_log_streams(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self.group(call, _group_name(request))
        order, prefix = request.get("orderBy", "LogStreamName"), request.get("logStreamNamePrefix", "")
        if prefix and order == "LastEventTime":
            raise InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        limit = request.get("limit", 50)
        offset = _number(request.get("nextToken"), "nextToken")
        direction = "DESC" if request.get("descending") else "ASC"
        column = "name" if order == "LogStreamName" else "coalesce(last_event,0)"
        rows = self.store.all(
            "SELECT * FROM logs_stream WHERE group_id=? AND substr(name,1,?)=?"
            f" ORDER BY {column} {direction}, id {direction} LIMIT ? OFFSET ?",
            (group["id"], len(prefix), prefix, limit + 1, offset),
        )
        result: dict[str, Any] = {
            "logStreams": [
                {
                    "logStreamName": row["name"],
                    "creationTime": row["created"],
                    "firstEventTimestamp": row["first_event"],
                    "lastEventTimestamp": row["last_event"],
                    "lastIngestionTime": row["last_ingestion"],
                    "uploadSequenceToken": str(row["last_ingestion"] or row["id"]),
                    "arn": call.arn(f"log-group:{group['name']}:log-stream:{row['name']}"),
                    "storedBytes": 0,
                }
                for row in rows[:limit]
            ]
        }
        if len(rows) > limit:
            result["nextToken"] = str(offset + limit)
        return result

    @operation("GetLogEvents")
    def get_log_events(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        stream = self.stream(self.group(call, _group_name(request)), request["logStreamName"])
        start, end = request.get("startTime", 0), request.get("endTime", _MAX_TIME)
        limit = min(request.get("limit", _PAGE_EVENTS), _PAGE_EVENTS)
        token = request.get("nextToken")
        forward, edge = (bool(request.get("startFromHead")), None) if token is None else _edge(token)
        events = list(islice(of_stream(self.store, stream["id"], start, end, edge, forward=forward), limit))
        if not forward:
            events.reverse()
        first, last = (events[0], events[-1]) if events else (None, None)
        kept = token[2:] if token else "0/0"
        return {
            "events": [
                {"timestamp": event.time, "message": event.message, "ingestionTime": event.ingested}
                for event in events
            ],
            # at either end the same token comes again, by which readers know that they are there
            "nextForwardToken": f"f/{last.time}/{last.id}" if last else f"f/{kept}",
            "nextBackwardToken": f"b/{first.time}/{first.id}" if first else f"b/{kept}",
        }

    @operation("FilterLogEvents")
    def filter_log_events(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self.group(call, _group_name(request))
        matches = compile_pattern(request.get("filterPattern", ""))
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
        if names and prefix:
            raise InvalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        limit = min(request.get("limit", _PAGE_EVENTS), _PAGE_EVENTS)
        edge = _edge(request["nextToken"])[1] if request.get("nextToken") else (-1, -1)
        wanted = {self.stream(group, name)["id"] for name in names or ()}
        events: list[dict[str, Any]] = []
        size = 0
        token = None
        known: dict[int, str] = {}
        start, end = request.get("startTime", 0), request.get("endTime", _MAX_TIME) + 1
        for event in of_group(self.store, group["id"], start, end, edge):
            if wanted and event.stream_id not in wanted:
                continue
            name = known.get(event.stream_id) or self._stream_name(known, event.stream_id)
            if (prefix and not name.startswith(prefix)) or not matches(event.message):
                continue
            if len(events) >= limit or size > _PAGE_BYTES:
                last = events[-1]
                token = f"f/{last['timestamp']}/{last['eventId']}"
                break
            size += len(event.message)
            events.append(
                {
                    "logStreamName": name,
                    "timestamp": event.time,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                    "eventId": str(event.id),
                }
            )
        return {"events": events, "searchedLogStreams": [], "nextToken": token}

    def _stream_name(self, known: dict[int, str], stream_id: int) -> str:
        row = self.store.one("SELECT name FROM logs_stream WHERE id=?", (stream_id,))
        assert row is not None
        known[stream_id] = name = str(row["name"])
        return name


def _group_name(request: Mapping[str, Any]) -> str:
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        raise InvalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if identifier and identifier.startswith("arn:"):
        if request.get("unmask"):
            raise NotEmulated("logs unmask")
        return str(identifier).partition(":log-group:")[2].removesuffix(":*")
    if not (name or identifier):
        raise InvalidParameter("At least one of logGroupName or logGroupIdentifier must be specified.")
    return str(name or identifier)


def _edge(token: str) -> tuple[bool, tuple[int, int]]:
    """A page token: its direction, and the event at which the page ended."""
    parts = token.split("/")
    if len(parts) != 3 or parts[0] not in ("f", "b") or not (parts[1].isdigit() and parts[2].isdigit()):
        raise InvalidParameter("The specified nextToken is invalid.")
    return parts[0] == "f", (int(parts[1]), int(parts[2]))


def _number(token: str | None, name: str) -> int:
    if token is None:
        return 0
    if not token.isdigit():
        raise InvalidParameter(f"The specified {name} is invalid.")
    return int(token)
