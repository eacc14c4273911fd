"""The control plane, with real boto3: APIs, routes, integrations, authorizers, stages, deployments, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


@pytest.fixture(scope="module")
def client(shared_aws: EmbeddedCloud) -> Any:
    return shared_aws.client("apigatewayv2")


@pytest.fixture
def http(client: Any) -> Iterator[str]:
    api_id = client.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    yield api_id
    client.delete_api(ApiId=api_id)


@pytest.fixture
def websocket(client: Any) -> Iterator[str]:
    selection = "$request.body.action"
    made = client.create_api(Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression=selection)
    yield made["ApiId"]
    client.delete_api(ApiId=made["ApiId"])


def integrate(client: Any, api_id: str, **members: Any) -> str:
    members.setdefault("PayloadFormatVersion", "2.0")
    made = client.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION, **members
    )
    return str(made["IntegrationId"])


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def without_meta(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_an_api(client: Any) -> None:
    made = client.create_api(
        Name="shop",
        ProtocolType="HTTP",
        Description="d",
        CorsConfiguration={"AllowOrigins": ["https://a.example"], "MaxAge": 5},
        Tags={"a": "1"},
    )
    api_id = made["ApiId"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["ApiEndpoint"] == f"https://{api_id}.execute-api.us-east-1.amazonaws.com"
    assert made["RouteSelectionExpression"] == "${request.method} ${request.path}"
    assert made["ApiKeySelectionExpression"] == "$request.header.x-api-key"
    assert made["DisableExecuteApiEndpoint"] is False
    assert without_meta(client.get_api(ApiId=api_id)) == without_meta(made)
    changed = client.update_api(ApiId=api_id, Name="shop2", Version="1")
    assert (changed["Name"], changed["Version"], changed["Description"]) == ("shop2", "1", "d")
    assert changed["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 5}
    client.delete_cors_configuration(ApiId=api_id)
    assert "CorsConfiguration" not in client.get_api(ApiId=api_id)
    client.delete_api(ApiId=api_id)
    code, message = refused(lambda: client.get_api(ApiId=api_id))
    assert (code, message) == (
        "NotFoundException",
        f"Invalid API identifier specified 000000000000:{api_id}",
    )


def test_quick_create(client: Any) -> None:
    api_id = client.create_api(Name="quick", ProtocolType="HTTP", Target=FUNCTION)["ApiId"]
    (route,) = client.get_routes(ApiId=api_id)["Items"]
    (integration,) = client.get_integrations(ApiId=api_id)["Items"]
    (stage,) = client.get_stages(ApiId=api_id)["Items"]
    assert route["RouteKey"] == "$default"
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (FUNCTION, "2.0")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    client.delete_api(ApiId=api_id)


def test_pages(client: Any, http: str) -> None:
    target = f"integrations/{integrate(client, http)}"
    for number in range(5):
        client.create_route(ApiId=http, RouteKey=f"GET /{number}", Target=target)
    pages = [client.get_routes(ApiId=http, MaxResults="2")]
    while token := pages[-1].get("NextToken"):
        pages.append(client.get_routes(ApiId=http, MaxResults="2", NextToken=token))
    assert [len(page["Items"]) for page in pages] == [2, 2, 1]
    keys = sorted(route["RouteKey"] for page in pages for route in page["Items"])
    assert keys == [f"GET /{number}" for number in range(5)]


@pytest.mark.parametrize(
    "key", ["GET", "/x", "get /x", "FETCH /x", "GET x", "GET /{a", "GET /{a+}/b", "GET /a{b}", "GET /a/", ""]
)
def test_route_keys_that_are_none(client: Any, http: str, key: str) -> None:
    code, message = refused(lambda: client.create_route(ApiId=http, RouteKey=key))
    assert code == "BadRequestException"
    assert "The provided route key is not formatted properly for HTTP protocol" in message


def test_routes(client: Any, http: str) -> None:
    made = client.create_route(ApiId=http, RouteKey="GET /x", OperationName="op")
    assert (made["AuthorizationType"], made["ApiKeyRequired"]) == ("NONE", False)
    code, message = refused(lambda: client.create_route(ApiId=http, RouteKey="GET /x"))
    assert (code, message) == ("ConflictException", "Route with key GET /x already exists for this API")
    assert (
        refused(lambda: client.create_route(ApiId=http, RouteKey="GET /y", Target="integrations/nope"))[0]
        == "NotFoundException"
    )
    changed = client.update_route(
        ApiId=http, RouteId=made["RouteId"], RouteKey="POST /x", AuthorizationType="AWS_IAM"
    )
    assert (changed["RouteKey"], changed["AuthorizationType"], changed["OperationName"]) == (
        "POST /x",
        "AWS_IAM",
        "op",
    )
    client.create_route(ApiId=http, RouteKey="GET /x")  # free again
    client.delete_route(ApiId=http, RouteId=made["RouteId"])
    assert refused(lambda: client.get_route(ApiId=http, RouteId=made["RouteId"]))[0] == "NotFoundException"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION}, "BadRequestException"),
        (
            {"IntegrationType": "AWS_PROXY", "IntegrationUri": "x", "PayloadFormatVersion": "2.0"},
            "BadRequestException",
        ),
        (
            {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "3.0"},
            "BadRequestException",
        ),
        ({"IntegrationType": "MOCK", "PayloadFormatVersion": "1.0"}, "BadRequestException"),
        (
            {
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": FUNCTION,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 30001,
            },
            "BadRequestException",
        ),
        (
            {
                "IntegrationType": "AWS_PROXY",
                "IntegrationSubtype": "SQS-SendMessage",
                "PayloadFormatVersion": "1.0",
            },
            "NotEmulated",
        ),
        (
            {
                "IntegrationType": "HTTP_PROXY",
                "IntegrationUri": "http://x",
                "IntegrationMethod": "ANY",
                "PayloadFormatVersion": "1.0",
                "ConnectionType": "VPC_LINK",
                "ConnectionId": "v",
            },
            "NotEmulated",
        ),
        (
            {
                "IntegrationType": "HTTP_PROXY",
                "IntegrationUri": "http://x",
                "IntegrationMethod": "ANY",
                "PayloadFormatVersion": "1.0",
                "RequestParameters": {"change:header.x": "y"},
            },
            "BadRequestException",
        ),
    ],
)
def test_integrations_that_are_refused(client: Any, http: str, members: dict[str, Any], code: str) -> None:
    assert refused(lambda: client.create_integration(ApiId=http, **members))[0] == code


def test_integrations(client: Any, http: str) -> None:
    integration_id = integrate(client, http)
    made = client.get_integration(ApiId=http, IntegrationId=integration_id)
    assert (made["ConnectionType"], made["TimeoutInMillis"], made["IntegrationMethod"]) == (
        "INTERNET",
        30000,
        "POST",
    )
    mapped = {"200": {"append:header.a": "b", "overwrite:header.c": "d"}}
    names = {"ApiId": http, "IntegrationId": integration_id}
    client.update_integration(**names, ResponseParameters=mapped, TimeoutInMillis=50)
    changed = client.update_integration(**names, ResponseParameters={"404": {"overwrite:statuscode": "200"}})
    assert set(changed["ResponseParameters"]) == {"200", "404"}
    assert changed["TimeoutInMillis"] == 50
    route = client.create_route(ApiId=http, RouteKey="GET /", Target=f"integrations/{integration_id}")
    assert refused(lambda: client.delete_integration(**names))[0] == "ConflictException"
    client.delete_route(ApiId=http, RouteId=route["RouteId"])
    client.delete_integration(**names)
    assert client.get_integrations(ApiId=http)["Items"] == []


JWT = {"AuthorizerType": "JWT", "JwtConfiguration": {"Issuer": "https://i.example", "Audience": ["a"]}}
REQUEST = {
    "AuthorizerType": "REQUEST",
    "AuthorizerUri": URI,
    "AuthorizerPayloadFormatVersion": "2.0",
}
HEADER = ["$request.header.Authorization"]


@pytest.mark.parametrize(
    "members",
    [
        {"AuthorizerType": "JWT", "IdentitySource": HEADER},
        {**JWT, "IdentitySource": []},
        {**JWT, "IdentitySource": ["route.request.header.Authorization"]},
        {"AuthorizerType": "REQUEST", "AuthorizerUri": URI, "IdentitySource": HEADER},
        {**REQUEST, "AuthorizerUri": FUNCTION, "IdentitySource": HEADER},
        {**REQUEST, "AuthorizerResultTtlInSeconds": 3601, "IdentitySource": HEADER},
        {**REQUEST, "AuthorizerResultTtlInSeconds": 60, "IdentitySource": []},
        {
            **REQUEST,
            "AuthorizerPayloadFormatVersion": "1.0",
            "EnableSimpleResponses": True,
            "IdentitySource": HEADER,
        },
    ],
)
def test_authorizers_that_are_refused(client: Any, http: str, members: dict[str, Any]) -> None:
    call = refused(lambda: client.create_authorizer(ApiId=http, Name="a", **members))
    assert call[0] == "BadRequestException"


def test_authorizers(client: Any, http: str) -> None:
    made = client.create_authorizer(ApiId=http, Name="jwt", IdentitySource=HEADER, **JWT)
    assert (
        refused(lambda: client.create_authorizer(ApiId=http, Name="jwt", IdentitySource=HEADER, **REQUEST))[0]
        == "ConflictException"
    )
    names = {"ApiId": http, "AuthorizerId": made["AuthorizerId"]}
    assert client.update_authorizer(**names, Name="renamed")["JwtConfiguration"] == JWT["JwtConfiguration"]
    route = {"ApiId": http, "RouteKey": "GET /", "AuthorizerId": made["AuthorizerId"]}
    assert (
        refused(lambda: client.create_route(**route, AuthorizationType="CUSTOM"))[0] == "BadRequestException"
    )
    assert client.create_route(**route, AuthorizationType="JWT", AuthorizationScopes=["s"])[
        "AuthorizationScopes"
    ] == ["s"]
    client.delete_authorizer(**names)
    assert client.get_authorizers(ApiId=http)["Items"] == []


def test_stages_that_deploy_themselves(client: Any, http: str) -> None:
    made = client.create_stage(ApiId=http, StageName="$default", AutoDeploy=True)
    first = made["DeploymentId"]
    client.create_route(ApiId=http, RouteKey="GET /")
    second = client.get_stage(ApiId=http, StageName="$default")["DeploymentId"]
    assert first != second
    assert client.get_deployment(ApiId=http, DeploymentId=second)["AutoDeployed"] is True
    assert (
        refused(lambda: client.create_stage(ApiId=http, StageName="$default"))
        == ("ConflictException", "Stage already exists")
    )  # fmt: skip
    assert (
        refused(lambda: client.create_deployment(ApiId=http, StageName="$default"))[0]
        == "BadRequestException"
    )


def test_a_deployment_is_what_the_api_was(client: Any, http: str, shared_aws: EmbeddedCloud) -> None:
    assert refused(lambda: client.create_deployment(ApiId=http)) == (
        "BadRequestException",
        "Unable to deploy API because no routes exist in this API",
    )
    client.create_route(ApiId=http, RouteKey="GET /a")
    deployment = client.create_deployment(ApiId=http, Description="d")
    assert (deployment["DeploymentStatus"], deployment["AutoDeployed"]) == ("DEPLOYED", False)
    deployment_id = deployment["DeploymentId"]
    client.create_stage(ApiId=http, StageName="dev", DeploymentId=deployment_id)
    client.create_route(ApiId=http, RouteKey="GET /b")
    apis = shared_aws.cloud.apis
    assert apis.has_route(http, "dev", "GET", "/a")
    assert not apis.has_route(http, "dev", "GET", "/b")
    assert (
        refused(lambda: client.delete_deployment(ApiId=http, DeploymentId=deployment_id))[0]
        == "BadRequestException"
    )
    client.create_deployment(ApiId=http, StageName="dev")
    assert apis.has_route(http, "dev", "GET", "/b")
    client.delete_deployment(ApiId=http, DeploymentId=deployment_id)
    client.update_stage(ApiId=http, StageName="dev", AutoDeploy=True)
    client.create_route(ApiId=http, RouteKey="GET /c")
    assert apis.has_route(http, "dev", "GET", "/c")
    client.update_stage(ApiId=http, StageName="dev", AutoDeploy=False)
    client.create_route(ApiId=http, RouteKey="GET /d")
    assert not apis.has_route(http, "dev", "GET", "/d")
    assert apis.has_route(http, "dev", "GET", "/c")


def test_stage_settings(client: Any, http: str) -> None:
    settings = {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 2.5}
    names = {"ApiId": http, "StageName": "dev"}
    client.create_stage(**names, StageVariables={"a": "1", "b": "2"}, RouteSettings={"GET /": settings})
    changed = client.update_stage(**names, StageVariables={"a": "", "c": "3"})
    assert changed["StageVariables"] == {"b": "2", "c": "3"}
    assert changed["RouteSettings"] == {"GET /": settings}
    client.delete_route_settings(**names, RouteKey="GET /")
    assert client.get_stage(**names)["RouteSettings"] == {}
    assert refused(lambda: client.delete_route_settings(**names, RouteKey="GET /"))[0] == "NotFoundException"
    assert (
        refused(lambda: client.update_stage(**names, StageVariables={"a-b": "1"}))[0] == "BadRequestException"
    )
    log = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x",
        "Format": "$context.requestId",
    }
    assert client.update_stage(**names, AccessLogSettings=log)["AccessLogSettings"] == log
    client.delete_access_log_settings(**names)
    assert "AccessLogSettings" not in client.get_stage(**names)


def test_tags(client: Any, http: str) -> None:
    client.create_stage(ApiId=http, StageName="dev", Tags={"s": "1"})
    for path in (f"/apis/{http}", f"/apis/{http}/stages/dev"):
        arn = f"arn:aws:apigateway:us-east-1::{path}"
        client.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
        client.untag_resource(ResourceArn=arn, TagKeys=["a"])
        assert client.get_tags(ResourceArn=arn)["Tags"].items() >= {"b": "2"}.items()
    assert client.get_stage(ApiId=http, StageName="dev")["Tags"] == {"s": "1", "b": "2"}


def test_websocket_apis(client: Any, websocket: str) -> None:
    names = {"ApiId": websocket}
    assert client.get_api(**names)["ApiEndpoint"].startswith("wss://")
    integration = integrate(client, websocket, PayloadFormatVersion="1.0")
    target = f"integrations/{integration}"
    route = client.create_route(**names, RouteKey="$connect", Target=target, AuthorizationType="NONE")
    client.create_route(**names, RouteKey="say", Target=target, RouteResponseSelectionExpression="$default")
    of_route = {**names, "RouteId": route["RouteId"]}
    made = client.create_route_response(**of_route, RouteResponseKey="$default")
    (listed,) = client.get_route_responses(**of_route)["Items"]
    assert listed == without_meta(made)
    client.delete_route_response(**of_route, RouteResponseId=made["RouteResponseId"])
    assert client.get_route_responses(**of_route)["Items"] == []
    of_integration = {**names, "IntegrationId": integration}
    made = client.create_integration_response(**of_integration, IntegrationResponseKey="/200/")
    changed = client.update_integration_response(
        **of_integration,
        IntegrationResponseId=made["IntegrationResponseId"],
        IntegrationResponseKey="$default",
    )
    assert client.get_integration_responses(**of_integration)["Items"] == [without_meta(changed)]
    model = client.create_model(**names, Name="Message", Schema='{"type":"object"}')
    assert client.get_models(**names)["Items"] == [without_meta(model)]
    deployment = client.create_deployment(**names)
    stage = client.create_stage(**names, StageName="dev", DeploymentId=deployment["DeploymentId"])
    assert stage["DeploymentId"] == deployment["DeploymentId"]
    assert refused(lambda: client.create_stage(**names, StageName="$default"))[0] == "BadRequestException"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("export_api", {"ApiId": "x", "Specification": "OAS30", "OutputType": "JSON"}),
        ("import_api", {"Body": "{}"}),
        ("create_domain_name", {"DomainName": "api.example.com"}),
        ("create_vpc_link", {"Name": "v", "SubnetIds": ["s"]}),
    ],
)
def test_what_is_not_emulated_says_so(client: Any, operation: str, members: dict[str, Any]) -> None:
    assert refused(lambda: getattr(client, operation)(**members))[0] == "NotEmulated"


def test_places_do_not_meet(client: Any, http: str, shared_aws: EmbeddedCloud) -> None:
    other = shared_aws.client("apigatewayv2", region_name="eu-west-1")
    assert other.get_apis()["Items"] == []
    assert refused(lambda: other.get_api(ApiId=http))[0] == "NotFoundException"
