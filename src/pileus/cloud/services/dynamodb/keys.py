"""Keys as bytes whose order is DynamoDB's order: what Query's index ranges rest on.

A hash key is stored behind the first four bytes of its digest, so that a table's hash keys lie as scattered as
in DynamoDB's partitions, and a segment of a parallel scan is a range of those digests.
"""

from __future__ import annotations

from hashlib import md5
from typing import NamedTuple

from . import numbers
from .errors import ValidationException, invalid_value
from .values import AttributeValue, binary

MAX_HASH_BYTES, MAX_RANGE_BYTES = 2048, 1024
_DIGEST_BYTES = 4
_DIGESTS = 1 << (8 * _DIGEST_BYTES)
_SALT = md5(b"Outliers", usedforsecurity=False)  # with which DynamoDB spreads hash keys, as scans show


class Attribute(NamedTuple):
    """One attribute of a key. kind: S, N or B."""

    name: str
    kind: str


class RowKey(NamedTuple):
    """hash: digest and encoded hash key. range: encoded range key, empty where there is none."""

    hash: bytes
    range: bytes


def encode(kind: str, value: AttributeValue) -> bytes:
    """value: of that kind, in normal form."""
    if kind == "S":
        return value["S"].encode()  # type: ignore[no-any-return]
    return numbers.encode(value["N"]) if kind == "N" else binary(value["B"])


def scattered(encoded: bytes) -> bytes:
    digest = _SALT.copy()
    digest.update(encoded)
    return digest.digest()[:_DIGEST_BYTES] + encoded


def hash_bytes(attribute: Attribute, value: AttributeValue) -> bytes:
    encoded = encode(attribute.kind, value)
    if len(encoded) > MAX_HASH_BYTES:
        raise invalid_value(f"Size of hashkey has exceeded the maximum size limit of{MAX_HASH_BYTES} bytes")
    if not encoded:
        raise empty_key(attribute)
    return scattered(encoded)


def range_bytes(attribute: Attribute, value: AttributeValue) -> bytes:
    encoded = encode(attribute.kind, value)
    if len(encoded) > MAX_RANGE_BYTES:
        raise invalid_value(
            f"Aggregated size of all range keys has exceeded the size limit of {MAX_RANGE_BYTES} bytes"
        )
    if not encoded:
        raise empty_key(attribute)
    return encoded


def empty_key(attribute: Attribute) -> ValidationException:
    what = "string" if attribute.kind == "S" else "binary"
    return ValidationException(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
        f" empty {what} value. Key: {attribute.name}"
    )


def after_prefix(prefix: bytes) -> bytes | None:
    """The least bytes greater than everything that begins with `prefix`; None where nothing is."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None


def segment_bounds(segment: int, total: int) -> tuple[bytes, bytes | None]:
    """Where a segment's hash keys begin, and where they have ended (None: at the table's end)."""
    lower = -(-segment * _DIGESTS // total)
    upper = -(-(segment + 1) * _DIGESTS // total)
    return (
        lower.to_bytes(_DIGEST_BYTES, "big"),
        None if upper >= _DIGESTS else upper.to_bytes(_DIGEST_BYTES, "big"),
    )
