"""The control plane: what each operation gives, and the words with which it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, NotEmulated


def refused(work: Any, code: str, words: str) -> None:
    with pytest.raises(AwsError) as caught:
        work()
    assert caught.value.code == code
    assert words in caught.value.message


def test_rest_api(api: Any) -> None:
    made = api.on("GetRestApi")
    assert re.fullmatch(r"[a-z0-9]{10}", made["id"])
    assert made == {
        "id": api.id,
        "name": "shop",
        "createdDate": made["createdDate"],
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "tags": {},
        "disableExecuteApiEndpoint": False,
        "rootResourceId": api.paths["/"],
    }
    steps = [
        {"op": "replace", "path": "/name", "value": "shop2"},
        {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
    ]
    changed = api.on("UpdateRestApi", patchOperations=steps)
    assert changed["name"] == "shop2"
    assert changed["binaryMediaTypes"] == ["image/png"]
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    api.on("DeleteRestApi")
    words = f"Invalid API identifier specified 000000000000:{api.id}"
    refused(lambda: api.on("GetRestApi"), "NotFoundException", words)
    assert api.call("GetRestApis") == {"items": []}


def test_pages(make_api: Any) -> None:
    ids = sorted(make_api().id for _ in range(5))
    api = make_api()
    ids = sorted([*ids, api.id])
    found, position = [], None
    while True:
        page = api.call("GetRestApis", limit=2, **({"position": position} if position else {}))
        found += [item["id"] for item in page["items"]]
        position = page.get("position")
        if position is None:
            break
    assert found == ids


def test_accounts_do_not_meet(api: Any) -> None:
    for place in ({"account": "111122223333"}, {"region": "eu-west-1"}):
        with pytest.raises(AwsError, match="Invalid API identifier"):
            api.cloud.call("apigateway", "GetRestApi", {"restApiId": api.id}, **place)


def test_resources(api: Any) -> None:
    child = api.resource("/users/{id}")
    root = api.paths["/"]
    api.method("GET", "/users/{id}")
    found = {item["path"]: item for item in api.on("GetResources")["items"]}
    assert sorted(found) == ["/", "/users", "/users/{id}"]
    assert found["/users/{id}"] == {
        "id": child,
        "parentId": api.paths["/users"],
        "pathPart": "{id}",
        "path": "/users/{id}",
        "resourceMethods": {"GET": {}},
    }
    whole = api.on("GetResource", resourceId=child, embed=["methods"])
    assert whole["resourceMethods"]["GET"]["methodIntegration"]["type"] == "AWS_PROXY"

    def make(part: str, parent: str = root) -> Any:
        return lambda: api.on("CreateResource", parentId=parent, pathPart=part)

    refused(
        make("users"),
        "ConflictException",
        "Another resource with the same parent already has this name: users",
    )
    refused(make("{other}", api.paths["/users"]), "BadRequestException", "already has a variable path part")
    refused(make("a b"), "BadRequestException", "Resource's path part only allow a-zA-Z0-9._-:")
    refused(make("x", "nope"), "NotFoundException", "Invalid Resource identifier specified")
    greedy = make("{proxy+}")()["id"]
    refused(
        make("x", greedy),
        "BadRequestException",
        "Cannot create a child of a resource with a greedy path variable.",
    )
    refused(lambda: api.on("DeleteResource", resourceId=root), "BadRequestException", "Root resource")
    api.on("DeleteResource", resourceId=api.paths["/users"])
    assert sorted(item["path"] for item in api.on("GetResources")["items"]) == ["/", "/{proxy+}"]


def test_methods(api: Any) -> None:
    where = {"resourceId": api.paths["/"], "httpMethod": "GET"}
    refused(lambda: api.on("GetMethod", **where), "NotFoundException", "Invalid Method identifier specified")
    api.bare_method("GET", "/")
    refused(
        lambda: api.bare_method("GET", "/"), "ConflictException", "Method already exists for this resource"
    )
    refused(
        lambda: api.bare_method("POST", "/", authorizationType="CUSTOM"),
        "BadRequestException",
        "Invalid authorizer ID specified.",
    )
    refused(
        lambda: api.on("GetIntegration", **where),
        "NotFoundException",
        "Invalid Integration identifier specified",
    )
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST"}
    refused(
        lambda: api.on("PutIntegration", **where, **integration, uri="nope"),
        "BadRequestException",
        "Invalid ARN specified in the request",
    )
    made = api.on("PutIntegration", **where, **integration, uri=api.uri("f"))
    assert made["httpMethod"] == "POST"
    assert made["passthroughBehavior"] == "WHEN_NO_MATCH"
    assert made["timeoutInMillis"] == 29000
    refused(
        lambda: api.on("PutIntegrationResponse", **where, statusCode="200"),
        "NotFoundException",
        "Invalid Response status code specified",
    )
    api.on("PutMethodResponse", **where, statusCode="200")
    refused(
        lambda: api.on(
            "PutIntegrationResponse",
            **where,
            statusCode="200",
            responseParameters={"method.response.header.X": "'1'"},
        ),
        "BadRequestException",
        "Invalid mapping expression parameter specified: method.response.header.X",
    )
    step = {"op": "replace", "path": "/apiKeyRequired", "value": "true"}
    assert api.on("UpdateMethod", **where, patchOperations=[step])["apiKeyRequired"] is True
    bad = {"op": "replace", "path": "/nonsense", "value": "1"}
    refused(
        lambda: api.on("UpdateMethod", **where, patchOperations=[bad]),
        "BadRequestException",
        "Must be one of: [",
    )
    api.on("DeleteIntegration", **where)
    api.on("DeleteMethod", **where)
    assert "resourceMethods" not in api.on("GetResource", resourceId=api.paths["/"])


def test_deployments_and_stages(api: Any) -> None:
    deploy = lambda: api.on("CreateDeployment")  # noqa: E731
    refused(deploy, "BadRequestException", "The REST API doesn't contain any methods")
    api.bare_method("GET", "/")
    refused(deploy, "BadRequestException", "No integration defined for method")
    api.on("DeleteMethod", resourceId=api.paths["/"], httpMethod="GET")
    api.method("GET", "/")
    first = deploy()["id"]
    summary = api.on("GetDeployment", deploymentId=first, embed=["apisummary"])["apiSummary"]
    assert summary == {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}}
    stage = api.on("CreateStage", stageName="dev", deploymentId=first, variables={"a": "1"})
    assert stage["variables"] == {"a": "1"}
    assert stage["tracingEnabled"] is False
    refused(
        lambda: api.on("CreateStage", stageName="dev", deploymentId=first),
        "ConflictException",
        "Stage already exists",
    )
    refused(
        lambda: api.on("CreateStage", stageName="a b", deploymentId=first),
        "BadRequestException",
        "Stage name only allows a-zA-Z0-9_-",
    )
    refused(
        lambda: api.on("DeleteDeployment", deploymentId=first),
        "BadRequestException",
        "Active stages pointing to this deployment must be moved or deleted",
    )
    steps = [
        {"op": "replace", "path": "/variables/b", "value": "2"},
        {"op": "remove", "path": "/variables/a"},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "10"},
        {"op": "replace", "path": "/~1users~1{id}/GET/metrics/enabled", "value": "true"},
    ]
    stage = api.on("UpdateStage", stageName="dev", patchOperations=steps)
    assert stage["variables"] == {"b": "2"}
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 10
    assert stage["methodSettings"]["~1users~1{id}/GET"]["metricsEnabled"] is True
    with pytest.raises(NotEmulated, match="canarySettings"):
        step = {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "10"}
        api.on("UpdateStage", stageName="dev", patchOperations=[step])
    cache = [
        {"op": "replace", "path": "/cacheClusterEnabled", "value": "true"},
        {"op": "replace", "path": "/cacheClusterSize", "value": "1.6"},
        {"op": "replace", "path": "/*/*/caching/enabled", "value": "true"},
    ]
    stage = api.on("UpdateStage", stageName="dev", patchOperations=cache)
    assert (stage["cacheClusterStatus"], stage["cacheClusterSize"]) == ("AVAILABLE", "1.6")
    assert stage["methodSettings"]["*/*"]["cachingEnabled"] is True
    wrong = [{"op": "replace", "path": "/cacheClusterSize", "value": "2"}]
    refused(
        lambda: api.on("UpdateStage", stageName="dev", patchOperations=wrong),
        "BadRequestException",
        "Invalid cache cluster size",
    )
    assert [item["stageName"] for item in api.on("GetStages", deploymentId=first)["item"]] == ["dev"]
    api.on("DeleteStage", stageName="dev")
    api.on("DeleteDeployment", deploymentId=first)
    refused(
        lambda: api.on("GetStage", stageName="dev"), "NotFoundException", "Invalid stage identifier specified"
    )


def test_a_template_that_is_none_is_refused_when_deployed(api: Any) -> None:
    api.bare_method("GET", "/")
    templates = {"application/json": "#if($x)"}
    where = {"resourceId": api.paths["/"], "httpMethod": "GET"}
    api.on("PutIntegration", **where, type="MOCK", requestTemplates=templates)
    refused(lambda: api.on("CreateDeployment"), "BadRequestException", "#if without #end")


def test_models_and_authorizers(api: Any) -> None:
    assert [item["name"] for item in api.on("GetModels")["items"]] == ["Empty", "Error"]
    model = {"name": "M", "contentType": "application/json", "schema": "{}"}
    api.on("CreateModel", **model)
    refused(
        lambda: api.on("CreateModel", **model),
        "ConflictException",
        "Model name already exists for this REST API",
    )
    refused(
        lambda: api.on("CreateModel", name="N", contentType="application/json", schema='{"type": 5}'),
        "BadRequestException",
        "Invalid model schema specified",
    )
    refused(lambda: api.on("GetModel", modelName="Q"), "NotFoundException", "Invalid model name specified: Q")
    authorizer = {"name": "a", "type": "TOKEN", "authorizerUri": api.uri("f")}
    made = api.on("CreateAuthorizer", **authorizer)
    assert made["identitySource"] == "method.request.header.Authorization"
    assert made["authorizerResultTtlInSeconds"] == 300
    refused(
        lambda: api.on("CreateAuthorizer", **authorizer),
        "ConflictException",
        "Authorizer name must be unique.",
    )
    with pytest.raises(AwsError, match="Invalid Provider ARNs specified"):
        api.on("CreateAuthorizer", **{**authorizer, "name": "b", "type": "COGNITO_USER_POOLS"})
    api.method("GET", "/", authorizationType="CUSTOM", authorizerId=made["id"])
    refused(
        lambda: api.on("DeleteAuthorizer", authorizerId=made["id"]),
        "ConflictException",
        "is referenced in method",
    )


def test_gateway_responses(api: Any) -> None:
    kind = {"responseType": "UNAUTHORIZED"}
    assert api.on("GetGatewayResponse", **kind) == {
        "responseType": "UNAUTHORIZED",
        "statusCode": "401",
        "responseParameters": {},
        "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
        "defaultResponse": True,
    }
    api.on("PutGatewayResponse", **kind, statusCode="402")
    assert api.on("GetGatewayResponse", **kind)["statusCode"] == "402"
    assert len(api.on("GetGatewayResponses")["items"]) == 21
    api.on("DeleteGatewayResponse", **kind)
    assert api.on("GetGatewayResponse", **kind)["defaultResponse"] is True


def test_keys_and_plans(api: Any) -> None:
    api.method("GET", "/")
    api.deploy()
    stage = {"restApiId": api.id, "stageName": "dev"}
    key = api.call("CreateApiKey", name="k1", enabled=True, stageKeys=[stage], value="v" * 20)
    assert key["stageKeys"] == [f"{api.id}/dev"]
    assert "value" not in api.call("GetApiKey", apiKey=key["id"])
    assert api.call("GetApiKey", apiKey=key["id"], includeValue=True)["value"] == "v" * 20
    assert api.call("GetApiKeys", nameQuery="k", includeValues=True)["items"][0]["value"] == "v" * 20
    assert api.call("GetApiKeys", nameQuery="z")["items"] == []
    refused(lambda: api.call("CreateApiKey", value="v" * 20), "ConflictException", "API Key already exists")
    refused(lambda: api.call("CreateApiKey", value="short"), "BadRequestException", "at least 20 characters")
    refused(
        lambda: api.call("GetApiKey", apiKey="x"), "NotFoundException", "Invalid API Key identifier specified"
    )
    stages = [{"apiId": api.id, "stage": "dev"}]
    plan = api.call("CreateUsagePlan", name="p", apiStages=stages, quota={"limit": 5, "period": "MONTH"})
    assert plan["quota"] == {"limit": 5, "period": "MONTH", "offset": 0}
    link = {"usagePlanId": plan["id"], "keyId": key["id"]}
    made = api.call("CreateUsagePlanKey", **link, keyType="API_KEY")
    assert made == {"id": key["id"], "type": "API_KEY", "value": "v" * 20, "name": "k1"}
    assert api.call("GetUsagePlanKeys", usagePlanId=plan["id"])["items"] == [made]
    assert [item["id"] for item in api.call("GetUsagePlans", keyId=key["id"])["items"]] == [plan["id"]]
    other = api.call("CreateUsagePlan", name="q", apiStages=stages)
    refused(
        lambda: api.call("CreateUsagePlanKey", usagePlanId=other["id"], keyId=key["id"], keyType="API_KEY"),
        "ConflictException",
        "already subscribed",
    )
    refused(
        lambda: api.call("CreateUsagePlan", name="r", apiStages=[{"apiId": api.id, "stage": "x"}]),
        "NotFoundException",
        "API Stage not found",
    )
    refused(
        lambda: api.call("DeleteUsagePlan", usagePlanId=plan["id"]), "BadRequestException", "Cannot delete"
    )


def test_tags_and_account(api: Any) -> None:
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api.id}"
    api.call("TagResource", resourceArn=arn, tags={"a": "1", "b": "2"})
    api.call("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert api.call("GetTags", resourceArn=arn) == {"tags": {"b": "2"}}
    assert api.on("GetRestApi")["tags"] == {"b": "2"}
    refused(
        lambda: api.call("GetTags", resourceArn=arn[:-3]), "NotFoundException", "Invalid resource identifier"
    )
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::000000000000:role/r"}
    assert api.call("UpdateAccount", patchOperations=[role])["cloudwatchRoleArn"].endswith("role/r")
    assert api.call("GetAccount")["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0}
