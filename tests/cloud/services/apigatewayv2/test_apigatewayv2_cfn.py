"""The CloudFormation types: templates as Serverless v3 compiles them, created, changed, and removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pileus.cloud.kernel import Cloud

URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:{}/invocations"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
API = {"Ref": "HttpApi"}


def template() -> dict[str, dict[str, Any]]:
    return {
        "HttpApi": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "dev-shop",
                "ProtocolType": "HTTP",
                "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": "300"},
                "Tags": {"a": "1"},
            },
        },
        "HttpApiStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": API,
                "StageName": "$default",
                "AutoDeploy": "true",
                "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
                "RouteSettings": {"GET /x": {"ThrottlingRateLimit": "5", "ThrottlingBurstLimit": "2"}},
                "StageVariables": {"a": "1", "b": "2"},
            },
            "DependsOn": "HttpApiRouteGetX",
        },
        "HttpApiIntegration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": API,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": FUNCTION,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": "30000",
                "ResponseParameters": {
                    "404": {"ResponseParameters": [{"Destination": "overwrite:statuscode", "Source": "200"}]}
                },
            },
        },
        "HttpApiAuthorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": API,
                "Name": "auth",
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": URI.format("auth"),
                "AuthorizerPayloadFormatVersion": "2.0",
                "EnableSimpleResponses": True,
                "IdentitySource": ["$request.header.Authorization"],
                "AuthorizerResultTtlInSeconds": 60,
            },
        },
        "HttpApiRouteGetX": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": API,
                "RouteKey": "GET /x",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "HttpApiIntegration"}]]},
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "HttpApiAuthorizer"},
            },
            "DependsOn": "HttpApiIntegration",
        },
    }


class Stack:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def deploy(self, operation: str, resources: dict[str, Any]) -> str:
        outputs = (
            {"Url": {"Value": {"Fn::GetAtt": ["HttpApi", "ApiEndpoint"]}}} if "HttpApi" in resources else {}
        )
        body = json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})
        await self.cloud.call_async("cloudformation", operation, {"StackName": "s", "TemplateBody": body})
        await self.cloud.drain()
        stacks = self.cloud.call("cloudformation", "DescribeStacks", {"StackName": "s"})
        return str(stacks["Stacks"][0]["StackStatus"])

    def id(self, logical_id: str) -> str:
        found = self.cloud.call(
            "cloudformation", "DescribeStackResource", {"StackName": "s", "LogicalResourceId": logical_id}
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def get(self, operation: str, **members: str) -> dict[str, Any]:
        return self.cloud.call("apigatewayv2", operation, {"ApiId": self.id("HttpApi"), **members})


@pytest.fixture
def run() -> Any:
    import asyncio

    return asyncio.run


def test_a_stack_of_an_http_api(cloud: Cloud, run: Any) -> None:
    async def story() -> None:
        await cloud.start()
        stack, resources = Stack(cloud), template()
        assert await stack.deploy("CreateStack", resources) == "CREATE_COMPLETE"
        api_id = stack.id("HttpApi")
        api = stack.get("GetApi")
        assert api["CorsConfiguration"]["MaxAge"] == 300
        assert api["Tags"]["a"] == "1"
        assert api["Tags"]["aws:cloudformation:logical-id"] == "HttpApi"
        stage = stack.get("GetStage", StageName="$default")
        assert stage["RouteSettings"] == {"GET /x": {"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 2}}
        (route,) = stack.get("GetRoutes")["Items"]
        assert route["RouteId"] == stack.id("HttpApiRouteGetX")
        assert route["AuthorizerId"] == stack.id("HttpApiAuthorizer")
        integration = stack.get("GetIntegration", IntegrationId=stack.id("HttpApiIntegration"))
        assert integration["ResponseParameters"] == {"404": {"overwrite:statuscode": "200"}}
        outputs = cloud.call("cloudformation", "DescribeStacks", {"StackName": "s"})["Stacks"][0]["Outputs"]
        assert outputs[0]["OutputValue"] == f"https://{api_id}.execute-api.us-east-1.amazonaws.com"

        properties = {name: resource["Properties"] for name, resource in resources.items()}
        del properties["HttpApi"]["CorsConfiguration"]
        properties["HttpApi"]["Tags"] = {"b": "2"}
        del properties["HttpApiStage"]["RouteSettings"]
        properties["HttpApiStage"]["StageVariables"] = {"b": "3"}
        del properties["HttpApiAuthorizer"]["AuthorizerResultTtlInSeconds"]
        properties["HttpApiIntegration"]["PayloadFormatVersion"] = "1.0"
        del properties["HttpApiIntegration"]["ResponseParameters"]
        for name in ("AuthorizationType", "AuthorizerId"):
            del properties["HttpApiRouteGetX"][name]
        properties["HttpApiRouteGetX"]["RouteKey"] = "GET /y"
        assert await stack.deploy("UpdateStack", resources) == "UPDATE_COMPLETE"
        assert stack.id("HttpApi") == api_id
        api = stack.get("GetApi")
        assert "CorsConfiguration" not in api
        assert (api["Tags"].get("a"), api["Tags"]["b"]) == (None, "2")
        stage = stack.get("GetStage", StageName="$default")
        assert (stage["RouteSettings"], stage["StageVariables"]) == ({}, {"b": "3"})
        integration = stack.get("GetIntegration", IntegrationId=stack.id("HttpApiIntegration"))
        assert (integration["PayloadFormatVersion"], integration.get("ResponseParameters")) == ("1.0", {})
        authorizer = stack.get("GetAuthorizer", AuthorizerId=stack.id("HttpApiAuthorizer"))
        assert authorizer["AuthorizerResultTtlInSeconds"] == 0
        (route,) = stack.get("GetRoutes")["Items"]
        assert (route["RouteKey"], route["AuthorizationType"], "AuthorizerId" in route) == (
            "GET /y",
            "NONE",
            False,
        )
        assert cloud.apis.has_route(api_id, "$default", "GET", "/y")

        await cloud.call_async("cloudformation", "DeleteStack", {"StackName": "s"})
        await cloud.drain()
        assert cloud.call("apigatewayv2", "GetApis", {})["Items"] == []
        await cloud.stop()

    run(story())


def test_a_stack_of_a_websocket_api(cloud: Cloud, run: Any) -> None:
    resources: dict[str, Any] = {
        "HttpApi": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "ws",
                "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action",
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {"ApiId": API, "IntegrationType": "AWS_PROXY", "IntegrationUri": URI.format("f")},
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": API,
                "RouteKey": "say",
                "AuthorizationType": "NONE",
                "RouteResponseSelectionExpression": "$default",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]},
            },
        },
        "Response": {
            "Type": "AWS::ApiGatewayV2::RouteResponse",
            "Properties": {"ApiId": API, "RouteId": {"Ref": "Route"}, "RouteResponseKey": "$default"},
        },
        "Deployment1": {
            "Type": "AWS::ApiGatewayV2::Deployment",
            "DependsOn": ["Route"],
            "Properties": {"ApiId": API, "Description": "Serverless Websockets"},
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": API, "StageName": "dev", "DeploymentId": {"Ref": "Deployment1"}},
        },
    }

    async def story() -> None:
        await cloud.start()
        stack = Stack(cloud)
        assert await stack.deploy("CreateStack", resources) == "CREATE_COMPLETE"
        first = stack.id("Deployment1")
        assert stack.get("GetStage", StageName="dev")["DeploymentId"] == first
        responses = stack.get("GetRouteResponses", RouteId=stack.id("Route"))["Items"]
        assert [each["RouteResponseId"] for each in responses] == [stack.id("Response")]
        # v3 names each deployment anew: the stage moves, the old one goes
        resources["Deployment2"] = resources.pop("Deployment1")
        resources["Stage"]["Properties"]["DeploymentId"] = {"Ref": "Deployment2"}
        assert await stack.deploy("UpdateStack", resources) == "UPDATE_COMPLETE"
        deployments = stack.get("GetDeployments")["Items"]
        assert [each["DeploymentId"] for each in deployments] == [stack.id("Deployment2")]
        await cloud.call_async("cloudformation", "DeleteStack", {"StackName": "s"})
        await cloud.drain()
        assert cloud.call("apigatewayv2", "GetApis", {})["Items"] == []
        await cloud.stop()

    run(story())


def test_a_property_that_is_not_emulated_is_refused_before_anything_is_made(cloud: Cloud, run: Any) -> None:
    async def story() -> None:
        await cloud.start()
        resources = template()
        resources["HttpApi"]["Properties"]["Body"] = {}
        with pytest.raises(Exception, match="Body"):
            await Stack(cloud).deploy("CreateStack", resources)
        assert cloud.call("apigatewayv2", "GetApis", {})["Items"] == []
        await cloud.stop()

    run(story())
