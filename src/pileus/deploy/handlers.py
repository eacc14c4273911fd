"""Whether the handlers that serverless.yml names are there: found out before anything runs, with the place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from ..service import ConfigError, Function, Service
from ..service.errors import did_you_mean
from ..service.tree import Path, get

#: By the family of the runtime; others are not looked for.
_MODULE_SUFFIXES = {"python": (".py",)}
_MOST_LISTED = 5


def missing_handlers(service: Service) -> list[ConfigError]:
    """One mistake for each function whose handler's file, or name in that file, does not exist."""
    return [
        *_packaged(service),
        *(mistake for function in service.functions.values() for mistake in _check(service, function)),
    ]


def absent_handlers(service: Service) -> list[ConfigError]:
    """The same of the functions whose code is this folder: to look at, for a build may yet write the file."""
    if get(service.config, "package", "artifact"):
        return []
    return [
        mistake
        for function in service.functions.values()
        if not function.get("package", "artifact") and not function.get("module")
        for mistake in _check(service, function)
    ]


def _packaged(service: Service) -> Iterator[ConfigError]:
    """Packages that the user makes: their content may be anything, and what runs here is the folder."""
    places: list[Path] = [("package", "artifact")]
    places += [(*function.path, "package", "artifact") for function in service.functions.values()]
    for place in places:
        if get(service.config, *place):
            yield service.mistake(
                "a package of your own ('artifact') can't run here: functions run from this folder",
                place,
                "leave 'artifact' out here, for example by a variable with the stage",
                key=True,
            )


def _check(service: Service, function: Function) -> Iterator[ConfigError]:
    handler = function.get("handler")
    runtime = str(function.get("runtime") or service.setting("runtime") or "")
    suffixes = next((s for family, s in _MODULE_SUFFIXES.items() if runtime.startswith(family)), None)
    if not isinstance(handler, str) or suffixes is None:
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
            _nearby(service.directory, handler, suffixes),
        )
    elif not _names(file, name):
        there = file.relative_to(service.directory)
        defined = _defined(file)
        listed = (
            f"{there} defines {', '.join(defined)}"
            if 0 < len(defined) <= _MOST_LISTED
            else f"define it in {there}"
        )
        hint = did_you_mean(name, defined) or listed
        yield service.mistake(f"the handler's module defines no '{name}'", path, hint)


def _nearby(directory: FilePath, handler: str, suffixes: tuple[str, ...]) -> str:
    module, _, name = handler.rpartition(".")
    parent = FilePath(module).parent
    folder = directory / parent
    files = [path.stem for path in folder.glob("*") if path.suffix in suffixes] if folder.is_dir() else []
    known = [f"{(parent / stem).as_posix()}.{name}" for stem in files]
    return did_you_mean(handler, known) or "paths are relative to the folder of serverless.yml"


def _names(file: FilePath, name: str) -> bool:
    """Whether the name stands anywhere in the file: how it comes about (def, import, assignment) is the file's affair."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"\b{re.escape(name)}\b", text) is not None or "import *" in text


def _defined(file: FilePath) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^(?:async\s+)?def\s+(\w+)|^(\w+)\s*=", text, re.MULTILINE)
    return [function or variable for function, variable in found]
