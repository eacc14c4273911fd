"""Whether the handlers that serverless.yml names are there: found out before anything runs, with the place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..service import ConfigError, Function, Service
from ..service.errors import did_you_mean

_MODULE_SUFFIXES = {"python": (".py",), "nodejs": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")}


def missing_handlers(service: Service) -> list[ConfigError]:
    """One mistake for each function whose handler's file, or name in that file, does not exist."""
    return [mistake for function in service.functions.values() for mistake in _check(service, function)]


def _check(service: Service, function: Function) -> Iterator[ConfigError]:
    handler = function.get("handler")
    runtime = str(function.get("runtime") or service.setting("runtime") or "")
    suffixes = next((s for family, s in _MODULE_SUFFIXES.items() if runtime.startswith(family)), None)
    if not isinstance(handler, str) or suffixes is None or function.get("package", "artifact"):
        return
    path = (*function.path, "handler")
    module, dot, name = handler.rpartition(".")
    if not dot:
        yield service.mistake(
            f"the handler '{handler}' names no function", path, "write it as path/to/module.function_name"
        )
        return
    candidates = [service.directory / f"{module}{suffix}" for suffix in suffixes]
    candidates += [service.directory / module / f"__init__{suffix}" for suffix in suffixes[:1]]
    if "/" not in module:  # Python also takes dots between packages
        candidates += [service.directory / f"{module.replace('.', '/')}{suffix}" for suffix in suffixes[:1]]
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        yield service.mistake(
            f"the handler's file {module}{suffixes[0]} does not exist",
            path,
            _nearby(service.directory, module, suffixes),
        )
    elif not _names(file, name):
        near = did_you_mean(name, _defined(file))
        hint = f"did you mean '{near}'?" if near else f"define it in {file.relative_to(service.directory)}"
        yield service.mistake(f"the handler's module defines no '{name}'", path, hint)


def _nearby(directory: Path, module: str, suffixes: tuple[str, ...]) -> str:
    folder = (directory / module).parent
    files = [path.stem for path in folder.glob("*") if path.suffix in suffixes] if folder.is_dir() else []
    near = did_you_mean(Path(module).name, files)
    if near:
        return f"did you mean '{(Path(module).parent / near).as_posix()}'?"
    return "paths are relative to the folder of serverless.yml"


def _names(file: Path, name: str) -> bool:
    """Whether the name stands anywhere in the file: how it comes about (def, import, assignment) is the file's affair."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"\b{re.escape(name)}\b", text) is not None or "import *" in text


def _defined(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    return re.findall(r"^(?:async\s+)?def\s+(\w+)|^(\w+)\s*=", text, re.MULTILINE) and [
        first or second
        for first, second in re.findall(r"^(?:async\s+)?def\s+(\w+)|^(\w+)\s*=", text, re.MULTILINE)
    ]
