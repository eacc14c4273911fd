"""Whether the handlers that serverless.yml names are there: found out before anything runs, with the place in the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from ..cloud.interpreters import find_esbuild
from ..service import ConfigError, Function, Service
from ..service.errors import did_you_mean
from ..service.tree import Path, get

_PYTHON_SUFFIXES = (".py",)
#: In the order in which Lambda looks; of the rest, `pileus offline` makes what Lambda would find.
_NODE_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx")
#: A file with one of these may export anything.
_EXPORTS_MORE = ("export *", "module.exports", "__exportStar", "Object.assign(", "export =")
_MOST_LISTED = 5


def missing_handlers(service: Service) -> list[ConfigError]:
    """One mistake for each function whose handler's file, or name in that file, does not exist."""
    return [
        *_packaged(service),
        *(mistake for function in service.functions.values() for mistake in _check(service, function)),
        *_unbuilt(service),
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


def _unbuilt(service: Service) -> Iterator[ConfigError]:
    """What has to be built where there is nothing to build it with."""
    built = {} if service.extensions is None else service.extensions.built(service)
    sources = {key: build.source for key, build in built.items()}
    for function in service.functions.values():
        runtime = str(function.get("runtime") or service.setting("runtime") or "")
        stem = re.sub(r"\.[^/]*$", "", str(function.get("handler")))
        if runtime.startswith("nodejs") and function.key not in sources:
            files = [service.directory / f"{stem}{suffix}" for suffix in ("", *_NODE_SUFFIXES)]
            file = next((each for each in files if each.is_file()), None)
            if file is not None and file.suffix in _NODE_SUFFIXES[3:]:
                sources[function.key] = file.relative_to(service.directory).as_posix()
    if sources and find_esbuild(service.directory.resolve()) is None:
        key, source = next(iter(sources.items()))
        rest = f" and those of {len(sources) - 1} more" if len(sources) > 1 else ""
        yield service.mistake(
            f"the handler's source {source}{rest} must be built with esbuild, which is not in the project's node_modules",
            (*service.functions[key].path, "handler"),
            "npm install --save-dev esbuild",
        )


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
    path = (*function.path, "handler")
    if runtime.startswith("provided"):
        yield from _check_program(service, path)
    if not isinstance(handler, str):
        return
    if runtime.startswith("nodejs"):
        yield from _check_node(service, function, handler, path)
        return
    suffixes = _PYTHON_SUFFIXES
    if not runtime.startswith("python"):
        return
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


def _check_program(service: Service, path: Path) -> Iterator[ConfigError]:
    program = service.directory / "bootstrap"
    if not program.is_file():
        message = "the function's program 'bootstrap' is not in the folder of serverless.yml"
        yield service.mistake(message, path, "build it there: a provided runtime runs this file")
    elif not os.access(program, os.X_OK):
        yield service.mistake(
            "the function's program 'bootstrap' can't be executed", path, "chmod +x bootstrap"
        )


def _check_node(service: Service, function: Function, handler: str, path: Path) -> Iterator[ConfigError]:
    folder, slash, base = handler.rpartition("/")
    stem, dot, nested = base.partition(".")
    if not dot or not nested:
        yield service.mistake(
            f"the handler '{handler}' names no function", path, "write it as path/to/module.function"
        )
        return
    module = f"{folder}{slash}{stem}"
    if entry := function.get("esbuildEntrypoint"):  # of serverless-esbuild: the source has another name
        module, path = str(entry).partition(".")[0] or module, (*function.path, "esbuildEntrypoint")
    candidates = [service.directory / f"{module}{suffix}" for suffix in ("", *_NODE_SUFFIXES)]
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        if (service.directory / "node_modules" / module).exists():  # Lambda looks there, too
            return
        message = f"the handler's file {module}.js does not exist, nor with .mjs, .cjs or .ts"
        yield service.mistake(message, path, _nearby(service.directory, handler, _NODE_SUFFIXES))
        return
    name = nested.partition(".")[0]
    text = file.read_text(encoding="utf-8", errors="replace")
    if not re.search(rf"\b{re.escape(name)}\b", text) and not any(sign in text for sign in _EXPORTS_MORE):
        there = file.relative_to(service.directory)
        defined = _exported(text)
        listed = (
            f"{there} exports {', '.join(defined)}"
            if 0 < len(defined) <= _MOST_LISTED
            else f"export it in {there}"
        )
        hint = did_you_mean(name, defined) or listed
        yield service.mistake(f"the handler's module exports no '{name}'", path, hint)


def _exported(text: str) -> list[str]:
    found = re.findall(
        r"^export\s+(?:async\s+)?(?:const|let|var|function\*?|class)\s+([\w$]+)|^(?:module\.)?exports\.([\w$]+)\s*=",
        text,
        re.MULTILINE,
    )
    return [first or second for first, second in found]


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
