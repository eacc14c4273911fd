"""What a source asks for, as requirement lines that both uv and pip understand.

Locks are flat: every line is pinned and hashed, and the installer resolves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import Settings, normalised
from pileus.package.python.sources import Kind, Source, read_toml
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.marks import Mark
from pileus.service.tree import get


@dataclass(frozen=True, slots=True)
class Wanted:
    """`lines` of a requirements file, `project` instead for a pyproject.toml; `locked` when nothing is to be
    resolved, `chosen` when each line is one file that fits already. `roots` are the distributions that the user names himself, with where. `indexes` are URLs beside the
    user's own configuration."""

    source: Source
    lines: tuple[str, ...] = ()
    project: FilePath | None = None
    locked: bool = False
    chosen: bool = False
    roots: Mapping[str, Mark] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self.project is None and not any(not line.startswith("-") for line in self.lines)


def wanted(source: Source, settings: Settings, platform: LambdaPlatform, work: FilePath) -> Wanted:
    """Raises ConfigErrors for a lock that cannot be read or does not fit the platform. `work` is a folder for
    files in between."""
    from pileus.package.python.locks import pipfile_lock, poetry_lock, pylock, uv_lock

    match source.kind:
        case Kind.REQUIREMENTS:
            return _from_requirements(source, settings)
        case Kind.PROJECT:
            return Wanted(source, project=source.file, roots=project_roots(source))
        case Kind.UV:
            exported = uv_lock.export(source, settings, work)
            locked = pylock.read(read_toml(exported), exported.parent, platform, source)
        case Kind.PYLOCK:
            locked = pylock.read(read_toml(source.file), source.folder, platform, source)
        case Kind.POETRY:
            locked = poetry_lock.read(source, settings, platform)
        case Kind.PIPENV:
            locked = pipfile_lock.read(source, platform)
    lines = tuple(line for name, line in locked.lines if name not in settings.no_deploy)
    roots = dict.fromkeys(locked.roots, source.mark) or project_roots(source)
    chosen = source.kind in (Kind.UV, Kind.PYLOCK)
    return Wanted(source, lines, locked=True, chosen=chosen, roots=roots, indexes=locked.indexes)


def _from_requirements(source: Source, settings: Settings) -> Wanted:
    lines: list[str] = []
    roots: dict[str, Mark] = {}
    for line in source.requirements():
        if line.name and line.name in settings.no_deploy:
            continue
        if line.local is not None and not line.local.exists():
            raise ConfigErrors([ConfigError(f"{line.local} does not exist", mark=line.mark)])
        lines.append(line.text)
        if line.name:
            roots.setdefault(line.name, line.mark)
    return Wanted(source, tuple(lines), roots=roots)


def project_roots(source: Source) -> dict[str, Mark]:
    """What `[project] dependencies` names, with its file."""
    from packaging.requirements import InvalidRequirement, Requirement

    file = source.folder / "pyproject.toml"
    roots: dict[str, Mark] = {}
    for text in (get(read_toml(file), "project", "dependencies") or []) if file.is_file() else []:
        try:
            roots[normalised(Requirement(text).name)] = Mark(file, _line_of(file, text), 1)
        except InvalidRequirement as error:
            mark = Mark(file, _line_of(file, text), 1)
            raise ConfigErrors([ConfigError(f"not a requirement: {text}: {error}", mark=mark)]) from None
    return roots


def _line_of(file: FilePath, text: str) -> int:
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if text in line:
            return number
    return 1
