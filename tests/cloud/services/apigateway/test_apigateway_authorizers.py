"""Lambda authorizers: what they are asked, what their answers mean, and how long these are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def policy(effect: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allowed(**more: Any) -> dict[str, Any]:
    return {"principalId": "ann", "policyDocument": policy("Allow"), **more}


def protect(api: Any, **members: Any) -> None:
    members = {"type": "TOKEN", "name": "auth", "authorizerUri": api.uri("auth"), **members}
    made = api.on("CreateAuthorizer", **members)
    for path in ("/a", "/b"):
        api.method("GET", path, authorizationType="CUSTOM", authorizerId=made["id"])
    api.deploy()


def test_token_event_and_context(api: Any, functions: Any) -> None:
    context = {"role": "admin", "age": 7, "vip": True, "ratio": 0.5}
    functions.says("auth", lambda event: allowed(context=context))
    protect(api)
    assert api.get("GET", "/a?x=1", authorization="Bearer t").status == 200
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/a"
    assert functions.events[0] == {"type": "TOKEN", "methodArn": arn, "authorizationToken": "Bearer t"}
    authorizer = functions.events[1]["requestContext"]["authorizer"]
    assert isinstance(authorizer.pop("integrationLatency"), int)
    assert authorizer == {"principalId": "ann", "role": "admin", "age": "7", "vip": "true", "ratio": "0.5"}


@pytest.mark.parametrize(
    ("answer", "status", "text", "kind"),
    [
        (allowed(), 200, "ok", None),
        (
            allowed(policyDocument=policy("Deny")),
            403,
            '{"Message":"User is not authorized to access this resource with an explicit deny"}',
            "AccessDeniedException",
        ),
        (
            allowed(policyDocument=policy("Allow", "arn:aws:execute-api:us-east-1:*:*/dev/POST/*")),
            403,
            '{"Message":"User is not authorized to access this resource"}',
            "AccessDeniedException",
        ),
        (allowed(policyDocument=policy("Allow", "arn:aws:execute-api:*:*:*/dev/GET/?")), 200, "ok", None),
        (allowed(context={"a": {"b": 1}}), 500, '{"message":null}', "AuthorizerConfigurationException"),
        (allowed(context={"a": [1]}), 500, '{"message":null}', "AuthorizerConfigurationException"),
        ({"policyDocument": policy("Allow")}, 500, '{"message":null}', "AuthorizerConfigurationException"),
        ({"principalId": "x"}, 500, '{"message":null}', "AuthorizerConfigurationException"),
        (None, 500, '{"message":null}', "AuthorizerConfigurationException"),
    ],
)
def test_answers(api: Any, functions: Any, answer: Any, status: int, text: str, kind: str | None) -> None:
    functions.says("auth", lambda event: answer)
    protect(api)
    response = api.get("GET", "/a", authorization="t")
    assert (response.status, response.body.decode()) == (status, text)
    assert response.headers.get("x-amzn-ErrorType") == kind


@pytest.mark.parametrize(
    ("message", "status", "text"),
    [("Unauthorized", 401, '{"message":"Unauthorized"}'), ("Boom", 500, '{"message":null}')],
)
def test_authorizers_that_raise(api: Any, functions: Any, message: str, status: int, text: str) -> None:
    functions.fails("auth", message)
    protect(api)
    response = api.get("GET", "/a", authorization="t")
    assert (response.status, response.body.decode()) == (status, text)


@pytest.mark.parametrize(
    ("members", "headers"),
    [
        ({}, {}),
        ({"identityValidationExpression": "Bearer .+"}, {"authorization": "Basic x"}),
        (
            {"type": "REQUEST", "identitySource": "method.request.header.X,method.request.querystring.q"},
            {"x": "1"},
        ),
    ],
)
def test_without_identity_nobody_is_asked(
    api: Any, functions: Any, members: dict[str, str], headers: dict[str, str]
) -> None:
    protect(api, **members)
    response = api.get("GET", "/a", **headers)
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert response.headers["x-amzn-ErrorType"] == "UnauthorizedException"
    assert functions.events == []


def test_results_are_kept_but_judged_anew(api: Any, functions: Any) -> None:
    functions.says("auth", lambda event: allowed(policyDocument=policy("Allow", "*/GET/a")))
    protect(api)
    asked = lambda: sum(1 for event in functions.events if event.get("type") == "TOKEN")  # noqa: E731
    assert api.get("GET", "/a", authorization="t").status == 200
    assert api.get("GET", "/b", authorization="t").status == 403
    assert api.get("GET", "/a", authorization="t").status == 200
    assert asked() == 1
    api.get("GET", "/a", authorization="u")
    assert asked() == 2
    api.cloud.clock.travel(301)
    api.get("GET", "/a", authorization="t")
    assert asked() == 3
    api.on("FlushStageAuthorizersCache", stageName="dev")
    api.get("GET", "/a", authorization="t")
    assert asked() == 4


def test_ttl_0_keeps_nothing(api: Any, functions: Any) -> None:
    functions.says("auth", lambda event: allowed())
    protect(api, authorizerResultTtlInSeconds=0)
    for _ in range(2):
        api.get("GET", "/a", authorization="t")
    assert [event.get("type") for event in functions.events] == ["TOKEN", None, "TOKEN", None]


def test_request_event(api: Any, functions: Any) -> None:
    functions.says("auth", lambda event: allowed())
    protect(api, type="REQUEST", identitySource="method.request.querystring.q, context.identity.sourceIp")
    assert api.get("GET", "/a?q=1").status == 200
    event = functions.events[0]
    assert (event["type"], event["path"], event["resource"], event["httpMethod"]) == (
        "REQUEST",
        "/a",
        "/a",
        "GET",
    )
    assert event["queryStringParameters"] == {"q": "1"}
    assert event["pathParameters"] == {}
    assert event["headers"]["User-Agent"] == "test/1"
    assert "body" not in event


def test_gateway_responses_reword_refusals(api: Any, functions: Any) -> None:
    functions.says("auth", lambda event: allowed(policyDocument=policy("Deny")))
    api.on(
        "PutGatewayResponse",
        responseType="DEFAULT_4XX",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.X-Origin": "method.request.header.origin",
        },
    )
    api.on(
        "PutGatewayResponse",
        responseType="UNAUTHORIZED",
        statusCode="418",
        responseTemplates={
            "application/json": '{"e":$context.error.messageString,"t":"$context.error.responseType","s":"$context.stage"}'
        },
    )
    protect(api)
    refused = api.get("GET", "/a", authorization="t", origin="http://o")
    assert refused.status == 403
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["X-Origin"] == "http://o"
    assert json.loads(refused.body) == {
        "message": "User is not authorized to access this resource with an explicit deny"
    }
    absent = api.get("GET", "/a")
    assert absent.status == 418
    assert json.loads(absent.body) == {"e": "Unauthorized", "t": "UNAUTHORIZED", "s": "dev"}


def signed(verb: str, url: str, secret: str = "test", service: str = "execute-api") -> dict[str, str]:
    request = AWSRequest(verb, url, data=b"")
    SigV4Auth(Credentials("test", secret), service, "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        ("arn:aws:iam::000000000000:root", 403),
        ("000000000000", 403),
        ("arn:aws:iam::000000000000:role/other", 200),
        ("*", 403),
    ],
)
def test_resource_policies_name_who_signs(make_api: Any, principal: str, status: int) -> None:
    statement = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    policy = {
        "Statement": [
            {**statement, "Effect": "Allow", "Principal": "*"},
            {**statement, "Effect": "Deny", "Principal": {"AWS": [principal]}},
        ]
    }
    api = make_api(policy=json.dumps(policy))
    api.method("GET", "/a", authorizationType="AWS_IAM")
    api.deploy()
    url = "http://localhost:3000/dev/a"
    answer = api.get("GET", "/a", **signed("GET", url))
    assert answer.status == status
    if status == 403:
        assert b"User: arn:aws:iam::000000000000:root is not authorized" in answer.body


def test_iam_checks_the_signature(api: Any, functions: Any) -> None:
    api.method("GET", "/a", authorizationType="AWS_IAM")
    api.deploy()
    url = "http://localhost:3000/dev/a"
    response = api.get("GET", "/a")
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
    for wrong in (signed("GET", url, secret="x"), signed("POST", url), signed("GET", url, service="s3")):
        response = api.get("GET", "/a", **wrong)
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")
    assert functions.events == []
    assert api.get("GET", "/a?b=1&a=%20x", **signed("GET", f"{url}?b=1&a=%20x")).status == 200
    identity = functions.events[0]["requestContext"]["identity"]
    assert identity["userArn"] == "arn:aws:iam::000000000000:root"
    assert (identity["accountId"], identity["accessKey"]) == ("000000000000", "test")
