"""A service with httpApi events, run whole: functions of its own, over real HTTP, beside a REST API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from pileus.testing import RunningService

SERVICE = """\
service: shop
frameworkVersion: '3'
plugins: [serverless-offline]
custom:
  serverless-offline: {ignoreJWTSignature: true}
provider:
  name: aws
  runtime: python3.11
  httpApi:
    cors: true
    authorizers:
      tokens:
        type: jwt
        identitySource: $request.header.Authorization
        issuerUrl: https://issuer.example.com/pool
        audience: [client]
      gate:
        type: request
        functionName: gate
        enableSimpleResponses: true
        identitySource: $request.header.x-gate
functions:
  echo:
    handler: app.echo
    events:
      - httpApi: GET /echo/{id}
      - httpApi: {method: post, path: /echo}
      - httpApi: {path: /mine, method: get, authorizer: {name: tokens, scopes: [read]}}
      - httpApi: {path: /gated, method: get, authorizer: {name: gate}}
      - http: GET old
  rest:
    handler: app.rest
    events:
      - httpApi: '*'
  gate:
    handler: app.gate
"""
CODE = """\
def echo(event, context):
    return event if event.get("version") == "2.0" else {"statusCode": 200, "body": event["path"]}

def rest(event, context):
    return {"statusCode": 404, "body": "nothing at " + event["rawPath"], "cookies": ["a=1", "b=2"]}

def gate(event, context):
    return {"isAuthorized": event["identitySource"] == ["open"], "context": {"who": "me", "n": 1}}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder: Path = tmp_path_factory.mktemp("shop")
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "app.py").write_text(CODE)
    with RunningService(folder) as running:
        yield running


def ask(url: str, method: str = "GET", data: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_routes_have_no_stage(service: RunningService) -> None:
    status, headers, body = ask(f"{service.http_api_url}/echo/7?a=1&a=2", Cookie="x=1; y=2")
    event = json.loads(body)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert len(headers["apigw-requestid"]) == 16
    assert event["rawPath"] == "/echo/7"
    assert event["routeKey"] == "GET /echo/{id}"
    assert event["cookies"] == ["x=1", "y=2"]
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["requestContext"]["stage"] == "$default"


def test_posted_json_arrives(service: RunningService) -> None:
    _, _, body = ask(f"{service.http_api_url}/echo", "POST", b'{"a":1}', Content_Type="application/json")
    assert json.loads(body)["body"] == '{"a":1}'


def test_the_catch_all_and_its_cookies(service: RunningService) -> None:
    status, headers, body = ask(f"{service.http_api_url}/no/such", "PUT", b"x")
    assert (status, body) == (404, b"nothing at /no/such")
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_the_rest_api_keeps_its_stage_on_the_same_port(service: RunningService) -> None:
    assert service.api_url == f"{service.http_api_url}/dev"
    assert ask(f"{service.api_url}/old")[2] == b"/old"


def test_under_the_stage_the_rest_api_goes_first(service: RunningService) -> None:
    # no method of the REST API, but a route of the HTTP API takes everything
    assert ask(f"{service.api_url}/new")[2] == b"nothing at /dev/new"


def test_a_preflight(service: RunningService) -> None:
    status, headers, _ = ask(
        f"{service.http_api_url}/echo",
        "OPTIONS",
        Origin="https://a.example",
        Access_Control_Request_Method="POST",
    )
    assert status == 204
    assert headers["access-control-allow-origin"] == "*"
    assert "POST" in headers["access-control-allow-methods"]


def test_a_token_whose_signature_is_left_alone(service: RunningService) -> None:
    claims = {
        "iss": "https://issuer.example.com/pool",
        "aud": "client",
        "exp": 4102444800,
        "scope": "read all",
    }
    url = f"{service.http_api_url}/mine"
    token = jwt.encode(claims, "a secret of thirty-two characters", algorithm="HS256")
    status, _, body = ask(url, Authorization=f"Bearer {token}")
    assert status == 200
    authorizer = json.loads(body)["requestContext"]["authorizer"]
    assert authorizer["jwt"]["claims"]["exp"] == "4102444800"
    assert authorizer["jwt"]["scopes"] == ["read", "all"]
    status, headers, body = ask(url)
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(body) == {"message": "Unauthorized"}


def test_a_function_that_authorises(service: RunningService) -> None:
    url = f"{service.http_api_url}/gated"
    status, _, body = ask(url, x_gate="open")
    assert status == 200
    assert json.loads(body)["requestContext"]["authorizer"] == {"lambda": {"who": "me", "n": 1}}
    assert ask(url, x_gate="shut")[0] == 403
    assert ask(url)[0] == 401


def test_the_same_at_the_apis_own_host(service: RunningService) -> None:
    api_id = service.deployed.outputs["HttpApiId"]
    endpoint = service.cloud.settings.endpoint
    host = {"Host": f"{api_id}.execute-api.localhost"}
    assert ask(f"{endpoint}/echo/8", **host)[0] == 200
    assert ask(f"{endpoint}/_aws/execute-api/{api_id}/echo/8")[0] == 200


def test_boto3_sees_what_was_made(service: RunningService) -> None:
    client = service.client("apigatewayv2")
    (api,) = client.get_apis()["Items"]
    assert api["Name"] == "dev-shop"
    keys = {route["RouteKey"] for route in client.get_routes(ApiId=api["ApiId"])["Items"]}
    assert keys == {"GET /echo/{id}", "POST /echo", "GET /mine", "GET /gated", "$default"}
    stage = client.get_stage(ApiId=api["ApiId"], StageName="$default")
    assert stage["AutoDeploy"] is True
    assert stage["Tags"]["aws:cloudformation:stack-name"] == "shop-dev"
