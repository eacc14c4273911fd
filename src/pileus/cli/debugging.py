"""`--debug`: which functions are debugged, where a debugger attaches, and the entry of launch.json that does it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..cloud import interpreters
from ..cloud.runtime.debugger import Debugger
from ..cloud.server import bind
from ..compile.function import DEFAULT_RUNTIME
from ..service import Function, Service
from .failure import UserError
from .invocation import function_of
from .serving import listening

if TYPE_CHECKING:
    from .ui import Ui

#: `--debug` without a function.
ALL = "*"
_HOST = "127.0.0.1"
#: The first function's port, by the kind of runtime: debugpy's own default, and Node.js's.
_FIRST_PORT = {"python": 5678, "nodejs": 9229}
_HAS_DEBUGPY = "import importlib.util, sys; sys.exit(importlib.util.find_spec('debugpy') is None)"


@dataclass(frozen=True, slots=True)
class Debugged:
    """A function that is debugged. launch: for VS Code's launch.json; None where only `breakpoint()` works."""

    function: Function
    debugger: Debugger
    launch: dict[str, Any] | None


def debugged(
    service: Service,
    asked: Sequence[str],
    first_port: int | None,
    python: str | None,
    note: Callable[[str], None],
) -> list[Debugged]:
    """The functions with their ports taken. asked: keys of functions, or ALL. first_port: instead of the defaults; 0
    takes free ones. A function keeps its port from start to start, as long as serverless.yml keeps its order."""
    keys = list(service.functions) if ALL in asked else [function_of(service, key).key for key in asked]
    terminal = terminal_device()
    can_attach = _attachable(service, keys, python, terminal, note)
    found = []
    for place, key in enumerate(service.functions):
        function = service.functions[key]
        kind = _kind(service, function)
        if key not in keys:
            continue
        if kind is None:
            if ALL not in asked:
                raise UserError(
                    f"'{key}' can't be debugged: its runtime is {_runtime(service, function)}.",
                    hint="Python and Node.js functions can.",
                )
            continue
        start = _FIRST_PORT[kind] if first_port is None else first_port
        listener = None
        if kind == "nodejs" or can_attach:
            port = start + place if start else 0
            with listening("--debug-port", _HOST, port):
                listener = bind(_HOST, port)
        debugger = Debugger(listener, terminal if kind == "python" else "")
        found.append(Debugged(function, debugger, _launch(kind, key, debugger.port)))
    return found


def terminal_device() -> str:
    """The terminal that this command runs in, empty without one."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        try:
            return os.ttyname(stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue
    return ""


def tell(ui: Ui, found: Sequence[Debugged]) -> None:
    """Where to attach: for people as an entry of launch.json, ready to paste."""
    import json

    for each in found:
        key = each.function.key
        if each.launch is None:
            ui.line(f"Debugging {key}: breakpoint() stops in this terminal")
        else:
            ui.line(f"Debugging {key}: attach to 127.0.0.1:{each.debugger.port}, any time; in launch.json:")
            ui.line(f"  {json.dumps(each.launch)}")
        ui.event("debug", function=key, port=each.debugger.port, launch=each.launch)
    if found:
        ui.line("While a debugger is attached, the function has no time limit and one environment.")


def _attachable(
    service: Service, keys: Sequence[str], python: str | None, terminal: str, note: Callable[[str], None]
) -> bool:
    """Whether the interpreter of the Python functions has debugpy."""
    functions = [service.functions[key] for key in keys]
    runtimes = [_runtime(service, each) for each in functions if _kind(service, each) == "python"]
    if not runtimes:
        return False
    interpreter = interpreters.choose(service.directory, configured=python)
    has = subprocess.run([interpreter, "-I", "-c", _HAS_DEBUGPY], capture_output=True).returncode == 0
    if has:
        return True
    install = f"{interpreter} -m pip install debugpy"
    if not terminal:
        raise UserError(
            f"debugpy is not installed for {interpreter}, on which the functions run.", hint=install
        )
    note(f"debugpy is not installed: breakpoint() works in this terminal; for an editor: {install}")
    return False


def _launch(kind: str, key: str, port: int | None) -> dict[str, Any] | None:
    if port is None:
        return None
    if kind == "python":
        return {
            "name": f"pileus: {key}",
            "type": "debugpy",
            "request": "attach",
            "connect": {"host": _HOST, "port": port},
            "justMyCode": True,
        }
    return {
        "name": f"pileus: {key}",
        "type": "node",
        "request": "attach",
        "address": _HOST,
        "port": port,
        "restart": True,
        "skipFiles": ["<node_internals>/**"],
    }


def _runtime(service: Service, function: Function) -> str:
    return str(function.get("runtime") or service.setting("runtime") or DEFAULT_RUNTIME)


def _kind(service: Service, function: Function) -> str | None:
    runtime = _runtime(service, function)
    return next((kind for kind in _FIRST_PORT if runtime.startswith(kind)), None)
