"""`Cloud`: the one object that everything hangs from. Two of them live in one process without meeting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from .apis import Apis
from .bus import Bus
from .call import Call, Principal
from .clock import Clock
from .errors import NotEmulated
from .ids import Ids
from .resources import ResourceType, resource_types
from .service import Handler, Service
from .settings import Settings
from .store import Store

if TYPE_CHECKING:
    from .http import HttpRequest
    from .ports import Functions, Logs, Metrics, Traces

log = logging.getLogger("pileus.cloud")


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """Where a service is found before it is loaded.

    name: botocore's model folder. target: its class, `module:Class`. signing_names: what credential scopes call it.
    target_prefixes: of X-Amz-Target. cfn_prefix: of its resource types. port: what it implements for the others.
    """

    name: str
    target: str
    signing_names: tuple[str, ...]
    target_prefixes: tuple[str, ...] = ()
    cfn_prefixes: tuple[str, ...] = ()


class Cloud:
    """settings, store, clock, ids, bus and the services, which load when first used."""

    def __init__(
        self,
        registry: Mapping[str, ServiceEntry],
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self.registry = registry
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.ids = ids or Ids()
        self.store = Store(self.settings.state)
        # Time does not go back at a restart: what was written in a travelled future would lie ahead of the clock.
        self.clock.offset = max(self.clock.offset, self.store.fact("clock.offset", default=self.clock.offset))
        self.bus = Bus(self)
        self._services: dict[str, Service] = {}
        self._resource_types: dict[str, dict[str, ResourceType]] = {}
        self._running = False
        self.apis = Apis(self.service)
        #: Folders that stand for packages in S3, by object key: `pileus offline` mounts code instead of zipping it.
        self.mounts: dict[str, str] = {}
        #: Called with each finished call: (call, HTTP status, error code or "", seconds).
        self.observers: list[Callable[[Call, int, str, float], None]] = []

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begins to hand out events. What was under way when the cloud last stopped, or was killed, goes on."""
        self._running = True
        for row in self.store.all("SELECT part FROM schema_version"):
            if row["part"] in self.registry:
                self.service(row["part"])
        for service in list(self._services.values()):
            service.start()
        self.bus.start()

    async def stop(self) -> None:
        """Ends all that runs; what was under way goes on after the next start."""
        self._running = False
        await self.bus.stop()
        for service in reversed(list(self._services.values())):
            try:
                await service.stop()
            except Exception:
                log.exception("the service %s did not stop as it should", service.name)
        self.store.close()

    async def drain(self, timeout: float = 30.0) -> None:
        """Waits until nothing is under way: no job due or running, no poller mid-batch, no invocation.

        What is scheduled for later does not count. Raises TimeoutError after `timeout` real seconds.
        """
        async with asyncio.timeout(timeout):
            calm = 0
            while calm < 3:  # a job that ends may wake a poller in the next turn
                busy = self.bus.is_busy or any(s.is_busy() for s in self._services.values())
                calm = 0 if busy else calm + 1
                await asyncio.sleep(0.002)

    async def travel(self, seconds: float) -> None:
        """Moves the clock to `seconds` from now, stopping at each scheduled job on the way, and lets all happen."""
        target = self.clock.now() + seconds
        await self.drain()
        while (due := self.bus.next_due()) is not None and due <= target:
            self._move_clock(max(due - self.clock.now(), 0.0))
            await self.drain()
        self._move_clock(max(target - self.clock.now(), 0.0))
        await self.drain()

    def _move_clock(self, seconds: float) -> None:
        self.clock.travel(seconds)
        with self.store.transaction():
            self.store.remember("clock.offset", self.clock.offset)

    # -- services ---------------------------------------------------------------------------------------------------

    def service(self, name: str) -> Service:
        """The service, loaded at its first use. Raises NotEmulated for one that there is not."""
        found = self._services.get(name)
        if found is not None:
            return found
        entry = self.registry.get(name)
        if entry is None:
            raise NotEmulated(f"the service {name}")
        module, _, attribute = entry.target.partition(":")
        service = cast("Service", getattr(import_module(module), attribute)(self))
        self._services[name] = service
        if self._running:
            service.start()
        return service

    @property
    def functions(self) -> Functions:
        return cast("Functions", self.service("lambda"))

    @property
    def logs(self) -> Logs:
        return cast("Logs", self.service("logs"))

    @property
    def metrics(self) -> Metrics:
        return cast("Metrics", self.service("cloudwatch"))

    @property
    def traces(self) -> Traces:
        return cast("Traces", self.service("xray"))

    def resource_type(self, type_name: str) -> ResourceType | None:
        """The CloudFormation type, or None where no service has it."""
        for entry in self.registry.values():
            for prefix in entry.cfn_prefixes:
                if type_name.startswith(prefix):
                    types = self._resource_types.get(entry.name)
                    if types is None:
                        package = entry.target.partition(":")[0].rpartition(".")[0]
                        types = resource_types(import_module(f"{package}.cfn"))
                        self._resource_types[entry.name] = types
                    return types.get(type_name)
        return None

    # -- calls inside the cloud -------------------------------------------------------------------------------------

    def make_call(
        self,
        service: str,
        operation: str,
        *,
        account: str = "",
        region: str = "",
        principal: Principal | None = None,
        request_id: str = "",
        trace: str | None = None,
        http: HttpRequest | None = None,
    ) -> Call:
        account = account or self.settings.account
        return Call(
            self,
            service,
            operation,
            account,
            region or self.settings.region,
            principal or Principal.root(account),
            request_id or self.ids.uuid(),
            self.clock.now(),
            trace,
            http,
        )

    def call(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        within: Call | None = None,
        account: str = "",
        region: str = "",
        principal: Principal | None = None,
    ) -> dict[str, Any]:
        """An API operation from inside, in the current transaction if there is one.

        within: the call on whose behalf (place, trace and, unless `principal` says otherwise, its principal).
        """
        handler = self._handler(service, operation)
        if handler.waits:
            raise TypeError(f"{service} {operation} waits: use call_async")
        call = self._inner(service, operation, within, account, region, principal)
        return self._run(handler, call, request)

    async def call_async(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        within: Call | None = None,
        account: str = "",
        region: str = "",
        principal: Principal | None = None,
    ) -> dict[str, Any]:
        """`call`, for operations that may wait; not from within a transaction."""
        handler = self._handler(service, operation)
        call = self._inner(service, operation, within, account, region, principal)
        if handler.waits:
            return cast("dict[str, Any]", await handler.method(call, request) or {})
        return self._run(handler, call, request)

    def _run(self, handler: Handler, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if handler.reads:
            return cast("dict[str, Any]", handler.method(call, request) or {})
        with self.store.transaction():
            return cast("dict[str, Any]", handler.method(call, request) or {})

    def _handler(self, service: str, operation: str) -> Handler:
        handler = self.service(service).handler(operation)
        if handler is None:
            raise NotEmulated(f"{service} {operation}")
        return handler

    def _inner(
        self,
        service: str,
        operation: str,
        within: Call | None,
        account: str,
        region: str,
        principal: Principal | None,
    ) -> Call:
        if within is not None:
            call = within.within(service, operation, principal)
            call.account = account or call.account
            call.region = region or call.region
            return call
        return self.make_call(service, operation, account=account, region=region, principal=principal)
