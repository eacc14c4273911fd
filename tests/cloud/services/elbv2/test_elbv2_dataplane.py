"""Requests to an application load balancer with functions behind it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pileus.cloud.gateway.alb import AlbApp
from pileus.cloud.kernel import Cloud, HttpRequest, HttpResponse, Invocation

LISTENER = (
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:{}"
BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


class FakeFunctions:
    """Answers what `answers` says by function, and keeps the events."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.error: str | None = None

    async def invoke(
        self, arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        name = arn.rpartition(":")[2]
        self.events.append((name, json.loads(payload)))
        answer = self.answers.get(
            name, {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": name}
        )
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Invocation(200, raw, self.error, "$LATEST", "r")


class Balancer:
    def __init__(self, cloud: Cloud, functions: FakeFunctions) -> None:
        self.cloud, self.functions = cloud, functions
        elb: Any = cloud.service("elbv2")
        with cloud.store.transaction():
            elb.stand_in(cloud.make_call("elbv2", "CreateListener"), LISTENER)
        self.app = AlbApp(cloud, lambda: [LISTENER], stage="dev")
        self._priority = 0

    def group(self, name: str, many: bool = False) -> str:
        made = self.cloud.call("elbv2", "CreateTargetGroup", {"Name": name, "TargetType": "lambda"})
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        targets = [{"Id": FUNCTION.format(name)}]
        self.cloud.call("elbv2", "RegisterTargets", {"TargetGroupArn": arn, "Targets": targets})
        if many:
            attribute = {"Key": "lambda.multi_value_headers.enabled", "Value": "true"}
            request = {"TargetGroupArn": arn, "Attributes": [attribute]}
            self.cloud.call("elbv2", "ModifyTargetGroupAttributes", request)
        return arn

    def rule(self, name: str, *conditions: dict[str, Any], many: bool = False, priority: int = 0) -> str:
        self._priority += 1
        arn = self.group(name, many)
        self.act([{"Type": "forward", "TargetGroupArn": arn}], *conditions, priority=priority)
        return arn

    def act(self, actions: list[dict[str, Any]], *conditions: dict[str, Any], priority: int = 0) -> None:
        self._priority += 1
        request = {
            "ListenerArn": LISTENER,
            "Priority": priority or self._priority,
            "Conditions": list(conditions) or [{"Field": "path-pattern", "Values": ["*"]}],
            "Actions": actions,
        }
        self.cloud.call("elbv2", "CreateRule", request)

    def ask(self, target: str = "/", method: str = "GET", body: bytes = b"", **more: Any) -> HttpResponse:
        path, _, query = target.partition("?")
        named = {k.replace("_", "-"): v for k, v in (more.get("headers") or {}).items()}
        headers = {"host": "lb.example:3003", **named}
        repeated = more.get("repeated")
        request = HttpRequest(
            method, path, query, headers, body, client=more.get("client", "10.0.0.9"), repeated=repeated
        )
        return asyncio.run(self.app.answer(request))


@pytest.fixture
def lb(cloud: Cloud) -> Balancer:
    functions = FakeFunctions()
    cloud._services["lambda"] = functions  # type: ignore[assignment]
    return Balancer(cloud, functions)


def when(field: str, *values: Any, **config: Any) -> dict[str, Any]:
    kinds = {
        "path-pattern": "PathPatternConfig",
        "host-header": "HostHeaderConfig",
        "http-header": "HttpHeaderConfig",
        "http-request-method": "HttpRequestMethodConfig",
        "query-string": "QueryStringConfig",
        "source-ip": "SourceIpConfig",
    }
    return {"Field": field, kinds[field]: {"Values": list(values), **config}}


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        (when("path-pattern", "/a/*"), {"target": "/a/b/c"}, {"target": "/A/b"}),
        (when("path-pattern", "/a?c"), {"target": "/abc?x=1"}, {"target": "/ac"}),
        (when("path-pattern", "/x", "/y"), {"target": "/y"}, {"target": "/z"}),
        (when("path-pattern", "/a.b"), {"target": "/a.b"}, {"target": "/axb"}),
        (when("host-header", "*.Example"), {}, {"headers": {"host": "lb.other"}}),
        (when("http-request-method", "PUT", "POST"), {"method": "POST"}, {"method": "GET"}),
        (
            when("http-header", "*Chrome*", HttpHeaderName="User-Agent"),
            {"headers": {"user_agent": "a chrome b"}},
            {"headers": {"user_agent": "firefox"}},
        ),
        (
            when("http-header", "2", HttpHeaderName="X"),
            {"headers": {"x": "1,2"}, "repeated": {"x": ["1", "2"]}},
            {},
        ),
        (when("query-string", {"Key": "v", "Value": "1*"}), {"target": "/?V=1.5"}, {"target": "/?v=2"}),
        (when("query-string", {"Value": "a b"}), {"target": "/?z=a%20b"}, {"target": "/?z=ab"}),
        (when("source-ip", "10.0.0.0/24"), {}, {"client": "10.0.1.9"}),
    ],
)
def test_conditions(lb: Balancer, condition: dict[str, Any], yes: dict[str, Any], no: dict[str, Any]) -> None:
    lb.rule("f", condition)
    assert (lb.ask(**yes).status, lb.ask(**no).status) == (200, 404)


def test_all_conditions_of_a_rule_must_hold_and_priorities_decide(lb: Balancer) -> None:
    lb.rule("late", when("path-pattern", "/a*"), priority=30)
    lb.rule("early", when("path-pattern", "/a*"), when("http-request-method", "POST"), priority=4)
    assert lb.ask("/a").body == b"late"
    assert lb.ask("/a", "POST").body == b"early"


def test_the_event(lb: Balancer) -> None:
    group = lb.rule("f")
    lb.ask(
        "/a%20b/c?x=1&x=2&q=a%20b&empty=",
        "POST",
        b'{"a":1}',
        headers={"content_type": "application/json", "accept": "b", "x_amzn_trace_id": "Root=1-2-3"},
        repeated={"accept": ["a", "b"]},
    )
    name, event = lb.functions.events[0]
    assert name == "f"
    assert event == {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": "POST",
        "path": "/a%20b/c",
        "queryStringParameters": {"x": "2", "q": "a%20b", "empty": ""},
        "headers": {
            "host": "lb.example:3003",
            "content-type": "application/json",
            "accept": "b",
            "x-amzn-trace-id": "Root=1-2-3",
            "x-forwarded-for": "10.0.0.9",
            "x-forwarded-port": "3003",
            "x-forwarded-proto": "http",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_the_event_with_multi_value_headers(lb: Balancer) -> None:
    lb.rule("f", many=True)
    lb.functions.answers["f"] = {
        "statusCode": 201,
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
        "headers": {"x-single": "is not looked at"},
    }
    answer = lb.ask("/?x=1&x=2", headers={"accept": "a,b"}, repeated={"accept": ["a", "b"]})
    event = lb.functions.events[0][1]
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["multiValueHeaders"]["accept"] == ["a", "b"]
    assert event["multiValueHeaders"]["x-forwarded-for"] == ["10.0.0.9"]
    assert "headers" not in event
    assert "queryStringParameters" not in event
    assert (answer.status, answer.headers["set-cookie"]) == (201, "a=1")
    assert answer.extra_headers == [("set-cookie", "b=2")]
    assert "x-single" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "encoding", "body", "is_base64"),
    [
        ("text/csv; charset=utf-8", None, "a", False),
        ("application/xml", None, "a", False),
        ("application/javascript", None, "a", False),
        ("application/json", "gzip", "YQ==", True),
        ("image/png", None, "YQ==", True),
        ("application/x-www-form-urlencoded", None, "YQ==", True),
    ],
)
def test_bodies(lb: Balancer, content_type: str, encoding: str | None, body: str, is_base64: bool) -> None:
    lb.rule("f")
    headers = {"content_type": content_type, **({"content_encoding": encoding} if encoding else {})}
    lb.ask("/", "POST", b"a", headers=headers)
    event = lb.functions.events[0][1]
    assert (event["body"], event["isBase64Encoded"]) == (body, is_base64)


@pytest.mark.parametrize(
    ("answer", "status", "body", "headers"),
    [
        ({"statusCode": 200}, 200, b"", {"content-type": "application/octet-stream"}),
        ({"statusCode": "404", "statusDescription": "404 Not Found", "body": "x"}, 404, b"x", {}),
        ({"statusCode": 200, "body": "YQ==", "isBase64Encoded": True}, 200, b"a", {}),
        (
            {"statusCode": 200, "headers": {"X-N": 1, "X-T": True, "Connection": "close"}},
            200,
            b"",
            {"X-N": "1"},
        ),
        ({"body": "no status"}, 502, BAD_GATEWAY, {"server": "awselb/2.0", "content-type": "text/html"}),
        ({"statusCode": "abc"}, 502, BAD_GATEWAY, {}),
        ({"statusCode": 600}, 502, BAD_GATEWAY, {}),
        ({"statusCode": 200, "body": {"a": 1}}, 502, BAD_GATEWAY, {}),
        ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, 502, BAD_GATEWAY, {}),
        ({"statusCode": 200, "headers": {"a": "b\r\nc"}}, 502, BAD_GATEWAY, {}),
        (None, 502, BAD_GATEWAY, {}),
        ("text", 502, BAD_GATEWAY, {}),
        (b"not json", 502, BAD_GATEWAY, {}),
        ({"statusCode": 200, "body": "x" * 1024 * 1024}, 502, BAD_GATEWAY, {}),
    ],
)
def test_answers(lb: Balancer, answer: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
    lb.rule("f")
    lb.functions.answers["f"] = answer
    got = lb.ask()
    assert (got.status, got.body) == (status, body)
    assert headers.items() <= got.headers.items()
    assert "Connection" not in got.headers


def test_a_function_that_fails_is_502(lb: Balancer) -> None:
    lb.rule("f")
    lb.functions.error = "Unhandled"
    assert (lb.ask().status, lb.ask().body) == (502, BAD_GATEWAY)


def test_a_request_of_more_than_a_megabyte_is_413(lb: Balancer) -> None:
    lb.rule("f")
    assert lb.ask("/", "POST", b"x" * (1024 * 1024 + 1)).status == 413
    assert lb.ask("/", "POST", b"x" * 1024 * 1024).status == 200


def test_fixed_responses_and_redirects(lb: Balancer) -> None:
    fixed = {"StatusCode": "418", "ContentType": "text/html", "MessageBody": "<p>"}
    lb.act([{"Type": "fixed-response", "FixedResponseConfig": fixed}], when("path-pattern", "/fixed"))
    moved = {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443", "Path": "/new/#{path}"}
    lb.act([{"Type": "redirect", "RedirectConfig": moved}], when("path-pattern", "/old*"))
    answer = lb.ask("/fixed")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (418, b"<p>", "text/html")
    answer = lb.ask("/old/x?a=1")
    assert answer.status == 301
    assert answer.headers["location"] == "https://lb.example:443/new/old/x?a=1"


def test_weights(lb: Balancer) -> None:
    groups = [
        {"TargetGroupArn": lb.group("never"), "Weight": 0},
        {"TargetGroupArn": lb.group("always"), "Weight": 5},
    ]
    lb.act([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
    assert {lb.ask().body for _ in range(5)} == {b"always"}


def test_a_group_without_its_function_is_503(lb: Balancer) -> None:
    group = lb.rule("f")
    targets = [{"Id": FUNCTION.format("f")}]
    lb.cloud.call("elbv2", "DeregisterTargets", {"TargetGroupArn": group, "Targets": targets})
    assert lb.ask().status == 503


@pytest.mark.parametrize(
    ("target", "path"), [("/dev/hello", "/hello"), ("/hello", "/hello"), ("/dev/dev", "/dev/dev")]
)
def test_the_stage_before_the_path_as_serverless_offline_has_it(lb: Balancer, target: str, path: str) -> None:
    lb.rule("f", when("path-pattern", "/hello", "/dev/dev"))
    assert lb.ask(target).status == 200
    assert lb.functions.events[0][1]["path"] == path
