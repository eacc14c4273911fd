"""Change sets: an update, or a creation, that is looked at before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, ValidationError, operation
from .describe import StackDescriptions, shown_parameters
from .errors import AlreadyExistsException, InvalidChangeSetStatus
from .operations import StackOperations, check_stack_name
from .plan import Place, ResourceChange, changes
from .requests import Prepared, prepare, template_body
from .stack import Stack

Request = Mapping[str, Any]
Answer = dict[str, Any]

_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class ChangeSets(StackOperations, StackDescriptions):
    @operation("CreateChangeSet")
    async def create_change_set(self, call: Call, request: Request) -> Answer:
        current = self.find(call.account, call.region, request["StackName"])
        body = await template_body(self, call, request, current)
        with self.store.transaction():
            return self._create_change_set(call, request, body)

    def _create_change_set(self, call: Call, request: Request, body: str) -> Answer:
        kind = request.get("ChangeSetType", "UPDATE")
        for member in ("IncludeNestedStacks", "OnStackFailure"):
            if request.get(member):
                raise NotEmulated(f"cloudformation CreateChangeSet.{member}")
        if kind == "IMPORT":
            raise NotEmulated("cloudformation CreateChangeSet.ChangeSetType IMPORT")
        name = request["ChangeSetName"]
        stack = self._stack_for(call, request, kind)
        if self.store.one("SELECT 1 FROM cfn_change_set WHERE stack=? AND name=?", (stack.id, name)):
            raise AlreadyExistsException(f"ChangeSet [{name}] already exists")
        place = Place(stack.account, stack.region, stack.name, stack.id)
        previous = None if stack.status == "REVIEW_IN_PROGRESS" else stack
        prepared = prepare(self, call, request, body, place, previous)
        found = self._changes(stack, prepared, new=previous is None)
        changed = bool(found) or previous is None or self.differs(stack, prepared)
        change_set_id = call.arn(f"changeSet/{name}/{self.ids.uuid()}")
        detail = {
            "type": kind,
            "request": prepared.detail,
            "changes": [_change_wire(change) for change in found],
            "description": request.get("Description"),
        }
        self.store.execute(
            "INSERT INTO cfn_change_set (id,stack,name,created,status,reason,execution,body,detail)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (
                change_set_id,
                stack.id,
                name,
                call.now,
                "CREATE_COMPLETE" if changed else "FAILED",
                None if changed else _NO_CHANGES,
                "AVAILABLE" if changed else "UNAVAILABLE",
                body,
                orjson.dumps(detail),
            ),
        )
        return {"Id": change_set_id, "StackId": stack.id}

    def _stack_for(self, call: Call, request: Request, kind: str) -> Stack:
        name = request["StackName"]
        stack = self.find(call.account, call.region, name)
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    f"Stack [{stack.name}] already exists and cannot be created again with the changeSet"
                    f" [{request['ChangeSetName']}]."
                )
            return stack or self._stack_in_review(call, name)
        if stack is None or stack.deleted is not None:
            raise ValidationError(f"Stack [{name}] does not exist")
        self.refuse_unless_updatable(stack)
        return stack

    def _stack_in_review(self, call: Call, name: str) -> Stack:
        check_stack_name(name)
        detail: dict[str, Any] = {"parameters": {}, "tags": {}, "outputs": []}
        stack_id = self.stack_id(call, name)
        stack = Stack(stack_id, call.account, call.region, name, "REVIEW_IN_PROGRESS", call.now, "", detail)
        self.add_stack(stack)
        self.enter(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        return stack

    def _changes(self, stack: Stack, prepared: Prepared, *, new: bool) -> list[ResourceChange]:
        physical = {name: item.physical_id for name, item in self.resources(stack.id).items()}
        return changes(
            None if new else self.blueprint_of(stack),
            prepared.plan,
            prepared.template,
            physical,
            self.cloud.resource_type,
            tags_changed=not new and stack.detail["tags"] != prepared.detail["tags"],
        )

    @operation("DescribeChangeSet")
    def describe_change_set(self, call: Call, request: Request) -> Answer:
        row = self.change_set_row(call, request["ChangeSetName"], request.get("StackName"))
        detail = orjson.loads(row["detail"])
        wanted = detail["request"]
        return {
            "ChangeSetName": row["name"],
            "ChangeSetId": row["id"],
            "StackId": row["stack"],
            "StackName": row["stack"].split("/")[1],
            "Description": detail["description"],
            "Parameters": shown_parameters(wanted),
            "CreationTime": row["created"],
            "ExecutionStatus": row["execution"],
            "Status": row["status"],
            "StatusReason": row["reason"],
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            "Capabilities": wanted["capabilities"],
            "Tags": [{"Key": key, "Value": value} for key, value in wanted["tags"].items()],
            "Changes": detail["changes"],
            "IncludeNestedStacks": False,
        }

    @operation("ExecuteChangeSet")
    def execute_change_set(self, call: Call, request: Request) -> Answer:
        row = self.change_set_row(call, request["ChangeSetName"], request.get("StackName"))
        if row["execution"] != "AVAILABLE":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{row['id']}] cannot be executed in its current status of [{row['status']}]"
            )
        if request.get("RetainExceptOnCreate"):
            raise NotEmulated("cloudformation ExecuteChangeSet.RetainExceptOnCreate")
        stack = self.existing(call, row["stack"])
        detail = orjson.loads(row["detail"])["request"]
        detail["disable_rollback"] = bool(request.get("DisableRollback"))
        self.store.execute(
            "UPDATE cfn_change_set SET execution='EXECUTE_IN_PROGRESS' WHERE id=?", (row["id"],)
        )
        self.store.execute(
            "UPDATE cfn_change_set SET execution='OBSOLETE' WHERE stack=? AND id<>?", (stack.id, row["id"])
        )
        token = request.get("ClientRequestToken")
        if stack.status == "REVIEW_IN_PROGRESS":
            self._begin_creation(call, stack, row, detail, token)
        else:
            self.refuse_unless_updatable(stack)
            detail["protected"] = stack.detail.get("protected", False)
            self.begin_update(call, stack, row["body"], detail, token, row["id"])
        return {}

    def _begin_creation(
        self, call: Call, stack: Stack, row: Row, detail: dict[str, Any], token: str | None
    ) -> None:
        stack.body, stack.detail = row["body"], detail
        detail["on_failure"] = "DO_NOTHING" if detail["disable_rollback"] else "ROLLBACK"
        detail["token"] = token
        stack.operation = self._operation(call, stack, "create", "apply", token)
        stack.operation["change_set"] = row["id"]
        self.enter(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._publish(stack)

    @operation("DeleteChangeSet")
    def delete_change_set(self, call: Call, request: Request) -> Answer:
        row = self.change_set_row(call, request["ChangeSetName"], request.get("StackName"))
        if row["execution"] == "EXECUTE_IN_PROGRESS":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{row['id']}] cannot be deleted in its current status of [{row['status']}]"
            )
        self.store.execute("DELETE FROM cfn_change_set WHERE id=?", (row["id"],))
        return {}

    @operation("ListChangeSets")
    def list_change_sets(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        rows = self.store.all("SELECT * FROM cfn_change_set WHERE stack=? ORDER BY created", (stack.id,))
        summaries = [
            {
                "StackId": stack.id,
                "StackName": stack.name,
                "ChangeSetId": row["id"],
                "ChangeSetName": row["name"],
                "ExecutionStatus": row["execution"],
                "Status": row["status"],
                "StatusReason": row["reason"],
                "CreationTime": row["created"],
                "Description": orjson.loads(row["detail"])["description"],
            }
            for row in rows
        ]
        return {"Summaries": summaries}


def _change_wire(change: ResourceChange) -> Answer:
    return {
        "Type": "Resource",
        "ResourceChange": {
            "Action": change.action,
            "LogicalResourceId": change.logical_id,
            "PhysicalResourceId": change.physical_id,
            "ResourceType": change.type,
            "Replacement": change.replacement,
            "Scope": list(change.scope),
            "Details": change.details,
        },
    }
