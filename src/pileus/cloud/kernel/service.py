"""What a service is: a class whose methods are AWS operations, found by decorators.

    class Sqs(Service):
        name = "sqs"
        migrations = SCHEMA

        @operation("SendMessage")
        def send_message(self, call: Call, request: SendMessageRequest) -> SendMessageResult: ...

        @consumer("sqs.move-messages")
        def move_messages(self, job: Job) -> None: ...

A plain method runs inside one transaction: raise, and nothing happened. An `async` one (long polling, invocations,
streamed bodies) opens its own transactions around what it changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

if TYPE_CHECKING:
    from .bus import Job
    from .cloud import Cloud

F = TypeVar("F", bound=Callable[..., Any])


class Handler(NamedTuple):
    """The method of an operation. waits: it is `async`. reads: it changes nothing and needs no transaction."""

    method: Callable[..., Any]
    waits: bool
    reads: bool


def operation(name: str, *, reads: bool = False) -> Callable[[F], F]:
    """Marks a method as the AWS operation `name`. It takes `(call, request)` and returns the modelled result.

    reads: it only reads. Nothing else runs while a plain method does, so what it reads is of one moment without a
    transaction, too.
    """

    def mark(method: F) -> F:
        method.__operation__ = name  # type: ignore[attr-defined]
        method.__reads__ = reads  # type: ignore[attr-defined]
        return method

    return mark


def consumer(topic: str) -> Callable[[F], F]:
    """Marks a method as the consumer of jobs on `topic`, which begins with the service's name (`sqs.move-messages`).

    It takes `(job)`. A plain method runs in the transaction that also removes the job; an `async` one's job is
    removed after it returned. Raise `Retry(seconds)` to have it again later.
    """

    def mark(method: F) -> F:
        method.__topic__ = topic  # type: ignore[attr-defined]
        return method

    return mark


class Service:
    """Base of every service. One object a cloud; state is in the store, never in the module.

    name: botocore's name of the service's model, which is also the folder in services/.
    migrations: SQL scripts, one a version (see `Store.migrate`).
    state: whose tables these are, where two services (two versions of one API) share them.
    opaque_shapes: shapes that the protocol leaves as they stand on the wire.
    """

    name: ClassVar[str]
    migrations: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[str] = ""
    opaque_shapes: ClassVar[frozenset[str]] = frozenset()

    operations: ClassVar[Mapping[str, str]] = {}  # operation name → method name, over all bases
    consumers: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        operations: dict[str, str] = {}
        consumers: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            for attribute, value in vars(base).items():
                if (name := getattr(value, "__operation__", None)) is not None:
                    operations[name] = attribute
                if (topic := getattr(value, "__topic__", None)) is not None:
                    consumers[topic] = attribute
        cls.operations = operations
        cls.consumers = consumers

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.store = cloud.store
        self.clock = cloud.clock
        self.ids = cloud.ids
        self.bus = cloud.bus
        self._handlers: dict[str, Handler] = {}
        cloud.store.migrate(self.state or self.name, self.migrations)

    def start(self) -> None:
        """Called once the event loop runs and the service is first used: resume pollers, timers, in-flight work."""

    async def stop(self) -> None:
        """Called when the cloud stops: end tasks and processes."""

    def is_busy(self) -> bool:
        """Whether work is under way that `Cloud.drain` should wait for (pollers mid-batch, running invocations)."""
        return False

    def handler(self, operation_name: str) -> Handler | None:
        """What answers the operation; None where nothing does."""
        found = self._handlers.get(operation_name)
        if found is None and operation_name in self.operations:
            method = getattr(self, self.operations[operation_name])
            found = Handler(method, is_async(method), method.__reads__)
            self._handlers[operation_name] = found
        return found

    def consume(self, job: Job) -> Any:
        return getattr(self, self.consumers[job.topic])(job)


def is_async(method: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(method)
