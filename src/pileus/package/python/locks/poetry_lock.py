"""poetry.lock: the packages of the chosen groups that the platform needs.

From Poetry 2 on the lock tells each package's groups and markers. In older locks the way is walked from
pyproject.toml's dependencies, through what each package depends on.
"""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.locks import Locked, hashed
from pileus.package.python.settings import Settings, normalised
from pileus.package.python.sources import Source, read_toml
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.marks import Mark
from pileus.service.tree import Json, get


def read(source: Source, settings: Settings, platform: LambdaPlatform) -> Locked:
    """Raises ConfigErrors."""
    lock = read_toml(source.file)
    project = read_toml(source.folder / "pyproject.toml")
    groups = _groups(settings)
    unknown = sorted(groups - _known_groups(project))
    if unknown:
        mark = Mark(source.folder / "pyproject.toml", 1, 1)
        raise ConfigErrors([ConfigError(f"there is no group '{one}'", mark=mark) for one in unknown])
    roots = {
        normalised(name): entry
        for group in sorted(groups)
        for name, entry in _named_by(project, group)
        if name != "python"
    }
    try:
        packages = lock.get("package") or []
        if all("groups" in package for package in packages):
            chosen = [package for package in packages if _in_groups(package, groups, platform)]
        else:
            chosen = _Walk(packages, platform).from_roots(roots)
        lines = tuple((normalised(package["name"]), _line(package, source.folder)) for package in chosen)
    except (KeyError, TypeError, AttributeError, InvalidMarker) as error:
        raise ConfigErrors([ConfigError(f"cannot read poetry.lock: {error}", mark=source.mark)]) from None
    urls = {package["source"]["url"] for package in chosen if get(package, "source", "type") == "legacy"}
    return Locked(lines, tuple(roots), tuple(sorted(urls)))


def _groups(settings: Settings) -> set[str]:
    if settings.poetry_only_groups:
        return set(settings.poetry_only_groups)
    return {"main", *settings.poetry_with_groups} - set(settings.poetry_without_groups)


def _known_groups(project: Json) -> set[str]:
    named = {*(get(project, "tool", "poetry", "group") or {}), *(project.get("dependency-groups") or {})}
    return {"main", "dev", *named}


def _named_by(project: Json, group: str) -> Iterator[tuple[str, Json]]:
    """(name, what is said of it) of the dependencies that pyproject.toml gives a group."""
    poetry = get(project, "tool", "poetry") or {}
    if group == "main":
        yield from (poetry.get("dependencies") or {}).items()
        texts = get(project, "project", "dependencies") or []
    else:
        yield from (get(poetry, "group", group, "dependencies") or {}).items()
        if group == "dev":
            yield from (poetry.get("dev-dependencies") or {}).items()
        texts = [text for text in get(project, "dependency-groups", group) or [] if isinstance(text, str)]
    for text in texts:
        name = re.match(r"[A-Za-z0-9._-]+", text)
        if name:
            yield name[0], text


def _in_groups(package: Json, groups: set[str], platform: LambdaPlatform) -> bool:
    mine = groups.intersection(package["groups"])
    markers = package.get("markers")
    if not mine:
        return False
    if markers is None:
        return not package.get("optional")
    texts = [markers] if isinstance(markers, str) else [markers.get(group, "") for group in sorted(mine)]
    return any(not text or _holds(text, platform) for text in texts)


def _holds(marker: str, platform: LambdaPlatform) -> bool:
    return Marker(marker).evaluate({**platform.markers(), "extra": ""})


class _Walk:
    """From what the user names to what that needs, in a lock that does not tell."""

    def __init__(self, packages: list[Json], platform: LambdaPlatform) -> None:
        self.platform = platform
        self.by_name: dict[str, list[Json]] = {}
        for package in packages:
            self.by_name.setdefault(normalised(package["name"]), []).append(package)
        self.done: set[tuple[str, frozenset[str]]] = set()
        self.chosen: dict[str, Json] = {}

    def from_roots(self, roots: dict[str, Json]) -> list[Json]:
        for name, entry in roots.items():
            for said in entry if isinstance(entry, list) else [entry]:
                if not get(said, "optional") and self.applies(said):
                    self.visit(name, frozenset(get(said, "extras") or ()))
        return [self.chosen[name] for name in sorted(self.chosen)]

    def applies(self, said: Json) -> bool:
        if not isinstance(said, dict):
            return True
        marker, python = said.get("markers"), said.get("python")
        return (not marker or _holds(marker, self.platform)) and (not python or self.accepts(python))

    def accepts(self, versions: str) -> bool:
        """Whether the platform's Python is in a constraint as Poetry writes it."""
        if versions in ("*", ""):
            return True
        alternatives = [_pep440(one) for one in versions.split("||")]
        try:
            return any(SpecifierSet(one).contains(f"{self.platform.python}.99") for one in alternatives)
        except InvalidSpecifier:
            return True

    def visit(self, name: str, extras: frozenset[str]) -> None:
        if (name, extras) in self.done:
            return
        self.done.add((name, extras))
        for package in self.by_name.get(name, ()):
            if not self.accepts(package.get("python-versions", "*")):
                continue
            self.chosen[name] = package
            asked = {
                normalised(re.split(r"[\s(\[<>=!~;]", text, maxsplit=1)[0])
                for extra in extras
                for text in get(package, "extras", extra) or []
            }
            for other, entry in (package.get("dependencies") or {}).items():
                for said in entry if isinstance(entry, list) else [entry]:
                    wanted = not get(said, "optional") or normalised(other) in asked
                    if wanted and self.applies(_without_extra(said)):
                        self.visit(normalised(other), frozenset(get(said, "extras") or ()))


def _without_extra(said: Json) -> Json:
    """An optional dependency repeats its extra as a marker; whether that is asked for is known already."""
    if isinstance(said, dict) and "extra ==" in (said.get("markers") or ""):
        kept = re.sub(r"""(\s+and\s+)?extra == ["'][^"']*["'](\s+and\s+)?""", "", said["markers"]).strip()
        return {**said, "markers": kept if kept and "extra" not in kept else None}
    return said


def _pep440(constraint: str) -> str:
    """`^3.8` as `>=3.8,<4`, `~3.8` as `>=3.8,<3.9`; the rest is PEP 440 already."""
    parts = []
    for part in re.split(r"\s*,\s*|\s+(?=[<>=!^~])", constraint.strip()):
        match = re.fullmatch(r"([\^~])\s*(\d+)(?:\.(\d+))?.*", part)
        if match is None or part.startswith("~="):
            parts.append(part)
        elif match[1] == "^" or match[3] is None:
            parts.append(f">={part[1:].strip()},<{int(match[2]) + 1}")
        else:
            parts.append(f">={part[1:].strip()},<{match[2]}.{int(match[3]) + 1}")
    return ",".join(parts)


def _line(package: Json, folder: FilePath) -> str:
    name, where = package["name"], package.get("source") or {}
    kind = where.get("type", "legacy")
    if kind == "git":
        inside = f"#subdirectory={where['subdirectory']}" if where.get("subdirectory") else ""
        return f"{name} @ git+{where['url']}@{where['resolved_reference']}{inside}"
    if kind in ("directory", "file"):
        return f"{name} @ {(folder / where['url']).resolve().as_uri()}"
    hashes = [file["hash"] for file in package.get("files") or []]
    if kind == "url":
        return hashed(f"{name} @ {where['url']}", hashes)
    return hashed(f"{name}=={package['version']}", hashes)
