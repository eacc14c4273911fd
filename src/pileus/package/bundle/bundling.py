"""Runs esbuild once for all functions of a runtime, and gives the files that each function needs."""

import base64
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.package.bundle.modules import Modules
from pileus.package.bundle.settings import Settings
from pileus.package.files import FileSource
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.model import Function, Service
from pileus.service.tree import Json

_EXTENSIONS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_SECONDS = 600
_LINES = 40
_GROUP = "bundles"
_INLINE = b"//# sourceMappingURL=data:application/json;base64,"


@dataclass(frozen=True, slots=True)
class Bundled:
    """The files of one function: what esbuild wrote, and the packages that stay outside."""

    files: tuple[FileSource, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    function: Function
    #: The source, and where the bundled file goes, both from the service's folder.
    source: FilePath
    stem: str
    target: str


def is_bundled(service: Service, function: Function) -> bool:
    """Node functions are, unless `skipEsbuild` says otherwise, or an archive is given."""
    runtime = function.get("runtime") or service.setting("runtime") or "nodejs"
    return (
        str(runtime).startswith("nodejs")
        and function.get("image") is None
        and not function.get("skipEsbuild")
        and not function.get("package", "artifact")
    )


def bundle(service: Service, functions: Iterable[Function], settings: Settings) -> Mapping[str, Bundled]:
    """The files of each function, by its key. Raises ConfigErrors: no esbuild, no source, or what esbuild refuses."""
    mistakes: list[ConfigError] = []
    by_target: dict[str, list[_Entry]] = {}
    for function in functions:
        found = _entry(service, function, settings)
        if isinstance(found, ConfigError):
            mistakes.append(found)
        else:
            by_target.setdefault(found.target, []).append(found)
    if mistakes:
        raise ConfigErrors(mistakes)
    bundled: dict[str, Bundled] = {}
    program = _esbuild(service, settings) if by_target else None
    for target, entries in by_target.items():
        assert program is not None
        bundled.update(_run(program, service, entries, target, settings))
    return bundled


@dataclass(frozen=True, slots=True)
class Build:
    """How one function is built where it runs from its folder: the source and the place of the result (without suffix)
    from the service's folder, and esbuild's arguments for all but those."""

    source: str
    place: str
    arguments: tuple[str, ...]


def builds(service: Service, functions: Iterable[Function], settings: Settings) -> dict[str, Build]:
    """By the functions' keys; one without a source is left out, and told by who looks for handlers."""
    found = {}
    for function in functions:
        entry = _entry(service, function, settings)
        if isinstance(entry, _Entry):
            target = (f"--target={entry.target}",) if entry.target else ()
            found[function.key] = Build(entry.source.as_posix(), entry.stem, (*settings.arguments, *target))
    return found


def _entry(service: Service, function: Function, settings: Settings) -> _Entry | ConfigError:
    written = function.get("esbuildEntrypoint") or function.get("handler")
    setting = "esbuildEntrypoint" if function.get("esbuildEntrypoint") else "handler"
    text = str(written)
    stem = text.rpartition(".")[0] if "." in text.rpartition("/")[2] else text
    runtime = str(function.get("runtime") or service.setting("runtime") or "")
    target = settings.target or (
        f"node{runtime[6:].partition('.')[0]}" if runtime.startswith("nodejs") else ""
    )
    folder = service.directory.resolve()
    for extension in _EXTENSIONS:
        file = (folder / f"{stem}{extension}").resolve()
        if file.is_file() and file.is_relative_to(folder):
            place = str(function.get("handler")).rpartition(".")[0].removeprefix("./")
            if place.startswith("/") or ".." in place.split("/"):
                message = f"the bundle of the function '{function.key}' cannot lie in the archive at {place}"
                return service.mistake(message, (*function.path, "handler"))
            return _Entry(function, file.relative_to(folder), place, target)
    tried = ", ".join(f"{stem}{extension}" for extension in _EXTENSIONS[:1] + _EXTENSIONS[4:5])
    message = f"the function '{function.key}' has no source: there is no {tried} or the like"
    return service.mistake(message, (*function.path, setting))


def _esbuild(service: Service, settings: Settings) -> FilePath:
    """The project's own, from the folder of the service or one above it."""
    for folder in (service.directory.resolve(), *service.directory.resolve().parents):
        modules = folder / "node_modules"
        # The program itself starts in milliseconds; the script in .bin goes through Node where npm ran no scripts.
        for program in (modules / "@esbuild" / _platform() / "bin" / "esbuild", modules / ".bin" / "esbuild"):
            if (modules / "esbuild").is_dir() and program.is_file():
                return program
    raise ConfigErrors(
        [
            service.mistake(
                "the functions are bundled with esbuild, which is not in the project's node_modules",
                settings.path,
                "npm install --save-dev esbuild",
            )
        ]
    )


def _platform() -> str:
    """The name of esbuild's package for this machine."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _run(
    program: FilePath, service: Service, entries: list[_Entry], target: str, settings: Settings
) -> dict[str, Bundled]:
    folder = service.directory.resolve()
    sources: dict[str, FilePath] = {}
    for entry in entries:
        if sources.setdefault(entry.stem, entry.source) != entry.source:
            message = (
                f"{entry.stem}{settings.extension} would be made of {entry.source} and {sources[entry.stem]}"
            )
            raise ConfigErrors([service.mistake(message, entry.function.path)])
    with tempfile.TemporaryDirectory(prefix="pileus-esbuild-") as scratch:
        out, meta = FilePath(scratch).resolve() / "out", FilePath(scratch) / "meta.json"
        command = [
            str(program),
            *(f"{stem}=./{source.as_posix()}" for stem, source in sources.items()),
            *settings.arguments,
            *([f"--target={target}"] if target else []),
            f"--outdir={out}",
            f"--metafile={meta}",
            "--log-level=warning",
            "--color=false",
        ]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(service, settings, f"{program} cannot be run: {error}") from error
        if done.returncode:
            raise _failed(service, settings, done.stderr.decode("utf-8", "replace").strip())
        written = _Written.read(out, json.loads(meta.read_bytes())["outputs"], folder)
        modules = Modules(folder, service, settings)
        return {
            entry.function.key: Bundled(
                (
                    *written.files_of(entry.stem),
                    *modules.packages(written.outside(entry.stem), entry.source, entry.function),
                )
            )
            for entry in entries
        }


def _failed(service: Service, settings: Settings, said: str) -> ConfigErrors:
    said = said.partition("\nnode:")[0].rstrip()  # the script in .bin adds a trace of its own
    shown = "\n".join(said.splitlines()[:_LINES])
    return ConfigErrors([service.mistake(f"esbuild failed:\n{shown}", settings.path)])


@dataclass(frozen=True, slots=True)
class _Written:
    """What esbuild wrote: each file by its place, what it says of it, and the entry that it is, if any."""

    files: dict[str, FileSource]
    described: dict[str, Json]

    @classmethod
    def read(cls, out: FilePath, outputs: Mapping[str, Json], folder: FilePath) -> "_Written":
        files, described = {}, {}
        for path, output in outputs.items():
            file = (folder / path).resolve()
            place = file.relative_to(out).as_posix()
            data = _portable(file.read_bytes(), file, folder, place)
            files[place] = FileSource.of_bytes(place, data, group=_GROUP)
            described[place] = {
                **output,
                "imports": [
                    each
                    if each.get("external")
                    else {**each, "path": (folder / each["path"]).resolve().relative_to(out).as_posix()}
                    for each in output.get("imports", ())
                ],
            }
        return cls(files, described)

    def files_of(self, stem: str) -> list[FileSource]:
        """The bundle of an entry, the chunks that it shares with others, and files that belong to no entry (assets)."""
        chunks = set(self._reached(stem))
        wanted = {
            place
            for place, output in self.described.items()
            if place in chunks or not ("entryPoint" in output or "chunk" in place or place.endswith(".map"))
        }
        return [
            file
            for place, file in self.files.items()
            if place in wanted or place.removesuffix(".map") in wanted
        ]

    def outside(self, stem: str) -> set[str]:
        """The modules that an entry imports and esbuild left where they are."""
        return {
            str(each["path"])
            for place in self._reached(stem)
            for each in self.described[place]["imports"]
            if each.get("external")
        }

    def _reached(self, stem: str) -> list[str]:
        start = [
            place
            for place, output in self.described.items()
            if "entryPoint" in output and place.rpartition(".")[0] == stem
        ]
        reached: list[str] = []
        while start:
            place = start.pop()
            if place not in reached and place in self.described:
                reached.append(place)
                start += [
                    each["path"] for each in self.described[place]["imports"] if not each.get("external")
                ]
        return reached


def _portable(data: bytes, file: FilePath, folder: FilePath, place: str) -> bytes:
    """Source maps name sources from the scratch folder; here from the place in the archive, so that every machine
    writes the same bytes."""
    if file.suffix == ".map":
        return _moved(data, file, folder, place)
    head, mark, inline = data.rpartition(_INLINE)
    if not mark:
        return data
    moved = _moved(base64.b64decode(inline.strip()), file, folder, place)
    return head + mark + base64.b64encode(moved) + b"\n"


def _moved(data: bytes, file: FilePath, folder: FilePath, place: str) -> bytes:
    described = json.loads(data)
    at = (folder / place).parent
    described["sources"] = [
        os.path.relpath((file.parent / source).resolve(), at).replace(os.sep, "/")
        for source in described["sources"]
    ]
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
