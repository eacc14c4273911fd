"""An installed folder made fit for Lambda: nothing of this machine in it, nothing that Lambda has no use for.

Of the metadata stays what `importlib.metadata` needs for versions and entry points. Console scripts go: their
first line names an interpreter of this machine.
"""

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath

from pileus.package.globs import matching
from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import Settings

#: As serverless-python-requirements has them, but for the metadata, which code asks for at run time.
_SLIM = ("**/*.py[co]", "**/__pycache__*")
_TESTS = ("*/**/tests/**", "*/**/test/**", "*/tests/**")
_KEPT_METADATA = frozenset({"METADATA", "entry_points.txt", "top_level.txt", "WHEEL"})
_LAMBDA_PYTHON = b"#!/var/lang/bin/python3"


def tidy(folder: FilePath, settings: Settings, platform: LambdaPlatform) -> list[str]:
    """Change the folder in place; returns notes for the user."""
    for path in list(_files(folder)):
        if path.suffix in (".pyc", ".pyo") or (path.name == ".lock" and path.parent == folder):
            path.unlink()
    for info in folder.glob("*.dist-info"):
        _tidy_metadata(folder, info)
    notes = _slim(folder, settings, platform) if settings.slim else []
    _remove_empty(folder)
    return notes


def remove_distributions(folder: FilePath, files: Iterable[str]) -> None:
    """Take away the files of what `noDeploy` names."""
    for name in files:
        (folder / name).unlink(missing_ok=True)
    _remove_empty(folder)


def _tidy_metadata(folder: FilePath, info: FilePath) -> None:
    entry_points = info / "entry_points.txt"
    if entry_points.is_file():
        for name in re.findall(
            r"^\s*([\w.-]+)\s*=", entry_points.read_text("utf-8", "replace"), re.MULTILINE
        ):
            for generated in (folder / "bin" / name, folder / "Scripts" / f"{name}.exe"):
                generated.unlink(missing_ok=True)
    for path in list(_files(info)):
        if path.name not in _KEPT_METADATA:
            path.unlink()
    scripts = folder / "bin"
    for script in _files(scripts) if scripts.is_dir() else ():
        data = script.read_bytes()
        if data.startswith(b"#!") and b"python" in data.partition(b"\n")[0]:
            script.write_bytes(_LAMBDA_PYTHON + b"\n" + data.partition(b"\n")[2])


def _slim(folder: FilePath, settings: Settings, platform: LambdaPlatform) -> list[str]:
    patterns = settings.slim_patterns
    if settings.slim_patterns_append_defaults:
        patterns = (*_SLIM, *_TESTS, *patterns)
    globs = [matching(pattern) for pattern in patterns]
    for path in list(_files(folder)):
        inside = path.relative_to(folder)
        names = [inside.as_posix(), *(parent.as_posix() for parent in inside.parents if parent.name)]
        if any(glob(name) for glob in globs for name in names):
            path.unlink()
    return _strip(folder, platform) if settings.strip else []


def _strip(folder: FilePath, platform: LambdaPlatform) -> list[str]:
    """`strip` of the binutils, or LLVM's, where it knows the machine and leaves a library that can be loaded."""
    libraries = [path for path in _files(folder) if re.search(r"\.so(\.[\d.]+)?$", path.name)]
    if not libraries:
        return []
    tool = (
        shutil.which("llvm-strip")
        or shutil.which(f"{platform.machine}-linux-gnu-strip")
        or shutil.which("strip")
    )
    if tool is None:
        return ["`strip` is not there (binutils): the .so files are as their wheels have them"]
    kept = []
    for library in libraries:
        before = library.read_bytes()
        result = subprocess.run([tool, str(library)], capture_output=True, check=False)
        if result.returncode or not _loadable(library.read_bytes()):
            library.write_bytes(before)
            kept.append(library.name)
    if kept:
        shown = ", ".join(kept[:3]) + (f" and {len(kept) - 3} more" if len(kept) > 3 else "")
        return [f"`strip` cannot handle {shown}: left as the wheel has it"]
    return []


def _loadable(data: bytes) -> bool:
    """Whether the loader would map a 64-bit ELF file: some versions of strip leave segments where it will not."""
    if data[:5] != b"\x7fELF\x02":
        return False
    start, size, count = (
        struct.unpack_from("<Q", data, 32)[0],
        *struct.unpack_from("<HH", data, 54),
    )
    for number in range(count):
        kind, _, offset, address, _, length, _, align = struct.unpack_from(
            "<IIQQQQQQ", data, start + number * size
        )
        if kind == 1 and ((align and (address - offset) % align) or offset + length > len(data)):
            return False
    return True


def _files(folder: FilePath) -> Iterator[FilePath]:
    for where, _, names in os.walk(folder):
        yield from (FilePath(where, name) for name in names)


def _remove_empty(folder: FilePath) -> None:
    for where, _, _ in os.walk(folder, topdown=False):
        if where != str(folder) and not any(FilePath(where).iterdir()):
            FilePath(where).rmdir()
