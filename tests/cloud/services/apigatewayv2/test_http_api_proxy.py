"""Lambda integrations of HTTP APIs: routing, both payload formats, responses, and what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError


def body(response: Any) -> Any:
    return json.loads(response.body)


def test_the_event_of_format_2(api: Any, functions: Any) -> None:
    api.on("UpdateStage", StageName="$default", StageVariables={"table": "t1"})
    api.route("GET /users/{id}")
    response = api.get(
        "GET", "/users/a%20b?x=1&x=2&y=&z=%C3%A4", cookie="a=1; b=2", **{"X-Mine".lower(): "q,r"}
    )
    assert response.status == 200
    event = functions.events[0]
    context = event.pop("requestContext")
    trace = event["headers"].pop("x-amzn-trace-id")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)
    assert event == {
        "version": "2.0",
        "routeKey": "GET /users/{id}",
        "rawPath": "/users/a b",
        "rawQueryString": "x=1&x=2&y=&z=%C3%A4",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "content-length": "0",
            "host": "localhost:3000",
            "user-agent": "test/1",
            "x-mine": "q,r",
            "x-forwarded-for": "10.1.2.3",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"x": "1,2", "y": "", "z": "ä"},
        "pathParameters": {"id": "a b"},
        "stageVariables": {"table": "t1"},
        "isBase64Encoded": False,
    }
    assert context.pop("requestId") == response.headers["apigw-requestid"]
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("time"))
    assert context.pop("timeEpoch") > 1_600_000_000_000
    assert context == {
        "accountId": "000000000000",
        "apiId": api.id,
        "domainName": "localhost:3000",
        "domainPrefix": "localhost",
        "http": {
            "method": "GET",
            "path": "/users/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "10.1.2.3",
            "userAgent": "test/1",
        },
        "routeKey": "GET /users/{id}",
        "stage": "$default",
    }
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/$default/GET/users/{{id}}"
    assert functions.sources == [arn]


def test_format_2_leaves_out_what_there_is_not(api: Any, functions: Any) -> None:
    api.route("$default")
    api.get("GET", "/")
    absent = ("cookies", "queryStringParameters", "pathParameters", "stageVariables", "body")
    assert not set(absent) & set(functions.events[0])
    assert "authorizer" not in functions.events[0]["requestContext"]


def test_the_event_of_format_1(api: Any, functions: Any) -> None:
    functions.answers("f", {"statusCode": 200})
    api.route("ANY /users/{id}", version="1.0")
    api.get("POST", "/users/7?x=1&x=2", "hi", authorization="t", cookie="a=1", **{"x-api": "k"})
    event = functions.events[0]
    context, trace = event.pop("requestContext"), event["headers"].pop("X-Amzn-Trace-Id")
    assert event["multiValueHeaders"].pop("X-Amzn-Trace-Id") == [trace]
    headers = {
        "Authorization": "t",
        "Content-Length": "2",
        "Cookie": "a=1",
        "Host": "localhost:3000",
        "User-Agent": "test/1",
        "x-api": "k",
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
    }
    assert event == {
        "version": "1.0",
        "resource": "/users/{id}",
        "path": "/users/7",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {"x": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "2"]},
        "pathParameters": {"id": "7"},
        "stageVariables": None,
        "body": "hi",
        "isBase64Encoded": False,
    }
    assert context["resourcePath"] == "/users/{id}"
    assert context["httpMethod"] == "POST"
    assert context["stage"] == "$default"
    assert context["identity"]["sourceIp"] == "10.1.2.3"
    assert context["extendedRequestId"] == context["requestId"]


@pytest.mark.parametrize(
    ("verb", "path", "key", "parameters"),
    [
        ("GET", "/", "GET /", None),
        ("GET", "/pets", "GET /pets", None),
        ("GET", "/pets/", "ANY /{proxy+}", {"proxy": "pets/"}),
        ("POST", "/pets", "ANY /pets", None),
        ("GET", "/pets/dog/1", "GET /pets/dog/1", None),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/a%2Fb", "GET /pets/{kind}/{id}", {"kind": "cat", "id": "a/b"}),
        ("GET", "/pets/a/b/c", "GET /pets/{rest+}", {"rest": "a/b/c"}),
        ("PUT", "/pets/dog/1", "ANY /{proxy+}", {"proxy": "pets/dog/1"}),
        ("PUT", "/", "$default", None),
        ("HEAD", "/", "$default", None),
    ],
)
def test_the_most_specific_route_takes_it(
    api: Any, functions: Any, verb: str, path: str, key: str, parameters: dict[str, str] | None
) -> None:
    target = api.integration()
    for each in (
        "GET /",
        "GET /pets",
        "ANY /pets",
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{kind}/{id}",
        "GET /pets/{rest+}",
        "ANY /{proxy+}",
        "$default",
    ):
        api.route(each, Target=target)
    assert api.get(verb, path).status == 200
    assert functions.events[0]["routeKey"] == key
    assert functions.events[0].get("pathParameters") == parameters


@pytest.mark.parametrize(
    ("content_type", "sent", "got", "encoded"),
    [
        ("application/json", b'{"a":1}', '{"a":1}', False),
        ("text/plain; charset=utf-8", "ä".encode(), "ä", False),
        ("application/vnd.api+json", b"{}", "{}", False),
        ("application/xml", b"<a/>", "<a/>", False),
        ("application/x-www-form-urlencoded", b"a=1", base64.b64encode(b"a=1").decode(), True),
        ("application/octet-stream", b"abc", "YWJj", True),
        ("image/png", b"\x89PNG", base64.b64encode(b"\x89PNG").decode(), True),
        ("text/plain", b"\xff", "/w==", True),
    ],
)
def test_bodies(api: Any, functions: Any, content_type: str, sent: bytes, got: str, encoded: bool) -> None:
    api.route("POST /")
    api.get("POST", "/", sent, **{"content-type": content_type})
    assert functions.events[0]["body"] == got
    assert functions.events[0]["isBase64Encoded"] is encoded


@pytest.mark.parametrize(
    ("answer", "status", "content_type", "text"),
    [
        ("Hello", 200, "application/json", "Hello"),
        ({"message": "hi"}, 200, "application/json", '{"message": "hi"}'),
        ([1, 2], 200, "application/json", "[1, 2]"),
        (None, 200, "application/json", "null"),
        ({"statusCode": 201, "body": "made"}, 201, "text/plain; charset=utf-8", "made"),
        ({"statusCode": "404"}, 404, None, ""),
        (
            {"statusCode": 200, "body": "YWJj", "isBase64Encoded": True, "headers": {"Content-Type": "a/b"}},
            200,
            "a/b",
            "abc",
        ),
    ],
)
def test_responses_of_format_2(
    api: Any, functions: Any, answer: Any, status: int, content_type: str | None, text: str
) -> None:
    functions.answers("f", answer)
    api.route("GET /")
    response = api.get("GET", "/")
    assert response.status == status
    assert response.headers.get("content-type") == content_type
    assert response.body.decode() == text


def test_cookies_and_headers_of_a_response(api: Any, functions: Any) -> None:
    functions.answers(
        "f",
        {
            "statusCode": 200,
            "headers": {"X-Count": 3, "X-Yes": True},
            "cookies": ["a=1; Secure", "b=2"],
        },
    )
    api.route("GET /")
    response = api.get("GET", "/")
    assert response.headers["x-count"] == "3"
    assert response.headers["x-yes"] == "true"
    assert response.extra_headers == [("set-cookie", "a=1; Secure"), ("set-cookie", "b=2")]


def test_multi_value_headers_of_format_1(api: Any, functions: Any) -> None:
    functions.answers(
        "f",
        {
            "statusCode": 200,
            "headers": {"X-A": "0", "X-B": "b"},
            "multiValueHeaders": {"X-A": ["1", "2"]},
        },
    )
    api.route("GET /", version="1.0")
    response = api.get("GET", "/")
    assert response.headers["x-a"] == "1"
    assert response.headers["x-b"] == "b"
    assert response.extra_headers == [("x-a", "2")]


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("2.0", b"not JSON"),
        ("2.0", {"statusCode": "x"}),
        ("2.0", {"statusCode": 99}),
        ("2.0", {"statusCode": 200, "body": {"a": 1}}),
        ("2.0", {"statusCode": 200, "headers": {"a\nb": "c"}}),
        ("2.0", {"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
        ("2.0", {"statusCode": 200, "body": "%", "isBase64Encoded": True}),
        ("1.0", "Hello"),
        ("1.0", {"body": "no status"}),
    ],
)
def test_a_malformed_response_is_a_500(api: Any, functions: Any, version: str, answer: Any) -> None:
    functions.answers("f", answer)
    api.route("GET /", version=version)
    response = api.get("GET", "/")
    assert (response.status, body(response)) == (500, {"message": "Internal Server Error"})
    assert response.headers["content-type"] == "application/json"


class TooManyRequestsException(AwsError):
    code = "TooManyRequestsException"
    status = 429


class ResourceNotFoundException(AwsError):
    code = "ResourceNotFoundException"
    status = 404


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (None, 500, "Internal Server Error"),
        (ResourceNotFoundException("gone"), 500, "Internal Server Error"),
        (TooManyRequestsException("Rate Exceeded."), 503, "Service Unavailable"),
    ],
)
def test_a_function_that_fails(
    api: Any, functions: Any, error: AwsError | None, status: int, message: str
) -> None:
    if error is None:
        functions.fails("f", "boom")
    else:

        def handler(event: Any) -> Any:
            raise error

        functions.says("f", handler)
    api.route("GET /")
    response = api.get("GET", "/")
    assert (response.status, body(response)) == (status, {"message": message})


def test_a_slow_function_is_a_503_and_goes_on(api: Any, functions: Any) -> None:
    api.route("GET /", Target=api.integration(TimeoutInMillis=50))

    async def ask() -> Any:
        answered, ended = asyncio.Event(), asyncio.Event()

        async def handler(event: Any) -> str:
            await answered.wait()
            ended.set()
            return "late"

        functions.says("f", handler)
        response = await api.ask("GET", "/")
        answered.set()
        async with asyncio.timeout(5):
            await ended.wait()
        return response

    response = asyncio.run(ask())
    assert (response.status, body(response)) == (503, {"message": "Service Unavailable"})


def test_what_there_is_not(api: Any, functions: Any) -> None:
    api.route("GET /here")
    for verb, path in (("GET", "/there"), ("POST", "/here"), ("GET", "/here/")):
        response = api.get(verb, path)
        assert (response.status, body(response)) == (404, {"message": "Not Found"})
        assert response.headers["content-type"] == "application/json"
        assert re.fullmatch(r"[\w+/-]{15}=", response.headers["apigw-requestid"])
    api.on("UpdateApi", DisableExecuteApiEndpoint=True)
    default = f"{api.id}.execute-api.localhost:4566"
    assert api.get("GET", "/here", host=default).status == 404
    assert api.get("GET", "/here").status == 200  # an address of its own, such as --http-port


def test_ten_megabytes_are_too_large(api: Any, functions: Any) -> None:
    api.route("POST /")
    assert api.get("POST", "/", b"a" * (10 * 1024 * 1024)).status == 200
    response = api.get("POST", "/", b"a" * (10 * 1024 * 1024 + 1))
    assert (response.status, body(response)) == (413, {"message": "Request Entity Too Large"})


def test_throttling(api: Any, functions: Any) -> None:
    api.route("GET /a")
    api.route("GET /b")
    settings = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0}
    api.on("UpdateStage", StageName="$default", RouteSettings={"GET /a": settings})
    assert [api.get("GET", "/a").status for _ in range(3)] == [200, 200, 429]
    assert body(api.get("GET", "/a")) == {"message": "Too Many Requests"}
    assert api.get("GET", "/b").status == 200
    api.cloud.clock.travel(2)
    assert api.get("GET", "/a").status == 200


def test_a_named_stage_is_part_of_the_path(api: Any, functions: Any) -> None:
    api.route("GET /x")
    api.on("CreateStage", StageName="dev", AutoDeploy=True)
    assert api.get("GET", "/dev/x").status == 200
    event = functions.events[0]
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/dev/x"
    assert event["requestContext"]["stage"] == "dev"
    assert api.get("GET", "/x").status == 200
    assert functions.events[1]["rawPath"] == "/x"


def test_access_logs(api: Any, functions: Any) -> None:
    lines: list[tuple[str, str]] = []

    class Logs:
        def append(self, account: str, region: str, group: str, stream: str, events: Any) -> None:
            lines.extend((group, line) for _, line in events)

    api.cloud._services["logs"] = Logs()
    names = (
        "httpMethod routeKey status responseLength path identity.sourceIp error.message authorizer.claims.sub"
    )
    settings = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/http-api/shop",
        "Format": " ".join(f"$context.{name}" for name in names.split()),
    }
    api.on("UpdateStage", StageName="$default", AccessLogSettings=settings)
    api.route("GET /x")
    api.get("GET", "/x")
    api.get("GET", "/y")
    group = "/aws/http-api/shop"
    assert lines == [
        (group, "GET GET /x 200 2 /x 10.1.2.3 - -"),
        (group, "GET - 404 23 /y 10.1.2.3 Not Found -"),
    ]
