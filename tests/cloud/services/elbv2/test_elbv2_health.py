"""Health checks of functions behind a load balancer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pileus.cloud.kernel import Cloud, Invocation
from pileus.cloud.services.elbv2.health import Health

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Functions:
    """Answers with one status; tells when it has been asked often enough."""

    def __init__(self, status: int, times: int) -> None:
        self.status, self.times = status, times
        self.events: list[dict[str, Any]] = []
        self.enough = asyncio.Event()

    async def invoke(
        self, arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        self.events.append(json.loads(payload))
        if len(self.events) > self.times:
            self.enough.set()
        return Invocation(200, json.dumps({"statusCode": self.status}).encode(), None, "$LATEST", "r")


def group(**members: Any) -> dict[str, Any]:
    return {
        "TargetGroupArn": "arn:g",
        "HealthCheckEnabled": True,
        "HealthCheckPath": "/up",
        "HealthCheckIntervalSeconds": 0.001,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200-204"},
        "_attributes": {},
        "_targets": [FUNCTION],
        **members,
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (204, {"State": "healthy"}),
        (
            500,
            {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": "Health checks failed with these codes: [500]",
            },
        ),
    ],
)
def test_checks(cloud: Cloud, status: int, state: dict[str, str]) -> None:
    async def run() -> dict[str, Any]:
        functions = Functions(status, 2)
        cloud._services["lambda"] = functions  # type: ignore[assignment]
        health = Health(cloud)
        assert health.of(group())["State"] == "initial"
        health.start([group()])
        async with asyncio.timeout(10):
            await functions.enough.wait()
        assert health.of(group()) == state
        await health.stop()
        return functions.events[0]

    assert asyncio.run(run()) == {
        "requestContext": {"elb": {"targetGroupArn": "arn:g"}},
        "httpMethod": "GET",
        "path": "/up",
        "queryStringParameters": {},
        "headers": {"user-agent": "ELB-HealthChecker/2.0"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_no_checks_where_none_are_wanted(cloud: Cloud) -> None:
    async def run() -> None:
        health = Health(cloud)
        health.start([group(HealthCheckEnabled=False), group(_targets=[])])
        assert len(asyncio.all_tasks()) == 1
        assert health.of(group(HealthCheckEnabled=False))["Reason"] == "Target.HealthCheckDisabled"
        await health.stop()

    asyncio.run(run())
