"""Deployment and Stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pileus.cloud.kernel import REPLACE, STORED, UPDATE, AwsError, Created, ResourceType, StackCall

from ..errors import NotFoundException
from .calls import Properties, arn, flag, invoke, patch, remove, replaced, retag, text, texts


class Deployment(ResourceType):
    """With `StageName` it makes the stage, or moves it; the stage goes with the deployment that it points to last."""

    type_name = "AWS::ApiGateway::Deployment"
    properties = {
        "Description": UPDATE,
        "RestApiId": REPLACE,
        "StageDescription": UPDATE,
        "StageName": REPLACE,
    }
    required = ("RestApiId",)
    attributes = ("DeploymentId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        stage = properties.get("StageDescription") or {}
        deployment = invoke(
            stack,
            "CreateDeployment",
            restApiId=properties["RestApiId"],
            stageName=properties.get("StageName"),
            description=properties.get("Description"),
            stageDescription=stage.get("Description"),
            variables=texts(stage.get("Variables")),
            tracingEnabled=flag(stage.get("TracingEnabled")),
        )
        if properties.get("StageName"):
            names = {"restApiId": properties["RestApiId"], "stageName": properties["StageName"]}
            patch(stack, "UpdateStage", _stage_steps({}, _as_stage(stage)), **names)
        return Created(deployment["id"], {"DeploymentId": deployment["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        names = {"restApiId": new["RestApiId"], "deploymentId": physical_id}
        patch(stack, "UpdateDeployment", replaced(old, new, {"Description": "/description"}), **names)
        if new.get("StageName"):
            before = _as_stage(old.get("StageDescription") or {})
            after = _as_stage(new.get("StageDescription") or {})
            stage = {"restApiId": new["RestApiId"], "stageName": new["StageName"]}
            patch(stack, "UpdateStage", _stage_steps(before, after), **stage)
        return Created(physical_id, {"DeploymentId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        api_id, stage_name = properties["RestApiId"], properties.get("StageName")
        if stage_name:
            try:
                stage = invoke(stack, "GetStage", restApiId=api_id, stageName=stage_name)
            except NotFoundException:
                stage = {}
            if stage.get("deploymentId") == physical_id:
                self._leave(stack, physical_id, restApiId=api_id, stageName=stage_name)
        remove(stack, "DeleteDeployment", restApiId=api_id, deploymentId=physical_id)

    def _leave(self, stack: StackCall, deployment: str, **names: Any) -> None:
        """The stage goes with its last deployment. Where an update is undone, it goes back to the one before."""
        api = {"restApiId": names["restApiId"]}
        stages = invoke(stack, "GetStages", **api)["item"]
        used = {deployment, *(stage.get("deploymentId") for stage in stages)}
        others = [
            each
            for each in invoke(stack, "GetDeployments", limit=500, **api)["items"]
            if each["id"] not in used
        ]
        if not others:
            remove(stack, "DeleteStage", **names)
            return
        before = max(others, key=lambda each: float(each["createdDate"]))
        step = {"op": "replace", "path": "/deploymentId", "value": before["id"]}
        patch(stack, "UpdateStage", [step], **names)


class Stage(ResourceType):
    type_name = "AWS::ApiGateway::Stage"
    properties = {
        "AccessLogSetting": UPDATE,
        "CacheClusterEnabled": STORED,
        "CacheClusterSize": STORED,
        "DeploymentId": UPDATE,
        "Description": UPDATE,
        "DocumentationVersion": UPDATE,
        "MethodSettings": UPDATE,
        "RestApiId": REPLACE,
        "StageName": REPLACE,
        "Tags": UPDATE,
        "TracingEnabled": UPDATE,
        "Variables": UPDATE,
    }
    required = ("DeploymentId", "RestApiId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("StageName") or stack.generated_name(128)
        names = {"restApiId": properties["RestApiId"], "stageName": name}
        invoke(
            stack,
            "CreateStage",
            **names,
            deploymentId=properties["DeploymentId"],
            tags=stack.all_tags(properties),
        )
        patch(stack, "UpdateStage", _stage_steps({}, properties), **names)
        return Created(name)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        names = {"restApiId": new["RestApiId"], "stageName": physical_id}
        steps = [
            *replaced(old, new, {"DeploymentId": "/deploymentId"}, removable=False),
            *_stage_steps(old, new),
        ]
        patch(stack, "UpdateStage", steps, **names)
        retag(stack, arn(stack, f"/restapis/{new['RestApiId']}/stages/{physical_id}"), old, new)
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteStage", restApiId=properties["RestApiId"], stageName=physical_id)


_STAGE_DESCRIPTION = frozenset(
    {
        "AccessLogSetting",
        "CacheClusterEnabled",
        "CacheClusterSize",
        "CacheDataEncrypted",
        "CacheTtlInSeconds",
        "CachingEnabled",
        "DataTraceEnabled",
        "Description",
        "DocumentationVersion",
        "LoggingLevel",
        "MethodSettings",
        "MetricsEnabled",
        "ThrottlingBurstLimit",
        "ThrottlingRateLimit",
        "TracingEnabled",
        "Variables",
    }
)
_METHOD_SETTINGS = {
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
    "CachingEnabled": "caching/enabled",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CacheDataEncrypted": "caching/dataEncrypted",
}


class UnsupportedProperty(AwsError):
    code = "ValidationError"


def _as_stage(description: Properties) -> dict[str, Any]:
    """A Deployment's StageDescription as a Stage has it: settings without a method are those of `/*` `*`."""
    for name in description:
        if name not in _STAGE_DESCRIPTION:
            raise UnsupportedProperty(f"Pileus does not emulate StageDescription.{name} of a Deployment")
    settings = list(description.get("MethodSettings") or ())
    common = {name: description[name] for name in _METHOD_SETTINGS if name in description}
    if common:
        settings.insert(0, {"ResourcePath": "/*", "HttpMethod": "*", **common})
    kept = {k: v for k, v in description.items() if k not in _METHOD_SETTINGS and k != "MethodSettings"}
    return {**kept, "MethodSettings": settings} if settings else kept


def _stage_steps(old: Properties, new: Properties) -> list[dict[str, Any]]:
    steps = list(
        replaced(
            old,
            new,
            {"Description": "/description", "DocumentationVersion": "/documentationVersion"},
        )
    )
    if bool(flag(old.get("CacheClusterEnabled"))) is not bool(flag(new.get("CacheClusterEnabled"))):
        value = "true" if flag(new.get("CacheClusterEnabled")) else "false"
        steps.append({"op": "replace", "path": "/cacheClusterEnabled", "value": value})
    steps += replaced(old, new, {"CacheClusterSize": "/cacheClusterSize"}, removable=False)
    if bool(flag(old.get("TracingEnabled"))) is not bool(flag(new.get("TracingEnabled"))):
        value = "true" if flag(new.get("TracingEnabled")) else "false"
        steps.append({"op": "replace", "path": "/tracingEnabled", "value": value})
    steps += replaced(
        texts(old.get("Variables")) or {},
        texts(new.get("Variables")) or {},
        {
            name: f"/variables/{name}"
            for name in (*(old.get("Variables") or ()), *(new.get("Variables") or ()))
        },
    )
    steps += _log_steps(old.get("AccessLogSetting"), new.get("AccessLogSetting"))
    before, after = _settings(old), _settings(new)
    for path in before:
        if path not in after:
            steps.append({"op": "remove", "path": path})
    for path, setting in after.items():
        if before.get(path) != setting:
            steps += [
                {"op": "replace", "path": f"{path}/{_METHOD_SETTINGS[name]}", "value": text(value)}
                for name, value in setting.items()
            ]
    return steps


def _log_steps(old: Properties | None, new: Properties | None) -> Iterable[dict[str, Any]]:
    if old and not new:
        return [{"op": "remove", "path": "/accessLogSettings"}]
    paths = {"DestinationArn": "/accessLogSettings/destinationArn", "Format": "/accessLogSettings/format"}
    return replaced(old or {}, new or {}, paths)


def _settings(stage: Properties) -> dict[str, dict[str, Any]]:
    """Method settings by their patch path."""
    found = {}
    for setting in stage.get("MethodSettings") or ():
        path = setting.get("ResourcePath") or "/*"
        escaped = "*" if path in ("/*", "*") else path.replace("~", "~0").replace("/", "~1")
        found[f"/{escaped}/{setting.get('HttpMethod') or '*'}"] = {
            name: setting[name] for name in _METHOD_SETTINGS if name in setting
        }
    return found
