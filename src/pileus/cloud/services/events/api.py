"""EventBridge, whole: putting events, tags, and what the other files bring.

buses · rules (with targets and schedules) · delivery · pattern · schedule · input
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Arn, Call, NotEmulated, Row, ValidationException, operation
from .buses import DEFAULT
from .errors import InvalidEventPattern, ResourceNotFound
from .pattern import compile_pattern
from .rules import Rules, event_time
from .schema import MIGRATIONS

log = logging.getLogger("pileus.events")

_MAX_ENTRIES = 10
_MAX_BYTES = 1_048_576


class EventBridge(Rules):
    migrations = MIGRATIONS

    @operation("PutEvents")
    def put_events(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        entries = request["Entries"]
        if request.get("EndpointId"):
            raise NotEmulated("events PutEvents.EndpointId")
        size = sum(_size(entry) for entry in entries)
        if size > _MAX_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        results = [self._put_entry(call, entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in r for r in results), "Entries": results}

    def _put_entry(self, call: Call, entry: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("Source", "DetailType", "Detail"):
            if not entry.get(member):
                return _refused(
                    "InvalidArgument",
                    f"Parameter {member} is not valid. Reason: {member} is a required argument.",
                )
        if entry["Source"].startswith("aws."):
            return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = orjson.loads(entry["Detail"])
        except orjson.JSONDecodeError:
            detail = None
        if not isinstance(detail, dict):
            return _refused("MalformedDetail", "Detail is malformed.")
        event_id = call.ids.uuid()
        event = {
            "version": "0",
            "id": event_id,
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": call.account,
            "time": event_time(entry.get("Time", call.now)),
            "region": call.region,
            "resources": list(entry.get("Resources") or ()),
            "detail": detail,
        }
        bus = entry.get("EventBusName") or DEFAULT
        account, region = call.account, call.region
        if bus.startswith("arn:"):
            arn = Arn.parse(bus)
            account, region, bus = arn.account, arn.region, arn.name
        self.put_on_bus(account, region, bus, event, entry.get("TraceHeader") or call.trace)
        return {"EventId": event_id}

    def put_on_bus(
        self, account: str, region: str, bus: str, event: dict[str, Any], trace: str | None = None
    ) -> None:
        """Matches an event against the rules of a bus and leaves jobs for their targets.

        An event for a bus that does not exist is taken and dropped, as EventBridge does; the log says so.
        """
        if not self.has_bus(account, region, bus):
            log.warning("an event was put on the bus %s, which does not exist: dropped", bus)
            return
        for rule in self.store.all(
            "SELECT * FROM events_rule WHERE account=? AND region=? AND bus=? AND state!='DISABLED'"
            " AND pattern IS NOT NULL",
            (account, region, bus),
        ):
            if self.pattern(rule["pattern"])(event):
                self.send_to_targets(rule, event, trace)

    @operation("TestEventPattern")
    def test_event_pattern(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        matches = compile_pattern(request["EventPattern"])
        try:
            event = orjson.loads(request["Event"])
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            raise InvalidEventPattern("Event is not valid. Reason: Invalid JSON")
        for member in ("id", "account", "source", "time", "region", "resources", "detail-type"):
            if member not in event:
                raise ValidationException(
                    f"Parameter Event is not valid. Reason: {member} is a required field."
                )
        return {"Result": matches(event)}

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        table, row = self._tagged(call, request["ResourceARN"])
        tags = {**orjson.loads(row["tags"]), **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
        self._write_tags(table, row, tags)
        return {}

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        table, row = self._tagged(call, request["ResourceARN"])
        tags = {k: v for k, v in orjson.loads(row["tags"]).items() if k not in request["TagKeys"]}
        self._write_tags(table, row, tags)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        _, row = self._tagged(call, request["ResourceARN"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in orjson.loads(row["tags"]).items()]}

    def _tagged(self, call: Call, arn: str) -> tuple[str, Row]:
        kind, _, path = arn.rpartition(":")[2].partition("/")
        row: Row | None = None
        if kind == "rule":
            bus, _, name = path.rpartition("/")
            row = self._find(call, bus or DEFAULT, name)
        elif kind == "event-bus":
            row = self._bus(call, path)
        if row is None:
            raise ResourceNotFound(f"{arn} does not exist.")
        return ("events_rule" if kind == "rule" else "events_bus"), row

    def _write_tags(self, table: str, row: Row, tags: Mapping[str, str]) -> None:
        where = "bus" if table == "events_rule" else "name"
        self.store.execute(
            f"UPDATE {table} SET tags=? WHERE account=? AND region=? AND {where}=? AND name=?",
            (orjson.dumps(tags), row["account"], row["region"], row[where], row["name"]),
        )


def _size(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry as EventBridge counts them: 14 for a time, and the UTF-8 of the rest."""
    size = 14 if "Time" in entry else 0
    for member in ("Source", "DetailType", "Detail"):
        size += len((entry.get(member) or "").encode())
    return size + sum(len(resource.encode()) for resource in entry.get("Resources") or ())


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
