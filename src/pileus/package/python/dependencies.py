"""The Python dependencies of a service or one function: from the cache, or installed now and kept there."""

import hashlib
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pileus.package.files import EXECUTABLE, PLAIN, FileSource
from pileus.package.python.cache import Cache, Entry, Making, cache_folder
from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import Settings
from pileus.package.python.sources import Kind, Source, find_source
from pileus.package.python.tools import index_settings
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.marks import Mark
from pileus.service.model import Function, Service

#: Counts up when the same inputs are to give other files.
FORMAT = 1
#: Where the root of an artifact and of a layer is in Lambda.
TASK, LAYER = "/var/task", "/opt/python"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution in an artifact. `size` in bytes, unzipped, `.pyc` included; `required_by` names
    distributions, and the user's file for what he asks for himself."""

    name: str
    version: str
    size: int
    files: int
    required_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What goes into an artifact. `source` is the file that was followed, None when there is none; `key` tells
    equal content; `notes` and `warnings` are for the user; `kept` when it came from the cache."""

    files: tuple[FileSource, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    source: Source | None = None
    platform: LambdaPlatform | None = None
    key: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[ConfigError, ...] = ()
    kept: bool = False


def python_dependencies(
    service: Service,
    function: Function | None,
    platform: LambdaPlatform,
    settings: Settings,
    *,
    prefix: str = TASK,
    progress: Callable[[str], None] = lambda text: None,
) -> Dependencies:
    """The dependencies of the service, or of a function's own `module` folder, as files of an artifact's root.

    `prefix` is that root's path in Lambda. Raises ConfigErrors.
    """
    folder = source_folder(service, function)
    source = find_source(folder, settings)
    if source is None:
        return Dependencies(platform=platform, warnings=settings.warnings)
    key = _key(source, platform, settings, prefix)
    cache = Cache(cache_folder(settings.cache_location))
    entry = None if settings.fresh else cache.find(key)
    kept = entry is not None
    if entry is None:
        progress(
            f"Installing the Python dependencies of {_shown(source.file, service.directory)} for {platform}"
        )
        entry = _made(cache, key, source, platform, settings, prefix)
        if settings.static_cache_max_versions:
            cache.limit(settings.static_cache_max_versions)
    result = _from_entry(entry, key, source, platform)
    passed_over = (ConfigError(text, mark=source.mark) for text in source.warnings)
    warnings = (*settings.warnings, *passed_over, *source.moving())
    return replace(result, warnings=warnings, kept=kept)


def source_folder(service: Service, function: Function | None) -> FilePath:
    module = function.config.get("module") if function is not None else None
    return service.directory / module if isinstance(module, str) and module else service.directory


def _key(source: Source, platform: LambdaPlatform, settings: Settings, prefix: str) -> str:
    digest = hashlib.sha256()
    said = (
        FORMAT, platform, prefix, settings.zip, settings.slim, settings.strip, settings.slim_patterns,
        settings.slim_patterns_append_defaults, settings.no_deploy, settings.pip_arguments, settings.precompile,
        settings.python_bin, settings.poetry_with_groups, settings.poetry_without_groups, settings.poetry_only_groups,
        index_settings(source.folder) if source.kind in (Kind.REQUIREMENTS, Kind.PROJECT) else (),
    )  # fmt: skip
    for piece in (repr(said).encode(), *source.identity(settings)):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return digest.hexdigest()[:40]


def _made(
    cache: Cache, key: str, source: Source, platform: LambdaPlatform, settings: Settings, prefix: str
) -> Entry:
    # Made afresh it gets a name of its own: another process may be reading the entry of the plain key.
    name = f"{key}.once-{uuid.uuid4().hex[:12]}" if settings.fresh else key
    try:
        with cache.making(name) as making:
            found = None if settings.fresh else cache.find(name)
            return found or making.keep(_fill(making, source, platform, settings, prefix))
    except OSError as error:
        where = error.filename or cache.root
        raise ConfigErrors([ConfigError(f"cannot write {where}: {error.strerror}",
                                        hint="set PILEUS_CACHE_DIR or custom.pythonRequirements.cacheLocation")]) from error  # fmt: skip


def _fill(
    making: Making, source: Source, platform: LambdaPlatform, settings: Settings, prefix: str
) -> dict[str, Any]:
    """Install, tidy, compile; returns the index. What only this needs is imported here."""
    from pileus.package.python import bytecode, listing, tidy
    from pileus.package.python.installer import Installed, install
    from pileus.package.python.wanted import wanted

    files = making.files
    wants = wanted(source, settings, platform, making.work)
    builds = making.cache.root / ".builds"
    done = Installed() if wants.empty else install(wants, settings, platform, files, making.work, builds)
    found = listing.distributions(files)
    _refuse_foreign(found, done.built, platform, wants.roots, source)
    for one in [one for one in found if one.key in settings.no_deploy]:
        tidy.remove_distributions(files, one.files)
        found.remove(one)
    roots = {key: mark.file.name for key, mark in wants.roots.items()}
    by = listing.required_by(found, roots, platform)
    notes = tidy.tidy(files, settings, platform)
    if settings.precompile:
        python = bytecode.interpreter(platform, settings.python_bin, source.folder)
        if python is None:
            notes.append(f"no .pyc: python{platform.python} is not on this machine to compile them")
        else:
            bytecode.precompile(files, python, prefix)
    owner = {name: number for number, one in enumerate(found) for name in one.files}
    return {
        "notes": notes,
        "distributions": [[one.name, one.version, list(by[one.key])] for one in found],
        "files": [_index_row(files, path, owner) for path in sorted(_paths(files))],
    }


def _refuse_foreign(
    found: list[Any],
    built: frozenset[str],
    platform: LambdaPlatform,
    roots: Mapping[str, Mark],
    source: Source,
) -> None:
    """What was built here must run anywhere."""
    mistakes = [
        ConfigError(
            f"{one.name} {one.version} has no wheel for {platform}, and what builds from its source runs on this "
            f"machine only ({', '.join(one.tags)})",
            mark=roots.get(one.key, source.mark),
            hint="take a version with wheels, or put a build of it for Lambda into a folder named as `vendor`",
        )
        for one in found
        if one.key in built and any(not tag.endswith("-any") for tag in one.tags)
    ]
    if mistakes:
        raise ConfigErrors(mistakes)


def _paths(folder: FilePath) -> list[str]:
    return [
        FilePath(where, name).relative_to(folder).as_posix()
        for where, _, names in os.walk(folder)
        for name in names
    ]


def _index_row(folder: FilePath, path: str, owner: Mapping[str, int]) -> list[Any]:
    """[path, size, executable, number of its distribution or -1]; a `.pyc` belongs to its source's."""
    stat = (folder / path).stat()
    number = owner.get(path)
    if number is None and path.endswith(".pyc"):
        where, _, name = path.rpartition("__pycache__/")
        number = owner.get(f"{where}{name.partition('.')[0]}.py")
    return [path, stat.st_size, bool(stat.st_mode & 0o100), -1 if number is None else number]


def _from_entry(entry: Entry, key: str, source: Source, platform: LambdaPlatform) -> Dependencies:
    index = entry.index
    names = [name for name, _, _ in index["distributions"]]
    sizes, counts = [0] * (len(names) + 1), [0] * (len(names) + 1)
    root = str(entry.files)
    files = []
    for path, size, executable, number in index["files"]:
        sizes[number] += size
        counts[number] += 1
        group = names[number] if number >= 0 else ""
        files.append(
            FileSource(path, FilePath(f"{root}/{path}"), EXECUTABLE if executable else PLAIN, size, group)
        )
    distributions = tuple(
        Distribution(name, version, sizes[number], counts[number], tuple(by))
        for number, (name, version, by) in enumerate(index["distributions"])
    )
    return Dependencies(tuple(files), distributions, source, platform, key, tuple(index["notes"]))


def _shown(file: FilePath, base: FilePath) -> str:
    return str(file.relative_to(base)) if file.is_relative_to(base) else str(file)
