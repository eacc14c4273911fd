"""Function URLs: their settings, and what answers at them."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ECHO = "def handler(event, context):\n    return event\n"
PUBLIC = {"AuthType": "NONE"}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Site:
    """A function with a URL. It is asked at the cloud's port with the URL's host, as a browser would."""

    def __init__(
        self, lambdas: Any, text: str, settings: dict[str, Any] | None = None, **function: Any
    ) -> None:
        self.lambdas = lambdas
        lambdas.create("f", text, **function)
        self.config = lambdas.client.create_function_url_config(FunctionName="f", **(settings or PUBLIC))
        self.host = self.config["FunctionUrl"].split("/")[2]
        self.id = self.host.partition(".")[0]

    def ask(self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.lambdas.aws.url.removeprefix("http://"))
        connection.request(method, path, body, {"host": self.host, **named})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer


def test_settings(lambdas: Any) -> None:
    client = lambdas.client
    lambdas.create("f", Publish=True)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    made = client.create_function_url_config(FunctionName="f", AuthType="NONE", Cors={"AllowOrigins": ["*"]})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionUrl"].endswith(
        f".lambda-url.us-east-1.localhost:{lambdas.aws.url.rpartition(':')[2]}/"
    )
    assert (made["FunctionArn"], made["AuthType"], made["InvokeMode"]) == (
        lambdas.arn("f"),
        "NONE",
        "BUFFERED",
    )
    assert lambdas.error("create_function_url_config", FunctionName="f", AuthType="NONE") == (
        "ResourceConflictException",
        409,
        f"Failed to create function url config for [functionArn = {lambdas.arn('f')}]. Error message:  "
        "FunctionUrlConfig exists for this Lambda function",
    )
    second = client.create_function_url_config(FunctionName="f", Qualifier="live", AuthType="AWS_IAM")
    assert second["FunctionArn"] == lambdas.arn("f") + ":live"
    listed = client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"]
    assert [each["FunctionUrl"] for each in listed] == [made["FunctionUrl"], second["FunctionUrl"]]
    changed = client.update_function_url_config(FunctionName="f", InvokeMode="RESPONSE_STREAM")
    got = client.get_function_url_config(FunctionName="f")
    assert (got["InvokeMode"], got["Cors"], got["FunctionUrl"]) == (
        "RESPONSE_STREAM",
        {"AllowOrigins": ["*"]},
        changed["FunctionUrl"],
    )
    client.delete_function_url_config(FunctionName="f")
    missing = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")
    for operation in ("get", "update", "delete"):
        assert lambdas.error(f"{operation}_function_url_config", FunctionName="f") == missing
    client.delete_alias(FunctionName="f", Name="live")
    assert client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"] == []


def test_the_event(lambdas: Any) -> None:
    site = Site(lambdas, ECHO)
    body = json.dumps({"a": 1}).encode()
    path = "/a%20b/c?x=1&x=2&y=%C3%A4"
    event = site.ask(
        "POST", path, body, content_type="application/json", cookie="k=v; l=w", user_agent="me"
    ).json
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a%20b/c",
        "rawQueryString": "x=1&x=2&y=%C3%A4",
        "cookies": ["k=v", "l=w"],
        "queryStringParameters": {"x": "1,2", "y": "ä"},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    domain = f"{site.id}.lambda-url.us-east-1.on.aws"
    assert (headers["host"], headers["x-forwarded-proto"], headers["content-type"]) == (
        domain,
        "http",
        "application/json",
    )
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "cookie" not in headers
    assert len(context.pop("requestId")) == 36
    assert (context.pop("timeEpoch") > 0, context.pop("time").endswith(" +0000")) == (True, True)
    assert context == {
        "accountId": "anonymous",
        "apiId": site.id,
        "domainName": domain,
        "domainPrefix": site.id,
        "http": {
            "method": "POST",
            "path": "/a%20b/c",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "me",
        },
        "routeKey": "$default",
        "stage": "$default",
    }
    plain = site.ask().json
    assert ("body" in plain, "cookies" in plain, "queryStringParameters" in plain) == (False, False, False)
    form = site.ask("POST", "/", b"a=b", content_type="application/x-www-form-urlencoded").json
    assert (form["body"], form["isBase64Encoded"]) == ("YT1i", True)


ANSWERS = [
    ({"message": "hi"}, 200, "application/json", b'{"message": "hi"}'),
    ("hi", 200, "application/json", b"hi"),
    (None, 200, "application/json", b"null"),
    ({"statusCode": 201, "body": "made"}, 201, "application/json", b"made"),
    ({"statusCode": 200, "body": {"a": 1}}, 200, "application/json", b'{"a":1}'),
    ({"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>"}, 200, "text/html", b"<p>"),
    ({"statusCode": 200, "body": "AAE=", "isBase64Encoded": True}, 200, "application/json", b"\x00\x01"),
    (
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
        502,
        "application/json",
        b"Internal Server Error",
    ),
    ({"statusCode": "what"}, 502, "application/json", b"Internal Server Error"),
    ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, 502, "application/json", b"Internal Server Error"),
]


def test_answers(lambdas: Any) -> None:
    site = Site(lambdas, "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n")
    for result, status, kind, body in ANSWERS:
        answer = site.ask("POST", "/", json.dumps(result).encode(), content_type="application/json")
        assert (answer.status, answer.headers["content-type"], answer.body) == (status, kind, body), result
        assert len(answer.headers["x-amzn-requestid"]) == 36
    cookies = {"statusCode": 204, "cookies": ["a=1; Secure", "b=2"], "headers": {"X-One": "1"}}
    answer = site.ask("POST", "/", json.dumps(cookies).encode(), content_type="application/json")
    assert (answer.status, answer.headers.get_all("set-cookie"), answer.headers["x-one"]) == (
        204,
        ["a=1; Secure", "b=2"],
        "1",
    )
    assert site.ask("POST", "/", b"no json", content_type="application/json").status == 502


def test_throttled_and_gone(lambdas: Any) -> None:
    site = Site(lambdas, ECHO)
    lambdas.client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    answer = site.ask()
    assert (answer.status, answer.json["Reason"]) == (
        429,
        "ReservedFunctionConcurrentInvocationLimitExceeded",
    )
    lambdas.client.delete_function(FunctionName="f")
    assert site.ask().status == 404


def test_by_path(lambdas: Any) -> None:
    site = Site(lambdas, ECHO)
    site.host = "127.0.0.1"
    answer = site.ask("GET", f"/_aws/lambda-url/{site.id}/a/b?c=d")
    assert (answer.json["rawPath"], answer.json["rawQueryString"]) == ("/a/b", "c=d")
    assert site.ask("GET", "/_aws/lambda-url/nothing/").status == 404


CORS = {
    "AllowOrigins": ["https://a.example"],
    "AllowMethods": ["GET", "PUT"],
    "AllowHeaders": ["x-one"],
    "ExposeHeaders": ["x-two"],
    "AllowCredentials": True,
    "MaxAge": 60,
}


def test_cors(lambdas: Any) -> None:
    text = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'access-control-allow-origin': 'x'}}\n"
    site = Site(lambdas, text, {"AuthType": "NONE", "Cors": CORS})
    asked = {"origin": "https://a.example", "access_control_request_method": "PUT"}
    allowed = site.ask("OPTIONS", "/", **asked)
    assert {key: value for key, value in allowed.headers.items() if key.startswith("access-control")} == {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-one",
        "access-control-expose-headers": "x-two",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "60",
    }
    assert (allowed.status, allowed.body) == (200, b"")
    for change in ({"origin": "https://b.example"}, {"access_control_request_method": "DELETE"}):
        refused = site.ask("OPTIONS", "/", **{**asked, **change})
        assert (refused.status, refused.headers["access-control-allow-origin"]) == (200, None)
    answer = site.ask("GET", "/", origin="https://a.example")
    assert answer.headers.get_all("access-control-allow-origin") == ["https://a.example"]
    assert answer.headers["access-control-expose-headers"] == "x-two"
    assert site.ask("GET", "/", origin="https://b.example").headers["access-control-allow-origin"] is None


@pytest.mark.parametrize(
    ("cors", "origin"),
    [
        ({"AllowOrigins": ["*"]}, "*"),
        ({"AllowOrigins": ["*"], "AllowCredentials": True}, "https://a.example"),
        ({"AllowMethods": ["*"]}, None),
    ],
)
def test_origins(lambdas: Any, cors: dict[str, Any], origin: str | None) -> None:
    site = Site(lambdas, ECHO, {"AuthType": "NONE", "Cors": cors})
    assert site.ask("GET", "/", origin="https://a.example").headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("service", ["lambda", "execute-api"])
def test_signed(lambdas: Any, service: str) -> None:
    site = Site(lambdas, ECHO, {"AuthType": "AWS_IAM"})
    refused = site.ask()
    assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert refused.json["Message"].startswith("Forbidden")
    request = AWSRequest("POST", f"http://{site.host}/x?b=1&a=2", data=b"{}", headers={"host": site.host})
    SigV4Auth(Credentials("test", "test"), service, "us-east-1").add_auth(request)
    headers = {name.replace("-", "_").lower(): value for name, value in request.headers.items()}
    answer = site.ask("POST", "/x?b=1&a=2", b"{}", **headers)
    if service != "lambda":
        assert answer.status == 403
        return
    assert answer.json["requestContext"]["accountId"] == "000000000000"
    assert answer.json["requestContext"]["authorizer"]["iam"]["userArn"] == "arn:aws:iam::000000000000:root"
    assert site.ask("POST", "/x?b=1&a=3", b"{}", **headers).status == 403


def test_a_function_that_does_not_stream_at_a_url_that_does(lambdas: Any) -> None:
    site = Site(
        lambdas,
        "def handler(event, context):\n    return {'a': 1}\n",
        {**PUBLIC, "InvokeMode": "RESPONSE_STREAM"},
    )
    assert (site.ask().status, site.ask().body) == (200, b'{"a": 1}')


def test_in_a_stack(lambdas: Any) -> None:
    lambdas.create("f", ECHO)
    url = {"AuthType": "NONE", "TargetFunctionArn": lambdas.arn("f"), "Cors": {"MaxAge": "60"}}
    cloudformation = lambdas.aws.client("cloudformation")

    def template(**settings: Any) -> str:
        resource = {"Type": "AWS::Lambda::Url", "Properties": {**url, **settings}}
        output = {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}
        return json.dumps({"Resources": {"Url": resource}, "Outputs": {"Url": output}})

    cloudformation.create_stack(StackName="s", TemplateBody=template())
    lambdas.aws.drain()
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    config = lambdas.client.get_function_url_config(FunctionName="f")
    assert (stack["Outputs"][0]["OutputValue"], config["Cors"]) == (config["FunctionUrl"], {"MaxAge": 60})
    cloudformation.update_stack(StackName="s", TemplateBody=template(AuthType="AWS_IAM"))
    lambdas.aws.drain()
    assert lambdas.client.get_function_url_config(FunctionName="f")["AuthType"] == "AWS_IAM"
    cloudformation.delete_stack(StackName="s")
    lambdas.aws.drain()
    assert lambdas.client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"] == []
