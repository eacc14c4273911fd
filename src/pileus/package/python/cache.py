"""Installed dependencies, kept in the user's cache folder by a digest of all that decides them.

An entry is a folder with `files/` and `index.json`. It is made under another name and renamed when it is whole, so
that whatever is there is complete, also after a kill; who makes one holds a lock, so that of several processes one
installs and the others wait for it.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import orjson

from pileus.package.user_cache import user_cache

_DAY = 24 * 3600
_INDEX = "index.json"


def cache_folder(location: str = "") -> FilePath:
    """The folder of installed dependencies; `location` instead of the user's cache folder."""
    return user_cache(location) / "python"


@dataclass(frozen=True, slots=True)
class Entry:
    """`files` is the folder of what was installed, `index` what its maker wrote down of it."""

    files: FilePath
    index: dict[str, Any]


class Cache:
    """`root` is made when something is kept."""

    def __init__(self, root: FilePath) -> None:
        self.root = root

    def find(self, key: str) -> Entry | None:
        """The entry of a key, marked as used now."""
        folder = self.root / key
        try:
            with open(folder / _INDEX, "rb") as file:  # noqa: PTH123
                index = orjson.loads(file.read())
        except (OSError, orjson.JSONDecodeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(folder / _INDEX)
        return Entry(folder / "files", index)

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator["Making"]:
        """Make the entry of a key: fill `files`, then `keep`. Look again with `find` first: another process may
        have made it while this one waited."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with _locked(self.root / f".{key}.lock"):
            folder = FilePath(tempfile.mkdtemp(prefix=".making-", dir=self.root))
            try:
                (folder / "files").mkdir()
                (folder / "work").mkdir()
                yield Making(self, key, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def limit(self, most: int) -> None:
        """Remove the entries that were not used for longest, until `most` are left."""
        used = sorted(self._entries(), key=lambda entry: entry[0], reverse=True)
        for _, folder in used[most:]:
            self._remove(folder)

    def _entries(self) -> Iterator[tuple[int, FilePath]]:
        for folder in self.root.iterdir():
            if not folder.name.startswith("."):
                with contextlib.suppress(OSError):
                    yield (folder / _INDEX).stat().st_mtime_ns, folder

    def _sweep(self) -> None:
        """What a kill left behind, and what was made for one run only, goes after a day."""
        old = time.time() - _DAY
        for path in self.root.iterdir():
            passing = path.name.startswith(".making-") or ".once-" in path.name or path.suffix == ".lock"
            with contextlib.suppress(OSError):
                if passing and path.stat().st_mtime < old:
                    self._remove(path)

    def _remove(self, folder: FilePath) -> None:
        """First out of sight at once, then file by file."""
        if folder.is_file():
            folder.unlink(missing_ok=True)
            return
        with contextlib.suppress(OSError):
            hidden = folder.with_name(f".making-{folder.name.strip('.')}-{os.getpid()}")
            folder.rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Making:
    """An entry being made: `files` to fill, `work` for what is needed on the way."""

    cache: Cache
    key: str
    folder: FilePath

    @property
    def files(self) -> FilePath:
        return self.folder / "files"

    @property
    def work(self) -> FilePath:
        return self.folder / "work"

    def keep(self, index: dict[str, Any]) -> Entry:
        """The entry, whole."""
        shutil.rmtree(self.work, ignore_errors=True)
        (self.folder / _INDEX).write_bytes(orjson.dumps(index))
        target = self.cache.root / self.key
        if target.exists():  # half of one: somebody has been at it by hand
            self.cache._remove(target)
        self.folder.rename(target)
        return Entry(target / "files", index)


@contextlib.contextmanager
def _locked(file: FilePath) -> Iterator[None]:
    """Holds a lock until the end, also that of the process. Windows has none here: there the last one wins."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with file.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
