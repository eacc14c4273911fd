"""API keys and usage plans at the door."""

from __future__ import annotations

from typing import Any

import pytest

from pileus.cloud.kernel import Clock, Cloud, Settings
from pileus.cloud.services import REGISTRY

NOON = 1_780_315_200.0  # Monday, 1 June 2026, 12:00 UTC
DAY = 86_400


@pytest.fixture
def cloud() -> Any:
    made = Cloud(REGISTRY, Settings(), clock=Clock(start=NOON))
    yield made
    made.store.close()


def keyed(api: Any, **plan: Any) -> dict[str, Any]:
    api.method("GET", "/", apiKeyRequired=True)
    api.method("GET", "/open")
    api.deploy()
    key = api.call("CreateApiKey", name="k", enabled=True)
    made = api.call("CreateUsagePlan", name="p", apiStages=[{"apiId": api.id, "stage": "dev"}], **plan)
    api.call("CreateUsagePlanKey", usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
    return {"key": key["id"], "value": key["value"], "plan": made["id"]}


def test_who_gets_in(api: Any, functions: Any) -> None:
    made = keyed(api)
    assert len(made["value"]) == 40
    other = api.call("CreateApiKey", name="other", enabled=True)
    for headers in ({}, {"x_api_key": "wrong"}, {"x_api_key": other["value"]}):
        response = api.get("GET", "/", **headers)
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
        assert response.headers["x-amzn-ErrorType"] == "ForbiddenException"
    assert api.get("GET", "/open").status == 200
    assert api.get("GET", "/", x_api_key=made["value"]).status == 200
    identity = functions.events[-1]["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (made["value"], made["key"])
    disable = [{"op": "replace", "path": "/enabled", "value": "false"}]
    api.call("UpdateApiKey", apiKey=made["key"], patchOperations=disable)
    assert api.get("GET", "/", x_api_key=made["value"]).status == 403


@pytest.mark.parametrize("change", ["DeleteUsagePlanKey", "DeleteApiKey", "stage"])
def test_a_key_that_was_let_in_is_shut_out(api: Any, change: str) -> None:
    made = keyed(api)
    assert api.get("GET", "/", x_api_key=made["value"]).status == 200
    if change == "DeleteUsagePlanKey":
        api.call(change, usagePlanId=made["plan"], keyId=made["key"])
    elif change == "DeleteApiKey":
        api.call(change, apiKey=made["key"])
    else:
        step = {"op": "remove", "path": "/apiStages", "value": f"{api.id}:dev"}
        api.call("UpdateUsagePlan", usagePlanId=made["plan"], patchOperations=[step])
    assert api.get("GET", "/", x_api_key=made["value"]).status == 403


def test_throttle(api: Any) -> None:
    made = keyed(api, throttle={"rateLimit": 2.0, "burstLimit": 3})
    ask = lambda: api.get("GET", "/", x_api_key=made["value"])  # noqa: E731
    assert [ask().status for _ in range(4)] == [200, 200, 200, 429]
    assert ask().body == b'{"message":"Too Many Requests"}'
    api.cloud.clock.travel(0.6)
    assert ask().status == 200


def test_quota_and_usage(api: Any) -> None:
    made = keyed(api, quota={"limit": 2, "period": "DAY"})
    ask = lambda: api.get("GET", "/", x_api_key=made["value"])  # noqa: E731
    assert [ask().status for _ in range(3)] == [200, 200, 429]
    response = ask()
    assert response.body == b'{"message":"Limit Exceeded"}'
    assert response.headers["x-amzn-ErrorType"] == "LimitExceededException"
    api.cloud.clock.travel(DAY)
    assert ask().status == 200
    usage = api.call("GetUsage", usagePlanId=made["plan"], startDate="2026-06-01", endDate="2026-06-02")
    assert usage["items"] == {made["key"]: [[2, 0], [1, 1]]}


def test_a_monthly_quota_outlives_the_cache(api: Any) -> None:
    made = keyed(api, quota={"limit": 2, "period": "MONTH"})
    ask = lambda: api.get("GET", "/", x_api_key=made["value"])  # noqa: E731
    assert ask().status == 200
    api.cloud.clock.travel(3 * DAY)
    api.call("CreateApiKey", name="drops the caches")
    assert [ask().status for _ in range(2)] == [200, 429]
    api.cloud.clock.travel(30 * DAY)
    assert ask().status == 200


def test_the_authorizer_names_the_key(make_api: Any, functions: Any) -> None:
    api = make_api(apiKeySource="AUTHORIZER")
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    made = api.on("CreateAuthorizer", name="a", type="TOKEN", authorizerUri=api.uri("auth"))
    api.method("GET", "/x", apiKeyRequired=True, authorizationType="CUSTOM", authorizerId=made["id"])
    plan = keyed(api)
    functions.says(
        "auth",
        lambda event: {
            "principalId": "p",
            "policyDocument": policy,
            "usageIdentifierKey": plan["value"] if event["authorizationToken"] == "good" else None,
        },
    )
    assert api.get("GET", "/x", authorization="good").status == 200
    assert api.get("GET", "/x", authorization="bad", x_api_key=plan["value"]).status == 403
