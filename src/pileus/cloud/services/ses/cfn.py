"""CloudFormation types of SES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import REPLACE, AwsError, Created, ResourceType, StackCall


class EmailIdentity(ResourceType):
    type_name = "AWS::SES::EmailIdentity"
    properties = {"EmailIdentity": REPLACE}
    required = ("EmailIdentity",)

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        identity = properties["EmailIdentity"]
        stack.invoke("sesv2", "CreateEmailIdentity", {"EmailIdentity": identity})
        return Created(identity)

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        try:
            stack.invoke("sesv2", "DeleteEmailIdentity", {"EmailIdentity": physical_id})
        except AwsError as error:
            if error.code != "NotFoundException":
                raise
