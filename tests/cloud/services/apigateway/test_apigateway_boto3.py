"""The whole way: real boto3 for the control plane, real HTTP for the data plane."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from pileus.testing import EmbeddedCloud

MOCK = '{"statusCode": #if($input.params("s") != "")$input.params("s")#{else}200#end}'


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.fixture
def client(aws: EmbeddedCloud) -> Any:
    return aws.client("apigateway")


def test_a_mock_api(aws: EmbeddedCloud, client: Any) -> None:
    api = client.create_rest_api(name="shop", tags={"a": "1"})
    where = {"restApiId": api["id"]}
    item = client.create_resource(**where, parentId=api["rootResourceId"], pathPart="{id}")
    place = {**where, "resourceId": item["id"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE", requestParameters={"method.request.path.id": True})
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": MOCK})
    for status, pattern in (("200", ""), ("404", "404")):
        client.put_method_response(**place, statusCode=status)
        client.put_integration_response(
            **place,
            statusCode=status,
            selectionPattern=pattern,
            responseTemplates={
                "application/json": '{"id": "$input.params(\'id\')", "stage": "$context.stage"}'
            },
        )
    client.create_deployment(**where, stageName="dev")
    assert client.get_stage(**where, stageName="dev")["createdDate"].year >= 2024
    assert client.get_integration(**place)["integrationResponses"]["404"]["selectionPattern"] == "404"
    base = f"{aws.url}/_aws/execute-api/{api['id']}"
    status, headers, body = fetch(f"{base}/dev/7")
    assert (status, json.loads(body)) == (200, {"id": "7", "stage": "dev"})
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-requestid"]
    assert headers["x-amz-apigw-id"]
    assert fetch(f"{base}/dev/7?s=404")[0] == 404
    status, headers, body = fetch(f"{base}/dev/7/8")
    assert (status, body) == (403, b'{"message":"Missing Authentication Token"}')
    assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert fetch(f"{base}/prod/7")[2] == b'{"message":"Forbidden"}'


def test_a_method_is_tried_without_a_deployment(aws: EmbeddedCloud, client: Any) -> None:
    api = client.create_rest_api(name="tried")
    where = {"restApiId": api["id"]}
    item = client.create_resource(**where, parentId=api["rootResourceId"], pathPart="{id}")
    place = {**where, "resourceId": item["id"], "httpMethod": "POST"}
    client.put_method(**place, authorizationType="AWS_IAM", apiKeyRequired=True)
    with pytest.raises(client.exceptions.NotFoundException):
        client.test_invoke_method(**place)
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": MOCK})
    client.put_method_response(**place, statusCode="200")
    told = '{"id": "$input.params(\'id\')", "q": "$input.params(\'q\')", "v": "$stageVariables.v", "b": $input.body}'
    client.put_integration_response(**place, statusCode="200", responseTemplates={"application/json": told})
    answer = client.test_invoke_method(
        **place, pathWithQueryString="/7?q=1", body='{"a":1}', stageVariables={"v": "x"}
    )
    assert answer["status"] == 200
    assert json.loads(answer["body"].replace('"b": }', '"b": 0}')) == {"id": "7", "q": "1", "v": "x", "b": 0}
    assert answer["headers"]["Content-Type"] == "application/json"
    assert "Method completed with status: 200" in answer["log"]
    failed = client.test_invoke_method(**place, pathWithQueryString="/7?s=999")
    assert failed["status"] == 200  # no pattern matches: the default response


def test_errors_and_pages(client: Any) -> None:
    with pytest.raises(client.exceptions.NotFoundException, match="Invalid API identifier specified"):
        client.get_rest_api(restApiId="abcdefghij")
    made = sorted(client.create_rest_api(name=f"a{n}")["id"] for n in range(3))
    pages = client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 2})
    assert [item["id"] for page in pages for item in page["items"]] == made
    api = client.update_rest_api(
        restApiId=made[0], patchOperations=[{"op": "replace", "path": "/description", "value": "d"}]
    )
    assert api["description"] == "d"
    client.delete_rest_api(restApiId=made[0])
    with pytest.raises(client.exceptions.ConflictException):
        where = {"restApiId": made[1], "contentType": "application/json", "name": "M", "schema": "{}"}
        client.create_model(**where)
        client.create_model(**where)


def test_keys_and_tags(client: Any) -> None:
    key = client.create_api_key(name="k", enabled=True)
    assert "value" not in client.get_api_key(apiKey=key["id"])
    assert len(client.get_api_key(apiKey=key["id"], includeValue=True)["value"]) == 40
    plan = client.create_usage_plan(name="p", throttle={"burstLimit": 5, "rateLimit": 2.5})
    assert plan["throttle"] == {"burstLimit": 5, "rateLimit": 2.5}
    client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    usage = client.get_usage(usagePlanId=plan["id"], startDate="2026-01-01", endDate="2026-01-02")
    assert usage["items"] == {}
    arn = f"arn:aws:apigateway:us-east-1::/apikeys/{key['id']}"
    client.tag_resource(resourceArn=arn, tags={"x": "y"})
    assert client.get_tags(resourceArn=arn)["tags"] == {"x": "y"}
    client.untag_resource(resourceArn=arn, tagKeys=["x"])
    assert client.get_tags(resourceArn=arn)["tags"] == {}
    assert client.get_account()["throttleSettings"]["rateLimit"] == 10000.0
