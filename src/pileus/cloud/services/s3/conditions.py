"""Conditional requests: If-Match, If-None-Match and their kin, for reads, writes and copies (RFC 9110, section 13)."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from ...kernel import Row
from .details import reject
from .errors import NoSuchKey, PreconditionFailed


def _names(condition: str, etag: str) -> bool:
    tags = [part.strip().removeprefix("W/").strip('"') for part in condition.split(",")]
    return "*" in tags or etag in tags


def check_read(request: Mapping[str, Any], row: Row, prefix: str = "") -> bool:
    """False: not modified, as the caller has it. Raises PreconditionFailed.

    prefix: `CopySource` for the conditions on a copy's source, where "not modified" is a failure too.
    """
    get = request.get
    match, none_match = get(f"{prefix}IfMatch"), get(f"{prefix}IfNoneMatch")
    since, unmodified = get(f"{prefix}IfModifiedSince"), get(f"{prefix}IfUnmodifiedSince")
    modified = floor(row["modified"])
    header = "x-amz-copy-source-" if prefix else ""
    if match is not None:
        if not _names(match, row["etag"]):
            raise PreconditionFailed(Condition=f"{header}If-Match")
    elif unmodified is not None and modified > unmodified:
        raise PreconditionFailed(Condition=f"{header}If-Unmodified-Since")
    if none_match is not None:
        if _names(none_match, row["etag"]):
            if prefix:
                raise PreconditionFailed(Condition=f"{header}If-None-Match")
            return False
    elif since is not None and modified <= since:
        if prefix:
            raise PreconditionFailed(Condition=f"{header}If-Modified-Since")
        return False
    return True


def check_write(request: Mapping[str, Any], key: str, row: Row | None) -> None:
    """row: the object that would be overwritten. Raises PreconditionFailed, NoSuchKey."""
    match, none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if match is None and none_match is None:
        return
    if none_match is not None:
        if match is not None:
            raise reject(
                "If-Match,If-None-Match", "", "Multiple conditional request headers present in the request"
            )
        if none_match.strip('"') != "*":
            raise reject(
                "If-None-Match",
                none_match,
                "We don't accept the provided value of If-None-Match header for this API",
            )
        if row is not None:
            raise PreconditionFailed(Condition="If-None-Match")
        return
    if row is None:
        raise NoSuchKey(Key=key)
    if not _names(match or "", row["etag"]):
        raise PreconditionFailed(Condition="If-Match")
