"""Which file says what a service depends on, and what the result of installing it depends on.

The order, the first that is there: uv.lock, pylock.toml, poetry.lock, Pipfile.lock, requirements.txt, and
pyproject.toml without a lock. serverless-python-requirements, too, asks Poetry and Pipenv before requirements.txt.
A `fileName` that the user wrote comes before the locks that the plugin does not know.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path as FilePath

from pileus.package.python.requirements_file import Requirement, read_requirements
from pileus.package.python.settings import Settings
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.marks import Mark
from pileus.service.tree import Json, get

#: What building leaves in a local project's folder, and what is not its source.
_NOT_SOURCE = frozenset({"__pycache__", ".git", ".venv", "venv", "build", "dist", "node_modules", ".pileus", ".serverless",
                         ".pytest_cache", ".ruff_cache", ".mypy_cache", ".tox"})  # fmt: skip

_COMMIT = re.compile("[0-9a-f]{40}")


class Kind(Enum):
    UV = "uv.lock"
    PYLOCK = "pylock.toml"
    POETRY = "poetry.lock"
    PIPENV = "Pipfile.lock"
    REQUIREMENTS = "requirements.txt"
    PROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """`file` names the dependencies of what stands in `folder`; `warnings` say what was passed over."""

    kind: Kind
    file: FilePath
    folder: FilePath
    warnings: tuple[str, ...] = ()

    @property
    def mark(self) -> Mark:
        return Mark(self.file, 1, 1)

    def requirements(self) -> tuple[Requirement, ...]:
        try:
            return read_requirements(self.file)
        except ConfigError as error:
            raise ConfigErrors([error]) from None

    def moving(self) -> Iterator[ConfigError]:
        """Warnings of the lines that another day may mean something else."""
        for line in self.requirements() if self.kind is Kind.REQUIREMENTS else ():
            if line.revision and not _COMMIT.fullmatch(line.revision):
                text = f"{line.name or line.text} follows {line.revision}, which moves"
                more = "another machine may get another commit; name a commit"
                yield ConfigError(f"{text}: {more}", mark=line.mark)

    def identity(self, settings: Settings) -> Iterator[bytes]:
        """The content that decides what is installed, piece by piece; paths as seen from the folder."""
        yield self.kind.value.encode()
        if self.kind is Kind.REQUIREMENTS:
            for line in self.requirements():
                yield line.text.replace(str(self.folder), "").encode()
                if line.local is not None:
                    yield from _content(line.local)
            return
        yield self.file.read_bytes()
        project = self.folder / "pyproject.toml"
        if project.is_file():
            yield _relevant(read_toml(project))
        for path in self._local_projects():
            yield from _content(path)

    def _local_projects(self) -> list[FilePath]:
        """The folders that a lock names by path, apart from the service's own."""
        if self.kind is Kind.PIPENV:
            return []
        paths = sorted(set(_paths_in(read_toml(self.file))))
        found = [(self.file.parent / path).resolve() for path in paths]
        return [path for path in found if path.exists() and not self.folder.resolve().is_relative_to(path)]


def find_source(folder: FilePath, settings: Settings) -> Source | None:
    """The source of a folder; None when nothing there names dependencies.

    Raises ConfigErrors for a lock that the settings require and that is missing.
    """
    candidates = list(_candidates(folder, settings))
    if not candidates:
        return None
    kind, file, warnings = candidates[0]
    passed_over = [
        path.name for _, path, _ in candidates[1:] if path != file and path.name != "pyproject.toml"
    ]
    if passed_over:
        warnings = (*warnings, f"{', '.join(passed_over)} not used: {file.name} comes first")
    return Source(kind, file, folder, warnings)


def _candidates(folder: FilePath, settings: Settings) -> Iterator[tuple[Kind, FilePath, tuple[str, ...]]]:
    requirements = folder / settings.file_name
    project = folder / "pyproject.toml"
    document = read_toml(project) if project.is_file() else {}
    missing: tuple[str, ...] = ()
    if not (settings.file_named and requirements.is_file()):
        lock = _uv_lock(folder, document)
        if settings.use_uv and lock is not None:
            yield Kind.UV, lock, ()
        pylock = folder / "pylock.toml"
        if pylock.is_file():
            yield Kind.PYLOCK, pylock, ()
    if settings.use_poetry and _is_poetry(document):
        lock = folder / "poetry.lock"
        if lock.is_file():
            yield Kind.POETRY, lock, ()
        elif settings.require_poetry_lock_file:
            raise ConfigErrors([_no_lock(lock, project, "poetry lock")])
        else:
            missing = ("poetry.lock is missing (`poetry lock` writes it)",)
    if settings.use_pipenv and (folder / "Pipfile").is_file():
        lock = folder / "Pipfile.lock"
        if lock.is_file():
            yield Kind.PIPENV, lock, ()
        else:
            missing = (*missing, "Pipfile.lock is missing (`pipenv lock` writes it)")
    if requirements.is_file():
        yield Kind.REQUIREMENTS, requirements, missing
    elif get(document, "project", "dependencies"):
        unlocked = "there is no lock, so another day's artifact may differ; `uv lock` writes one"
        yield Kind.PROJECT, project, (*missing, unlocked)
    elif missing:
        command = "poetry lock" if "poetry" in missing[0] else "pipenv lock"
        at = project if "poetry" in missing[0] else folder / "Pipfile"
        raise ConfigErrors([_no_lock(folder / missing[0].partition(" ")[0], at, command)])


def _no_lock(lock: FilePath, at: FilePath, command: str) -> ConfigError:
    return ConfigError(
        f"{lock.name} is missing, so what to install is not decided", mark=Mark(at, 1, 1),
        hint=f"run `{command}` and keep the file with the code",
    )  # fmt: skip


def _uv_lock(folder: FilePath, project: Json) -> FilePath | None:
    """The lock of a folder, or of the uv workspace that it is a member of."""
    for above in (folder, *folder.resolve().parents) if project else (folder,):
        lock = above / "uv.lock"
        if lock.is_file():
            at_home = above == folder or get(_quiet_toml(above / "pyproject.toml"), "tool", "uv", "workspace")
            return lock if project and at_home else None
    return None


def _is_poetry(project: Json) -> bool:
    backend = get(project, "build-system", "build-backend")
    named = isinstance(backend, str) and backend.startswith(("poetry.", "poetry_"))
    return named or bool(get(project, "tool", "poetry", "dependencies"))


def read_toml(file: FilePath) -> dict[str, Json]:
    """A TOML file's content. Raises ConfigErrors when it is none."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        line = getattr(error, "lineno", None) or _line_in(str(error))
        raise ConfigErrors(
            [ConfigError(f"cannot read {file.name}: {error}", mark=Mark(file, line, 1))]
        ) from None


def _line_in(message: str) -> int:
    """tomllib tells the line in words only (before Python 3.14)."""
    words = message.replace(",", " ").split()
    following = words[words.index("line") + 1] if "line" in words[:-1] else ""
    return int(following) if following.isdigit() else 1


def _quiet_toml(file: FilePath) -> dict[str, Json]:
    return read_toml(file) if file.is_file() else {}


def _relevant(project: Json) -> bytes:
    """What of pyproject.toml changes dependencies: a linter's settings do not."""
    kept = {
        "project": {
            key: get(project, "project", key)
            for key in ("name", "dependencies", "optional-dependencies", "requires-python", "dynamic")
        },
        "groups": get(project, "dependency-groups"),
        "uv": get(project, "tool", "uv"),
        "poetry": {
            key: get(project, "tool", "poetry", key)
            for key in ("dependencies", "group", "dev-dependencies", "extras", "source")
        },
    }
    return repr(kept).encode()


def _paths_in(value: Json) -> Iterator[str]:
    """Every `editable`, `directory`, `path` or Poetry `url` of a folder, of the sources in a lock."""
    if isinstance(value, dict):
        for key, item in value.items():
            if (key in ("editable", "directory", "virtual") and isinstance(item, str)) or (
                key == "path" and isinstance(item, str)
            ):
                yield item
            elif key == "source" and isinstance(item, dict) and item.get("type") in ("directory", "file"):
                yield str(item.get("url"))
            else:
                yield from _paths_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _paths_in(item)


def _content(path: FilePath) -> Iterator[bytes]:
    """Digests of a file, or of the source files of a folder, in order."""
    if path.is_file():
        yield hashlib.sha256(path.read_bytes()).digest()
        return
    for file in _source_files(path):
        yield file.relative_to(path).as_posix().encode()
        yield hashlib.sha256(file.read_bytes()).digest()


def _source_files(folder: FilePath) -> Iterator[FilePath]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in _NOT_SOURCE or path.name.endswith(".egg-info"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _source_files(path)
        elif path.is_file():
            yield path
