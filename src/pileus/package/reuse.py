"""What is known of archives made before, so that an unchanged file is not compressed again, nor an unchanged archive
written again.

A file counts as unchanged when size, times, inode and mode are those of the last time. Time stamps have a grain: a file
touched within two seconds before it was read could change again and look the same, so of such a one nothing is noted. The
former archive is taken only when its digest is the one noted. The notes lie in the user's cache folder
($PILEUS_CACHE_DIR, else ~/.cache/pileus), never beside the service; without them all is made anew.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path as FilePath

import orjson

from pileus.package.files import FileSource
from pileus.package.user_cache import user_cache
from pileus.package.zips import Entry, Former, Written, digests_of, read_file

_FORMAT = 1
_GRAIN = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Notes:
    """Of one archive: its digest, and each entry with the signature of the file that it was made of ("": not sure)."""

    sha256: str
    entries: Mapping[str, tuple[str, Entry]]

    def former(self, archive: FilePath, signatures: Mapping[str, str]) -> Former | None:
        """What can be taken over from the archive, when it is the one that the notes speak of."""
        data = read_file(archive)
        if not data or digests_of(data).sha256 != self.sha256:
            return None
        same = {
            path: entry
            for path, (signature, entry) in self.entries.items()
            if signature and signatures.get(path) == signature
        }
        return Former(memoryview(data), same)


def notes_file(directory: FilePath, file_name: str) -> FilePath:
    """Where the notes on an archive of a service lie."""
    of = hashlib.sha256(os.fsencode(directory / file_name)).hexdigest()[:32]
    return user_cache() / "archives" / f"{of}.json"


def read_notes(file: FilePath) -> Notes | None:
    try:
        content = orjson.loads(file.read_bytes())
        if content["format"] != _FORMAT:
            return None
        entries = {row[1]: (str(row[0]), Entry(*row[1:])) for row in content["entries"]}
        return Notes(content["sha256"], entries)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write_notes(file: FilePath, written: Written, signatures: Mapping[str, str]) -> None:
    """Note an archive; a cache folder that cannot be written to is no mistake."""
    rows = [[signatures.get(entry.path, ""), *astuple(entry)] for entry in written.entries]
    content = orjson.dumps({"format": _FORMAT, "sha256": written.digests.sha256, "entries": rows})
    made = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(content)
        made.replace(file)
    except OSError:
        made.unlink(missing_ok=True)


def signatures_of(sources: Sequence[FileSource], now_ns: int) -> dict[str, str]:
    """What tells each file from a changed one, "" when nothing surely does. Raises OSError for one that has gone."""
    return {source.path: _signature(source, now_ns) for source in sources}


def _signature(source: FileSource, now_ns: int) -> str:
    if isinstance(source.content, bytes):
        return f"{source.mode:o} {hashlib.sha256(source.content).hexdigest()}"
    state = os.stat(source.content)  # noqa: PTH116 (half the cost)
    if max(state.st_mtime_ns, state.st_ctime_ns) > now_ns - _GRAIN:
        return ""
    times = f"{state.st_mtime_ns} {state.st_ctime_ns}"
    return f"{source.mode:o} {state.st_size} {times} {state.st_dev} {state.st_ino}"
