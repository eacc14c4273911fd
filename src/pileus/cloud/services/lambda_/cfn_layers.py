"""Layers in CloudFormation: LayerVersion and LayerVersionPermission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...kernel import REPLACE, Change, Created, ResourceType, StackCall
from .cfn_values import Properties, call_of, gone_is_fine, service_of


class LayerVersion(ResourceType):
    type_name = "AWS::Lambda::LayerVersion"
    properties: ClassVar[Mapping[str, Change]] = dict.fromkeys(
        (
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "Content",
            "Description",
            "LayerName",
            "LicenseInfo",
        ),
        REPLACE,
    )
    required = ("Content",)
    attributes = ("LayerVersionArn",)

    def create(self, stack: StackCall, properties: Properties) -> Any:
        request = {**properties, "LayerName": properties.get("LayerName") or stack.generated_name(64)}
        service = service_of(stack)
        package = service.package_at_hand(request["Content"], "PublishLayerVersion")
        if package is None:
            return self._create_from_s3(stack, request)
        return self._done(service.publish_layer(call_of(stack, "PublishLayerVersion"), request, package))

    async def _create_from_s3(self, stack: StackCall, request: Properties) -> Created:
        cloud = stack.call.cloud
        return self._done(await cloud.call_async("lambda", "PublishLayerVersion", request, within=stack.call))

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        layer, _, number = physical_id.rpartition(":")
        gone_is_fine(stack, "DeleteLayerVersion", {"LayerName": layer, "VersionNumber": int(number)})

    @staticmethod
    def _done(layer: Properties) -> Created:
        arn = layer["LayerVersionArn"]
        return Created(arn, {"LayerVersionArn": arn})


class LayerVersionPermission(ResourceType):
    type_name = "AWS::Lambda::LayerVersionPermission"
    properties: ClassVar[Mapping[str, Change]] = dict.fromkeys(
        ("Action", "LayerVersionArn", "OrganizationId", "Principal"), REPLACE
    )
    required = ("Action", "LayerVersionArn", "Principal")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        sid = stack.generated_name(100)
        layer, _, number = properties["LayerVersionArn"].rpartition(":")
        request = {
            "LayerName": layer,
            "VersionNumber": int(number),
            "StatementId": sid,
            "Action": properties["Action"],
            "Principal": str(properties["Principal"]),
            "OrganizationId": properties.get("OrganizationId"),
        }
        stack.invoke("lambda", "AddLayerVersionPermission", request)
        identifier = f"{properties['LayerVersionArn']}#{sid}"
        return Created(identifier, {"Id": identifier})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        arn, _, sid = physical_id.partition("#")
        layer, _, number = arn.rpartition(":")
        request = {"LayerName": layer, "VersionNumber": int(number), "StatementId": sid}
        gone_is_fine(stack, "RemoveLayerVersionPermission", request)
