"""Hostile requests to a deployed API, and functions that answer nonsense: AWS's errors, and nothing breaks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pileus.testing import EmbeddedCloud

from .raw import Answer, Request, exchange
from .test_any_operation import TRUST
from .test_kills_with_events import _package

#: Answers with what it is sent, parsed.
MIRROR = """
    import base64, json

    def handler(event, context):
        body = event["body"] or "{}"
        if event["isBase64Encoded"]:
            return {"statusCode": 200, "body": "binary"}
        return json.loads(body)
"""
MODEL = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 5}}}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "mirror", "AssumeRolePolicyDocument": json.loads(TRUST)},
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
        "Proxy": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "PathPart": "{proxy+}",
            },
        },
        "Checked": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "PathPart": "checked",
            },
        },
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {"RestApiId": {"Ref": "Api"}, "ContentType": "application/json", "Schema": MODEL},
        },
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ValidateRequestBody": True,
                "ValidateRequestParameters": True,
            },
        },
        "Any": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Proxy"},
                "HttpMethod": "ANY",
                "AuthorizationType": "NONE",
                "Integration": {
                    "Type": "AWS_PROXY",
                    "IntegrationHttpMethod": "POST",
                    "Uri": (
                        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
                        "arn:aws:lambda:us-east-1:000000000000:function:mirror/invocations"
                    ),
                },
            },
        },
        "Post": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Checked"},
                "HttpMethod": "POST",
                "AuthorizationType": "NONE",
                "RequestValidatorId": {"Ref": "Validator"},
                "RequestModels": {"application/json": {"Ref": "Model"}},
                "Integration": {
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                    "IntegrationResponses": [
                        {"StatusCode": "200", "ResponseTemplates": {"application/json": "$input.json('$')"}}
                    ],
                },
                "MethodResponses": [{"StatusCode": "200"}],
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Any", "Post"],
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "dev"},
        },
    },
    "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[EmbeddedCloud, str]]:
    """A cloud with the API, and the path that its requests begin with."""
    with EmbeddedCloud() as cloud:
        stacks = cloud.client("cloudformation")
        stacks.create_stack(
            StackName="api", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        cloud.drain()
        stack = stacks.describe_stacks(StackName="api")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.describe_stack_events(StackName="api")
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName="mirror",
            Role="arn:aws:iam::000000000000:role/mirror",
            Runtime="python3.11",
            Handler="app.handler",
            Code={"ZipFile": _package(MIRROR)},
        )
        functions.add_permission(
            FunctionName="mirror",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        yield cloud, f"/_aws/execute-api/{stack['Outputs'][0]['OutputValue']}/dev"


@pytest.fixture(autouse=True)
def no_bug(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.ERROR)
    yield
    assert [record.getMessage() for record in caplog.records] == []


def ask(served: tuple[EmbeddedCloud, str], path: str, body: bytes = b"", *headers: tuple[str, str]) -> Answer:
    cloud, base = served
    request = Request(
        "", "POST", f"{base}{path}", headers=(("content-type", "application/json"), *headers), body=body
    )
    answer = exchange(cloud, request.bytes())
    assert answer is not None
    return answer


RESPONSES = {
    "a good one": ({"statusCode": 201, "body": "ok", "headers": {"x-a": "b"}}, 201),
    "nothing": (None, 502),
    "a text": ("text", 502),
    "a list": ([1], 502),
    "a status in words": ({"statusCode": "abc"}, 502),
    "no status": ({"body": "x"}, None),
    "a negative status": ({"statusCode": -1}, 502),
    "a status of four digits": ({"statusCode": 1000}, 502),
    "a huge status": ({"statusCode": 10**30}, 502),
    "a status of true": ({"statusCode": True}, 502),
    "headers as a list": ({"statusCode": 200, "headers": [1]}, 502),
    "a status beyond floats": ({"statusCode": float("inf")}, 502),
    "a header as an object": ({"statusCode": 200, "headers": {"x": {"y": 1}}}, 502),
    "a line break in a header": ({"statusCode": 200, "headers": {"x-a": "b\r\nx-evil: 1"}}, 502),
    "a line break in a header's name": ({"statusCode": 200, "headers": {"x-a\r\nx-evil": "1"}}, 502),
    "a NUL in a header": ({"statusCode": 200, "headers": {"x-a": "a\0b"}}, 502),
    "a header of another alphabet": ({"statusCode": 200, "headers": {"x-a": "🦊é"}}, 200),
    "an empty header name": ({"statusCode": 200, "headers": {"": "x"}}, 502),
    "a content length": ({"statusCode": 200, "headers": {"Content-Length": "9999"}, "body": "x"}, 200),
    "another content length": ({"statusCode": 200, "headers": {"content-length": "-1"}, "body": "x"}, 200),
    "a transfer encoding": (
        {"statusCode": 200, "headers": {"Transfer-Encoding": "chunked"}, "body": "x"},
        200,
    ),
    "a body that is no text": ({"statusCode": 200, "body": {"a": 1}}, 502),
    "a body that is no base64": ({"statusCode": 200, "body": "%%%", "isBase64Encoded": True}, None),
    "a lone surrogate": ({"statusCode": 200, "body": "\ud800"}, None),
    "a body of 7 MB": ({"statusCode": 200, "body": "x" * 7_000_000}, None),
    "many cookies": ({"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}, 200),
    "cookies as a text": ({"statusCode": 200, "multiValueHeaders": {"Set-Cookie": "a=1"}}, None),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_what_a_function_may_answer(served: tuple[EmbeddedCloud, str], name: str) -> None:
    response, status = RESPONSES[name]
    answer = ask(served, "/mirror", json.dumps(response).encode())
    assert answer.status in ((200, 413, 500, 502) if status is None else (status,)), answer
    assert "x-evil" not in answer.headers
    if answer.status == 502:
        assert json.loads(answer.body)["message"] == "Internal server error"


PATHS = {
    "a NUL": "/%00",
    "invalid UTF-8": "/%ff",
    "parents": "/../../../x",
    "encoded parents": "/%2e%2e/%2e%2e%2fx",
    "slashes": "////",
    "a bare percent sign": "/%/%zz",
    "long": "/" + "x" * 8000,
    "an odd query": "/x?&&&=&a&a=1&a=2&%ff=%00&b=%zz",
    "no stage": "",
}


@pytest.mark.parametrize("name", PATHS)
def test_paths(served: tuple[EmbeddedCloud, str], name: str) -> None:
    answer = ask(served, PATHS[name], b'{"statusCode": 200, "body": "ok"}')
    assert answer.status in (200, 400, 403, 404, 414), answer


BODIES = {
    "good": (b'{"name": "abc"}', 200),
    "empty": (b"", 400),
    "no JSON": (b"nonsense", 400),
    "cut off": (b'{"name": ', 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "a missing part": (b"{}", 400),
    "the wrong type": (b'{"name": 5}', 400),
    "too long": (b'{"name": "abcdef"}', 400),
    "deep": (b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "invalid UTF-8": (b'{"name": "\xff"}', 400),
    "a huge number": (b'{"name": 1' + b"0" * 5000 + b"}", 400),
    "twice": (b'{"name": "a", "name": 1}', 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_against_a_model(served: tuple[EmbeddedCloud, str], name: str) -> None:
    body, status = BODIES[name]
    answer = ask(served, "/checked", body)
    assert answer.status == status, answer
    if status == 400:
        assert json.loads(answer.body)["message"] == "Invalid request body"


def test_a_body_of_more_than_ten_megabytes(served: tuple[EmbeddedCloud, str]) -> None:
    answer = ask(served, "/mirror", b" " * 10_485_761)
    assert answer.status == 413
    assert json.loads(answer.body)["message"]


@pytest.mark.parametrize(
    "headers",
    [
        (("content-type", "\xff\xfe"),),
        (("content-type", "application/json; charset=nonsense"),),
        (("cookie", "=;=;=;" * 1000),),
        (("x-forwarded-for", "'; DROP TABLE x; --"),),
        (("authorization", "Bearer " + "x" * 8000),),
        (("accept", "*/*;q=nonsense, ,,,"),),
        (("x-api-key", "' OR 1=1 --"),),
        (("accept-encoding", "nonsense;q=2"),),
    ],
)
def test_odd_headers(served: tuple[EmbeddedCloud, str], headers: tuple[tuple[str, str], ...]) -> None:
    answer = ask(served, "/mirror", b'{"statusCode": 200, "body": "ok"}', *headers)
    assert answer.status in (200, 400, 415), answer
