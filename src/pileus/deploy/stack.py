"""A stack's plan, and its execution against the embedded CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson

from ..cloud.kernel import AwsError

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..service import ConfigError

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
#: States in which CloudFormation takes no update, only a deletion.
_BROKEN = frozenset(
    {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"}
)


class DeploymentFailed(Exception):
    """The stack did not reach its goal.

    reasons: what failed, `(logical id, type, reason)`, the cause first. mistakes: the same, at their places in the
    service, where the one who deploys knows them.
    """

    def __init__(
        self,
        stack: str,
        status: str,
        reasons: list[tuple[str, str, str]],
        mistakes: Sequence[ConfigError] = (),
    ) -> None:
        lines = [str(mistake) for mistake in mistakes] or [f"{i} ({kind}): {why}" for i, kind, why in reasons]
        super().__init__("\n".join([f"the stack {stack} is {status}", *lines]))
        self.stack, self.status, self.reasons, self.mistakes = stack, status, reasons, tuple(mistakes)


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What will be done. action: `create`, `update`, or `replace` (a stack that can only be deleted first).

    parameters: values of the template's parameters, as CreateStack takes them.
    """

    stack: str
    region: str
    action: str
    template: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Sequence[Mapping[str, Any]] = ()


class _Waiter(Protocol):
    async def wait(self, account: str, region: str, stack_name: str) -> str: ...


class EmbeddedStacks:
    """Stacks of the embedded cloud, reached in the process: the same operations that boto3 would call."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self._region = region

    def plan(
        self,
        stack: str,
        template: Mapping[str, Any],
        tags: Mapping[str, str],
        parameters: Sequence[Mapping[str, Any]] = (),
    ) -> StackPlan:
        status = self.status(stack)
        action = "create" if status is None else "replace" if status in _BROKEN else "update"
        return StackPlan(stack, self._region, action, template, tags, parameters)

    async def execute(self, plan: StackPlan) -> bool:
        """Carries the plan out. Returns whether anything had to change; raises DeploymentFailed."""
        if (status := self.status(plan.stack)) is not None and status.endswith("_IN_PROGRESS"):
            await self._wait(plan.stack)  # interrupted by a kill: CloudFormation resumes it by itself
        if plan.action == "replace":
            await self._call("DeleteStack", {"StackName": plan.stack})
            await self._wait(plan.stack)
        request = {
            "StackName": plan.stack,
            "TemplateBody": orjson.dumps(plan.template).decode(),
            "Capabilities": _CAPABILITIES,
            "Tags": [{"Key": key, "Value": value} for key, value in plan.tags.items()],
            "Parameters": list(plan.parameters),
        }
        try:
            await self._call("UpdateStack" if plan.action == "update" else "CreateStack", request)
        except AwsError as error:
            if "No updates are to be performed" in error.message:
                return False
            raise
        status = await self._wait(plan.stack)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeploymentFailed(plan.stack, status, self._reasons(plan.stack))
        return True

    def status(self, stack: str) -> str | None:
        try:
            found = self._read("DescribeStacks", {"StackName": stack})["Stacks"]
        except AwsError as error:
            if "does not exist" in error.message:
                return None
            raise
        status: str = found[0]["StackStatus"]
        return None if status == "DELETE_COMPLETE" else status

    def template(self, stack: str) -> dict[str, Any] | None:
        """The template of a stack that stands; None without one, or where it could not be updated from."""
        status = self.status(stack)
        if status is None or status in _BROKEN:
            return None
        body = self._read("GetTemplate", {"StackName": stack})["TemplateBody"]
        return cast("dict[str, Any]", orjson.loads(body))

    def outputs(self, stack: str) -> dict[str, str]:
        (found,) = self._read("DescribeStacks", {"StackName": stack})["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs") or ()}

    def physical_ids(self, stack: str) -> dict[str, tuple[str, str]]:
        """logical id → (type, physical id)."""
        result: dict[str, tuple[str, str]] = {}
        token: str | None = None
        while True:
            request = {"StackName": stack, **({"NextToken": token} if token else {})}
            page = self._read("ListStackResources", request)
            for resource in page["StackResourceSummaries"]:
                result[resource["LogicalResourceId"]] = (
                    resource["ResourceType"],
                    resource.get("PhysicalResourceId", ""),
                )
            token = page.get("NextToken")
            if not token:
                return result

    def _reasons(self, stack: str) -> list[tuple[str, str, str]]:
        events = self._read("DescribeStackEvents", {"StackName": stack})["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceType"], event.get("ResourceStatusReason", ""))
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]

    def _read(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._cloud.call("cloudformation", operation, request, region=self._region)

    async def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return await self._cloud.call_async("cloudformation", operation, request, region=self._region)

    async def _wait(self, stack: str) -> str:
        waiter = cast("_Waiter", self._cloud.service("cloudformation"))
        return await waiter.wait(self._cloud.settings.account, self._region, stack)
