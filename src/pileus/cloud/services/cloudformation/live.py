"""A stack's values while it is worked on: what `Ref`, `Fn::GetAtt` and imports give now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import TemplateError
from .stack import Resource, Stack, Stacks


class Live:
    """A `Scope` over the stack's resources; `known` is the caller's, and changes as the work goes on."""

    def __init__(self, stacks: Stacks, stack: Stack, known: Mapping[str, Resource]) -> None:
        self._stacks = stacks
        self._stack = stack
        self._known = known
        self._imports: dict[str, str] = {}

    def resource(self, logical_id: str) -> str:
        found = self._known.get(logical_id)
        if found is None or found.physical_id is None:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources block of"
                " the template"
            )
        return found.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        found = self._known.get(logical_id)
        if found is not None and name in found.attributes:
            return found.attributes[name]
        if found is not None and found.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
            raise TemplateError(
                f"CustomResource attribute error: Vendor response doesn't contain {name} key in object"
                f" {self._stack.id}|{logical_id}"
            )
        raise TemplateError(
            f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
        )

    def imported(self, name: str) -> str:
        found = self._imports.get(name)
        if found is None:
            stack = self._stack
            row = self._stacks.store.one(
                "SELECT value FROM cfn_export WHERE account=? AND region=? AND name=?",
                (stack.account, stack.region, name),
            )
            if row is None:
                raise TemplateError(f"No export named {name} found.")
            found = self._imports[name] = row["value"]
            self._stacks.store.execute(
                "INSERT OR IGNORE INTO cfn_import (account,region,name,stack) VALUES (?,?,?,?)",
                (stack.account, stack.region, name, stack.id),
            )
        return found

    @property
    def imports(self) -> list[str]:
        return list(self._imports)
