"""Plan → archives in the output folder, with the digests that the template needs."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.compile.artifacts import Artifact, Artifacts
from pileus.package import reuse
from pileus.package.archive_paths import is_safe
from pileus.package.explain import ArtifactSizes, Explanation, Item, items_of_archive, share_of, shares
from pileus.package.files import FileSource
from pileus.package.limits import check_limits
from pileus.package.plan import ArtifactPlan, Kind, PackagePlan, Target
from pileus.package.zips import Digests, Entry, Former, Written, digests_of, write_archive
from pileus.service.errors import ConfigErrors

#: Is told what is being done, a short text each time.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One archive on the disk. Sizes in bytes; `sha256` as CodeSha256, base64; `reused` when it stood there already."""

    target: Target
    file: FilePath
    size: int
    unzipped: int
    sha256: str
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: `artifacts` for the compiler, `files` for the upload, `explain` for people."""

    artifacts: Artifacts
    files: tuple[BuiltFile, ...]
    explain: Explanation


@dataclass(frozen=True, slots=True)
class _One:
    file: BuiltFile
    artifact: Artifact
    sizes: ArtifactSizes


def build_package(
    plan: PackagePlan,
    out: FilePath,
    *,
    at_ms: int,
    progress: Progress = lambda text: None,
    now_ns: Callable[[], int] = time.time_ns,
) -> Built:
    """Write the plan's archives to `out`, and only the archives: what else lies there stays.

    Raises ConfigErrors before anything is written when Lambda's limits would be exceeded. Each file of `out` appears
    whole or not at all. `now_ns` is the clock that files' time stamps go by.
    """
    check_limits(plan)
    out.mkdir(parents=True, exist_ok=True)
    made: list[_One] = []
    for artifact in plan.artifacts:
        try:
            if artifact.ready is not None:
                made.append(_ready(artifact, artifact.ready))
            else:
                progress(f"packing {artifact.file_name}")
                made.append(_made(plan, artifact, out, now_ns()))
        except OSError as error:
            message = f"{error.filename or artifact.file_name} cannot be packed: {error.strerror}"
            raise ConfigErrors([plan.service.mistake(message, artifact.path, key=True)]) from error
    return Built(
        _artifacts(plan, made, at_ms),
        tuple(one.file for one in made),
        Explanation(tuple(one.sizes for one in made)),
    )


def _artifacts(plan: PackagePlan, made: list[_One], at_ms: int) -> Artifacts:
    def of(kind: Kind) -> dict[str, Artifact]:
        return {one.file.target.key: one.artifact for one in made if one.file.target.kind is kind}

    nothing = Artifacts.synthetic(plan.service, at_ms)  # of images only, or of no function
    return Artifacts(
        at_ms=at_ms,
        service=of(Kind.SERVICE).get("", nothing.service),
        functions=of(Kind.FUNCTION),
        layers=of(Kind.LAYER),
        custom_resources=of(Kind.CUSTOM_RESOURCES).get("", nothing.custom_resources),
    )


def _one(
    plan: ArtifactPlan, file: FilePath, size: int, digests: Digests, items: list[Item], *, reused: bool
) -> _One:
    unzipped = sum(item.unzipped for item in items)
    return _One(
        BuiltFile(plan.target, file, size, unzipped, digests.sha256, reused),
        Artifact(plan.file_name, digests.sha256, digests.sha1),
        ArtifactSizes(plan.target, plan.file_name, unzipped, size, shares(items)),
    )


def _ready(plan: ArtifactPlan, file: FilePath) -> _One:
    data = file.read_bytes()
    return _one(plan, file, len(data), digests_of(data), items_of_archive(file), reused=True)


def _made(plan: PackagePlan, artifact: ArtifactPlan, out: FilePath, now_ns: int) -> _One:
    sources = _sorted(artifact)
    archive = out / artifact.file_name
    notes_file = reuse.notes_file(plan.service.directory, artifact.file_name)
    notes = reuse.read_notes(notes_file)
    signatures = reuse.signatures_of(sources, now_ns)
    former = notes.former(archive, signatures) if notes is not None else None
    if (
        notes is not None
        and former is not None
        and list(former.entries) == list(notes.entries) == list(signatures)
    ):
        digests = digests_of(former.data)
        entries = tuple(former.entries.values())
        return _one(artifact, archive, len(former.data), digests, _items(sources, entries), reused=True)
    written = _write(archive, sources, former)
    reuse.write_notes(notes_file, written, signatures)
    items = _items(sources, written.entries)
    return _one(artifact, archive, written.size, written.digests, items, reused=False)


def _sorted(artifact: ArtifactPlan) -> list[FileSource]:
    """The files by path; of two of one path, the later."""
    by_path = {source.path: source for source in artifact.files}
    for path in by_path:
        if not is_safe(path):
            raise ValueError(f"{artifact.file_name}: {path!r} has no place in an archive")
    return [by_path[path] for path in sorted(by_path)]


def _write(archive: FilePath, sources: list[FileSource], former: Former | None) -> Written:
    part = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            written = write_archive(file, sources, former)
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
    return written


def _items(sources: list[FileSource], entries: tuple[Entry, ...]) -> list[Item]:
    return [
        Item(share_of(source), entry.size, entry.packed)
        for source, entry in zip(sources, entries, strict=True)
    ]
