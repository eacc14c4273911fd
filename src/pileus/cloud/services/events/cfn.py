"""CloudFormation types of EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import REPLACE, UPDATE, AwsError, Created, ResourceType, StackCall
from .rules import rule_arn


class EventBus(ResourceType):
    type_name = "AWS::Events::EventBus"
    properties = {"Name": REPLACE, "Description": UPDATE, "Tags": UPDATE}
    required = ("Name",)
    attributes = ("Arn", "Name")

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        name = properties["Name"]
        request: dict[str, Any] = {"Name": name, "Tags": _tags(stack, properties)}
        if "Description" in properties:
            request["Description"] = properties["Description"]
        arn = stack.invoke("events", "CreateEventBus", request)["EventBusArn"]
        return Created(name, {"Arn": arn, "Name": name})

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        arn = stack.call.arn(f"event-bus/{physical_id}", service="events")
        stack.invoke("events", "UpdateEventBus", {"Name": physical_id, "Description": new.get("Description")})
        stack.invoke("events", "TagResource", {"ResourceARN": arn, "Tags": _tags(stack, new)})
        return Created(physical_id, {"Arn": arn, "Name": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        stack.invoke("events", "DeleteEventBus", {"Name": physical_id})


class Rule(ResourceType):
    type_name = "AWS::Events::Rule"
    properties = {
        "Name": REPLACE,
        "EventBusName": REPLACE,
        "Description": UPDATE,
        "EventPattern": UPDATE,
        "ScheduleExpression": UPDATE,
        "State": UPDATE,
        "RoleArn": UPDATE,
        "Targets": UPDATE,
        "Tags": UPDATE,
    }
    attributes = ("Arn",)

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        return self._put(stack, properties.get("Name") or stack.generated_name(64), properties)

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        name = _rule_name(physical_id)
        kept = {target["Id"] for target in new.get("Targets") or ()}
        gone = [target["Id"] for target in old.get("Targets") or () if target["Id"] not in kept]
        if gone:
            stack.invoke("events", "RemoveTargets", {"Rule": name, "Ids": gone, **_bus(new)})
        return self._put(stack, name, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        rule = {"Rule": _rule_name(physical_id), **_bus(properties)}
        try:
            targets = stack.invoke("events", "ListTargetsByRule", rule)["Targets"]
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return
            raise
        if targets:
            stack.invoke("events", "RemoveTargets", {**rule, "Ids": [t["Id"] for t in targets]})
        stack.invoke("events", "DeleteRule", {"Name": rule["Rule"], **_bus(properties)})

    @staticmethod
    def _put(stack: StackCall, name: str, properties: Mapping[str, Any]) -> Created:
        request: dict[str, Any] = {"Name": name, **_bus(properties)}
        for member in ("Description", "ScheduleExpression", "State", "RoleArn"):
            if member in properties:
                request[member] = properties[member]
        if "EventPattern" in properties:
            pattern = properties["EventPattern"]
            request["EventPattern"] = pattern if isinstance(pattern, str) else orjson.dumps(pattern).decode()
        if properties.get("Tags"):
            request["Tags"] = properties["Tags"]
        stack.invoke("events", "PutRule", request)
        if properties.get("Targets"):
            targets = [_target(target) for target in properties["Targets"]]
            stack.invoke("events", "PutTargets", {"Rule": name, "Targets": targets, **_bus(properties)})
        bus = str(properties.get("EventBusName") or "default").rpartition("event-bus/")[2]
        arn = rule_arn(stack.call.account, stack.call.region, bus, name)
        # on a custom bus, Ref gives `bus|rule`
        return Created(name if bus == "default" else f"{bus}|{name}", {"Arn": arn})


def _bus(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"EventBusName": properties["EventBusName"]} if properties.get("EventBusName") else {}


def _rule_name(physical_id: str) -> str:
    return physical_id.rpartition("|")[2]


def _tags(stack: StackCall, properties: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in stack.all_tags(properties).items()]


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target as CloudFormation writes it: numbers may come as strings."""
    result = dict(target)
    policy = result.get("RetryPolicy")
    if policy:
        result["RetryPolicy"] = {key: int(value) for key, value in policy.items()}
    return result
