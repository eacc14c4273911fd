"""ApiKey, UsagePlan, UsagePlanKey, GatewayResponse, Account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pileus.cloud.kernel import REPLACE, UPDATE, Created, ResourceType, StackCall

from ..errors import NotFoundException
from .calls import Properties, arn, camel, flag, invoke, patch, remove, replaced, retag, text, texts


class ApiKey(ResourceType):
    type_name = "AWS::ApiGateway::ApiKey"
    properties = {
        "CustomerId": UPDATE,
        "Description": UPDATE,
        "Enabled": UPDATE,
        "GenerateDistinctId": REPLACE,
        "Name": REPLACE,
        "StageKeys": UPDATE,
        "Tags": UPDATE,
        "Value": REPLACE,
    }
    attributes = ("APIKeyId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        key = invoke(
            stack,
            "CreateApiKey",
            name=properties.get("Name") or stack.generated_name(255),
            customerId=properties.get("CustomerId"),
            description=properties.get("Description"),
            enabled=flag(properties.get("Enabled", False)),
            generateDistinctId=flag(properties.get("GenerateDistinctId")),
            stageKeys=camel(properties.get("StageKeys")),
            tags=stack.all_tags(properties),
            value=properties.get("Value"),
        )
        return Created(key["id"], {"APIKeyId": key["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        paths = {"CustomerId": "/customerId", "Description": "/description"}
        steps = [*replaced(old, new, paths)]
        before, after = flag(old.get("Enabled", False)), flag(new.get("Enabled", False))
        if before is not after:
            steps.append({"op": "replace", "path": "/enabled", "value": text(after)})
        stages, wanted = _stage_keys(old), _stage_keys(new)
        steps += [{"op": "remove", "path": "/stages", "value": name} for name in stages if name not in wanted]
        steps += [{"op": "add", "path": "/stages", "value": name} for name in wanted if name not in stages]
        patch(stack, "UpdateApiKey", steps, apiKey=physical_id)
        retag(stack, arn(stack, f"/apikeys/{physical_id}"), old, new)
        return Created(physical_id, {"APIKeyId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteApiKey", apiKey=physical_id)


def _stage_keys(properties: Properties) -> list[str]:
    return [f"{key.get('RestApiId')}/{key.get('StageName')}" for key in properties.get("StageKeys") or ()]


class UsagePlan(ResourceType):
    type_name = "AWS::ApiGateway::UsagePlan"
    properties = {
        "ApiStages": UPDATE,
        "Description": UPDATE,
        "Quota": UPDATE,
        "Tags": UPDATE,
        "Throttle": UPDATE,
        "UsagePlanName": UPDATE,
    }
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        plan = invoke(
            stack,
            "CreateUsagePlan",
            name=properties.get("UsagePlanName") or stack.generated_name(255),
            description=properties.get("Description"),
            apiStages=[_stage(stage) for stage in properties.get("ApiStages") or ()],
            quota=_quota(properties.get("Quota")),
            throttle=_throttle(properties.get("Throttle")),
            tags=stack.all_tags(properties),
        )
        return Created(plan["id"], {"Id": plan["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        steps = [*replaced(old, new, {"UsagePlanName": "/name", "Description": "/description"})]
        steps += _block_steps("/quota", _quota(old.get("Quota")), _quota(new.get("Quota")))
        steps += _block_steps("/throttle", _throttle(old.get("Throttle")), _throttle(new.get("Throttle")))
        before = [_stage(stage) for stage in old.get("ApiStages") or ()]
        after = [_stage(stage) for stage in new.get("ApiStages") or ()]
        for stage in before:
            if stage not in after:
                steps.append({"op": "remove", "path": "/apiStages", "value": _stage_name(stage)})
        for stage in after:
            if stage not in before:
                steps += _added_stage(stage)
        patch(stack, "UpdateUsagePlan", steps, usagePlanId=physical_id)
        retag(stack, arn(stack, f"/usageplans/{physical_id}"), old, new)
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        """A plan must let its stages go before it can."""
        try:
            plan = invoke(stack, "GetUsagePlan", usagePlanId=physical_id)
        except NotFoundException:
            return
        steps = [
            {"op": "remove", "path": "/apiStages", "value": _stage_name(stage)} for stage in plan["apiStages"]
        ]
        patch(stack, "UpdateUsagePlan", steps, usagePlanId=physical_id)
        remove(stack, "DeleteUsagePlan", usagePlanId=physical_id)


def _throttle(value: Properties | None) -> dict[str, Any] | None:
    if not value:
        return None
    return {"burstLimit": int(value.get("BurstLimit", 0)), "rateLimit": float(value.get("RateLimit", 0))}


def _quota(value: Properties | None) -> dict[str, Any] | None:
    if not value:
        return None
    return {
        "limit": int(value.get("Limit", 0)),
        "offset": int(value.get("Offset", 0)),
        "period": value.get("Period"),
    }


def _stage(value: Properties) -> dict[str, Any]:
    stage: dict[str, Any] = {"apiId": value.get("ApiId"), "stage": value.get("Stage")}
    if value.get("Throttle"):
        stage["throttle"] = {path: _throttle(limits) for path, limits in value["Throttle"].items()}
    return stage


def _stage_name(stage: Mapping[str, Any]) -> str:
    return f"{stage['apiId']}:{stage['stage']}"


def _added_stage(stage: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    name = _stage_name(stage)
    yield {"op": "add", "path": "/apiStages", "value": name}
    for path, limits in (stage.get("throttle") or {}).items():
        resource, _, verb = path.rpartition("/")
        where = f"/apiStages/{name}/throttle/{resource.replace('~', '~0').replace('/', '~1')}/{verb}"
        for limit, value in (limits or {}).items():
            yield {"op": "replace", "path": f"{where}/{limit}", "value": str(value)}


def _block_steps(
    path: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterable[dict[str, Any]]:
    if old and not new:
        yield {"op": "remove", "path": path}
    elif new and old != new:
        for name, value in new.items():
            yield {"op": "replace", "path": f"{path}/{name}", "value": str(value)}


class UsagePlanKey(ResourceType):
    type_name = "AWS::ApiGateway::UsagePlanKey"
    properties = {"KeyId": REPLACE, "KeyType": REPLACE, "UsagePlanId": REPLACE}
    required = ("KeyId", "KeyType", "UsagePlanId")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        invoke(
            stack,
            "CreateUsagePlanKey",
            usagePlanId=properties["UsagePlanId"],
            keyId=properties["KeyId"],
            keyType=properties["KeyType"],
        )
        name = f"{properties['KeyId']}:{properties['UsagePlanId']}"
        return Created(name, {"Id": name})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        key_id, _, plan_id = physical_id.partition(":")
        remove(stack, "DeleteUsagePlanKey", usagePlanId=plan_id, keyId=key_id)


class GatewayResponse(ResourceType):
    type_name = "AWS::ApiGateway::GatewayResponse"
    properties = {
        "ResponseParameters": UPDATE,
        "ResponseTemplates": UPDATE,
        "ResponseType": REPLACE,
        "RestApiId": REPLACE,
        "StatusCode": UPDATE,
    }
    required = ("ResponseType", "RestApiId")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        status = properties.get("StatusCode")
        invoke(
            stack,
            "PutGatewayResponse",
            restApiId=properties["RestApiId"],
            responseType=properties["ResponseType"],
            statusCode=None if status is None else str(status),
            responseParameters=texts(properties.get("ResponseParameters")),
            responseTemplates=texts(properties.get("ResponseTemplates")),
        )
        name = f"{properties['RestApiId']}|{properties['ResponseType']}"
        return Created(name, {"Id": name})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return self.create(stack, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        api_id, _, kind = physical_id.partition("|")
        remove(stack, "DeleteGatewayResponse", restApiId=api_id, responseType=kind)


class Account(ResourceType):
    """One a region: it is there before the stack, and stays after it."""

    type_name = "AWS::ApiGateway::Account"
    properties = {"CloudWatchRoleArn": UPDATE}
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = stack.generated_name(64)
        return self.update(stack, name, {}, properties)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        patch(stack, "UpdateAccount", replaced(old, new, {"CloudWatchRoleArn": "/cloudwatchRoleArn"}))
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        return None
