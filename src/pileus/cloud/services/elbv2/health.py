"""Health checks of functions: only of target groups that ask for them, as each check is an invocation.

What is found is shown by DescribeTargetHealth and does not steer requests: a group has one target, and a load balancer
whose targets are all unhealthy sends to them all the same.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import AwsError

from .items import Document
from .messages import BadGateway, health_check_event, response_of

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_DISABLED = {
    "State": "unavailable",
    "Reason": "Target.HealthCheckDisabled",
    "Description": "Health checks are not enabled for this target group",
}
_INITIAL = {
    "State": "initial",
    "Reason": "Elb.InitialHealthChecking",
    "Description": "Initial health checks in progress",
}


class Health:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._states: dict[str, dict[str, str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running = False

    def start(self, groups: list[Document]) -> None:
        self._running = True
        for group in groups:
            self.follow(group)

    async def stop(self) -> None:
        self._running = False
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def follow(self, group: Document) -> None:
        """Begins, changes or ends the checks of a target group."""
        arn = group["TargetGroupArn"]
        task = self._tasks.pop(arn, None)
        if task is not None:
            task.cancel()
        self._states.pop(arn, None)
        if self._running and group["HealthCheckEnabled"] and group["_targets"]:
            self._tasks[arn] = asyncio.get_running_loop().create_task(self._check(group))

    def of(self, group: Document) -> dict[str, str]:
        if not group["HealthCheckEnabled"]:
            return _DISABLED
        return self._states.get(group["TargetGroupArn"], _INITIAL)

    async def _check(self, group: Document) -> None:
        arn = group["TargetGroupArn"]
        many = group["_attributes"].get("lambda.multi_value_headers.enabled") == "true"
        event = health_check_event(arn, group["HealthCheckPath"])
        in_row, was_well = 0, True
        while True:
            await asyncio.sleep(float(group["HealthCheckIntervalSeconds"]))
            why = await self._asked(group["_targets"][0], event, many, group)
            in_row = in_row + 1 if (why is None) is was_well else 1
            was_well = why is None
            enough = group["HealthyThresholdCount" if was_well else "UnhealthyThresholdCount"]
            if in_row >= int(enough):
                self._states[arn] = {"State": "healthy"} if why is None else {"State": "unhealthy", **why}

    async def _asked(self, function: str, event: bytes, many: bool, group: Document) -> dict[str, str] | None:
        """What is wrong, None where nothing is."""
        try:
            result = await self._cloud.functions.invoke(function, event, source_arn=group["TargetGroupArn"])
            if result.function_error is not None:
                return {"Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}
            status = response_of(result.payload, many).status
        except (AwsError, BadGateway):
            return {"Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}
        if _matches(group["Matcher"]["HttpCode"], status):
            return None
        return {
            "Reason": "Target.ResponseCodeMismatch",
            "Description": f"Health checks failed with these codes: [{status}]",
        }


def _matches(codes: Any, status: int) -> bool:
    """codes: `200`, `200,202` or `200-299`."""
    for part in str(codes).split(","):
        found = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if found is not None and int(found[1]) <= status <= int(found[2] or found[1]):
            return True
    return False
