"""A stack and its resources, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from ...kernel import Call, Row, Service, ValidationError
from .schema import MIGRATIONS
from .template import Template, read_template

STACK_TYPE = "AWS::CloudFormation::Stack"
_TEMPLATES_KEPT = 32


@dataclass(slots=True)
class Stack:
    """detail: parameters (given values), resolved (values of SSM parameters), tags, capabilities, role,
    disable_rollback, on_failure, protected, outputs, description, timeout, token, imports.

    operation: the work under way: id, kind, phase, principal, token, failures, previous (body and detail before).
    """

    id: str
    account: str
    region: str
    name: str
    status: str
    created: float
    body: str
    detail: dict[str, Any]
    reason: str | None = None
    updated: float | None = None
    deleted: float | None = None
    parent: str | None = None
    operation: dict[str, Any] | None = None

    @property
    def is_in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(slots=True)
class Resource:
    """position: its place in the order of work. applied: id of the operation that last did its step.

    properties: resolved, but for references to secrets. requires: logical ids that it needs.
    """

    logical_id: str
    type: str
    position: int = 0
    physical_id: str | None = None
    status: str = ""
    reason: str | None = None
    updated: float = 0.0
    applied: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    requires: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Any = None
    description: str | None = None

    @property
    def exists(self) -> bool:
        return self.physical_id is not None and self.status != "DELETE_COMPLETE"


_IN_COLUMNS = ("logical_id", "type", "position", "physical_id", "status", "reason", "updated", "applied")
_IN_DETAIL = tuple(item.name for item in fields(Resource) if item.name not in _IN_COLUMNS)


class Stacks(Service):
    """The store of stacks: the base of the service's parts."""

    name = "cloudformation"
    migrations = MIGRATIONS

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._templates: dict[str, Template] = {}

    def template(self, body: str) -> Template:
        """The template that a body is; read once. Raises TemplateError."""
        found = self._templates.get(body)
        if found is None:
            found = read_template(body)
            if len(self._templates) >= _TEMPLATES_KEPT:
                del self._templates[next(iter(self._templates))]
            self._templates[body] = found
        return found

    # -- stacks -----------------------------------------------------------------------------------------------------

    def find(self, account: str, region: str, name_or_id: str) -> Stack | None:
        """A live stack by name, or any stack, deleted ones too, by id."""
        if name_or_id.startswith("arn:"):
            row = self.store.one(
                "SELECT * FROM cfn_stack WHERE id=? AND account=? AND region=?", (name_or_id, account, region)
            )
        else:
            row = self.store.one(
                "SELECT * FROM cfn_stack WHERE account=? AND region=? AND name=? AND deleted IS NULL",
                (account, region, name_or_id),
            )
        return None if row is None else stack_of(row)

    def existing(self, call: Call, name_or_id: str, words: str = "Stack with id {} does not exist") -> Stack:
        stack = self.find(call.account, call.region, name_or_id)
        if stack is None:
            raise ValidationError(words.format(name_or_id))
        return stack

    def by_id(self, stack_id: str) -> Stack | None:
        row = self.store.one("SELECT * FROM cfn_stack WHERE id=?", (stack_id,))
        return None if row is None else stack_of(row)

    def add_stack(self, stack: Stack) -> None:
        self.store.execute(
            "INSERT INTO cfn_stack (id,account,region,name,status,created,parent,body,detail,operation,operation_id)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                stack.id,
                stack.account,
                stack.region,
                stack.name,
                stack.status,
                stack.created,
                stack.parent,
                stack.body,
                orjson.dumps(stack.detail),
                None if stack.operation is None else orjson.dumps(stack.operation),
                (stack.operation or {}).get("id"),
            ),
        )

    def save_stack(self, stack: Stack) -> None:
        self.store.execute(
            "UPDATE cfn_stack SET status=?,reason=?,updated=?,deleted=?,body=?,detail=?,operation=?,"
            "operation_id=? WHERE id=?",
            (
                stack.status,
                stack.reason,
                stack.updated,
                stack.deleted,
                stack.body,
                orjson.dumps(stack.detail),
                None if stack.operation is None else orjson.dumps(stack.operation),
                (stack.operation or {}).get("id"),
                stack.id,
            ),
        )

    def enter(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """Gives the stack a status and tells of it in its events."""
        stack.status, stack.reason = status, reason
        self.save_stack(stack)
        self.tell(stack, stack.name, stack.id, STACK_TYPE, status, reason)

    # -- resources --------------------------------------------------------------------------------------------------

    def resources(self, stack_id: str) -> dict[str, Resource]:
        rows = self.store.all("SELECT * FROM cfn_resource WHERE stack=? ORDER BY position", (stack_id,))
        return {row["logical_id"]: resource_of(row) for row in rows}

    def save_resource(self, stack: Stack, resource: Resource) -> None:
        columns = [getattr(resource, name) for name in _IN_COLUMNS]
        values = {name: getattr(resource, name) for name in _IN_DETAIL}
        self.store.execute(
            "INSERT OR REPLACE INTO cfn_resource (stack,logical_id,type,position,physical_id,status,reason,updated,"
            "applied,detail) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (stack.id, *columns, orjson.dumps(values)),
        )

    def drop_resource(self, stack: Stack, logical_id: str) -> None:
        self.store.execute("DELETE FROM cfn_resource WHERE stack=? AND logical_id=?", (stack.id, logical_id))

    def save_before(self, stack: Stack, logical_id: str, resource: Resource | None) -> None:
        """Remembers a resource as it was before this update; the first time only."""
        self.store.execute(
            "INSERT OR IGNORE INTO cfn_saved (stack,logical_id,kind,resource) VALUES (?,?,'before',?)",
            (stack.id, logical_id, None if resource is None else orjson.dumps(resource)),
        )

    def save_leftover(self, stack: Stack, resource: Resource) -> None:
        self.store.execute(
            "INSERT INTO cfn_saved (stack,logical_id,kind,resource) VALUES (?,?,'leftover',?)",
            (stack.id, resource.logical_id, orjson.dumps(resource)),
        )

    def saved(self, stack: Stack, kind: str) -> list[tuple[int, str, Resource | None]]:
        """(id, logical id, resource) of what is remembered."""
        rows = self.store.all(
            "SELECT id,logical_id,resource FROM cfn_saved WHERE stack=? AND kind=?", (stack.id, kind)
        )
        return [
            (
                row["id"],
                row["logical_id"],
                None if row["resource"] is None else Resource(**orjson.loads(row["resource"])),
            )
            for row in rows
        ]

    def forget_saved(self, saved_id: int) -> None:
        self.store.execute("DELETE FROM cfn_saved WHERE id=?", (saved_id,))

    # -- events -----------------------------------------------------------------------------------------------------

    def tell(
        self,
        stack: Stack,
        logical_id: str,
        physical_id: str | None,
        type_name: str,
        status: str,
        reason: str | None = None,
    ) -> None:
        now = self.clock.now()
        token = (stack.operation or {}).get("token")
        if type_name == STACK_TYPE and physical_id == stack.id:
            event_id = self.ids.uuid()
        else:
            event_id = f"{logical_id}-{status}-{self.ids.hex(12)}"
        self.store.execute(
            "INSERT INTO cfn_event (stack,event_id,logical_id,physical_id,type,time,status,reason,token)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (stack.id, event_id, logical_id, physical_id, type_name, now, status, reason, token),
        )


def stack_of(row: Row) -> Stack:
    return Stack(
        row["id"],
        row["account"],
        row["region"],
        row["name"],
        row["status"],
        row["created"],
        row["body"],
        orjson.loads(row["detail"]),
        row["reason"],
        row["updated"],
        row["deleted"],
        row["parent"],
        None if row["operation"] is None else orjson.loads(row["operation"]),
    )


def resource_of(row: Row) -> Resource:
    return Resource(**{name: row[name] for name in _IN_COLUMNS}, **orjson.loads(row["detail"]))


def tags_of(request: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}
