"""All execution environments of one cloud: which exist, who gets the next event, when they go.

One event at a time in an environment. An event that finds none idle has another one started, and takes the first that
becomes free; idle ones are reused last in, first out, and go after ten minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import interpreters
from . import provided
from .bundles import BuildFailed, Bundles
from .environment import Environment, InitFailed
from .errors import EnvironmentFailed
from .execution import Event, FunctionSpec, Outcome, error_document
from .logs import Lines, end_lines, start_line
from .programs import Forked, Launch, Programs
from .reload import Changes
from .variables import PER_ENVIRONMENT, SessionKeys, function_variables
from .zygote import Zygote

if TYPE_CHECKING:
    from .debugger import Debugger

_IDLE = 600.0
_MEMORY_CHECK = 0.25
_MOST_ZYGOTES = 4
_MOST_STARTS = 16

OnLines = Callable[[FunctionSpec, str, Lines], None]


@dataclass(slots=True)
class RuntimeHooks:
    """What the runtime asks of its owner.

    clock: the cloud's time. endpoint, xray: where functions reach the cloud and the trace daemon. credentials: a
    session of the function's role. suffix: 32 hex digits for a log stream's name. note: a line for the user. scratch: a
    folder of our own, emptied at the start, for the TMPDIR of each environment. python: the interpreter that settings
    name. started: one that runs already. local: variables beneath a function's own. idle: seconds after which an idle
    environment goes. debuggers: by function name, of those that are debugged.
    """

    clock: Callable[[], float]
    endpoint: Callable[[], str]
    xray: Callable[[], str]
    credentials: Callable[[FunctionSpec], SessionKeys]
    suffix: Callable[[], str]
    note: Callable[[str], None]
    scratch: Path
    python: str | None = None
    started: interpreters.Started | None = None
    local: Mapping[str, str] = field(default_factory=dict)
    idle: float = _IDLE
    debuggers: Mapping[str, Debugger] = field(default_factory=dict)


@dataclass(slots=True)
class _Pool:
    """The environments of one function version."""

    spec: FunctionSpec
    idle: list[Environment] = field(default_factory=list)
    all: set[Environment] = field(default_factory=set)
    waiting: deque[tuple[Event, asyncio.Future[Outcome]]] = field(default_factory=deque)
    starting: int = 0
    retired: bool = False
    kept: int = 0  # environments of provisioned concurrency, which stay
    failed: bool = False  # the last one of these did not come up

    @property
    def ready(self) -> int:
        return sum(each.is_ready for each in self.all)


class Runtime:
    """observers: called with (spec, log stream, lines) as the log grows."""

    def __init__(self, hooks: RuntimeHooks) -> None:
        self.hooks = hooks
        shutil.rmtree(hooks.scratch, ignore_errors=True)  # of a process that was killed
        self._provided = provided.link(hooks.scratch / "provided")
        self.observers: list[OnLines] = []
        self._pools: dict[str, _Pool] = {}
        self._zygotes: dict[str, list[Zygote]] = {}
        self._changes = Changes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._busy: set[Environment] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._noted: set[str] = set()
        self._handlers: dict[tuple[str, str], set[str]] = {}
        self._priming: asyncio.Handle | None = None
        #: How functions are built ahead of running.
        self.bundles = Bundles(self._changes)
        #: Starts beyond these wait: all at once, on a few cores, none would come through its init phase in time.
        self._slots = asyncio.Semaphore(_MOST_STARTS)
        self._programs = Programs(
            self.bundles, self._spawner, hooks.endpoint, hooks.xray, lambda: hooks.local
        )

    # -- events ---------------------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        return bool(self._busy) or any(pool.waiting for pool in self._pools.values())

    def submit(self, spec: FunctionSpec, event: Event) -> asyncio.Future[Outcome]:
        """Runs the event in an environment of `spec`. The future gets an Outcome, or EnvironmentFailed."""
        pool = self._pools.get(spec.revision)
        if pool is None:
            pool = self._pools[spec.revision] = _Pool(spec)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        while pool.idle:
            environment = pool.idle.pop()
            if self._usable(environment):
                self._begin(environment, event, future)
                return future
            self._discard(pool, environment)
        pool.waiting.append((event, future))
        if pool.starting < len(pool.waiting):
            self._grow(pool)
        return future

    def provision(self, spec: FunctionSpec, count: int) -> None:
        """Keeps `count` environments of `spec` initialised ahead of events; 0 lets them go when they are idle."""
        pool = self._pools.get(spec.revision)
        if pool is None:
            pool = self._pools[spec.revision] = _Pool(spec)
        pool.kept, pool.failed = count, False
        self._keep(pool)

    def provisioned(self, spec: FunctionSpec) -> tuple[int, int, bool]:
        """How many environments of `spec` are initialised, how many are coming, and whether the last one failed."""
        pool = self._pools.get(spec.revision)
        return (0, 0, False) if pool is None else (pool.ready, pool.starting, pool.failed)

    def _keep(self, pool: _Pool) -> None:
        if not pool.retired and not pool.failed:
            for _ in range(pool.kept - pool.ready - pool.starting):
                self._grow(pool)

    def _begin(self, environment: Environment, event: Event, future: asyncio.Future[Outcome]) -> None:
        self._busy.add(environment)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(_MEMORY_CHECK, self._check_memory)
        environment.begin(event, future)

    def _usable(self, environment: Environment) -> bool:
        if environment.dead or (environment.files is not None and environment.files.changed()):
            return False
        return (
            environment.expires is None or environment.expires > self.hooks.clock() + environment.spec.timeout
        )

    def _idle_again(self, environment: Environment, fresh: bool = False) -> None:
        """fresh: just started, for an event that waits: it began after that came, so it serves it in any case."""
        self._busy.discard(environment)
        pool = self._pools.get(environment.spec.revision)
        if pool is None or pool.retired or environment.dead:
            if pool is not None:
                self._discard(pool, environment)
                if len(pool.waiting) > pool.starting:
                    self._grow(pool)
                self._keep(pool)
            environment.kill()
            return
        while pool.waiting:
            if not fresh and not self._usable(environment):
                self._discard(pool, environment)
                if len(pool.waiting) > pool.starting:
                    self._grow(pool)
                return
            event, future = pool.waiting.popleft()
            if not future.done():
                self._begin(environment, event, future)
                return
        pool.idle.append(environment)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(self.hooks.idle / 4, self._sweep)

    def _discard(self, pool: _Pool, environment: Environment) -> None:
        pool.all.discard(environment)
        environment.kill()

    # -- growth ---------------------------------------------------------------------------------------------------

    def _grow(self, pool: _Pool) -> None:
        if self.hooks.debuggers and self._has_its_one(pool):
            return
        pool.starting += 1
        task = asyncio.get_running_loop().create_task(self._start_one(pool))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _needless(pool: _Pool) -> bool:
        """Whether the events that an environment was to be started for have been taken by others meanwhile."""
        return not pool.waiting and len(pool.all) >= max(pool.kept, 1)

    def _has_its_one(self, pool: _Pool) -> bool:
        """Of a function that is debugged, there is one environment at a time."""
        alive = pool.starting or any(not each.dead for each in pool.all)
        return bool(alive) and pool.spec.name in self.hooks.debuggers

    async def _start_one(self, pool: _Pool) -> None:
        environment: Environment | None = None
        try:
            try:
                async with self._slots:
                    if self._needless(pool):
                        return
                    environment = await self._started(pool)
            finally:
                pool.starting -= 1
        except InitFailed as error:
            pool.failed = True
            self._fail_first(pool, error)
            if len(pool.waiting) > pool.starting:  # of a debugged function they wait for one environment
                self._grow(pool)
        except EnvironmentFailed as error:
            self._fail_all(pool, error)
        except Exception as error:
            self._fail_all(pool, EnvironmentFailed(f"{type(error).__name__}: {error}"))
            raise
        else:
            self._idle_again(environment, fresh=True)

    @staticmethod
    def _fail_all(pool: _Pool, error: EnvironmentFailed) -> None:
        while pool.waiting:
            _, future = pool.waiting.popleft()
            if not future.done():
                future.set_exception(error)

    async def _started(self, pool: _Pool) -> Environment:
        """An environment at the end of its init phase; one that takes too long gets a second chance, with the
        function's own timeout, as in Lambda."""
        environment = self._new(pool)
        try:
            await self._init(environment)
        except InitFailed as error:
            self._discard(pool, environment)
            if not error.timed_out:
                raise
        else:
            return environment
        environment = self._new(pool)
        try:
            await self._init(environment, pool.spec.timeout)
        except InitFailed:
            self._discard(pool, environment)
            raise
        return environment

    def _new(self, pool: _Pool) -> Environment:
        day = datetime.fromtimestamp(self.hooks.clock(), UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{pool.spec.version}]{self.hooks.suffix()}"
        environment = Environment(
            pool.spec,
            stream,
            scratch=self.hooks.scratch,
            clock=self.hooks.clock,
            on_idle=self._idle_again,
            on_lines=self._lines,
            on_note=self._note_once,
            debugger=self.hooks.debuggers.get(pool.spec.name),
        )
        pool.all.add(environment)
        return environment

    async def _init(self, environment: Environment, limit: float = 10.0) -> None:
        spec = environment.spec
        try:
            launch = await self._launch(environment)
            keys = self.hooks.credentials(spec)
            await environment.start(launch, keys, self._changes if spec.reload else None, limit)
        except (EnvironmentFailed, asyncio.CancelledError):
            environment.kill()
            raise

    def _fail_first(self, pool: _Pool, error: InitFailed) -> None:
        """The event that this environment was started for answers with the error of the init phase."""
        while pool.waiting:
            event, future = pool.waiting.popleft()
            if future.done():
                continue
            spec, document = pool.spec, error.document
            if error.timed_out:
                text = f"Task timed out after {spec.timeout:.2f} seconds"
                document = error_document("Sandbox.Timedout", f"RequestId: {event.request_id} Error: {text}")
            now = int(self.hooks.clock() * 1000)
            status = "timeout" if error.timed_out else "error"
            lines = [
                start_line(spec, event.request_id),
                *end_lines(spec, event.request_id, 0, None, 0, status, ""),
            ]
            record = [(now, line) for line in lines]
            self._show(spec, "init", record)
            future.set_result(Outcome(document, True, log=record))
            return

    # -- zygotes --------------------------------------------------------------------------------------------------

    def prepare(self, spec: FunctionSpec) -> None:
        """Starts the interpreter that `spec` will need and has it import ahead, soon and together with others."""
        if not spec.runtime.startswith("python"):
            with contextlib.suppress(EnvironmentFailed):  # the invocation says it
                self._programs.prepare(spec)
            return
        python = self._python(spec)
        self._handlers.setdefault((python, str(spec.code)), set()).add(spec.handler)
        if not self._zygotes.get(python):
            with contextlib.suppress(EnvironmentFailed):  # the invocation says it
                self._add_zygote(python, self._variables(spec, python))
        if self._priming is None:
            self._priming = asyncio.get_running_loop().call_soon(self._prime)

    def _prime(self) -> None:
        self._priming = None
        handlers, self._handlers = self._handlers, {}
        for (python, root), names in handlers.items():
            for zygote in self._zygotes.get(python, [])[:1]:
                zygote.prime(root, sorted(names))

    def _python(self, spec: FunctionSpec) -> str:
        return interpreters.choose(spec.code, configured=self.hooks.python, runtime=spec.runtime)

    async def _launch(self, environment: Environment) -> Launch:
        spec = environment.spec
        for layer in spec.layers:
            for extension in sorted((layer / "extensions").glob("*")):
                self._note_once(
                    f"the extension '{extension.name}' of a layer of {spec.name} is not started here"
                )
        if spec.runtime.startswith("python"):
            zygote, variables = await self._zygote(spec)
            return Forked(spec, zygote, variables)
        try:
            return await self._programs.launch(spec)
        except BuildFailed as error:
            text = f"{spec.handler} can't be built:\n{error}"
            self._show(spec, environment.stream, [(int(self.hooks.clock() * 1000), text)])
            raise InitFailed(error.document) from error

    def _spawner(self) -> Zygote:
        """Any zygote: what it has imported is of no use to a program."""
        for zygotes in self._zygotes.values():
            for zygote in zygotes:
                if zygote.is_alive:
                    return zygote
        python = interpreters.choose(self.hooks.scratch, configured=self.hooks.python)
        variables = interpreters.base_variables(python)
        zygote = Zygote(python, variables, self._provided, self.hooks.started, bare=True)
        self._zygotes[""] = [zygote]  # under no interpreter's name: no Python function finds it
        return zygote

    def _variables(self, spec: FunctionSpec, python: str) -> dict[str, str]:
        found = function_variables(spec, self.hooks.endpoint(), self.hooks.xray(), python)
        return {**self.hooks.local, **found}

    async def _zygote(self, spec: FunctionSpec) -> tuple[Zygote, dict[str, str]]:
        """The zygote whose imports would have come out the same in an environment of `spec`."""
        python = self._python(spec)
        variables = self._variables(spec, python)
        zygotes = self._zygotes.setdefault(python, [])
        zygotes[:] = [zygote for zygote in zygotes if zygote.is_alive]
        if not zygotes:
            self._add_zygote(python, variables).prime(str(spec.code), [spec.handler])
        for zygote in list(zygotes):
            await zygote.primed()
            self._note_version(spec, zygote)
            if zygote.is_alive and zygote.suits(variables, PER_ENVIRONMENT):
                return zygote, variables
        zygote = self._add_zygote(python, variables)
        if len(zygotes) <= _MOST_ZYGOTES:
            zygote.prime(str(spec.code), [spec.handler])
            await zygote.primed()
        return zygote, variables

    def _add_zygote(self, python: str, variables: dict[str, str]) -> Zygote:
        zygote = Zygote(python, variables, self._provided, self.hooks.started)
        self._zygotes.setdefault(python, []).append(zygote)
        return zygote

    def _note_version(self, spec: FunctionSpec, zygote: Zygote) -> None:
        if spec.runtime not in self._noted and zygote.version:
            self._noted.add(spec.runtime)
            if text := interpreters.differs(spec.runtime, zygote.version):
                self._note_once(text)

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self.hooks.note(text)

    # -- endings --------------------------------------------------------------------------------------------------

    def retire(self, spec: FunctionSpec) -> None:
        """The function has changed or is gone: its environments go, busy ones when they are done."""
        pool = self._pools.pop(spec.revision, None)
        if pool is not None:
            pool.retired = True
            for environment in pool.all - self._busy:
                environment.kill()
            if pool.waiting:  # they came before the change: they are served, by a last environment
                self._pools[spec.revision] = pool

    async def stop(self) -> None:
        for timer in (self._sweeper, self._watch, self._priming):
            if timer is not None:
                timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools.values():
            for environment in list(pool.all):
                environment.kill()
        await self._programs.close()
        for zygotes in self._zygotes.values():
            for zygote in zygotes:
                zygote.close()
        if self.hooks.started is not None:
            self.hooks.started.close()
        self._pools.clear()
        self._zygotes.clear()
        self._changes.close()

    def _sweep(self) -> None:
        self._sweeper = None
        old, left = time.monotonic() - self.hooks.idle, False
        for pool in self._pools.values():
            spare = len(pool.all) - pool.kept
            for environment in [each for each in pool.idle if each.used < old or each.dead][: max(spare, 0)]:
                pool.idle.remove(environment)
                self._discard(pool, environment)
            left = left or bool(pool.idle)
        if left:
            self._sweeper = asyncio.get_running_loop().call_later(self.hooks.idle / 4, self._sweep)

    def _check_memory(self) -> None:
        self._watch = None
        for environment in list(self._busy):
            environment.check_memory()
        if self._busy:
            self._watch = asyncio.get_running_loop().call_later(_MEMORY_CHECK, self._check_memory)

    # -- the log --------------------------------------------------------------------------------------------------

    def _lines(self, environment: Environment, lines: Lines) -> None:
        self._show(environment.spec, environment.stream, lines)

    def _show(self, spec: FunctionSpec, stream: str, lines: Lines) -> None:
        for observer in self.observers:
            observer(spec, stream, lines)

    @property
    def processes(self) -> list[int]:
        """The pids of zygotes and environments, for tests and `pileus status`."""
        found = [zygote.pid for zygotes in self._zygotes.values() for zygote in zygotes if zygote.is_alive]
        found += self._programs.waiting
        return found + [
            each.pid for pool in self._pools.values() for each in pool.all if each.pid and not each.dead
        ]
