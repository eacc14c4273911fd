"""CloudFormation types of CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import REPLACE, STORED, UPDATE, AwsError, Created, ResourceType, StackCall


class LogGroup(ResourceType):
    type_name = "AWS::Logs::LogGroup"
    properties = {
        "LogGroupName": REPLACE,
        "RetentionInDays": UPDATE,
        "KmsKeyId": STORED,
        "LogGroupClass": REPLACE,
        "Tags": UPDATE,
    }
    attributes = ("Arn",)

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        name = properties.get("LogGroupName") or stack.generated_name(512)
        request = {"logGroupName": name, "tags": stack.all_tags(properties)}
        if "KmsKeyId" in properties:
            request["kmsKeyId"] = properties["KmsKeyId"]
        if "LogGroupClass" in properties:
            request["logGroupClass"] = properties["LogGroupClass"]
        stack.invoke("logs", "CreateLogGroup", request)
        self._retain(stack, name, properties)
        return _created(stack, name)

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        self._retain(stack, physical_id, new)
        gone = [key for key in stack.all_tags(old) if key not in stack.all_tags(new)]
        stack.invoke("logs", "TagLogGroup", {"logGroupName": physical_id, "tags": stack.all_tags(new)})
        if gone:
            stack.invoke("logs", "UntagLogGroup", {"logGroupName": physical_id, "tags": gone})
        return _created(stack, physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        try:
            stack.invoke("logs", "DeleteLogGroup", {"logGroupName": physical_id})
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise

    @staticmethod
    def _retain(stack: StackCall, name: str, properties: Mapping[str, Any]) -> None:
        days = properties.get("RetentionInDays")
        if days is None:
            stack.invoke("logs", "DeleteRetentionPolicy", {"logGroupName": name})
        else:
            stack.invoke("logs", "PutRetentionPolicy", {"logGroupName": name, "retentionInDays": int(days)})


def _created(stack: StackCall, name: str) -> Created:
    return Created(name, {"Arn": f"{stack.call.arn(f'log-group:{name}', service='logs')}:*"})
