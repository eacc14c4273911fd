"""Event buses: their operations and how one is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, Service, ValidationException, operation
from .errors import ResourceAlreadyExists, ResourceNotFound

DEFAULT = "default"
_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,256}")


class Buses(Service):
    """Operations on event buses; base of the service."""

    name = "events"

    def bus_name(self, call: Call, given: str | None) -> str:
        """The bus that a name or ARN means. Raises ResourceNotFoundException where there is none."""
        name = (given or DEFAULT).rpartition("event-bus/")[2]
        if name != DEFAULT and self._bus(call, name) is None:
            raise ResourceNotFound(f"Event bus {name} does not exist.")
        return name

    def has_bus(self, account: str, region: str, name: str) -> bool:
        return (
            name == DEFAULT
            or self.store.one(
                "SELECT 1 FROM events_bus WHERE account=? AND region=? AND name=?", (account, region, name)
            )
            is not None
        )

    def _bus(self, call: Call, name: str) -> Row | None:
        return self.store.one(
            "SELECT * FROM events_bus WHERE account=? AND region=? AND name=?",
            (call.account, call.region, name),
        )

    @operation("CreateEventBus")
    def create_event_bus(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("EventSourceName", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"):
            if request.get(member):
                raise NotEmulated(f"events CreateEventBus.{member}")
        name = request["Name"]
        if not _NAME.fullmatch(name) or "/" in name:
            raise ValidationException(f"Event bus name {name} is not valid.")
        if name == DEFAULT or self._bus(call, name) is not None:
            raise ResourceAlreadyExists(f"Event bus {name} already exists.")
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
        self.store.execute(
            "INSERT INTO events_bus (account,region,name,created,description,tags) VALUES (?,?,?,?,?,?)",
            (call.account, call.region, name, call.now, request.get("Description"), orjson.dumps(tags)),
        )
        return {"EventBusArn": bus_arn(call, name), "Description": request.get("Description")}

    @operation("UpdateEventBus")
    def update_event_bus(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"):
            if request.get(member):
                raise NotEmulated(f"events UpdateEventBus.{member}")
        name = self.bus_name(call, request.get("Name"))
        if name == DEFAULT:
            raise NotEmulated("events UpdateEventBus of the default bus")
        description = request.get("Description")
        self.store.execute(
            "UPDATE events_bus SET description=? WHERE account=? AND region=? AND name=?",
            (description, call.account, call.region, name),
        )
        return {"Arn": bus_arn(call, name), "Name": name, "Description": description}

    @operation("DeleteEventBus")
    def delete_event_bus(self, call: Call, request: Mapping[str, Any]) -> None:
        name = request["Name"].rpartition("event-bus/")[2]
        if name == DEFAULT:
            raise ValidationException("Cannot delete event bus default.")
        if self.store.one(
            "SELECT 1 FROM events_rule WHERE account=? AND region=? AND bus=? LIMIT 1",
            (call.account, call.region, name),
        ):
            raise ValidationException("Event bus can't be deleted since it has rules.")
        self.store.execute(
            "DELETE FROM events_bus WHERE account=? AND region=? AND name=?",
            (call.account, call.region, name),
        )

    @operation("DescribeEventBus")
    def describe_event_bus(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        name = self.bus_name(call, request.get("Name"))
        row = self._bus(call, name)
        policy = orjson.loads(row["policy"]) if row is not None and row["policy"] else None
        return {
            "Name": name,
            "Arn": bus_arn(call, name),
            "Description": row["description"] if row is not None else None,
            "CreationTime": row["created"] if row is not None else None,
            "Policy": orjson.dumps(policy).decode() if policy else None,
        }

    @operation("ListEventBuses")
    def list_event_buses(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        prefix, limit = request.get("NamePrefix", ""), request.get("Limit", 100)
        rows = self.store.all(
            "SELECT name,created FROM events_bus WHERE account=? AND region=? UNION SELECT ?,NULL ORDER BY name",
            (call.account, call.region, DEFAULT),
        )
        after = request.get("NextToken", "")
        names = [row["name"] for row in rows if row["name"].startswith(prefix) and row["name"] > after]
        return {
            "EventBuses": [{"Name": name, "Arn": bus_arn(call, name)} for name in names[:limit]],
            "NextToken": names[limit - 1] if len(names) > limit else None,
        }


def bus_arn(call: Call, name: str) -> str:
    return call.arn(f"event-bus/{name}", service="events")
