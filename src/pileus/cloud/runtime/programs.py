"""Environments that are programs of their own (Node.js, and the `bootstrap` of provided runtimes): which program it is,
and how its process comes about.

A zygote starts them, so that they end with the server in any case (process groups, the parent's death signal).
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from .. import interpreters
from .bundles import Built, Bundles
from .errors import EnvironmentFailed
from .execution import FunctionSpec
from .logs import LogPipe
from .reload import Changes, Modules, ReadFiles
from .runtime_api import RuntimeApi
from .spares import Spares, Spawner, Start
from .variables import function_variables
from .zygote import OnExit, Zygote


class Launch(Protocol):
    """A way to a process. grows: its memory counts from its start on, for most of it is shared with others.
    stack_signal: has it write where it hangs."""

    grows: bool
    stack_signal: int

    def files(self, changes: Changes) -> ReadFiles:
        """What it reads of the project as it starts. Called right before that."""
        ...

    async def start(
        self, own: Mapping[str, str], reload: bool, api: RuntimeApi, log: LogPipe, on_exit: OnExit
    ) -> int:
        """own: the variables of this environment. Returns the pid."""
        ...


class Forked:
    """From a zygote that has imported what the function needs."""

    grows = True
    stack_signal = int(signal.SIGXCPU)  # faulthandler's, in bootstrap/environment.py

    def __init__(self, spec: FunctionSpec, zygote: Zygote, variables: Mapping[str, str]) -> None:
        self._spec, self._zygote, self._variables = spec, zygote, variables

    def files(self, changes: Changes) -> ReadFiles:
        return ReadFiles(changes, time.time_ns())

    async def start(
        self, own: Mapping[str, str], reload: bool, api: RuntimeApi, log: LogPipe, on_exit: OnExit
    ) -> int:
        spec = self._spec
        message = {
            "env": {**self._variables, **own},
            "root": str(spec.code),
            "paths": _module_path(spec, self._variables),
            "handler": spec.handler,
            "runtime": spec.runtime,
            "reload": reload,
        }
        with await api.connect() as theirs:
            try:
                return await self._zygote.fork(message, log.descriptor, theirs.fileno(), on_exit)
            finally:
                log.close_writer()


class Program:
    """A program that finds the Runtime API by its variables."""

    grows = False
    stack_signal = 0

    def __init__(
        self, spec: FunctionSpec, spawner: Zygote, variables: Mapping[str, str], argv: list[str]
    ) -> None:
        self._spec, self._spawner, self._variables, self._argv = spec, spawner, variables, argv

    def files(self, changes: Changes) -> ReadFiles:
        found = ReadFiles(changes, time.time_ns())
        found.add([self._argv[-1]])
        return found

    async def start(
        self, own: Mapping[str, str], reload: bool, api: RuntimeApi, log: LogPipe, on_exit: OnExit
    ) -> int:
        message = {"exec": self._argv, "env": {**self._variables, **own}, "root": str(self._spec.code)}
        try:
            return await self._spawner.fork(message, log.descriptor, log.descriptor, on_exit)
        finally:
            log.close_writer()


class NodeProcess:
    """A process of Node.js, one that waits already where its start would have been the same.

    built: what was built of the function's source, if it was.
    """

    grows = False
    stack_signal = 0

    def __init__(
        self,
        spec: FunctionSpec,
        spares: Spares,
        start: Start,
        variables: Mapping[str, str],
        built: Built | None = None,
    ) -> None:
        self._spec, self._spares, self._start, self._variables = spec, spares, start, variables
        self._built = built

    def files(self, changes: Changes) -> ReadFiles:
        if self._built is None:
            return ReadFiles(changes, time.time_ns(), Modules(changes, str(self._spec.code)))
        found = ReadFiles(changes, self._built.since)
        found.add(list(self._built.inputs))
        return found

    async def start(
        self, own: Mapping[str, str], reload: bool, api: RuntimeApi, log: LogPipe, on_exit: OnExit
    ) -> int:
        spec = self._spec
        told: dict[str, Any] = {
            "env": {**self._variables, **own},
            "root": str(spec.code),
            "handler": spec.handler,
            "runtime": spec.runtime,
            "reload": reload,
        }
        if self._built is not None:
            told |= {"module": self._built.module, "sourceMaps": True}
        start = self._start
        if start.sees_all:
            start = Start(start.argv, tuple(told["env"].items()), start.root, True)
        spare = await self._spares.take(start)
        data = orjson.dumps(told)
        with contextlib.suppress(OSError):  # it has ended: on_exit says so
            spare.control.setblocking(True)
            spare.control.sendall(struct.pack("!I", len(data)) + data)
        spare.control.setblocking(False)
        log.take(spare.log)
        await api.attach(spare.control)
        spare.given_to(on_exit)
        return spare.pid


class Programs:
    """All that is started so. spawner: gives a zygote. endpoint, xray, local: see RuntimeHooks."""

    def __init__(
        self,
        bundles: Bundles,
        spawner: Spawner,
        endpoint: Callable[[], str],
        xray: Callable[[], str],
        local: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._spawner, self._endpoint, self._xray, self._local = spawner, endpoint, xray, local
        self._spares = Spares(spawner)
        self.bundles = bundles
        self._nodes: dict[str, str] = {}

    async def launch(self, spec: FunctionSpec) -> Launch:
        """Raises EnvironmentFailed for a runtime that can't run here, BuildFailed for a source that can't be built."""
        if spec.runtime.startswith("nodejs"):
            start, variables = self._node_start(spec)
            built = await self.bundles.built(spec) if spec.reload else None
            return NodeProcess(spec, self._spares, start, variables, built)
        if spec.runtime.startswith("provided"):
            program, wrapper = bootstrap_program(spec), wrapper_program(spec)
            variables = self._variables(spec, program)
            return Program(spec, self._spawner(), variables, [wrapper, program] if wrapper else [program])
        raise EnvironmentFailed(
            f"{spec.runtime or 'this'} functions can't run here: Python, Node.js and provided runtimes can"
        )

    def prepare(self, spec: FunctionSpec) -> None:
        """Has what an environment of `spec` needs come up, ahead of the first event. Raises EnvironmentFailed."""
        if spec.runtime.startswith("nodejs"):
            self._spares.prepare(self._node_start(spec)[0])
        elif spec.runtime.startswith("provided"):
            self._spawner()

    def _node_start(self, spec: FunctionSpec) -> tuple[Start, dict[str, str]]:
        node = self._nodes.get(spec.runtime)
        if node is None:
            node = self._nodes[spec.runtime] = node_program(spec.runtime)
        variables = self._variables(spec, node)
        return Start.of(spec, node, variables, wrapper_program(spec)), variables

    def _variables(self, spec: FunctionSpec, program: str) -> dict[str, str]:
        return {**self._local(), **program_variables(spec, self._endpoint(), self._xray(), program)}

    @property
    def waiting(self) -> list[int]:
        """The pids of processes that wait for a function."""
        return self._spares.pids

    async def close(self) -> None:
        await self._spares.close()
        self.bundles.close()


def program_variables(spec: FunctionSpec, endpoint: str, xray: str, program: str) -> dict[str, str]:
    """As for Python, with the layers where programs look for what they bring."""
    found = function_variables(spec, endpoint, xray, program)
    found["PATH"] = ":".join([found["PATH"], *(str(layer / "bin") for layer in spec.layers)])
    libraries = [str(layer / "lib") for layer in spec.layers if (layer / "lib").is_dir()]
    if libraries:
        found["LD_LIBRARY_PATH"] = ":".join([*libraries, *filter(None, [found.get("LD_LIBRARY_PATH", "")])])
    if spec.runtime.startswith("nodejs"):
        version = spec.runtime[6:].partition(".")[0]
        folders = [layer / f"nodejs/node{version}/node_modules" for layer in spec.layers]
        folders += [layer / "nodejs/node_modules" for layer in spec.layers]
        own = [found["NODE_PATH"]] if found.get("NODE_PATH") else []
        found["NODE_PATH"] = ":".join([*own, *map(str, folders), str(spec.code)])
    return found


def node_program(runtime: str) -> str:
    """Raises EnvironmentFailed where there is none."""
    found = interpreters.choose_node(runtime)
    if found is None:
        raise EnvironmentFailed(
            f"{runtime} functions need Node.js, and there is no node in PATH: install Node.js to run them here"
        )
    return found


def bootstrap_program(spec: FunctionSpec) -> str:
    """The program of a provided runtime. Raises EnvironmentFailed where there is none that can run."""
    candidates = [spec.code / "bootstrap", *(layer / "bootstrap" for layer in spec.layers)]
    found = next((each for each in candidates if each.is_file()), None)
    if found is None:
        raise EnvironmentFailed(
            f"Couldn't find valid bootstrap(s): [{' '.join(map(str, candidates))}]: a function with the runtime "
            f"{spec.runtime} is a program of this name in the folder of its code"
        )
    if not os.access(found, os.X_OK):
        raise EnvironmentFailed(f"fork/exec {found}: permission denied: chmod +x {found}")
    return str(found)


def wrapper_program(spec: FunctionSpec) -> str:
    """AWS_LAMBDA_EXEC_WRAPPER, found in the layers where it lies below /opt."""
    named = spec.variables.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if named.startswith("/opt/"):
        inside = named.removeprefix("/opt/")
        named = next((str(layer / inside) for layer in spec.layers if (layer / inside).is_file()), named)
    elif named.startswith("/var/task/"):
        named = str(spec.code / named.removeprefix("/var/task/"))
    return named


def _module_path(spec: FunctionSpec, variables: Mapping[str, str]) -> list[str]:
    """What goes ahead of Python's own sys.path: the code, PYTHONPATH, then the layers."""
    paths = [str(spec.code)]
    paths += [entry for entry in variables.get("PYTHONPATH", "").split(":") if entry]
    for layer in spec.layers:
        paths += [
            str(layer / "python"),
            *map(str, sorted((layer / "python/lib").glob("python3*/site-packages"))),
        ]
    return paths
