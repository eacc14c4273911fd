"""RestApi, Resource, Authorizer, RequestValidator, Model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pileus.cloud.kernel import REPLACE, UPDATE, Created, ResourceType, StackCall

from .calls import Properties, arn, camel, document, flag, invoke, number, patch, remove, replaced, retag


class RestApi(ResourceType):
    type_name = "AWS::ApiGateway::RestApi"
    properties = {
        "ApiKeySourceType": UPDATE,
        "BinaryMediaTypes": UPDATE,
        "Description": UPDATE,
        "DisableExecuteApiEndpoint": UPDATE,
        "EndpointConfiguration": UPDATE,
        "MinimumCompressionSize": UPDATE,
        "Name": UPDATE,
        "Policy": UPDATE,
        "Tags": UPDATE,
    }
    required = ("Name",)
    attributes = ("RestApiId", "RootResourceId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        api = invoke(
            stack,
            "CreateRestApi",
            name=properties["Name"],
            description=properties.get("Description"),
            apiKeySource=properties.get("ApiKeySourceType"),
            binaryMediaTypes=properties.get("BinaryMediaTypes"),
            disableExecuteApiEndpoint=flag(properties.get("DisableExecuteApiEndpoint")),
            endpointConfiguration=camel(properties.get("EndpointConfiguration")),
            minimumCompressionSize=number(properties.get("MinimumCompressionSize")),
            policy=document(properties.get("Policy")),
            tags=stack.all_tags(properties),
        )
        return self._created(api)

    def _created(self, api: Mapping[str, Any]) -> Created:
        return Created(api["id"], {"RestApiId": api["id"], "RootResourceId": api["rootResourceId"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        paths = {
            "Name": "/name",
            "Description": "/description",
            "ApiKeySourceType": "/apiKeySource",
            "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
            "MinimumCompressionSize": "/minimumCompressionSize",
        }
        steps: list[dict[str, Any]] = []
        for name, default in (("ApiKeySourceType", "HEADER"), ("DisableExecuteApiEndpoint", False)):
            if name in old and name not in new:
                new = {**new, name: default}
        steps += replaced(old, new, paths)
        if old.get("Policy") != new.get("Policy"):
            policy = document(new.get("Policy"))
            steps.append({"op": "replace" if policy else "remove", "path": "/policy", "value": policy})
        before, after = old.get("BinaryMediaTypes") or [], new.get("BinaryMediaTypes") or []
        for kind in (*before, *after):
            if (kind in before) is not (kind in after):
                path = f"/binaryMediaTypes/{kind.replace('~', '~0').replace('/', '~1')}"
                steps.append({"op": "add" if kind in after else "remove", "path": path})
        steps += _endpoint(old, new)
        patch(stack, "UpdateRestApi", steps, restApiId=physical_id)
        retag(stack, arn(stack, f"/restapis/{physical_id}"), old, new)
        return self._created(invoke(stack, "GetRestApi", restApiId=physical_id))

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteRestApi", restApiId=physical_id)


def _endpoint(old: Properties, new: Properties) -> Iterable[dict[str, Any]]:
    before = ((old.get("EndpointConfiguration") or {}).get("Types") or ["EDGE"])[0]
    after = ((new.get("EndpointConfiguration") or {}).get("Types") or ["EDGE"])[0]
    if before != after:
        yield {"op": "replace", "path": f"/endpointConfiguration/types/{before}", "value": after}


class Resource(ResourceType):
    type_name = "AWS::ApiGateway::Resource"
    properties = {"ParentId": REPLACE, "PathPart": REPLACE, "RestApiId": REPLACE}
    required = ("ParentId", "PathPart", "RestApiId")
    attributes = ("ResourceId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        resource = invoke(
            stack,
            "CreateResource",
            restApiId=properties["RestApiId"],
            parentId=properties["ParentId"],
            pathPart=properties["PathPart"],
        )
        return Created(resource["id"], {"ResourceId": resource["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return Created(physical_id, {"ResourceId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteResource", restApiId=properties["RestApiId"], resourceId=physical_id)


class Authorizer(ResourceType):
    type_name = "AWS::ApiGateway::Authorizer"
    properties = {
        "AuthType": UPDATE,
        "AuthorizerCredentials": UPDATE,
        "AuthorizerResultTtlInSeconds": UPDATE,
        "AuthorizerUri": UPDATE,
        "IdentitySource": UPDATE,
        "IdentityValidationExpression": UPDATE,
        "Name": UPDATE,
        "ProviderARNs": UPDATE,
        "RestApiId": REPLACE,
        "Type": UPDATE,
    }
    required = ("Name", "RestApiId", "Type")
    attributes = ("AuthorizerId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        authorizer = invoke(
            stack,
            "CreateAuthorizer",
            restApiId=properties["RestApiId"],
            name=properties["Name"],
            type=properties["Type"],
            authType=properties.get("AuthType"),
            providerARNs=properties.get("ProviderARNs"),
            authorizerUri=properties.get("AuthorizerUri"),
            authorizerCredentials=properties.get("AuthorizerCredentials"),
            identitySource=properties.get("IdentitySource"),
            identityValidationExpression=properties.get("IdentityValidationExpression"),
            authorizerResultTtlInSeconds=number(properties.get("AuthorizerResultTtlInSeconds")),
        )
        return Created(authorizer["id"], {"AuthorizerId": authorizer["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        if "AuthorizerResultTtlInSeconds" not in new:
            new = {**new, "AuthorizerResultTtlInSeconds": 300}
        others = [name for name in self.properties if name not in ("RestApiId", "ProviderARNs")]
        paths = {name: f"/{name[:1].lower()}{name[1:]}" for name in others}
        before, after = old.get("ProviderARNs") or (), new.get("ProviderARNs") or ()
        steps = [{"op": "add", "path": "/providerARNs", "value": arn} for arn in after if arn not in before]
        steps += [
            {"op": "remove", "path": "/providerARNs", "value": arn} for arn in before if arn not in after
        ]
        names = {"restApiId": new["RestApiId"], "authorizerId": physical_id}
        patch(stack, "UpdateAuthorizer", [*replaced(old, new, paths), *steps], **names)
        return Created(physical_id, {"AuthorizerId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteAuthorizer", restApiId=properties["RestApiId"], authorizerId=physical_id)


class RequestValidator(ResourceType):
    type_name = "AWS::ApiGateway::RequestValidator"
    properties = {
        "Name": REPLACE,
        "RestApiId": REPLACE,
        "ValidateRequestBody": UPDATE,
        "ValidateRequestParameters": UPDATE,
    }
    required = ("RestApiId",)
    attributes = ("RequestValidatorId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        validator = invoke(
            stack,
            "CreateRequestValidator",
            restApiId=properties["RestApiId"],
            name=properties.get("Name"),
            validateRequestBody=flag(properties.get("ValidateRequestBody")),
            validateRequestParameters=flag(properties.get("ValidateRequestParameters")),
        )
        return Created(validator["id"], {"RequestValidatorId": validator["id"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        paths = {
            "ValidateRequestBody": "/validateRequestBody",
            "ValidateRequestParameters": "/validateRequestParameters",
        }
        before, after = ({name: p.get(name, False) for name in paths} for p in (old, new))
        names = {"restApiId": new["RestApiId"], "requestValidatorId": physical_id}
        patch(stack, "UpdateRequestValidator", replaced(before, after, paths), **names)
        return Created(physical_id, {"RequestValidatorId": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        names = {"restApiId": properties["RestApiId"], "requestValidatorId": physical_id}
        remove(stack, "DeleteRequestValidator", **names)


class Model(ResourceType):
    type_name = "AWS::ApiGateway::Model"
    properties = {
        "ContentType": REPLACE,
        "Description": UPDATE,
        "Name": REPLACE,
        "RestApiId": REPLACE,
        "Schema": UPDATE,
    }
    required = ("RestApiId",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("Name") or stack.generated_name(128, separator="").replace("-", "")
        model = invoke(
            stack,
            "CreateModel",
            restApiId=properties["RestApiId"],
            name=name,
            contentType=properties.get("ContentType") or "application/json",
            description=properties.get("Description"),
            schema=document(properties.get("Schema")),
        )
        return Created(model["name"])

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        steps = [*replaced(old, new, {"Description": "/description"})]
        if old.get("Schema") != new.get("Schema"):
            steps.append({"op": "replace", "path": "/schema", "value": document(new.get("Schema")) or "{}"})
        patch(stack, "UpdateModel", steps, restApiId=new["RestApiId"], modelName=physical_id)
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, "DeleteModel", restApiId=properties["RestApiId"], modelName=physical_id)
