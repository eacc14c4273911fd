"""Api, Stage, Deployment."""

from __future__ import annotations

from typing import Any

from pileus.cloud.kernel import REPLACE, UPDATE, Created, ResourceType, StackCall

from .. import members as documents
from .calls import Properties, changed_members, invoke, members, remove, retag

_API_DEFAULTS = {
    "ApiKeySelectionExpression": "$request.header.x-api-key",
    "DisableExecuteApiEndpoint": False,
    "DisableSchemaValidation": False,
    "IpAddressType": "ipv4",
}
_STAGE_DEFAULTS: dict[str, Any] = {
    "AutoDeploy": False,
    "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
    "RouteSettings": None,
}


class Api(ResourceType):
    type_name = "AWS::ApiGatewayV2::Api"
    properties = {
        **dict.fromkeys(documents.API, UPDATE),
        "ProtocolType": REPLACE,
        "RouteKey": REPLACE,
        "Tags": UPDATE,
        "Target": REPLACE,
    }
    required = ("Name", "ProtocolType")
    attributes = ("ApiEndpoint", "ApiId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        api = invoke(
            stack,
            "CreateApi",
            **members(properties, (*documents.API, "ProtocolType", "RouteKey", "Target")),
            Tags=stack.all_tags(properties),
        )
        return Created(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        given = changed_members(old, new, documents.API, _API_DEFAULTS)
        if old.get("CorsConfiguration") and not new.get("CorsConfiguration"):
            given.pop("CorsConfiguration", None)
            remove(stack, "DeleteCorsConfiguration", ApiId=physical_id)
        api = invoke(stack, "UpdateApi", ApiId=physical_id, **given)
        retag(stack, f"/apis/{physical_id}", old, new)
        return Created(physical_id, {"ApiId": physical_id, "ApiEndpoint": api["ApiEndpoint"]})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteApi", ApiId=physical_id)


class Stage(ResourceType):
    type_name = "AWS::ApiGatewayV2::Stage"
    properties = {
        **dict.fromkeys(documents.STAGE, UPDATE),
        "ApiId": REPLACE,
        "StageName": REPLACE,
        "Tags": UPDATE,
    }
    required = ("ApiId", "StageName")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        tags = stack.all_tags(properties)
        names = members(properties, (*documents.STAGE, "ApiId", "StageName"))
        return Created(invoke(stack, "CreateStage", **names, Tags=tags)["StageName"])

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        names = {"ApiId": new["ApiId"], "StageName": physical_id}
        given = changed_members(old, new, documents.STAGE, _STAGE_DEFAULTS)
        if old.get("AccessLogSettings") and not new.get("AccessLogSettings"):
            given.pop("AccessLogSettings", None)
            remove(stack, "DeleteAccessLogSettings", **names)
        for key in old.get("RouteSettings") or {}:
            if key not in (new.get("RouteSettings") or {}):
                remove(stack, "DeleteRouteSettings", RouteKey=key, **names)
        if not given.get("DeploymentId"):
            given.pop("DeploymentId", None)
        invoke(stack, "UpdateStage", **names, **given)
        retag(stack, f"/apis/{new['ApiId']}/stages/{physical_id}", old, new)
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteStage", ApiId=properties["ApiId"], StageName=physical_id)


class Deployment(ResourceType):
    type_name = "AWS::ApiGatewayV2::Deployment"
    properties = {"ApiId": REPLACE, "Description": UPDATE, "StageName": UPDATE}
    required = ("ApiId",)
    attributes = ("DeploymentId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        made = invoke(stack, "CreateDeployment", **members(properties, ("ApiId", "Description", "StageName")))
        return Created(made["DeploymentId"], {"DeploymentId": made["DeploymentId"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        api_id = new["ApiId"]
        description = new.get("Description") or ""
        invoke(stack, "UpdateDeployment", ApiId=api_id, DeploymentId=physical_id, Description=description)
        if new.get("StageName") and new["StageName"] != old.get("StageName"):
            invoke(stack, "UpdateStage", ApiId=api_id, StageName=new["StageName"], DeploymentId=physical_id)
        return Created(physical_id, {"DeploymentId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteDeployment", ApiId=properties["ApiId"], DeploymentId=physical_id)
