"""The packages that a bundle leaves outside, taken from node_modules as they are installed, with what they need."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath

from pileus.package.bundle.settings import Settings
from pileus.package.files import FileSource
from pileus.service.errors import ConfigErrors
from pileus.service.model import Function, Service
from pileus.service.tree import Json

#: Modules of Node itself; those that only exist with the prefix `node:` need no list.
_NODE = frozenset(
    {
        *("assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto"),
        *("dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2"),
        *("https", "inspector", "module", "net", "os", "path", "perf_hooks", "process"),
        *("punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers"),
        *("tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi"),
        *("worker_threads", "zlib"),
    }
)


class Modules:
    """The node_modules of one service. A package is listed once and read once."""

    def __init__(self, folder: FilePath, service: Service, settings: Settings) -> None:
        self._folder = folder
        self._service = service
        self._settings = settings
        self._listed: dict[FilePath, tuple[FileSource, ...]] = {}

    def packages(self, names: Iterable[str], source: FilePath, function: Function) -> Iterator[FileSource]:
        """The files of packages that a function imports, and of all that those need. Raises ConfigErrors for one that
        is not installed."""
        seen: set[FilePath] = set()
        waiting: list[tuple[str, FilePath, bool]] = [
            (name, (self._folder / source).parent, False)
            for name in sorted({_package(name) for name in names})
        ]
        while waiting:
            name, importer, optional = waiting.pop()
            if name in _NODE or name.startswith(("node:", ".", "/")) or self._excluded(name):
                continue
            found = self._find(name, importer)
            if found is None:
                if optional:
                    continue
                message = f"the function '{function.key}' needs the package '{name}', which is not installed"
                hint = "npm install; or name it under 'exclude', if it is there when the function runs"
                raise ConfigErrors([self._service.mistake(message, function.path, hint, key=True)])
            if found in seen:
                continue
            seen.add(found)
            yield from self._files(found)
            waiting.extend(_needs(found))

    def _excluded(self, name: str) -> bool:
        return any(_matches(pattern, name) for pattern in self._settings.exclude)

    def _find(self, name: str, importer: FilePath) -> FilePath | None:
        """As Node looks: in the node_modules of the folder, and of each one above."""
        for folder in (importer, *importer.parents):
            if folder.name == "node_modules":
                continue
            found = folder / "node_modules" / name
            if (found / "package.json").is_file():
                return found
        return None

    def _files(self, package: FilePath) -> tuple[FileSource, ...]:
        if package not in self._listed:
            self._listed[package] = tuple(self._walk(package))
        return self._listed[package]

    def _walk(self, package: FilePath) -> Iterator[FileSource]:
        place = self._place(package)
        for top, folders, names in os.walk(package):
            folders[:] = sorted(name for name in folders if name not in ("node_modules", ".git"))
            for name in sorted(names):
                file = FilePath(top) / name
                if file.is_file():
                    inside = file.relative_to(package).as_posix()
                    yield FileSource.of_file(f"{place}/{inside}", file, group=package.name)

    def _place(self, package: FilePath) -> str:
        """Under the archive's root, from the first node_modules on: a workspace's packages lie above the service."""
        parts = package.parts
        return "/".join(parts[parts.index("node_modules", _base(parts, self._folder)) :])


def _base(parts: tuple[str, ...], folder: FilePath) -> int:
    """Where in a package's path the part that the service shares with it ends."""
    shared = 0
    for mine, own in zip(parts, folder.parts, strict=False):
        if mine != own:
            break
        shared += 1
    return shared


def _package(module: str) -> str:
    """`@scope/name/inner` → `@scope/name`, `name/inner` → `name`."""
    parts = module.split("/")
    return "/".join(parts[: 2 if module.startswith("@") else 1])


def _matches(pattern: str, name: str) -> bool:
    if "*" in pattern:
        start, _, end = pattern.partition("*")
        return name.startswith(start) and name.endswith(end)
    return pattern == name or pattern.startswith(f"{name}/")


def _needs(package: FilePath) -> Iterator[tuple[str, FilePath, bool]]:
    """What a package depends on; a peer or an optional dependency may be absent."""
    try:
        described: Json = json.loads((package / "package.json").read_bytes())
    except (OSError, ValueError):
        return
    if not isinstance(described, dict):
        return
    optional = described.get("optionalDependencies") or {}
    for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
        for name in described.get(kind) or {}:
            yield name, package.resolve(), kind != "dependencies" or name in optional
