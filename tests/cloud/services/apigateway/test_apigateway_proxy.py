"""Lambda proxy integrations: routing, the event, the response, and what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, HttpRequest


def body(response: Any) -> Any:
    return json.loads(response.body)


def test_the_event_is_aws_own(api: Any, functions: Any) -> None:
    api.method("GET", "/users/{id}")
    deployment = api.deploy(variables={"table": "t1"})
    response = api.get("GET", "/users/a%20b?x=1&x=2&y=", accept="text/html", **{"x-mine": "q"})
    assert response.status == 200
    event = functions.events[0]
    context = event.pop("requestContext")
    trace = event["headers"].pop("X-Amzn-Trace-Id")
    assert event["multiValueHeaders"].pop("X-Amzn-Trace-Id") == [trace]
    headers = {
        "Host": "localhost:3000",
        "User-Agent": "test/1",
        "Accept": "text/html",
        "x-mine": "q",
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }
    assert event == {
        "resource": "/users/{id}",
        "path": "/users/a%20b",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {"x": "2", "y": ""},
        "multiValueQueryStringParameters": {"x": ["1", "2"], "y": [""]},
        "pathParameters": {"id": "a%20b"},
        "stageVariables": {"table": "t1"},
        "body": None,
        "isBase64Encoded": False,
    }
    identity = context.pop("identity")
    assert {name for name, value in identity.items() if value} == {"sourceIp", "userAgent"}
    assert identity["sourceIp"] == "10.1.2.3"
    assert identity["caller"] is None
    assert context.pop("requestId") == response.headers["x-amzn-RequestId"]
    assert context.pop("extendedRequestId") == response.headers["x-amz-apigw-id"]
    assert context.pop("requestTime").endswith(" +0000")
    assert context.pop("requestTimeEpoch") > 1_600_000_000_000
    assert context == {
        "accountId": "000000000000",
        "apiId": api.id,
        "deploymentId": deployment,
        "domainName": "localhost:3000",
        "domainPrefix": "localhost",
        "httpMethod": "GET",
        "path": "/dev/users/a%20b",
        "protocol": "HTTP/1.1",
        "resourceId": api.paths["/users/{id}"],
        "resourcePath": "/users/{id}",
        "stage": "dev",
    }
    assert response.headers["X-Amzn-Trace-Id"] == trace == functions.calls[0][1]
    assert (
        functions.calls[0][2] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/users/{{id}}"
    )


def test_nothing_is_null(api: Any, functions: Any) -> None:
    api.method("GET", "/")
    api.deploy()
    api.get("GET", "/")
    for member in (
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
    ):
        assert functions.events[0][member] is None
    assert "authorizer" not in functions.events[0]["requestContext"]


@pytest.mark.parametrize(
    ("verb", "path", "resource", "parameters"),
    [
        ("GET", "/", "/", None),
        ("GET", "/users", "/users", None),
        ("GET", "/users/", "/users", None),
        ("GET", "/users/me", "/users/me", None),
        ("GET", "/users/7", "/users/{id}", {"id": "7"}),
        ("GET", "/users/7/x/y", "/{proxy+}", {"proxy": "users/7/x/y"}),
        ("POST", "/users/me", "/{proxy+}", {"proxy": "users/me"}),
        ("DELETE", "/users/7", "/users/{id}", {"id": "7"}),
        ("GET", "/files/a/b", "/files/{path+}", {"path": "a/b"}),
        ("GET", "/other", "/{proxy+}", {"proxy": "other"}),
    ],
)
def test_routes(
    api: Any, functions: Any, verb: str, path: str, resource: str, parameters: dict[str, str] | None
) -> None:
    api.method("GET", "/")
    api.method("GET", "/users")
    api.method("GET", "/users/me")
    api.method("GET", "/users/{id}")
    api.method("DELETE", "/users/{id}")
    api.method("GET", "/files/{path+}")
    api.method("ANY", "/{proxy+}")
    api.deploy()
    assert api.get(verb, path).status == 200
    assert functions.events[0]["resource"] == resource
    assert functions.events[0]["pathParameters"] == parameters
    assert functions.events[0]["httpMethod"] == verb


@pytest.mark.parametrize(
    ("verb", "path", "stage", "status", "text", "kind"),
    [
        (
            "GET",
            "/nope",
            "dev",
            403,
            '{"message":"Missing Authentication Token"}',
            "MissingAuthenticationTokenException",
        ),
        (
            "POST",
            "/users",
            "dev",
            403,
            '{"message":"Missing Authentication Token"}',
            "MissingAuthenticationTokenException",
        ),
        ("GET", "/users", "prod", 403, '{"message":"Forbidden"}', "ForbiddenException"),
    ],
)
def test_what_is_not_there(
    api: Any, verb: str, path: str, stage: str, status: int, text: str, kind: str
) -> None:
    api.method("GET", "/users")
    api.deploy()
    response = asyncio.run(api.ask(verb, path, stage=stage))
    assert (response.status, response.body.decode(), response.headers["x-amzn-ErrorType"]) == (
        status,
        text,
        kind,
    )
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["x-amz-apigw-id"]


def test_what_is_served_is_the_deployed_snapshot(api: Any) -> None:
    api.method("GET", "/a")
    first = api.deploy()
    api.method("GET", "/b")
    assert api.get("GET", "/b").status == 403
    api.deploy()
    assert api.get("GET", "/b").status == 200
    api.on(
        "UpdateStage",
        stageName="dev",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )
    assert api.get("GET", "/b").status == 403
    api.on("DeleteStage", stageName="dev")
    assert api.get("GET", "/a").status == 403


@pytest.mark.parametrize(
    ("answer", "status", "headers", "text"),
    [
        ({"statusCode": 201, "body": "x"}, 201, {"Content-Type": "application/json"}, "x"),
        ({"statusCode": "204"}, 204, {"Content-Type": "application/json"}, ""),
        ({"body": None}, 200, {"Content-Type": "application/json"}, ""),
        (
            {"headers": {"content-type": "text/plain", "X-N": 5, "X-B": True}},
            200,
            {"content-type": "text/plain", "X-N": "5", "X-B": "true"},
            "",
        ),
        (
            {"headers": {"Server": "me", "Date": "d", "X": "1"}},
            200,
            {"x-amzn-Remapped-Server": "me", "x-amzn-Remapped-Date": "d", "X": "1"},
            "",
        ),
        ({"headers": {"X": "a"}, "multiValueHeaders": {"X": ["b"]}}, 200, {"X": "b"}, ""),
        ({"isBase64Encoded": True, "body": "aGk="}, 200, {}, "aGk="),
    ],
)
def test_responses(
    api: Any, functions: Any, answer: Any, status: int, headers: dict[str, str], text: str
) -> None:
    functions.says("f", lambda event: answer)
    api.method("GET", "/")
    api.deploy()
    response = api.get("GET", "/")
    assert (response.status, response.body.decode()) == (status, text)
    assert headers.items() <= response.headers.items()


def test_repeated_headers(api: Any, functions: Any) -> None:
    functions.says("f", lambda event: {"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}})
    api.method("GET", "/")
    api.deploy()
    response = api.get("GET", "/")
    assert response.headers["Set-Cookie"] == "a=1"
    assert response.extra_headers == [("Set-Cookie", "b=2")]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        [1],
        b"not json",
        {"statusCode": "abc"},
        {"statusCode": 999},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": 5},
        {"statusCode": 200, "headers": "x"},
        {"statusCode": 200, "headers": {"a": {}}},
        {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
        {"statusCode": 200, "message": "unknown member"},
    ],
)
def test_malformed_responses(api: Any, functions: Any, answer: Any) -> None:
    functions.says("f", lambda event: answer)
    api.method("GET", "/")
    api.deploy()
    response = api.get("GET", "/")
    assert (response.status, response.body) == (502, b'{"message": "Internal server error"}')
    assert response.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_a_function_that_fails_is_502(api: Any, functions: Any) -> None:
    functions.fails("f", "boom")
    api.method("GET", "/")
    api.deploy()
    response = api.get("GET", "/")
    assert (response.status, response.body) == (502, b'{"message": "Internal server error"}')


def test_a_function_that_was_not_run_is_500(api: Any, functions: Any) -> None:
    def refuse(event: Any) -> Any:
        raise AwsError("Function not found")

    functions.says("f", refuse)
    api.method("GET", "/")
    api.deploy()
    response = api.get("GET", "/")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')


def test_after_the_timeout_the_client_gets_504_and_the_function_goes_on(api: Any, functions: Any) -> None:
    async def scenario() -> None:
        release, ended = asyncio.Event(), asyncio.Event()

        async def slow() -> dict[str, Any]:
            await release.wait()
            ended.set()
            return {}

        functions.says("f", lambda event: slow())
        api.method("GET", "/")
        step = {"op": "replace", "path": "/timeoutInMillis", "value": "50"}
        api.on("UpdateIntegration", resourceId=api.resource("/"), httpMethod="GET", patchOperations=[step])
        api.deploy()
        response = await api.ask("GET", "/")
        assert (response.status, response.body) == (504, b'{"message": "Endpoint request timed out"}')
        assert not ended.is_set()
        release.set()
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(scenario())


def test_a_body_over_10_mb_is_413(api: Any, functions: Any) -> None:
    api.method("POST", "/")
    api.deploy()
    assert api.get("POST", "/", b"x" * (10 * 1024 * 1024)).status == 200
    response = api.get("POST", "/", b"x" * (10 * 1024 * 1024 + 1))
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (413, "RequestTooLargeException")
    assert len(functions.events) == 1


@pytest.mark.parametrize(
    ("types", "content_type", "is_base64"),
    [
        ([], "image/png", False),
        (["image/png"], "image/png", True),
        (["image/png"], "text/plain", False),
        (["*/*"], "text/plain", True),
    ],
)
def test_binary_requests(
    make_api: Any, functions: Any, types: list[str], content_type: str, is_base64: bool
) -> None:
    api = make_api(binaryMediaTypes=types)
    api.method("POST", "/")
    api.deploy()
    api.get("POST", "/", b"hi", content_type=content_type)
    event = functions.events[0]
    assert event["isBase64Encoded"] is is_base64
    assert event["body"] == (base64.b64encode(b"hi").decode() if is_base64 else "hi")


@pytest.mark.parametrize(
    ("types", "accept", "expected"),
    [
        (["image/png"], "image/png", b"hi"),
        (["image/png"], "image/png,*/*", b"hi"),
        (["image/png"], "*/*", b"aGk="),
        (["*/*"], "text/html", b"hi"),
    ],
)
def test_binary_responses(
    make_api: Any, functions: Any, types: list[str], accept: str, expected: bytes
) -> None:
    functions.says("f", lambda event: {"isBase64Encoded": True, "body": "aGk="})
    api = make_api(binaryMediaTypes=types)
    api.method("GET", "/")
    api.deploy()
    assert api.get("GET", "/", accept=accept).body == expected


def test_compression(make_api: Any, functions: Any) -> None:
    functions.says("f", lambda event: {"body": event["body"]})
    api = make_api(minimumCompressionSize=10)
    api.method("POST", "/")
    api.deploy()
    answer = api.get("POST", "/", gzip.compress(b"x" * 50), content_encoding="gzip", accept_encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"x" * 50
    assert api.get("POST", "/", b"short", accept_encoding="gzip").body == b"short"


def test_stage_variables_in_uris(api: Any, functions: Any) -> None:
    api.method("GET", "/", function="f-${stageVariables.env}")
    api.deploy(variables={"env": "blue"})
    api.get("GET", "/")
    assert functions.calls[0][0].endswith(":function:f-blue")


def test_other_integrations_say_that_they_are_not_emulated(api: Any) -> None:
    api.bare_method("GET", "/")
    api.on(
        "PutIntegration",
        resourceId=api.resource("/"),
        httpMethod="GET",
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri="https://x.example/",
        connectionType="VPC_LINK",
        connectionId="abc",
    )
    api.deploy()
    response = api.get("GET", "/")
    assert response.status == 501
    assert "VPC links" in body(response)["message"]


def test_stage_throttle(api: Any) -> None:
    api.method("GET", "/a")
    api.method("GET", "/b")
    api.deploy()
    steps = [
        {"op": "replace", "path": "/~1a/GET/throttling/rateLimit", "value": "1"},
        {"op": "replace", "path": "/~1a/GET/throttling/burstLimit", "value": "2"},
    ]
    api.on("UpdateStage", stageName="dev", patchOperations=steps)
    assert [api.get("GET", "/a").status for _ in range(3)] == [200, 200, 429]
    response = api.get("GET", "/a")
    assert response.body == b'{"message":"Too Many Requests"}'
    assert response.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert api.get("GET", "/b").status == 200
    api.cloud.clock.travel(1.5)
    assert api.get("GET", "/a").status == 200


def test_resource_policy(make_api: Any) -> None:
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/dev/*",
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*/*/secret",
                "Condition": {"NotIpAddress": {"aws:SourceIp": "192.168.0.0/16"}},
            },
        ]
    }
    api = make_api(policy=json.dumps(policy))
    api.method("GET", "/open")
    api.method("GET", "/secret")
    api.deploy()
    assert api.get("GET", "/open").status == 200
    response = api.get("GET", "/secret")
    assert response.status == 403
    assert body(response) == {
        "Message": "User: anonymous is not authorized to perform: execute-api:Invoke on resource:"
        f" arn:aws:execute-api:us-east-1:********0000:{api.id}/dev/GET/secret with an explicit deny"
    }


def test_headers_that_come_more_than_once(api: Any, functions: Any) -> None:
    api.method("GET", "/")
    api.deploy()
    headers = {"host": "h", "x-two": "a,b;c=d, e", "accept": "x,y"}
    request = HttpRequest("GET", "/dev/", "", headers, repeated={"x-two": ["a", "b;c=d, e"]})
    asyncio.run(api.cloud.apis.serve(api.id, "dev", request, "/"))
    event = functions.events[0]
    assert event["multiValueHeaders"]["x-two"] == ["a", "b;c=d, e"]
    assert event["headers"]["x-two"] == "b;c=d, e"
    assert event["multiValueHeaders"]["Accept"] == ["x,y"]


def test_access_log(api: Any, functions: Any) -> None:
    lines: list[tuple[Any, ...]] = []

    class Logs:
        def append(self, *entry: Any) -> None:
            lines.append(entry)

    api.cloud._services["logs"] = Logs()
    api.method("GET", "/")
    api.deploy()
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/api-gateway/shop-dev"
    steps = [
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn},
        {
            "op": "replace",
            "path": "/accessLogSettings/format",
            "value": "$context.httpMethod $context.status $context.identity.user"
            " $context.integration.status/$context.integrationStatus/$context.integrationErrorMessage"
            " $context.xrayTraceId",
        },
    ]
    api.on("UpdateStage", stageName="dev", patchOperations=steps)
    api.get("GET", "/")
    assert lines[0][2] == "/aws/api-gateway/shop-dev"
    assert lines[0][4][0][1] == "GET 200 - 200/200/- -"
    functions.says("f", lambda event: {"statusCode": "x"})
    api.get("GET", "/")
    assert lines[1][4][0][1] == "GET 502 - -/-/Internal server error -"


def test_tracing(api: Any, functions: Any) -> None:
    segments: list[dict[str, Any]] = []

    class Traces:
        def put_segment(self, account: str, region: str, document: dict[str, Any]) -> None:
            segments.append(document)

    api.cloud._services["xray"] = Traces()
    api.method("GET", "/")
    api.deploy(tracingEnabled=True)
    api.get("GET", "/")
    trace = dict(part.split("=") for part in functions.calls[0][1].split(";"))
    assert trace["Sampled"] == "1"
    assert segments[0]["trace_id"] == trace["Root"]
    assert segments[0]["id"] == trace["Parent"]
    assert segments[0]["http"]["response"]["status"] == 200
