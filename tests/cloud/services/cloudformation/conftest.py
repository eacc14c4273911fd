"""A cloud with CloudFormation, and with resource types of the tests' own that record what is asked of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pileus.cloud.kernel import (
    REPLACE,
    STORED,
    UPDATE,
    Cloud,
    Created,
    ResourceType,
    ServiceEntry,
    Settings,
    StackCall,
    ValidationError,
)
from pileus.cloud.services import REGISTRY

ACCOUNT = "123456789012"


class Thing(ResourceType):
    """Fake::T::Thing: remembers its calls; fails where its properties say so."""

    type_name = "Fake::T::Thing"
    properties = {
        "Name": REPLACE,
        "Size": UPDATE,
        "Fail": UPDATE,
        "Note": STORED,
        "Other": UPDATE,
        "Tags": UPDATE,
    }
    attributes = ("Arn", "Size", "Nested.Value")

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.alive: dict[str, dict[str, Any]] = {}
        self.made = 0

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:
        self.calls.append(("create", stack.logical_id, dict(properties)))
        if properties.get("Fail") in ("create", "always"):
            raise ValidationError("made to fail")
        self.made += 1
        name = f"{properties.get('Name', stack.logical_id)}-{self.made}"
        self.alive[name] = dict(properties)
        return Created(name, self._attributes(name, properties))

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        self.calls.append(("update", stack.logical_id, dict(old), dict(new)))
        if new.get("Fail") in ("update", "always"):
            raise ValidationError("made to fail")
        self.alive[physical_id] = dict(new)
        return Created(physical_id, self._attributes(physical_id, new))

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> None:
        self.calls.append(("delete", stack.logical_id, physical_id))
        if properties.get("Fail") == "delete":
            raise ValidationError("made to fail")
        self.alive.pop(physical_id, None)

    def _attributes(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {"Arn": f"arn:{name}", "Size": properties.get("Size", 0), "Nested.Value": f"nested-{name}"}


class Slow(Thing):
    """Fake::T::Slow: waits until it is let go."""

    type_name = "Fake::T::Slow"

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created:  # type: ignore[override]
        self.calls.append(("begin", stack.logical_id))
        await self.gate.wait()
        return super().create(stack, properties)


class Stacks:
    """Stacks of one cloud, driven in the process."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.thing = Thing()
        self.slow = Slow()
        cloud._resource_types["fake"] = {"Fake::T::Thing": self.thing, "Fake::T::Slow": self.slow}

    @property
    def service(self) -> Any:
        return self.cloud.service("cloudformation")

    async def call(self, operation: str, **request: Any) -> dict[str, Any]:
        if isinstance(request.get("TemplateBody"), dict):
            request["TemplateBody"] = json.dumps(request["TemplateBody"])
        return await self.cloud.call_async("cloudformation", operation, request)

    async def wait(self, name: str = "s") -> str:
        async with asyncio.timeout(10):
            return await self.service.wait(ACCOUNT, "us-east-1", name)

    async def create(self, template: Any, name: str = "s", **more: Any) -> str:
        await self.call("CreateStack", StackName=name, TemplateBody=template, **more)
        return await self.wait(name)

    async def update(self, template: Any, name: str = "s", **more: Any) -> str:
        await self.call("UpdateStack", StackName=name, TemplateBody=template, **more)
        return await self.wait(name)

    async def delete(self, name: str = "s") -> str:
        stack_id = (await self.describe(name))["StackId"]
        await self.call("DeleteStack", StackName=name)
        return await self.wait(stack_id)

    async def describe(self, name: str = "s") -> dict[str, Any]:
        return (await self.call("DescribeStacks", StackName=name))["Stacks"][0]

    async def outputs(self, name: str = "s") -> dict[str, str]:
        found = (await self.describe(name))["Outputs"] or []
        return {item["OutputKey"]: item["OutputValue"] for item in found}

    async def events(self, name: str = "s") -> list[tuple[str, str]]:
        """(logical id, status), the oldest first."""
        found = (await self.call("DescribeStackEvents", StackName=name))["StackEvents"]
        return [(item["LogicalResourceId"], item["ResourceStatus"]) for item in reversed(found)]

    async def reasons(self, name: str = "s") -> list[str]:
        found = (await self.call("DescribeStackEvents", StackName=name))["StackEvents"]
        return [item["ResourceStatusReason"] for item in reversed(found) if item["ResourceStatusReason"]]


def registry() -> dict[str, ServiceEntry]:
    return {**REGISTRY, "fake": ServiceEntry("fake", "fake.api:Fake", (), (), ("Fake::",))}


def make_cloud(**settings: Any) -> Cloud:
    return Cloud(registry(), Settings(account=ACCOUNT, **settings))


@pytest.fixture
def stacks() -> Iterator[Any]:
    """Runs a coroutine function with `Stacks` on a started cloud: `stacks(story)`."""

    def run(story: Any) -> None:
        async def whole() -> None:
            cloud = make_cloud()
            made = Stacks(cloud)
            await cloud.start()
            try:
                await story(made)
            finally:
                await cloud.stop()

        asyncio.run(whole())

    yield run
