"""What archives are made of: files on the disk, or made in memory, each at its place in the archive."""

import os
from dataclasses import dataclass
from pathlib import Path as FilePath

#: Modes that archives know: Lambda runs as another user, so all may read, and the executable run.
PLAIN = 0o644
EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class FileSource:
    """One file of an archive.

    `path` is its place in the archive: relative, `/` between parts, no `..`. `content` is a file on the disk, or
    the bytes themselves. `mode` is PLAIN or EXECUTABLE. `size` in bytes; `group` is the distribution or package that it belongs to, as
    `--explain` adds sizes up ("" leaves that to the path).
    """

    path: str
    content: FilePath | bytes
    mode: int = PLAIN
    size: int = 0
    group: str = ""

    @classmethod
    def of_file(cls, path: str, file: FilePath, *, group: str = "") -> "FileSource":
        """A file of the disk with its own size; executable when its owner may run it."""
        stat = file.stat()
        return cls(path, file, EXECUTABLE if stat.st_mode & 0o100 else PLAIN, stat.st_size, group)

    @classmethod
    def of_bytes(cls, path: str, data: bytes, *, mode: int = PLAIN, group: str = "") -> "FileSource":
        return cls(path, data, mode, len(data), group)

    def read(self) -> bytes:
        """The content. Raises OSError when the file has gone since it was listed."""
        if isinstance(self.content, bytes):
            return self.content
        with open(os.fspath(self.content), "rb", buffering=0) as file:  # noqa: PTH123 (half the cost of Path.read_bytes)
            return file.readall()
