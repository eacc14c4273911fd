"""WebSocket APIs as AWS has them: handshakes, events, routes, answers, errors, and ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Tell = Callable[[Any], None]
ID = re.compile(r"[A-Za-z0-9_-]{15}=")


def refusal(error: Exception) -> tuple[int, Any]:
    return error.status, error.body  # type: ignore[attr-defined]


async def refused(world: Any, path: str = "/", **headers: str) -> tuple[int, Any]:
    with pytest.raises(Exception) as caught:
        await world.connect(path, **headers)
    assert type(caught.value).__name__ == "Refused", caught.value
    return refusal(caught.value)


def test_the_events_of_a_connection(tell: Tell) -> None:
    async def story(world: Any) -> None:
        for key in ("$connect", "$default", "$disconnect"):
            world.route(key)
        world.deploy()
        client = await world.connect("/?a=1&a=2&b", User_Agent="me/1", Auth123="x y")
        client.send("hello")
        client.send(b"\x00\xff")
        await world.functions.heard(3)
        await client.close(4001, "enough")
        await world.settle()
        connect, text, binary, disconnect = world.functions.events

        assert connect["headers"]["Auth123"] == "x y"
        assert connect["headers"]["User-Agent"] == "me/1"
        assert connect["headers"]["Host"] == f"localhost:{world.port}"
        assert connect["headers"]["Sec-WebSocket-Version"] == "13"
        assert connect["headers"]["X-Forwarded-Port"] == str(world.port)
        assert connect["headers"]["X-Forwarded-Proto"] == "http"
        assert connect["headers"]["X-Forwarded-For"] == "127.0.0.1"
        assert connect["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")
        assert "Upgrade" not in connect["headers"]
        assert "Connection" not in connect["headers"]
        assert connect["multiValueHeaders"]["Auth123"] == ["x y"]
        assert connect["queryStringParameters"] == {"a": "2", "b": ""}
        assert connect["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
        assert connect["isBase64Encoded"] is False
        assert "body" not in connect
        context = connect["requestContext"]
        assert ID.fullmatch(context["connectionId"])
        assert context["connectionId"] != context["requestId"]
        assert ID.fullmatch(context["requestId"])
        assert context["extendedRequestId"] == context["requestId"]
        assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
        assert isinstance(context["connectedAt"], int)
        assert context["requestTimeEpoch"] >= context["connectedAt"]
        fixed = {
            "eventType": "CONNECT",
            "routeKey": "$connect",
            "messageDirection": "IN",
            "stage": "dev",
            "apiId": world.id,
            "domainName": f"localhost:{world.port}",
            "identity": {"userAgent": "me/1", "sourceIp": "127.0.0.1"},
        }
        assert {name: context[name] for name in fixed} == fixed
        assert set(context) == {
            *fixed,
            *("connectionId", "requestId", "extendedRequestId", "requestTime", "requestTimeEpoch"),
            "connectedAt",
        }

        assert set(text) == {"requestContext", "body", "isBase64Encoded"}
        assert (text["body"], text["isBase64Encoded"]) == ("hello", False)
        assert (binary["body"], binary["isBase64Encoded"]) == ("AP8=", True)
        said = text["requestContext"]
        assert (said["eventType"], said["routeKey"]) == ("MESSAGE", "$default")
        assert ID.fullmatch(said["messageId"])
        assert set(said) == {*context, "messageId"}
        assert said["connectionId"] == context["connectionId"]
        assert said["connectedAt"] == context["connectedAt"]

        assert set(disconnect) == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
        assert disconnect["headers"] == {
            "Host": f"localhost:{world.port}",
            "x-api-key": "",
            "X-Forwarded-For": "127.0.0.1",
            "x-restapi": "",
        }
        end = disconnect["requestContext"]
        assert (end["eventType"], end["routeKey"]) == ("DISCONNECT", "$disconnect")
        assert (end["disconnectStatusCode"], end["disconnectReason"]) == (4001, "enough")
        assert set(end) == {*context, "disconnectStatusCode", "disconnectReason"}
        arn = f"arn:aws:execute-api:us-east-1:000000000000:{world.id}/dev"
        assert [source for _, _, source in world.functions.calls] == [
            f"{arn}/$connect",
            f"{arn}/$default",
            f"{arn}/$default",
            f"{arn}/$disconnect",
        ]

    tell(story)


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ({"action": "join"}, "join"),
        ({"action": "leave"}, "$default"),
        ({"action": "$connect"}, "$default"),
        ({"action": 7}, "7"),
        ({"action": {"a": 1}}, "$default"),
        ({"other": "join"}, "$default"),
        ("join", "$default"),
        ('["action"]', "$default"),
        (b'{"action": "join"}', "$default"),
    ],
)
def test_route_selection(tell: Tell, message: Any, route: str) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = lambda e: {"body": e["requestContext"]["routeKey"]}
        for key in ("$connect", "$default", "join", "7"):
            world.route(key, answers=True)
        world.deploy()
        client = await world.connect()
        client.send(message)
        assert str(await client.receive()) == route

    tell(story)


def test_a_message_without_a_route_is_forbidden(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("join")
        world.deploy()
        client = await world.connect()
        client.send({"action": "other"})
        said = await client.receive()
        assert said["message"] == "Forbidden"
        assert ID.fullmatch(said["connectionId"])
        assert ID.fullmatch(said["requestId"])
        assert set(said) == {"message", "connectionId", "requestId"}
        assert world.functions.events == []

    tell(story)


def fails(event: dict[str, Any]) -> Any:
    """Named like the conftest's own error, which can't be imported."""
    from pileus.cloud.kernel import AwsError

    raise AwsError("throttled")


@pytest.mark.parametrize(
    "answer",
    [None, "text", 7, [1], {"statusCode": "no"}, {"statusCode": 200, "body": {"a": 1}}, fails],
    ids=lambda answer: "an error" if callable(answer) else str(answer),
)
@pytest.mark.parametrize("answers", [False, True])
def test_a_function_that_gives_no_answer(tell: Tell, answer: Any, answers: bool) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = answer if callable(answer) else lambda event: answer
        world.route("$default", answers=answers)
        world.deploy()
        client = await world.connect()
        client.send("x")
        said = await client.receive()
        assert said["message"] == "Internal server error"
        assert said["connectionId"] == world.functions.events[0]["requestContext"]["connectionId"]
        assert said["requestId"] == world.functions.events[0]["requestContext"]["requestId"]

    tell(story)


def test_only_a_route_with_a_response_answers(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = lambda e: {"statusCode": 500, "body": f"got {e['body']}"}
        world.functions.handlers["b"] = lambda e: {"body": "AP8=", "isBase64Encoded": True}
        world.route("$default")
        world.route("two", answers=True)
        world.route("binary", "b", answers=True)
        # a selection expression alone gives nothing back
        world.call(
            "CreateRoute",
            RouteKey="half",
            Target=f"integrations/{world.integrations['f']}",
            RouteResponseSelectionExpression="$default",
        )
        world.deploy()
        client = await world.connect()
        for action in ("one", "half"):
            client.send({"action": action})
        await world.functions.heard(2)
        await world.settle()
        client.send({"action": "two"})
        assert await client.receive() == 'got {"action": "two"}'
        client.send({"action": "binary"})
        assert await client.receive() == b"\x00\xff"

    tell(story)


def test_stage_variables_name_the_function(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["chat-blue"] = lambda e: {"body": e["stageVariables"]["colour"]}
        world.route("$default", "chat-${stageVariables.colour}", answers=True)
        world.deploy(StageVariables={"colour": "blue"})
        client = await world.connect()
        client.send("x")
        assert await client.receive() == "blue"

    tell(story)


def test_a_new_deployment_is_served_to_open_connections(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = lambda e: {"body": "old"}
        world.functions.handlers["g"] = lambda e: {"body": "new"}
        world.route("$default", answers=True)
        world.deploy()
        client = await world.connect()
        client.send({"action": "x"})
        assert await client.receive() == "old"
        world.route("x", "g", answers=True)
        client.send({"action": "x"})
        assert await client.receive() == "old"  # what has not been deployed is not served
        world.deploy()
        client.send({"action": "x"})
        assert await client.receive() == "new"

    tell(story)


# -- $connect -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ({"statusCode": 401, "body": "no"}, 401, None),
        ({"statusCode": 403}, 403, None),
        ({"statusCode": 500}, 500, None),
        ({"statusCode": 302}, 302, None),
        (None, 502, "Internal server error"),
        (fails, 500, "Internal server error"),
    ],
)
def test_connect_refuses(tell: Tell, answer: Any, status: int, message: str | None) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = answer if callable(answer) else lambda event: answer
        world.route("$connect")
        world.route("$disconnect", "d")
        world.deploy()
        code, body = await refused(world)
        assert (code, body.get("message")) == (status, message)
        assert ID.fullmatch(body["connectionId"])
        await world.settle()
        assert len(world.functions.events) == 1  # who was never in, does not leave
        gone = await world.manage("get_connection", ConnectionId=body["connectionId"])
        assert gone == ("GoneException", 410)

    tell(story)


def test_a_subprotocol_is_the_functions_choice(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = lambda e: {
            "statusCode": 200,
            "headers": {"Sec-WebSocket-Protocol": e["headers"]["Sec-WebSocket-Protocol"].split(", ")[1]},
        }
        world.route("$connect")
        world.deploy()
        client = await world.connect(Sec_WebSocket_Protocol="a, b")
        assert client.headers["sec-websocket-protocol"] == "b"

    tell(story)


def test_a_subprotocol_that_is_no_header_is_left_out(tell: Tell) -> None:
    async def story(world: Any) -> None:
        headers = {"Sec-WebSocket-Protocol": "a\r\nSet-Cookie: b"}
        world.functions.handlers["f"] = lambda e: {"statusCode": 200, "headers": headers}
        world.route("$connect")
        world.deploy()
        client = await world.connect()
        assert "set-cookie" not in client.headers
        assert "sec-websocket-protocol" not in client.headers

    tell(story)


@pytest.mark.parametrize(
    ("path", "status"), [("/", None), ("/dev", None), ("/dev/", None), ("/prod", 403), ("/dev/x", 403)]
)
def test_the_paths_of_a_services_port(tell: Tell, path: str, status: int | None) -> None:
    async def story(world: Any) -> None:
        world.route("$default")
        world.deploy()
        if status is None:
            await world.connect(path)
        else:
            assert await refused(world, path) == (status, {"message": "Forbidden"})

    tell(story)


def test_the_clouds_endpoint_serves_every_api(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["f"] = lambda e: {"body": e["requestContext"]["domainName"]}
        world.route("$default", answers=True)
        world.deploy()
        port = world.server._listener.port
        host = f"{world.id}.execute-api.localhost:{port}"
        for path, name in ((f"/_aws/execute-api/{world.id}/dev", f"localhost:{port}"), ("/dev", host)):
            client = await world.connect(path, port=port, host=name)
            client.send("x")
            assert await client.receive() == name
        with pytest.raises(Exception, match="403"):
            await world.connect(f"/_aws/execute-api/{world.id}/prod", port=port)
        with pytest.raises(Exception, match="403"):
            await world.connect("/_aws/execute-api/nope/dev", port=port)

    tell(story)


# -- authorizers --------------------------------------------------------------------------------------------------------

ALLOW = {
    "principalId": "me",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
    },
    "context": {"n": 1, "yes": True, "s": "t"},
}


def policy(effect: str, resource: str) -> dict[str, Any]:
    return {
        "principalId": "me",
        "policyDocument": {
            "Statement": {"Effect": effect, "Action": "execute-api:*", "Resource": [resource]},
        },
    }


def test_an_authorizer_lets_in_and_its_words_go_with_every_event(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["guard"] = lambda event: ALLOW
        authorizer = world.authorizer("route.request.header.Auth", "route.request.querystring.token")
        world.route("$connect", **authorizer)
        world.route("$default")
        world.deploy()
        client = await world.connect("/?token=t", Auth="secret")
        client.send("x")
        await world.functions.heard(3)
        asked, connect, message = world.functions.events
        assert asked["type"] == "REQUEST"
        assert asked["methodArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{world.id}/dev/$connect"
        assert asked["headers"]["Auth"] == "secret"
        assert asked["queryStringParameters"] == {"token": "t"}
        assert asked["stageVariables"] == {}
        assert asked["requestContext"]["eventType"] == "CONNECT"
        assert "authorizer" not in asked["requestContext"]
        words = {"principalId": "me", "n": "1", "yes": "true", "s": "t"}
        assert connect["requestContext"]["authorizer"] == words
        assert message["requestContext"]["authorizer"] == words
        source = world.functions.calls[0][2]
        assert "/authorizers/" in source
        await world.connect("/?token=t", Auth="secret")
        assert len(world.functions.events) == 5  # asked again: nothing is kept

    tell(story)


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (policy("Deny", "*"), 403, "User is not authorized to access this resource with an explicit deny"),
        (
            policy("Allow", "arn:aws:execute-api:*/prod/*"),
            403,
            "User is not authorized to access this resource",
        ),
        ({"principalId": "me"}, 500, "Internal server error"),
        ({"policyDocument": ALLOW["policyDocument"]}, 500, "Internal server error"),
        ({**ALLOW, "context": {"a": [1]}}, 500, "Internal server error"),
        (None, 500, "Internal server error"),
        (fails, 500, "Internal server error"),
    ],
)
def test_an_authorizer_refuses(tell: Tell, answer: Any, status: int, message: str) -> None:
    async def story(world: Any) -> None:
        world.functions.handlers["guard"] = answer if callable(answer) else lambda event: answer
        world.route("$connect", **world.authorizer())
        world.deploy()
        code, body = await refused(world)
        assert (code, body["message"]) == (status, message)
        assert set(body) == {"message", "connectionId", "requestId"}
        assert len(world.functions.events) == 1

    tell(story)


def test_a_missing_identity_is_refused_without_asking(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("$connect", **world.authorizer("route.request.header.Auth"))
        world.deploy()
        code, body = await refused(world)
        assert (code, body["message"]) == (401, "Unauthorized")
        assert world.functions.events == []

    tell(story)


def test_a_signature_lets_in(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("$connect", AuthorizationType="AWS_IAM")
        world.deploy()
        code, body = await refused(world)
        assert (code, body["message"]) == (403, "Forbidden")
        assert world.functions.events == []
        url = f"http://localhost:{world.port}/dev"
        request = AWSRequest("GET", url, headers={"Host": f"localhost:{world.port}"})
        SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
        await world.connect(
            "/dev", **{name: value for name, value in request.headers.items() if name != "Host"}
        )
        (context,) = world.functions.contexts("CONNECT")
        assert context["identity"]["userArn"] == "arn:aws:iam::000000000000:root"
        wrong = {**dict(request.headers.items()), "X-Amz-Date": "20200101T000000Z"}
        del wrong["Host"]
        assert (await refused(world, "/dev", **wrong))[0] == 403

    tell(story)


# -- throttling, other integrations, what is refused ----------------------------------------------------------------------


def test_throttling(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("$connect")
        world.route("$default")
        world.deploy(
            RouteSettings={"$default": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 2}},
            DefaultRouteSettings={"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1},
        )
        client = await world.connect()
        for _ in range(3):
            client.send("x")
        assert (await client.receive())["message"] == "Too Many Requests"
        code, body = await refused(world)
        assert (code, body["message"]) == (429, "Too Many Requests")

    tell(story)


def test_mock_and_http_integrations(tell: Tell) -> None:
    async def story(world: Any) -> None:
        mock = world.integration(
            IntegrationType="MOCK", RequestTemplates={"application/json": '{"statusCode": 200}'}
        )
        world.call(
            "CreateIntegrationResponse",
            IntegrationId=mock,
            IntegrationResponseKey="/200/",
            ResponseTemplates={"application/json": '{"pong": true}'},
        )
        nobody = world.integration(
            IntegrationType="HTTP_PROXY", IntegrationMethod="POST", IntegrationUri="http://127.0.0.1:1/x"
        )
        here = world.integration(
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=f"{world.server.url}/_pileus/nothing",
            RequestParameters={"integration.request.header.connectionId": "context.connectionId"},
        )
        for key, target in (("$connect", mock), ("ping", mock), ("nobody", nobody), ("here", here)):
            world.route_to(key, target, answers=key != "$connect")
        world.deploy()
        client = await world.connect()
        client.send({"action": "ping"})
        assert await client.receive() == {"pong": True}
        client.send({"action": "nobody"})
        assert (await client.receive())["message"] == "Internal server error"
        client.send({"action": "here"})
        assert await client.receive() == {"message": "no such endpoint: POST /_pileus/nothing"}

    tell(story)


def test_what_is_not_emulated_says_so(tell: Tell) -> None:
    async def story(world: Any) -> None:
        mock = world.integration(
            IntegrationType="MOCK", RequestTemplates={"application/json": '{"statusCode": $x}'}
        )
        world.route_to("$default", mock)
        world.deploy()
        code, body = await refused(world)
        assert code == 501
        assert "mapping templates of WebSocket APIs" in body["message"]

    tell(story)


def test_access_logs(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("$connect")
        world.deploy(
            AccessLogSettings={
                "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/websocket/chat",
                "Format": "$context.identity.sourceIp $context.eventType ${context.routeKey} $context.status $context.nope",
            }
        )
        await world.connect()
        logs = world.cloud.service("logs")
        logs.flush() if hasattr(logs, "flush") else None
        found = world.cloud.call("logs", "FilterLogEvents", {"logGroupName": "/aws/websocket/chat"})
        assert [event["message"] for event in found["events"]] == ["127.0.0.1 CONNECT $connect 200 -"]

    tell(story)
