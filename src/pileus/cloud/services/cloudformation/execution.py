"""The work on a stack: phases that each can be left at any step and taken up again.

    apply     resources to what the template says, what is needed first
    cleanup   what the new template does not have any more, last first
    rollback  resources back to what they were, then cleanup of what was new
    delete    everything, last first

The phase is in the stack's row, what is done is in the rows of its resources; so an operation goes on where a kill left
it. Steps run one after another without a pause, and give the event loop its turn every few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ...kernel import Call, Principal
from .dynamic import resolve_plain
from .errors import TemplateError
from .intrinsics import Evaluator
from .live import Live
from .outputs import publish_outputs, withdraw_exports
from .plan import Place, blueprint, parameter_values
from .stack import Resource, Stack, Stacks
from .steps import Steps

_TURN = 0.004  # seconds of steps before others get the event loop


class Execution:
    def __init__(self, stacks: Stacks, stack: Stack, finished: Callable[[Stack], None]) -> None:
        self.stacks = stacks
        self.store = stacks.store
        self.stack = stack
        self.operation: dict[str, Any] = stack.operation or {}
        self.call = _call(stacks, stack)
        self.known = stacks.resources(stack.id)
        self.steps = Steps(stacks, stack, self.call, self.known)
        self._finished = finished
        self._turn = asyncio.get_running_loop().time()

    async def run(self) -> None:
        phases = {
            "apply": self._apply,
            "cleanup": self._cleanup,
            "rollback": self._roll_back,
            "delete": self._delete,
        }
        while self.stack.operation is not None and self._is_current():
            await phases[self.operation["phase"]]()

    def _is_current(self) -> bool:
        """False once another operation (a DeleteStack during creation) has taken over."""
        row = self.store.one("SELECT operation_id FROM cfn_stack WHERE id=?", (self.stack.id,))
        return row is not None and row["operation_id"] == self.operation["id"]

    async def _breathe(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._turn > _TURN:
            await asyncio.sleep(0)
            self._turn = asyncio.get_running_loop().time()

    # -- apply ------------------------------------------------------------------------------------------------------

    async def _apply(self) -> None:
        stack = self.stack
        template = self.stacks.template(stack.body)
        place = Place(stack.account, stack.region, stack.name, stack.id)
        parameters = parameter_values(template.parameters, stack.detail, place)
        plan = blueprint(template, parameters)
        scope = Live(self.stacks, stack, self.known)
        evaluator = Evaluator(template, parameters, scope)
        for position, name in enumerate(plan.order):
            current = self.known.get(name)
            if current is not None and current.applied == self.operation["id"]:
                continue
            if not self._is_current():
                return
            spec = template.resources[name]
            wanted = Resource(
                name,
                spec.type,
                position,
                requires=list(plan.requires[name]),
                tags=stack.detail["tags"],
                deletion_policy=spec.deletion_policy,
                update_replace_policy=spec.update_replace_policy,
                metadata=spec.metadata,
                description=spec.description,
            )
            failure = self._overdue() or self._evaluate(evaluator, wanted, dict(spec.properties))
            failure = failure or await self.steps.apply(wanted)
            if failure is not None:
                self._fail(name, failure)
                return
            await self._breathe()
        self._applied(evaluator, set(plan.imports).union(scope.imports), set(plan.order))

    def _overdue(self) -> str | None:
        """TimeoutInMinutes of CreateStack."""
        minutes = self.stack.detail.get("timeout")
        if minutes is None or self.operation["kind"] != "create":
            return None
        if self.stacks.clock.now() > self.stack.created + 60 * minutes:
            return "Stack creation time exceeded the specified timeout"
        return None

    def _evaluate(self, evaluator: Evaluator, wanted: Resource, properties: dict[str, Any]) -> str | None:
        try:
            with self.store.transaction():  # imports are noted
                wanted.properties = resolve_plain(self.call, evaluator.value(properties))
        except TemplateError as error:
            reason = error.message
        else:
            return None
        verb = "UPDATE" if wanted.logical_id in self.known else "CREATE"
        with self.store.transaction():
            self.stacks.tell(self.stack, wanted.logical_id, None, wanted.type, f"{verb}_FAILED", reason)
        return reason

    def _applied(self, evaluator: Evaluator, imports: set[str], kept: set[str]) -> None:
        """Outputs, exports, and on to the end or to the cleanup."""
        stack = self.stack
        try:
            with self.store.transaction():
                publish_outputs(self.stacks, stack, evaluator, imports)
                if self.operation["kind"] == "create":
                    self._end("CREATE_COMPLETE")
                else:
                    self.operation["phase"] = "cleanup"
                    self.operation["kept"] = sorted(kept)
                    self.stacks.enter(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        except TemplateError as error:
            self._fail(None, error.message)

    def _fail(self, logical_id: str | None, reason: str) -> None:
        """What a failed step, or failed outputs, lead to."""
        stack, operation = self.stack, self.operation
        verb = "create" if operation["kind"] == "create" else "update"
        words = (
            f"The following resource(s) failed to {verb}: [{logical_id}]. " if logical_id else f"{reason}. "
        )
        with self.store.transaction():
            if operation["kind"] == "create":
                on_failure = stack.detail.get("on_failure", "ROLLBACK")
                if on_failure == "DO_NOTHING":
                    self._end("CREATE_FAILED", words)
                    return
                operation["phase"] = "delete"
                operation["then"] = "DELETE_COMPLETE" if on_failure == "DELETE" else "ROLLBACK_COMPLETE"
                status = "DELETE_IN_PROGRESS" if on_failure == "DELETE" else "ROLLBACK_IN_PROGRESS"
                tail = (
                    "Delete requested by user." if on_failure == "DELETE" else "Rollback requested by user."
                )
                self.stacks.enter(stack, status, words + tail)
                return
            if stack.detail.get("disable_rollback"):
                self._end("UPDATE_FAILED", words)
                return
            operation["phase"] = "rollback"
            self.stacks.enter(stack, "UPDATE_ROLLBACK_IN_PROGRESS", words)

    # -- rollback ---------------------------------------------------------------------------------------------------

    async def _roll_back(self) -> None:
        stack = self.stack
        before = self.stacks.saved(stack, "before")
        skip = set(self.operation.get("skip", ()))
        order = sorted(before, key=lambda item: item[2].position if item[2] else 0)
        for saved_id, name, was in order:
            if was is None:
                continue  # new: the cleanup removes it
            current = self.known[name]
            failure = None if name in skip else await self._restore(saved_id, current, was)
            if failure is not None:
                with self.store.transaction():
                    words = f"The following resource(s) failed to update: [{name}]. "
                    self._end("UPDATE_ROLLBACK_FAILED", words)
                return
            await self._breathe()
        with self.store.transaction():
            previous = self.operation["previous"]
            stack.body, stack.detail = previous["body"], previous["detail"]
            self.operation["phase"] = "cleanup"
            self.operation["rolled_back"] = True
            self.stacks.enter(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

    async def _restore(self, saved_id: int, current: Resource, was: Resource) -> str | None:
        same = current.type == was.type and current.physical_id == was.physical_id
        if same and (current.properties != was.properties or current.status == "UPDATE_FAILED"):
            was.applied = ""
            failure = await self.steps.update(current, was)
            if failure is not None:
                return failure
        with self.store.transaction():
            if not same:
                self.stacks.save_leftover(self.stack, current)
                was.status = "UPDATE_COMPLETE"
                self.stacks.save_resource(self.stack, was)
                self.stacks.tell(self.stack, was.logical_id, was.physical_id, was.type, "UPDATE_COMPLETE")
                self.known[was.logical_id] = was
            elif current.properties == was.properties:
                was.status = "UPDATE_COMPLETE" if was.status == "UPDATE_FAILED" else was.status
                self.stacks.save_resource(self.stack, was)
                self.known[was.logical_id] = was
            self.stacks.forget_saved(saved_id)
        return None

    # -- cleanup ----------------------------------------------------------------------------------------------------

    async def _cleanup(self) -> None:
        """Deletes what the stack does not hold any more. A failure here is told, and does not undo the update."""
        rolled_back = bool(self.operation.get("rolled_back"))
        items = self._unwanted_after_rollback() if rolled_back else self._unwanted()
        for resource, policy, saved_id, row in sorted(items, key=lambda item: -item[0].position):

            def after(
                name: str = resource.logical_id, saved_id: int | None = saved_id, row: bool = row
            ) -> None:
                if row:
                    self.stacks.drop_resource(self.stack, name)
                    self.known.pop(name, None)
                if saved_id is not None:
                    self.stacks.forget_saved(saved_id)

            failure = await self.steps.delete(resource, policy, after, row=row)
            if failure is not None:
                with self.store.transaction():
                    after()
            await self._breathe()
        with self.store.transaction():
            self.store.execute("DELETE FROM cfn_saved WHERE stack=?", (self.stack.id,))
            self._end("UPDATE_ROLLBACK_COMPLETE" if rolled_back else "UPDATE_COMPLETE")

    def _unwanted(self) -> list[tuple[Resource, str, int | None, bool]]:
        """(resource, policy, saved row, whether it has a row of its own) after an update that went well."""
        kept = set(self.operation["kept"])
        items: list[tuple[Resource, str, int | None, bool]] = [
            (resource, resource.deletion_policy, None, True)
            for name, resource in self.known.items()
            if name not in kept
        ]
        for saved_id, name, was in self.stacks.saved(self.stack, "before"):
            now = self.known.get(name)
            if was is None or now is None or not was.exists or name not in kept:
                continue
            if (now.physical_id, now.type) != (was.physical_id, was.type):
                items.append((was, was.update_replace_policy, saved_id, False))
        return items

    def _unwanted_after_rollback(self) -> list[tuple[Resource, str, int | None, bool]]:
        items: list[tuple[Resource, str, int | None, bool]] = []
        for saved_id, _, resource in self.stacks.saved(self.stack, "leftover"):
            if resource is not None and resource.exists:
                items.append((resource, "Delete", saved_id, False))
        for saved_id, name, was in self.stacks.saved(self.stack, "before"):
            if was is None and name in self.known:
                new = self.known[name]
                policy = "Retain" if new.deletion_policy == "Retain" else "Delete"
                items.append((new, policy, saved_id, True))
        return items

    # -- delete -----------------------------------------------------------------------------------------------------

    async def _delete(self) -> None:
        """Of a stack, or of what a failed creation made. Goes on after a failure with what does not hang from it."""
        then = self.operation.get("then", "DELETE_COMPLETE")
        retained = set(self.operation.get("retain", ()))
        blocked: set[str] = set()
        failed: list[str] = []
        await self._put_aside()
        for resource in sorted(self.known.values(), key=lambda item: -item.position):
            name = resource.logical_id
            if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                continue
            if name in blocked:
                blocked.update(resource.requires)
                continue
            policy = "Retain" if name in retained else resource.deletion_policy
            if policy == "RetainExceptOnCreate":
                policy = "Delete" if then == "ROLLBACK_COMPLETE" else "Retain"
            if await self.steps.delete(resource, policy, lambda: None) is not None:
                failed.append(name)
                blocked.update(resource.requires)
            await self._breathe()
        with self.store.transaction():
            if failed:
                status = "ROLLBACK_FAILED" if then == "ROLLBACK_COMPLETE" else "DELETE_FAILED"
                self._end(status, f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
                return
            withdraw_exports(self.stacks, self.stack)
            self.store.execute("DELETE FROM cfn_saved WHERE stack=?", (self.stack.id,))
            if then == "DELETE_COMPLETE":
                self.stack.deleted = self.stacks.clock.now()
            self._end(then)

    async def _put_aside(self) -> None:
        """Physical resources that an update without rollback left behind."""
        for kind in ("before", "leftover"):
            for saved_id, name, was in self.stacks.saved(self.stack, kind):
                now = self.known.get(name)
                if was is not None and was.exists and (now is None or now.physical_id != was.physical_id):
                    await self.steps.delete(was, was.update_replace_policy, lambda: None, row=False)
                with self.store.transaction():
                    self.stacks.forget_saved(saved_id)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _end(self, status: str, reason: str | None = None) -> None:
        """In the transaction of the last change."""
        stack = self.stack
        change_set = self.operation.get("change_set")
        if change_set is not None:
            done = (
                "EXECUTE_COMPLETE" if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else "EXECUTE_FAILED"
            )
            self.store.execute("UPDATE cfn_change_set SET execution=? WHERE id=?", (done, change_set))
        if status in ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"):
            stack.detail["stable"] = self.operation["previous"]
        self.stacks.enter(stack, status, reason)
        stack.operation = None
        self.stacks.save_stack(stack)
        self.store.after_commit(lambda: self._finished(stack))


def _call(stacks: Stacks, stack: Stack) -> Call:
    """The call in whose name resources are made: the caller's, or of the role that it gave."""
    who: dict[str, str] = (stack.operation or {})["principal"]
    return stacks.cloud.make_call(
        "cloudformation",
        "CreateStack",
        account=stack.account,
        region=stack.region,
        principal=Principal(who["kind"], who["account"], who["arn"], who["user_id"]),
    )
