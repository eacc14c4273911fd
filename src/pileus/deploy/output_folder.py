"""A folder of output that appears whole or not at all, whatever kills the process: it is made under another name beside
its place, and takes that in one step."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class NotReplaceable(Exception):
    """`folder` holds `found`, which did not come from here and would be lost."""

    def __init__(self, folder: Path, found: str) -> None:
        super().__init__(f"{folder} holds {found}")
        self.folder, self.found = folder, found


def check_replaceable(out: Path, ours: Sequence[str]) -> None:
    """Raises NotReplaceable unless `out` is absent, or a folder with nothing but files named like `ours` (patterns)."""
    try:
        entries = sorted(out.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise NotReplaceable(out.parent, f"a file named {out.name}") from None
    for entry in entries:
        if entry.is_dir() or not any(fnmatch(entry.name, pattern) for pattern in ours):
            raise NotReplaceable(out, entry.name)


def sweep(out: Path) -> None:
    """Removes what killed processes left beside `out`."""
    for left in out.parent.glob(_made_by(out, "*")):
        if not _is_alive(left.name.split(".")[-2]):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A new folder that takes the place of `out` when the block ends well, and is gone when it does not.

    The files of the former `out` are in it (hard links, where the file system has them), for who can keep one: a file
    must be replaced, never written into. All entries that the block does not want must be removed by it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.parent / _made_by(out, str(os.getpid()))
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        _link_files(out, made)
        yield made
        if out.exists():
            _exchange(made, out)
        else:
            made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _made_by(out: Path, process: str) -> str:
    return f".{out.name.lstrip('.')}.{process}.new"


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _link_files(out: Path, made: Path) -> None:
    if not out.is_dir():
        return
    for entry in out.iterdir():
        if entry.is_file() and not entry.is_symlink():
            try:
                os.link(entry, made / entry.name)
            except OSError:  # a file system without links: then nothing is kept, and all is made anew
                return


def _exchange(made: Path, out: Path) -> None:
    """Both names change places in one step; where the system can't do that, in two."""
    if sys.platform == "linux":
        import ctypes

        rename = getattr(ctypes.CDLL(None), "renameat2", None)
        names = os.fsencode(made), os.fsencode(out)
        if rename is not None and rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
    former = made.with_suffix(".old")
    shutil.rmtree(former, ignore_errors=True)
    out.rename(former)
    made.rename(out)
    shutil.rmtree(former, ignore_errors=True)
