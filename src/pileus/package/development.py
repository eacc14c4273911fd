"""npm packages that only development needs: what `npm ls` lists for devDependencies and not for production.

The tree is read as it stands in node_modules, by each package's own package.json. As for npm, a package that the
root names in both is one for development.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

_NEEDS = ("dependencies", "optionalDependencies", "peerDependencies")


def development_only(folder: str) -> frozenset[str]:
    """Folders of packages, and their commands in `.bin`, as paths from the folder of a package.json."""
    root = _manifest(folder)
    development = _names(root, ("devDependencies",))
    if not development:
        return frozenset()
    packages = _Packages(folder)
    production = packages.reached(name for name in _names(root, _NEEDS) if name not in development)
    only = packages.reached(development) - production
    found = set(only)
    for path in only:
        name = path.rpartition("node_modules/")[2]
        around = path[: -len(name)]
        found.update(f"{around}.bin/{command}" for command in _commands(packages.manifest(path), name))
    return frozenset(found)


class _Packages:
    """The packages under one folder, by their paths from it, each read once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._manifests: dict[str, Mapping[str, Any] | None] = {}

    def manifest(self, path: str) -> Mapping[str, Any]:
        if path not in self._manifests:
            self._manifests[path] = _manifest(f"{self._folder}/{path}")
        return self._manifests[path] or {}

    def reached(self, names: Iterable[str]) -> set[str]:
        """The packages that the root's dependencies of these names lead to."""
        waiting = [path for name in names if (path := self._resolve(name, ""))]
        reached: set[str] = set()
        while waiting:
            path = waiting.pop()
            if path in reached:
                continue
            reached.add(path)
            needed = _names(self.manifest(path), _NEEDS)
            waiting.extend(found for name in needed if (found := self._resolve(name, path)))
        return reached

    def _resolve(self, name: str, path: str) -> str:
        """Where a package finds another: in its own node_modules, else further out."""
        while True:
            candidate = f"{path}/node_modules/{name}" if path else f"node_modules/{name}"
            if candidate in self._manifests or os.path.isdir(f"{self._folder}/{candidate}"):  # noqa: PTH112
                return candidate
            if not path:
                return ""
            path = path.rpartition("node_modules/")[0].rstrip("/")


def _manifest(folder: str) -> Mapping[str, Any]:
    """The content of a package.json; nothing when there is none that can be read."""
    try:
        with open(f"{folder}/package.json", "rb") as file:  # noqa: PTH123
            content = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _names(manifest: Mapping[str, Any], kinds: Iterable[str]) -> list[str]:
    """Names of dependencies, without what is no name of a package."""
    return [
        name
        for kind in kinds
        if isinstance(needs := manifest.get(kind), dict)
        for name in needs
        if name and ".." not in name.split("/") and not name.startswith("/")
    ]


def _commands(manifest: Mapping[str, Any], name: str) -> list[str]:
    command = manifest.get("bin")
    if isinstance(command, dict):
        return [key for key in command if "/" not in key]
    return [name.rpartition("/")[2]] if isinstance(command, str) else []
