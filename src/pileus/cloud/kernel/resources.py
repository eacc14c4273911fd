"""CloudFormation resource types: how a service takes part in stacks.

Each type is one class in its service's `cfn.py`:

    class Queue(ResourceType):
        type_name = "AWS::SQS::Queue"
        properties = {"QueueName": REPLACE, "VisibilityTimeout": UPDATE, "Tags": UPDATE}
        attributes = ("Arn", "QueueName", "QueueUrl")

        def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Created: ...
        def update(self, stack: StackCall, physical_id: str, old, new) -> Created: ...
        def delete(self, stack: StackCall, physical_id: str, properties) -> None: ...

The class is the data: a property that is not listed is refused before anything is created. Each step runs in one
transaction; where a step must wait (a custom resource's function) it is `async`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .call import Call


class Change(Enum):
    """What changing a property does, as the CloudFormation reference says under "Update requires"."""

    UPDATE = "No interruption"
    REPLACE = "Replacement"
    STORED = "Stored only"  # kept and shown, without effect here: counted as such in the coverage


UPDATE, REPLACE, STORED = Change.UPDATE, Change.REPLACE, Change.STORED


@dataclass(frozen=True, slots=True)
class Created:
    """physical_id: what `Ref` gives. attributes: what `Fn::GetAtt` gives, by name (dotted where AWS dots them)."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class StackCall:
    """The stack's hand in a service: its call, and where in the stack it is."""

    call: Call
    stack_name: str
    stack_id: str
    logical_id: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def invoke(self, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """An API operation of any service, as the stack's caller, in this step's transaction."""
        return self.call.cloud.call(service, operation, request, within=self.call)

    def generated_name(self, longest: int = 64, *, lower: bool = False, separator: str = "-") -> str:
        """`stack-LogicalId-RANDOM12`, shortened as CloudFormation does to fit `longest`."""
        suffix = self.call.ids.upper(12)
        logical = self.logical_id
        room = longest - len(suffix) - 2
        stack = self.stack_name[: max(room // 2, room - len(logical))]
        name = separator.join((stack, logical[: room - len(stack)], suffix))
        return name.lower() if lower else name

    def all_tags(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """The resource's own tags over the stack's, with CloudFormation's three."""
        own = properties.get("Tags") or []
        pairs = own.items() if isinstance(own, Mapping) else ((t["Key"], t["Value"]) for t in own)
        return {
            **self.tags,
            "aws:cloudformation:stack-name": self.stack_name,
            "aws:cloudformation:stack-id": self.stack_id,
            "aws:cloudformation:logical-id": self.logical_id,
            **{str(k): str(v) for k, v in pairs},
        }


class ResourceType:
    """Base of every resource type.

    properties: the properties that are taken, by top-level name. attributes: what Fn::GetAtt knows.
    """

    type_name: ClassVar[str]
    properties: ClassVar[Mapping[str, Change]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    attributes: ClassVar[tuple[str, ...]] = ()

    def create(self, stack: StackCall, properties: Mapping[str, Any]) -> Any:
        """Makes the resource. Returns `Created` (or an awaitable of it)."""
        raise NotImplementedError

    def update(
        self, stack: StackCall, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Any:
        """Changes the resource in place; the engine replaces where a changed property asks for it."""
        raise NotImplementedError

    def delete(self, stack: StackCall, physical_id: str, properties: Mapping[str, Any]) -> Any:
        """Removes the resource; one that is already gone is no error."""
        raise NotImplementedError


def resource_types(module: object) -> dict[str, ResourceType]:
    """The resource types that a service's `cfn` module defines, by type name."""
    found: dict[str, ResourceType] = {}
    for value in vars(module).values():
        if (
            inspect.isclass(value)
            and issubclass(value, ResourceType)
            and value is not ResourceType
            and getattr(value, "type_name", None)
        ):
            found[value.type_name] = value()
    return found
