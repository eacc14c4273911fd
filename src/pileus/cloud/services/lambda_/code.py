"""The code of a function: a zip that is unpacked once, by its digest, or a mounted folder that is used as it stands."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import InvalidParameterValueException, RequestEntityTooLargeException

#: AWS's limit on the unpacked code with its layers.
MAX_UNPACKED = 262_144_000
#: A request with its package in base64; a package of 50 MB fits in.
MAX_REQUEST = 70_167_211


@dataclass(frozen=True, slots=True)
class Code:
    """sha256: base64, as the API says it. folder: where it lies unpacked. mounted: it is somebody's working folder.
    zip: the file it came in, none for a mounted folder. unpacked: bytes, 0 for a mounted folder."""

    sha256: str
    size: int
    folder: str
    mounted: bool = False
    zip: str = ""
    unpacked: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mounted(folder: str) -> Code:
    """Code that is not packed. Its digest stands for the place: what lies there is read anew by each environment."""
    path = Path(folder).resolve()
    digest = hashlib.sha256(b"mounted:" + os.fsencode(path)).digest()
    return Code(base64.b64encode(digest).decode(), 0, str(path), mounted=True)


def check_upload(content: bytes, operation: str) -> None:
    """A package that comes with the request: larger ones must come from S3."""
    if len(content) * 4 // 3 > MAX_REQUEST:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {MAX_REQUEST} bytes for the {operation} operation"
        )


def unpacked(content: bytes, root: Path) -> Code:
    """Unpacks a deployment package below `root`, unless the same one lies there. Raises AWS's errors for a bad one."""
    digest = hashlib.sha256(content)
    sha256 = base64.b64encode(digest.digest()).decode()
    folder = root / digest.hexdigest()
    package = root / f"{digest.hexdigest()}.zip"
    if folder.is_dir():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    else:
        root.mkdir(parents=True, exist_ok=True)
        incoming = root / f"{digest.hexdigest()}.{os.getpid()}.incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        try:
            size = _unpack(content, incoming)
            package.write_bytes(content)
            incoming.rename(folder)
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
            raise InvalidParameterValueException(
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            ) from None
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return Code(sha256, len(content), str(folder), zip=str(package), unpacked=size)


def check_total(package: Mapping[str, Any], layers: int) -> None:
    """The limit on the function's code with its layers. layers: unpacked bytes."""
    total = package.get("unpacked", 0) + layers
    if total > MAX_UNPACKED:
        raise InvalidParameterValueException(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNPACKED} bytes. "
            f"The actual size is {total} bytes."
        )


def _unpack(content: bytes, target: Path) -> int:
    """Returns how many bytes it makes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if not members:
            raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
        size = sum(member.file_size for member in members)
        if size > MAX_UNPACKED:
            raise InvalidParameterValueException(f"Unzipped size must be smaller than {MAX_UNPACKED} bytes")
        target.mkdir()
        links = []
        for member in members:
            path = target / _inside(member.filename)
            mode = member.external_attr >> 16
            if member.is_dir():
                path.mkdir(parents=True, exist_ok=True)
            elif stat.S_ISLNK(mode):
                links.append((path, archive.read(member).decode("utf-8", "strict")))
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                if mode:
                    path.chmod((mode & 0o777) | stat.S_IRUSR)
        _link(links, target)
    return size


def _inside(name: str) -> PurePosixPath:
    """A member's path, which must not leave the folder it is unpacked in."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise zipfile.BadZipFile(f"unsafe path {name!r}")
    return path


def _link(links: list[tuple[Path, str]], target: Path) -> None:
    """Symbolic links come last, so that no file is written through one, and point inside or nowhere."""
    root = target.resolve()
    for path, destination in links:
        resolved = Path(os.path.normpath(path.parent / destination))
        if os.path.isabs(destination) or not resolved.is_relative_to(target):  # noqa: PTH117
            raise zipfile.BadZipFile(f"unsafe link {destination!r}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(root):
            raise zipfile.BadZipFile("unsafe link")
        path.symlink_to(destination)
