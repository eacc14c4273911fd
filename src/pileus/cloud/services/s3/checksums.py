"""Checksums of objects: the algorithms, and how those of parts make the one of the whole.

Values are base64 of the big-endian digest, as S3 writes them. Source: S3 user guide, "Checking object integrity".
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from ...kernel import NotEmulated
from .errors import InvalidRequest

DEFAULT = "CRC64NVME"
#: Digest bytes of each algorithm.
SIZES: Mapping[str, int] = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
_KNOWN_ELSEWHERE = frozenset({"SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"})
_LINEAR = frozenset({"CRC32", "CRC32C", "CRC64NVME"})
_MODELS = {"CRC32": "CRC32", "CRC32C": "CRC32C", "CRC64NVME": "CRC64-NVME"}


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size)


@lru_cache(maxsize=8)
def _model(algorithm: str) -> Any:
    import anycrc  # loaded with the first object

    return anycrc.Model(_MODELS[algorithm])


def hasher(algorithm: str) -> Hasher:
    if algorithm == "CRC32":
        return _Crc(zlib.crc32, 4)
    if algorithm in _LINEAR:
        return _Crc(_model(algorithm).calc, SIZES[algorithm])
    return hashlib.new(algorithm.lower(), usedforsecurity=False)


def checksum(algorithm: str, data: bytes) -> str:
    if algorithm == "CRC64NVME":
        digest = _model(algorithm).calc(data).to_bytes(8)
    else:
        running = hasher(algorithm)
        running.update(data)
        digest = running.digest()
    return b64encode(digest).decode("ascii")


def encode(hashed: Hasher) -> str:
    return b64encode(hashed.digest()).decode("ascii")


def check_algorithm(name: str) -> str:
    """The algorithm's canonical name; refuses what S3 does not know, or we do not compute."""
    upper = name.upper()
    if upper in SIZES:
        return upper
    if upper in _KNOWN_ELSEWHERE:
        raise NotEmulated(f"s3 checksum algorithm {upper}")
    raise InvalidRequest(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
    )


def stated(request: Mapping[str, Any]) -> tuple[str, str] | None:
    """(algorithm, value) of the one checksum that a request states in its members `ChecksumX`."""
    found: tuple[str, str] | None = None
    for algorithm in (*SIZES, *_KNOWN_ELSEWHERE):
        value = request.get(f"Checksum{algorithm}")
        if value is not None:
            if found is not None:
                raise InvalidRequest(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
                )
            found = check_algorithm(algorithm), value
    if found is not None:
        check_value(*found)
    return found


def check_value(algorithm: str, value: str) -> None:
    """A value of the whole object; a composite one has its part count behind a dash."""
    try:
        fits = len(b64decode(value, validate=True)) == SIZES[algorithm]
    except ValueError:
        fits = False
    if not fits:
        raise InvalidRequest(f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")


def whole_type(algorithm: str, wanted: str | None) -> str:
    """FULL_OBJECT or COMPOSITE: what a multipart upload's checksum is."""
    if wanted is None:
        return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    if (wanted == "FULL_OBJECT" and algorithm not in _LINEAR) or (
        wanted == "COMPOSITE" and algorithm == "CRC64NVME"
    ):
        raise InvalidRequest(
            f"The {wanted} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    if wanted not in ("FULL_OBJECT", "COMPOSITE"):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    return wanted


def combine(algorithm: str, kind: str, parts: Iterable[tuple[str, int]]) -> str:
    """The checksum of the whole from those of its parts: (value, bytes) each."""
    if kind == "COMPOSITE":
        running = hasher(algorithm)
        count = 0
        for value, _ in parts:
            running.update(b64decode(value))
            count += 1
        return f"{encode(running)}-{count}"
    join = _model(algorithm).combine
    whole = 0
    for value, size in parts:
        whole = join(whole, int.from_bytes(b64decode(value)), size)
    return b64encode(whole.to_bytes(SIZES[algorithm])).decode("ascii")
