"""One resource, one step: create, update, replace or delete it, with its row and its events in one transaction.

A step that has been committed is not repeated after a kill. A step that must wait (a custom resource's function, a
nested stack) writes that it has begun, waits outside of any transaction, and writes what came of it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ...kernel import STORED, AwsError, Call, Change, Created, ResourceType, StackCall
from .coverage import type_of
from .dynamic import resolve_secret
from .errors import StepFailed, TemplateError
from .plan import change_of
from .stack import Resource, Stack, Stacks

log = logging.getLogger("pileus.cloudformation")

_NO_CHANGE: dict[str, Any] = {}


class Steps:
    """The steps of one operation on one stack. known: the stack's resources, kept up to date."""

    def __init__(self, stacks: Stacks, stack: Stack, call: Call, known: dict[str, Resource]) -> None:
        self.stacks = stacks
        self.store = stacks.store
        self.stack = stack
        self.call = call
        self.known = known
        operation = stack.operation or {}
        self.operation_id: str = operation["id"]
        self.is_update = operation["kind"] == "update"

    # -- create and update ------------------------------------------------------------------------------------------

    async def apply(self, wanted: Resource) -> str | None:
        """Brings a resource to `wanted` (its properties, policies, place). Returns why it failed, or None."""
        current = self.known.get(wanted.logical_id)
        wanted.applied = self.operation_id
        if current is None or not current.exists:
            return await self._create(wanted, None)
        wanted.physical_id, wanted.attributes = current.physical_id, current.attributes
        if current.type != wanted.type:
            return await self._create(wanted, current)
        kind = self._type(wanted.type)
        changed = [
            name
            for name in dict.fromkeys((*current.properties, *wanted.properties))
            if current.properties.get(name, _NO_CHANGE) != wanted.properties.get(name, _NO_CHANGE)
        ]
        if any(change_of(kind, name) is Change.REPLACE for name in changed):
            return await self._create(wanted, current)
        retagged = current.tags != wanted.tags and "Tags" in kind.properties
        if changed or retagged:
            only_stored = not retagged and all(change_of(kind, name) is STORED for name in changed)
            return await self.update(current, wanted, call_it=not only_stored)
        self._keep(current, wanted)
        return None

    def _keep(self, current: Resource, wanted: Resource) -> None:
        """Nothing to do but to note that it was looked at (and its policies and metadata, which have no call)."""
        wanted.status, wanted.reason, wanted.updated = current.status, current.reason, current.updated
        if wanted.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            wanted.status = "UPDATE_COMPLETE"
        with self.store.transaction():
            self._remember(wanted.logical_id, current)
            self._save(wanted)

    async def _create(self, wanted: Resource, replaced: Resource | None) -> str | None:
        verb = "CREATE" if replaced is None else "UPDATE"
        wanted.physical_id, wanted.attributes = None, {}
        old_id = replaced.physical_id if replaced else None
        begun_reason = (
            "Requested update requires the creation of a new physical resource; hence creating one."
            if replaced
            else None
        )

        def begin() -> None:
            self._remember(wanted.logical_id, replaced)
            self._tell(wanted, f"{verb}_IN_PROGRESS", begun_reason, old_id)

        def done(created: Created) -> None:
            wanted.physical_id = created.physical_id
            wanted.attributes = dict(created.attributes)
            self._tell(wanted, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
            self._finish(wanted, f"{verb}_COMPLETE")

        def failed(reason: str) -> None:
            left = wanted if replaced is None else replaced
            left.status, left.reason, left.updated = f"{verb}_FAILED", reason, self.call.cloud.clock.now()
            left.applied = ""
            self._tell(left, left.status, reason)
            self._save(left)

        kind = self._type(wanted.type)
        return await self._run(
            lambda: kind.create(self._at(wanted), self._resolved(wanted)), begin, done, failed
        )

    async def update(self, current: Resource, wanted: Resource, *, call_it: bool = True) -> str | None:
        """Changes a resource in place, from one set of properties to another."""

        def begin() -> None:
            self._remember(wanted.logical_id, current)
            self._tell(current, "UPDATE_IN_PROGRESS")

        def done(created: Created) -> None:
            if created.physical_id != current.physical_id:
                self._tell(current, "UPDATE_IN_PROGRESS", _NEW_PHYSICAL)
            wanted.physical_id = created.physical_id
            wanted.attributes = {**current.attributes, **created.attributes}
            self._finish(wanted, "UPDATE_COMPLETE")

        def failed(reason: str) -> None:
            current.status, current.reason, current.updated = (
                "UPDATE_FAILED",
                reason,
                self.call.cloud.clock.now(),
            )
            current.applied = ""
            self._tell(current, "UPDATE_FAILED", reason)
            self._save(current)

        physical_id = current.physical_id or ""
        kind = self._type(wanted.type)

        def work() -> Any:
            if not call_it:
                return Created(physical_id)
            return kind.update(self._at(wanted), physical_id, self._resolved(current), self._resolved(wanted))

        return await self._run(work, begin, done, failed)

    # -- delete -----------------------------------------------------------------------------------------------------

    async def delete(
        self, resource: Resource, policy: str, after: Callable[[], None], *, row: bool = True
    ) -> str | None:
        """Deletes (or, as `policy` says, keeps) a physical resource.

        after: what else belongs into the transaction. row: whether it is the stack's present resource of that name.
        """
        if resource.physical_id is None:
            with self.store.transaction():
                self._deleted(resource, "DELETE_COMPLETE", row)
                after()
            return None
        if policy == "Retain":
            with self.store.transaction():
                self._deleted(resource, "DELETE_SKIPPED", row)
                after()
            return None

        def begin() -> None:
            self._tell(resource, "DELETE_IN_PROGRESS")

        def done(_: Any) -> None:
            self._deleted(resource, "DELETE_COMPLETE", row)
            after()

        def failed(reason: str) -> None:
            self._tell(resource, "DELETE_FAILED", reason)
            if row:
                resource.status, resource.reason = "DELETE_FAILED", reason
                self._save(resource)

        physical_id = resource.physical_id
        kind = self._type(resource.type)
        return await self._run(
            lambda: kind.delete(self._at(resource), physical_id, self._resolved(resource)),
            begin,
            done,
            failed,
        )

    def _deleted(self, resource: Resource, status: str, row: bool) -> None:
        self._tell(resource, status)
        if row:
            resource.status, resource.reason = status, None
            resource.updated = self.call.cloud.clock.now()
            self._save(resource)

    # -- inside -----------------------------------------------------------------------------------------------------

    async def _run(
        self,
        work: Callable[[], Any],
        begin: Callable[[], None],
        done: Callable[[Any], None],
        failed: Callable[[str], None],
    ) -> str | None:
        try:
            with self.store.transaction():
                begin()
                result = work()
                if not inspect.isawaitable(result):
                    done(result)
                    return None
            return await self._wait(result, done, failed)
        except Exception as error:  # noqa: BLE001 - the boundary of a step: what a resource type raises fails its step
            reason = self._reason(error)
        with self.store.transaction():
            begin()
            failed(reason)
        return reason

    async def _wait(
        self, result: Awaitable[Any], done: Callable[[Any], None], failed: Callable[[str], None]
    ) -> str | None:
        try:
            outcome = await result
        except Exception as error:  # noqa: BLE001 - as above
            reason = self._reason(error)
            with self.store.transaction():
                failed(reason)
            return reason
        with self.store.transaction():
            done(outcome)
        return None

    def _reason(self, error: Exception) -> str:
        if isinstance(error, (TemplateError, StepFailed)):
            return str(error) if isinstance(error, StepFailed) else error.message
        if isinstance(error, AwsError):
            return (
                f"{error.message} (Status Code: {error.status}; Error Code: {error.code};"
                f" Request ID: {self.call.request_id})"
            )
        log.error("a resource type raised in stack %s", self.stack.name, exc_info=error)
        return f"Internal Failure: {type(error).__name__}: {error}"

    def _type(self, name: str) -> ResourceType:
        kind = type_of(self.call.cloud.resource_type, name)
        if kind is None:
            raise StepFailed(f"Pileus does not emulate the resource type {name} any more")
        return kind

    def _at(self, resource: Resource) -> StackCall:
        self.call.attributes["resource_type"] = resource.type
        return StackCall(self.call, self.stack.name, self.stack.id, resource.logical_id, resource.tags)

    def _resolved(self, resource: Resource) -> dict[str, Any]:
        where = f"{resource.type}/Properties ({resource.logical_id})"
        found: dict[str, Any] = resolve_secret(self.call, resource.properties, where)
        return found

    def _remember(self, logical_id: str, resource: Resource | None) -> None:
        """What an update can go back to; a creation has nothing to go back to."""
        if self.is_update:
            self.stacks.save_before(self.stack, logical_id, resource)

    def _finish(self, resource: Resource, status: str) -> None:
        resource.status, resource.reason = status, None
        resource.updated = self.call.cloud.clock.now()
        self._tell(resource, status)
        self._save(resource)

    def _save(self, resource: Resource) -> None:
        self.stacks.save_resource(self.stack, resource)
        self.known[resource.logical_id] = resource

    def _tell(
        self, resource: Resource, status: str, reason: str | None = None, physical_id: str | None = None
    ) -> None:
        self.stacks.tell(
            self.stack,
            resource.logical_id,
            physical_id or resource.physical_id,
            resource.type,
            status,
            reason,
        )


_NEW_PHYSICAL = "Requested update required the provider to create a new physical resource"
