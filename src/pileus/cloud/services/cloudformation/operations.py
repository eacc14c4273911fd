"""Operations that change stacks: they check, note what is to be done, and leave the work to a job of the bus."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from ...kernel import Call, Job, NotEmulated, StackCall, ValidationError, consumer, operation
from .errors import AlreadyExistsException, TokenAlreadyExistsException
from .execution import Execution
from .outputs import refuse_exports_in_use
from .plan import Blueprint, Place, blueprint, parameter_values
from .requests import Prepared, prepare, principal_of, template_body
from .stack import Stack, Stacks

Request = Mapping[str, Any]
Answer = dict[str, Any]

_UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_FAILED",
        "CREATE_FAILED",
        "IMPORT_COMPLETE",
    }
)
_UNDELETABLE = frozenset(
    {
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)


class StackOperations(Stacks):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    @operation("CreateStack")
    async def create_stack(self, call: Call, request: Request) -> Answer:
        body = await template_body(self, call, request)
        with self.store.transaction():
            return {"StackId": self._create(call, request, body)}

    def _create(self, call: Call, request: Request, body: str, parent: str | None = None) -> str:
        name = request["StackName"]
        check_stack_name(name)
        if request.get("DisableRollback") is not None and request.get("OnFailure"):
            raise ValidationError("Either OnFailure or DisableRollback can be specified, not both.")
        existing = self.find(call.account, call.region, name)
        token = request.get("ClientRequestToken")
        if existing is not None:
            if token is not None and existing.detail.get("token") == token:
                return existing.id
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        stack_id = self.stack_id(call, name)
        place = Place(call.account, call.region, name, stack_id)
        prepared = prepare(self, call, request, body, place)
        detail = prepared.detail
        detail["protected"] = bool(request.get("EnableTerminationProtection"))
        detail["on_failure"] = _on_failure(request)
        detail["timeout"] = request.get("TimeoutInMinutes")
        detail["token"] = token
        stack = Stack(
            stack_id,
            call.account,
            call.region,
            name,
            "CREATE_IN_PROGRESS",
            call.now,
            body,
            detail,
            parent=parent,
        )
        stack.operation = self._operation(call, stack, "create", "apply", token)
        self.add_stack(stack)
        self.enter(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._publish(stack)
        return stack_id

    @operation("UpdateStack")
    async def update_stack(self, call: Call, request: Request) -> Answer:
        current = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        body = await template_body(self, call, request, current)
        with self.store.transaction():
            return {"StackId": self._update(call, request, body)}

    def _update(self, call: Call, request: Request, body: str) -> str:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        token = request.get("ClientRequestToken")
        if token is not None and stack.detail.get("token") == token:
            return stack.id
        self.refuse_unless_updatable(stack)
        place = Place(stack.account, stack.region, stack.name, stack.id)
        prepared = prepare(self, call, request, body, place, stack)
        at_rest = stack.status not in ("UPDATE_FAILED", "CREATE_FAILED")
        if at_rest and not self.differs(stack, prepared):
            raise ValidationError("No updates are to be performed.")
        self.begin_update(call, stack, body, prepared.detail, token)
        return stack.id

    def begin_update(
        self,
        call: Call,
        stack: Stack,
        body: str,
        detail: dict[str, Any],
        token: str | None = None,
        change_set: str | None = None,
    ) -> None:
        previous = stack.detail.pop("stable", None) or {"body": stack.body, "detail": stack.detail}
        stack.body, stack.detail, stack.updated = body, detail, call.now
        stack.detail["token"] = token
        stack.operation = self._operation(call, stack, "update", "apply", token)
        stack.operation.update(previous=previous, change_set=change_set)
        self.enter(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        self._publish(stack)

    @operation("DeleteStack")
    def delete_stack(self, call: Call, request: Request) -> Answer:
        stack = self.find(call.account, call.region, request["StackName"])
        if stack is None or stack.deleted is not None:
            return {}
        if stack.detail.get("protected"):
            raise ValidationError(
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack.status in _UNDELETABLE:
            raise ValidationError(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        if stack.status == "DELETE_IN_PROGRESS":
            return {}
        if request.get("DeletionMode", "STANDARD") != "STANDARD":
            raise NotEmulated("cloudformation DeleteStack.DeletionMode")
        retain = request.get("RetainResources") or []
        if retain and stack.status != "DELETE_FAILED":
            raise ValidationError(
                f"Invalid operation on stack [{stack.id}]. Specify RetainResources only when the stack is in the"
                " DELETE_FAILED state"
            )
        refuse_exports_in_use(self, stack)
        stack.detail["role"] = request.get("RoleARN") or stack.detail.get("role")
        token = request.get("ClientRequestToken")
        stack.operation = self._operation(call, stack, "delete", "delete", token)
        stack.operation["retain"] = retain
        self.enter(stack, "DELETE_IN_PROGRESS", "User Initiated")
        self.store.execute("DELETE FROM cfn_change_set WHERE stack=?", (stack.id,))
        self._publish(stack)
        return {}

    @operation("ContinueUpdateRollback")
    def continue_update_rollback(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        self._roll_back(call, request, stack, "UPDATE_ROLLBACK_FAILED", request.get("ResourcesToSkip") or [])
        return {}

    @operation("RollbackStack")
    def rollback_stack(self, call: Call, request: Request) -> Answer:
        """Of an update that failed with DisableRollback."""
        if request.get("RetainExceptOnCreate"):
            raise NotEmulated("cloudformation RollbackStack.RetainExceptOnCreate")
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        self._roll_back(call, request, stack, "UPDATE_FAILED", [])
        return {"StackId": stack.id}

    def _roll_back(self, call: Call, request: Request, stack: Stack, needed: str, skip: list[str]) -> None:
        previous = stack.detail.get("stable")
        if stack.status != needed or previous is None:
            raise ValidationError(
                f"Stack:{stack.id} is in {stack.status} state and can not be rolled back."
                if needed == "UPDATE_FAILED"
                else f"Stack:{stack.id} is in {stack.status} state. Only {needed} stacks can continue a rollback."
            )
        token = request.get("ClientRequestToken")
        stack.operation = self._operation(call, stack, "update", "rollback", token)
        stack.operation.update(previous=previous, skip=skip)
        self.enter(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        self._publish(stack)

    @operation("CancelUpdateStack")
    def cancel_update_stack(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        if stack.status != "UPDATE_IN_PROGRESS":
            raise ValidationError(
                f"CancelUpdateStack cannot be called from current stack status {stack.status}"
            )
        previous = (stack.operation or {})["previous"]
        stack.operation = self._operation(call, stack, "update", "rollback", None)
        stack.operation.update(previous=previous)
        self.enter(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        self._publish(stack)
        return {}

    @operation("UpdateTerminationProtection")
    def update_termination_protection(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        stack.detail["protected"] = request["EnableTerminationProtection"]
        self.save_stack(stack)
        return {"StackId": stack.id}

    # -- the work ---------------------------------------------------------------------------------------------------

    @consumer("cloudformation.execute")
    async def execute(self, job: Job) -> None:
        stack = self.by_id(job.payload["stack"])
        if stack is None or (stack.operation or {}).get("id") != job.payload["operation"]:
            return  # done before a kill, or another operation has taken over
        await Execution(self, stack, self._finished).run()

    def _publish(self, stack: Stack) -> None:
        payload = {"stack": stack.id, "operation": (stack.operation or {})["id"]}
        self.bus.publish("cloudformation.execute", payload, key=f"cloudformation:{stack.id}")

    def _operation(
        self, call: Call, stack: Stack, kind: str, phase: str, token: str | None
    ) -> dict[str, Any]:
        return {
            "id": self.ids.uuid(),
            "kind": kind,
            "phase": phase,
            "token": token,
            "principal": principal_of(call, stack.detail.get("role")),
        }

    async def wait(self, account: str, region: str, stack_name: str) -> str:
        """The stack's status once nothing is under way on it; `DELETE_COMPLETE` where there is none.

        The cloud must have been started, or the job is never handed out.
        """
        stack = self.find(account, region, stack_name)
        stack_id = stack.id if stack is not None else stack_name
        while stack is not None and stack.is_in_progress:
            future = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(stack_id, []).append(future)
            await future
            stack = self.by_id(stack_id)
        return "DELETE_COMPLETE" if stack is None else stack.status

    def _finished(self, stack: Stack) -> None:
        for future in self._waiting.pop(stack.id, ()):
            if not future.done():
                future.set_result(None)

    # -- nested stacks ----------------------------------------------------------------------------------------------

    def nested_name(self, at: StackCall) -> str:
        """The name of a nested stack: that of one that was begun before a kill, or a new one."""
        prefix = f"{at.stack_name}-{at.logical_id}-"
        row = self.store.one(
            "SELECT name FROM cfn_stack WHERE parent=? AND deleted IS NULL AND substr(name,1,length(?))=?"
            " AND status='CREATE_IN_PROGRESS'",
            (at.stack_id, prefix, prefix),
        )
        return str(row["name"]) if row is not None else at.generated_name(128)

    async def create_nested(self, at: StackCall, name: str, request: Request) -> None:
        call = at.call.within("cloudformation", "CreateStack")
        body = await template_body(self, call, request)
        with self.store.transaction():
            self._create(call, {"StackName": name, **request}, body, parent=at.stack_id)

    # -- inside -----------------------------------------------------------------------------------------------------

    def stack_id(self, call: Call, name: str) -> str:
        return call.arn(f"stack/{name}/{self.ids.uuid()}")

    def blueprint_of(self, stack: Stack) -> Blueprint:
        template = self.template(stack.body)
        place = Place(stack.account, stack.region, stack.name, stack.id)
        return blueprint(template, parameter_values(template.parameters, stack.detail, place))

    def differs(self, stack: Stack, prepared: Prepared) -> bool:
        """Whether an update would do anything."""
        old, new = self.blueprint_of(stack), prepared.plan
        return (old.types, old.properties, old.metadata, old.outputs) != (
            new.types,
            new.properties,
            new.metadata,
            new.outputs,
        ) or stack.detail["tags"] != prepared.detail["tags"]

    def refuse_unless_updatable(self, stack: Stack) -> None:
        if stack.status not in _UPDATABLE:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def refuse_reused_token(self, stack: Stack, token: str | None) -> None:
        if token is not None and stack.detail.get("token") == token:
            raise TokenAlreadyExistsException(f"Token {token} already exists")


def check_stack_name(name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must"
            " satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(name) > 128:
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must"
            " have length less than or equal to 128"
        )


def _on_failure(request: Request) -> str:
    if request.get("DisableRollback"):
        return "DO_NOTHING"
    return str(request.get("OnFailure") or "ROLLBACK")
