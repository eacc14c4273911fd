"""The CloudFormation types: a template as Serverless v3 compiles it, created, changed, served and removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pileus.cloud.kernel import Change, Cloud, Created, StackCall

URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:{}/invocations"
API = {"Ref": "Api"}
TEMPLATE: dict[str, dict[str, Any]] = {
    "Api": {
        "Type": "RestApi",
        "Properties": {"Name": "shop-dev", "EndpointConfiguration": {"Types": ["EDGE"]}, "Policy": ""},
    },
    "Users": {
        "Type": "Resource",
        "Properties": {
            "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
            "PathPart": "users",
            "RestApiId": API,
        },
    },
    "Authorizer": {
        "Type": "Authorizer",
        "Properties": {
            "AuthorizerResultTtlInSeconds": 300,
            "IdentitySource": "method.request.header.Authorization",
            "Name": "auth",
            "RestApiId": API,
            "AuthorizerUri": URI.format("auth"),
            "Type": "TOKEN",
        },
    },
    "Validator": {
        "Type": "RequestValidator",
        "Properties": {
            "RestApiId": API,
            "ValidateRequestBody": True,
            "ValidateRequestParameters": True,
            "Name": "shop-dev | Validate request body and querystring parameters",
        },
    },
    "Model": {
        "Type": "Model",
        "Properties": {
            "RestApiId": API,
            "ContentType": "application/json",
            "Schema": {"type": "object", "required": ["email"]},
        },
    },
    "Options": {
        "Type": "Method",
        "Properties": {
            "AuthorizationType": "NONE",
            "HttpMethod": "OPTIONS",
            "MethodResponses": [
                {
                    "StatusCode": "200",
                    "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": True},
                    "ResponseModels": {},
                }
            ],
            "RequestParameters": {},
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": "{statusCode:200}"},
                "ContentHandling": "CONVERT_TO_TEXT",
                "IntegrationResponses": [
                    {
                        "StatusCode": "200",
                        "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
                        "ResponseTemplates": {"application/json": ""},
                    }
                ],
            },
            "ResourceId": {"Ref": "Users"},
            "RestApiId": API,
        },
    },
    "Post": {
        "Type": "Method",
        "Properties": {
            "HttpMethod": "POST",
            "RequestParameters": {},
            "ResourceId": {"Ref": "Users"},
            "RestApiId": API,
            "ApiKeyRequired": True,
            "AuthorizationType": "CUSTOM",
            "AuthorizerId": {"Ref": "Authorizer"},
            "Integration": {
                "IntegrationHttpMethod": "POST",
                "Type": "AWS_PROXY",
                "Uri": URI.format("create"),
            },
            "MethodResponses": [],
            "RequestValidatorId": {"Ref": "Validator"},
            "RequestModels": {"application/json": {"Ref": "Model"}},
        },
    },
    "Refusal": {
        "Type": "GatewayResponse",
        "Properties": {
            "RestApiId": API,
            "ResponseType": "DEFAULT_4XX",
            "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        },
    },
    "Deployment": {
        "Type": "Deployment",
        "Properties": {
            "RestApiId": API,
            "StageName": "dev",
            "StageDescription": {
                "ThrottlingBurstLimit": 50,
                "ThrottlingRateLimit": 20,
                "Variables": {"a": 1},
            },
        },
    },
    "Key": {
        "Type": "ApiKey",
        "Properties": {
            "Enabled": True,
            "Name": "shop-dev-key",
            "StageKeys": [{"RestApiId": API, "StageName": "dev"}],
        },
    },
    "Plan": {
        "Type": "UsagePlan",
        "Properties": {
            "ApiStages": [{"ApiId": API, "Stage": "dev"}],
            "Description": "Usage plan for shop dev stage",
            "UsagePlanName": "shop-dev",
            "Quota": {"Limit": 5000, "Period": "MONTH"},
            "Throttle": {"BurstLimit": 200, "RateLimit": 100},
        },
    },
    "PlanKey": {
        "Type": "UsagePlanKey",
        "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
    },
    "Account": {
        "Type": "Account",
        "Properties": {"CloudWatchRoleArn": "arn:aws:iam::000000000000:role/logs"},
    },
}


class Stack:
    """As much of CloudFormation as these resources need."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.made: dict[str, Created] = {}
        self.given: dict[str, Any] = {}
        self.kinds: dict[str, str] = {}

    def call(self, name: str) -> StackCall:
        call = self.cloud.make_call("cloudformation", "CreateStack")
        return StackCall(call, "shop-dev", "arn:stack", name, {"team": "a"})

    def resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if "Ref" in value:
            return self.made[value["Ref"]].physical_id
        if "Fn::GetAtt" in value:
            name, attribute = value["Fn::GetAtt"]
            return self.made[name].attributes[attribute]
        return {key: self.resolved(item) for key, item in value.items()}

    def put(self, name: str, kind: str, properties: Mapping[str, Any]) -> Created:
        found = self.cloud.resource_type(f"AWS::ApiGateway::{kind}")
        assert found is not None
        values = self.resolved(properties)
        assert set(values) <= set(found.properties)
        with self.cloud.store.transaction():
            if name in self.made:
                for key in values:
                    changed = values[key] != self.given[name].get(key)
                    assert not (changed and found.properties[key] is Change.REPLACE)
                old = self.made[name].physical_id
                created = found.update(self.call(name), old, self.given[name], values)
            else:
                created = found.create(self.call(name), values)
        assert set(created.attributes) == set(found.attributes)
        self.made[name], self.given[name], self.kinds[name] = created, values, kind
        return created

    def delete(self, name: str) -> None:
        found = self.cloud.resource_type(f"AWS::ApiGateway::{self.kinds[name]}")
        assert found is not None
        with self.cloud.store.transaction():
            found.delete(self.call(name), self.made[name].physical_id, self.given[name])


@pytest.fixture
def stack(cloud: Cloud, functions: Any) -> Stack:
    made = Stack(cloud)
    for name, resource in TEMPLATE.items():
        made.put(name, resource["Type"], resource["Properties"])
    return made


def ask(api: Any, stack: Stack, verb: str, text: str = "", **headers: str) -> Any:
    api.id = stack.made["Api"].physical_id
    return api.get(verb, "/users", text, **headers)


def test_what_was_created_is_served(api: Any, stack: Stack, functions: Any) -> None:
    functions.says(
        "auth",
        lambda event: {
            "principalId": "p",
            "policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        },
    )
    assert ask(api, stack, "OPTIONS").headers["Access-Control-Allow-Origin"] == "*"
    absent = ask(api, stack, "POST", "{}")
    assert absent.status == 401
    assert absent.headers["Access-Control-Allow-Origin"] == "*"
    key = api.call("GetApiKey", apiKey=stack.made["Key"].physical_id, includeValue=True)
    good = {"authorization": "t", "x_api_key": key["value"]}
    assert ask(api, stack, "POST", '{"email": "a"}', authorization="t").status == 403
    assert ask(api, stack, "POST", "{}", **good).status == 400
    assert ask(api, stack, "POST", '{"email": "a"}', **good).status == 200
    assert functions.events[-1]["stageVariables"] == {"a": "1"}
    stage = api.call("GetStage", restApiId=api.id, stageName="dev")
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 50
    tags = api.call("GetRestApi", restApiId=api.id)["tags"]
    assert tags["team"] == "a"
    assert tags["aws:cloudformation:logical-id"] == "Api"


def test_a_new_deployment_takes_the_stage_over(api: Any, stack: Stack) -> None:
    """Serverless gives each deployment a new logical id: the new one is made first, then the old one goes."""
    stack.put("Deployment2", "Deployment", TEMPLATE["Deployment"]["Properties"])
    stack.delete("Deployment")
    api.id = stack.made["Api"].physical_id
    assert api.on("GetStage", stageName="dev")["deploymentId"] == stack.made["Deployment2"].physical_id
    assert [item["id"] for item in api.on("GetDeployments")["items"]] == [
        stack.made["Deployment2"].physical_id
    ]
    assert ask(api, stack, "OPTIONS").status == 200


def changed(name: str, **members: Any) -> tuple[str, str, dict[str, Any]]:
    resource = TEMPLATE[name]
    return name, resource["Type"], {**resource["Properties"], **members}


def test_updates(api: Any, stack: Stack) -> None:
    stack.put(
        *changed(
            "Api", Name="new", BinaryMediaTypes=["image/png"], EndpointConfiguration={"Types": ["REGIONAL"]}
        )
    )
    stack.put(*changed("Authorizer", AuthorizerResultTtlInSeconds=0))
    stack.put(*changed("Validator", ValidateRequestBody=False))
    stack.put(*changed("Model", Schema={"type": "string"}))
    stack.put(*changed("Post", ApiKeyRequired=False))
    stack.put(*changed("Refusal", StatusCode=402))
    stack.put(*changed("Deployment", StageDescription={"Variables": {"b": "2"}}))
    stack.put(*changed("Key", Enabled=False, StageKeys=[]))
    stack.put(*changed("Plan", Quota={"Limit": 7, "Period": "DAY"}, Throttle=None))
    api.id = stack.made["Api"].physical_id
    made = api.on("GetRestApi")
    assert (made["name"], made["binaryMediaTypes"]) == ("new", ["image/png"])
    assert made["endpointConfiguration"]["types"] == ["REGIONAL"]
    authorizer = stack.made["Authorizer"].physical_id
    assert api.on("GetAuthorizer", authorizerId=authorizer)["authorizerResultTtlInSeconds"] == 0
    validator = api.on("GetRequestValidator", requestValidatorId=stack.made["Validator"].physical_id)
    assert validator["validateRequestBody"] is False
    assert json.loads(api.on("GetModel", modelName=stack.made["Model"].physical_id)["schema"]) == {
        "type": "string"
    }
    where = {"resourceId": stack.made["Users"].physical_id, "httpMethod": "POST"}
    assert api.on("GetMethod", **where)["apiKeyRequired"] is False
    assert api.on("GetGatewayResponse", responseType="DEFAULT_4XX")["statusCode"] == "402"
    stage = api.on("GetStage", stageName="dev")
    assert stage["variables"] == {"b": "2"}
    assert stage["methodSettings"] == {}
    key = api.call("GetApiKey", apiKey=stack.made["Key"].physical_id)
    assert (key["enabled"], key["stageKeys"]) == (False, [])
    plan = api.call("GetUsagePlan", usagePlanId=stack.made["Plan"].physical_id)
    assert plan["quota"] == {"limit": 7, "period": "DAY", "offset": 0}
    assert "throttle" not in plan


def test_a_stage_of_its_own(api: Any, stack: Stack) -> None:
    properties = {
        "RestApiId": API,
        "StageName": "prod",
        "DeploymentId": {"Ref": "Deployment"},
        "TracingEnabled": True,
        "Variables": {"x": "1"},
        "MethodSettings": [{"ResourcePath": "/users", "HttpMethod": "POST", "ThrottlingRateLimit": 5}],
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    assert stack.put("Prod", "Stage", properties).physical_id == "prod"
    api.id = stack.made["Api"].physical_id
    stage = api.on("GetStage", stageName="prod")
    assert (stage["tracingEnabled"], stage["variables"], stage["tags"]["k"]) == (True, {"x": "1"}, "v")
    assert stage["methodSettings"]["~1users/POST"]["throttlingRateLimit"] == 5
    stack.put("Prod", "Stage", {**properties, "TracingEnabled": False, "Variables": {}, "MethodSettings": []})
    stage = api.on("GetStage", stageName="prod")
    assert (stage["tracingEnabled"], stage.get("variables"), stage["methodSettings"]) == (False, None, {})


def test_everything_goes(cloud: Cloud, stack: Stack) -> None:
    for name in reversed(list(stack.made)):
        stack.delete(name)
    left = cloud.store.all("SELECT kind,id FROM apigateway_item WHERE kind<>'account'")
    assert [tuple(row) for row in left] == []
    for name in reversed(list(stack.made)):
        stack.delete(name)  # what is gone already is no error


@pytest.mark.parametrize("name", ["Body", "BodyS3Location", "CloneFrom", "Parameters"])
def test_imports_are_refused(cloud: Cloud, name: str) -> None:
    found = cloud.resource_type("AWS::ApiGateway::RestApi")
    assert found is not None
    assert name not in found.properties


@pytest.mark.parametrize("kind", ["DomainName", "BasePathMapping", "VpcLink", "ClientCertificate"])
def test_types_that_are_refused(cloud: Cloud, kind: str) -> None:
    assert cloud.resource_type(f"AWS::ApiGateway::{kind}") is None
