"""Function URLs in CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...kernel import REPLACE, UPDATE, Change, Created, ResourceType, StackCall
from .cfn_values import Properties, gone_is_fine, typed


class Url(ResourceType):
    type_name = "AWS::Lambda::Url"
    properties: ClassVar[Mapping[str, Change]] = {
        "AuthType": UPDATE,
        "Cors": UPDATE,
        "InvokeMode": UPDATE,
        "Qualifier": REPLACE,
        "TargetFunctionArn": REPLACE,
    }
    required = ("AuthType", "TargetFunctionArn")
    attributes = ("FunctionArn", "FunctionUrl")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        return self._done(stack.invoke("lambda", "CreateFunctionUrlConfig", _request(properties)))

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        request = {"Cors": {}, "InvokeMode": "BUFFERED", **_request(new)}
        return self._done(stack.invoke("lambda", "UpdateFunctionUrlConfig", request))

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        gone_is_fine(stack, "DeleteFunctionUrlConfig", _target(properties))

    @staticmethod
    def _done(config: Properties) -> Created:
        arn = config["FunctionArn"]
        return Created(arn, {"FunctionArn": arn, "FunctionUrl": config["FunctionUrl"]})


def _target(properties: Properties) -> dict[str, Any]:
    found = {"FunctionName": properties["TargetFunctionArn"]}
    if "Qualifier" in properties:
        found["Qualifier"] = properties["Qualifier"]
    return found


def _request(properties: Properties) -> dict[str, Any]:
    settings = {key: properties[key] for key in ("AuthType", "Cors", "InvokeMode") if key in properties}
    return {**typed(settings), **_target(properties)}
