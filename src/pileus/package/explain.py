"""Where the megabytes of an archive come from: sizes by dependency, and by folder for the rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as FilePath

from pileus.package.files import FileSource
from pileus.package.plan import ArtifactPlan, Target

#: Of files that lie in no folder.
TOP = "(top level)"


@dataclass(frozen=True, slots=True)
class Share:
    """What one dependency or top-level folder adds to an archive; sizes in bytes."""

    name: str
    files: int
    unzipped: int
    zipped: int


@dataclass(frozen=True, slots=True)
class ArtifactSizes:
    """One archive, its shares sorted by unzipped size, the largest first."""

    target: Target
    file_name: str
    unzipped: int
    zipped: int
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    artifacts: tuple[ArtifactSizes, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One file of an archive: its share, its size, and its size in the archive (0: not known yet)."""

    share: str
    unzipped: int
    zipped: int = 0


def share_of(source: FileSource) -> str:
    """The dependency or the folder that a file belongs to."""
    return source.group or share_of_path(source.path)


def share_of_path(path: str) -> str:
    """`node_modules/@scope/name`, `python/name` of a layer, else the first folder."""
    return _share_of_folder(path.rpartition("/")[0])


@lru_cache(4096)
def _share_of_folder(folder: str) -> str:
    parts = folder.split("/")
    depth = 1
    if parts[0] in ("node_modules", "python"):
        depth = 3 if parts[1:2] and parts[1].startswith("@") else 2
    elif parts[:2] == ["nodejs", "node_modules"]:
        depth = 4 if parts[2:3] and parts[2].startswith("@") else 3
    return "/".join(parts[:depth]) or TOP


def shares(items: Iterable[Item]) -> tuple[Share, ...]:
    """The items added up, the largest first."""
    sums: dict[str, tuple[int, int, int]] = {}
    for item in items:
        files, unzipped, zipped = sums.get(item.share, (0, 0, 0))
        sums[item.share] = (files + 1, unzipped + item.unzipped, zipped + item.zipped)
    added = [Share(name, *numbers) for name, numbers in sums.items()]
    return tuple(sorted(added, key=lambda share: (-share.unzipped, share.name)))


def items_of(plan: ArtifactPlan) -> list[Item]:
    """The files of an artifact that is yet to be made, or lies ready. One that is no zip archive is one item."""
    if plan.ready is None:
        return [Item(share_of(source), source.size) for source in plan.files]
    return items_of_archive(plan.ready)


def items_of_archive(file: FilePath) -> list[Item]:
    import zipfile  # only for who brings archives along

    try:
        with zipfile.ZipFile(file) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError):
        return [Item(file.name, file.stat().st_size, file.stat().st_size)]
    return [Item(share_of_path(info.filename), info.file_size, info.compress_size) for info in listed]
