"""The CloudFormation type of the Parameter Store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import REPLACE, UPDATE, Created, ResourceType, StackCall
from .errors import ParameterNotFound

Properties = Mapping[str, Any]


class Parameter(ResourceType):
    type_name = "AWS::SSM::Parameter"
    properties = {
        "AllowedPattern": UPDATE,
        "DataType": UPDATE,
        "Description": UPDATE,
        "Name": REPLACE,
        "Tags": UPDATE,
        "Tier": UPDATE,
        "Type": UPDATE,
        "Value": UPDATE,
    }
    required = ("Type", "Value")
    attributes = ("Type", "Value")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("Name") or "CFN-" + stack.generated_name(64)
        tags = [{"Key": key, "Value": value} for key, value in _tags(stack, properties).items()]
        stack.invoke("ssm", "PutParameter", {**_request(name, properties), "Tags": tags})
        return _created(name, properties)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        stack.invoke("ssm", "PutParameter", {**_request(physical_id, new), "Overwrite": True})
        resource = {"ResourceType": "Parameter", "ResourceId": physical_id}
        held = stack.invoke("ssm", "ListTagsForResource", resource)["TagList"]
        wanted = _tags(stack, new)
        gone = [tag["Key"] for tag in held if tag["Key"] not in wanted]
        if gone:
            stack.invoke("ssm", "RemoveTagsFromResource", {**resource, "TagKeys": gone})
        tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
        stack.invoke("ssm", "AddTagsToResource", {**resource, "Tags": tags})
        return _created(physical_id, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            stack.invoke("ssm", "DeleteParameter", {"Name": physical_id})
        except ParameterNotFound:
            return


def _request(name: str, properties: Properties) -> dict[str, Any]:
    request = {"Name": name, "Value": str(properties["Value"]), "Type": properties["Type"]}
    for member in ("AllowedPattern", "DataType", "Description", "Tier"):
        if member in properties:
            request[member] = str(properties[member])
    return request


def _created(name: str, properties: Properties) -> Created:
    return Created(name, {"Type": properties["Type"], "Value": str(properties["Value"])})


def _tags(stack: StackCall, properties: Properties) -> dict[str, str]:
    """This type's Tags are a map."""
    own = properties.get("Tags") or {}
    return stack.all_tags({"Tags": {key: str(value) for key, value in own.items()}})
