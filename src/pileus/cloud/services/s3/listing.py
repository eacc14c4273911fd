"""ListObjects, ListObjectsV2 and ListObjectVersions: a range of the index, read as far as the answer needs.

With a delimiter, what shares a common prefix is not read through but skipped: the next read begins after all keys with
that prefix. So the cost is the answer's size, not the bucket's.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from ...kernel import Call, NotEmulated, Row, operation
from .base import S3Base
from .bucket import Bucket
from .checksums import SIZES
from .errors import InvalidArgument

_SHOWN = "id,key,version,latest,marker,size,etag,modified,storage_class,checksum_algorithm,checksum_type"
_CURRENT = (
    f"SELECT {_SHOWN} FROM s3_object INDEXED BY s3_object_current WHERE bucket=? AND latest=1 AND marker=0 AND key>=?"
    " ORDER BY key LIMIT ?"
)
_VERSIONS = f"SELECT {_SHOWN} FROM s3_object WHERE bucket=? AND key>=? ORDER BY key, id DESC LIMIT ?"
_OLDER = f"SELECT {_SHOWN} FROM s3_object WHERE bucket=? AND key=? AND id<? ORDER BY id DESC LIMIT ?"
_MOST = 1000
#: One list each, which entries share.
_ALONE = {name: [name] for name in SIZES}
_SAFE = re.compile(r"[A-Za-z0-9/*\-._]*")


@dataclass(slots=True)
class Page:
    """What one listing found. last: the key or common prefix at which it ended."""

    rows: list[Row] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    last: str = ""

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.prefixes)


def after_prefix(prefix: str) -> str | None:
    """The first string after all that begin with `prefix`, by UTF-8 bytes; None where there is none."""
    while prefix:
        point = ord(prefix[-1])
        if point < 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if point == 0xD7FF else point + 1)
        prefix = prefix[:-1]
    return None


def after_key(key: str) -> str:
    """The first string after `key`."""
    return key + "\0"


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if end < 0 else key[: end + len(delimiter)]


def read_page(
    fetch: Callable[[str, int], list[Row]],
    start: str | None,
    prefix: str,
    delimiter: str,
    most: int,
    begun: list[Row] | None = None,
) -> Page:
    """fetch: rows from a key on, so many at most. start: the first key that may be listed; None: nothing may.

    begun: rows that come before `start` (the older versions of the key at which the last page ended).
    """
    page = Page()
    if most == 0 or start is None:
        return page
    begin = max(start, prefix)
    if not delimiter and begun is None:
        return _plain_page(page, fetch(begin, most + 1), prefix, most)
    batch = min(most + 1, 64) if delimiter else most + 1
    rows = fetch(begin, batch) if begun is None else begun
    while True:
        skip_to: str | None = None
        for row in rows:
            key = row["key"]
            if not key.startswith(prefix):
                return page
            if skip_to is not None and key < skip_to:
                continue
            if page.count == most:
                page.truncated = True
                return page
            shared = common_prefix(key, prefix, delimiter)
            if shared is None:
                page.rows.append(row)
                page.last, begin = key, after_key(key)
                continue
            page.prefixes.append(shared)
            page.last, skip_to = shared, after_prefix(shared)
            if skip_to is None:
                return page
            begin = skip_to
        if begun is None and len(rows) < batch:
            return page
        begun = None
        rows = fetch(begin, batch)
        if not rows:
            return page


def _plain_page(page: Page, rows: list[Row], prefix: str, most: int) -> Page:
    """Without a delimiter one read is the page; only a prefix may end it sooner."""
    if prefix and rows and not rows[-1]["key"].startswith(prefix):
        rows = [row for row in rows if row["key"].startswith(prefix)]
    page.truncated = len(rows) > most
    page.rows = rows[:most]
    page.last = page.rows[-1]["key"] if page.rows else ""
    return page


class ListOperations(S3Base):
    @operation("ListObjectsV2", reads=True)
    def list_objects_v2(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        get = request.get
        prefix, delimiter = get("Prefix") or "", get("Delimiter") or ""
        most, code = _limits(request)
        token, start_after = get("ContinuationToken"), get("StartAfter") or ""
        if token is not None:
            start: str | None = _read_token(token)
        else:
            start = after_key(start_after) if start_after else ""
        page = read_page(self._fetch(bucket), start, prefix, delimiter, most)
        result = {
            "Name": bucket.name,
            "Prefix": code(prefix),
            "Delimiter": code(delimiter) if delimiter else None,
            "MaxKeys": most,
            "EncodingType": get("EncodingType"),
            "KeyCount": page.count,
            "IsTruncated": page.truncated,
            "ContinuationToken": token,
            "StartAfter": code(start_after) if start_after else None,
            "Contents": [_shown(row, code, bucket if get("FetchOwner") else None) for row in page.rows]
            or None,
            "CommonPrefixes": [{"Prefix": code(text)} for text in page.prefixes] or None,
        }
        if page.truncated:
            result["NextContinuationToken"] = _token(_resume(page, delimiter))
        return self.answer(call, bucket, result)

    @operation("ListObjects", reads=True)
    def list_objects(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        get = request.get
        prefix, delimiter, marker = get("Prefix") or "", get("Delimiter") or "", get("Marker") or ""
        most, code = _limits(request)
        start: str | None = after_key(marker) if marker else ""
        if marker and delimiter and marker.startswith(prefix) and marker.endswith(delimiter):
            start = after_prefix(marker)  # a NextMarker that was a common prefix: after all under it
        page = read_page(self._fetch(bucket), start, prefix, delimiter, most)
        result = {
            "Name": bucket.name,
            "Prefix": code(prefix),
            "Marker": code(marker),
            "Delimiter": code(delimiter) if delimiter else None,
            "MaxKeys": most,
            "EncodingType": get("EncodingType"),
            "IsTruncated": page.truncated,
            "NextMarker": code(page.last) if page.truncated and delimiter else None,
            "Contents": [_shown(row, code, bucket) for row in page.rows] or None,
            "CommonPrefixes": [{"Prefix": code(text)} for text in page.prefixes] or None,
        }
        return self.answer(call, bucket, result)

    def _fetch(self, bucket: Bucket) -> Callable[[str, int], list[Row]]:
        return lambda start, count: self.store.all(_CURRENT, (bucket.id, start, count))

    @operation("ListObjectVersions", reads=True)
    def list_object_versions(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        get = request.get
        prefix, delimiter = get("Prefix") or "", get("Delimiter") or ""
        key_marker, version_marker = get("KeyMarker") or "", get("VersionIdMarker") or ""
        most, code = _limits(request)
        if version_marker and not key_marker:
            raise InvalidArgument(
                "A version-id marker cannot be specified without a key marker.",
                ArgumentName="version-id-marker",
                ArgumentValue=version_marker,
            )
        begun = None
        start: str | None = after_key(key_marker) if key_marker else ""
        if version_marker:
            at = self.version(bucket, key_marker, version_marker)
            if at is not None:
                begun = self.store.all(_OLDER, (bucket.id, key_marker, at["id"], most + 1))
        elif key_marker and delimiter and key_marker.startswith(prefix) and key_marker.endswith(delimiter):
            start = after_prefix(key_marker)
        page = self._version_page(bucket, start, prefix, delimiter, most, begun)
        result = {
            "Name": bucket.name,
            "Prefix": code(prefix),
            "KeyMarker": code(key_marker),
            "VersionIdMarker": version_marker,
            "Delimiter": code(delimiter) if delimiter else None,
            "MaxKeys": most,
            "EncodingType": get("EncodingType"),
            "IsTruncated": page.truncated,
            "Versions": [_version(row, code, bucket) for row in page.rows if not row["marker"]] or None,
            "DeleteMarkers": [_marker(row, code, bucket) for row in page.rows if row["marker"]] or None,
            "CommonPrefixes": [{"Prefix": code(text)} for text in page.prefixes] or None,
        }
        if page.truncated:
            result["NextKeyMarker"] = code(page.last)
            if page.rows and page.rows[-1]["key"] == page.last:
                result["NextVersionIdMarker"] = page.rows[-1]["version"]
        return self.answer(call, bucket, result)

    def _version_page(
        self,
        bucket: Bucket,
        start: str | None,
        prefix: str,
        delimiter: str,
        most: int,
        begun: list[Row] | None,
    ) -> Page:
        """As `read_page`, where a key comes with all its versions: a read that ends within a key goes on in it."""

        def fetch(begin: str, count: int) -> list[Row]:
            rows = self.store.all(_VERSIONS, (bucket.id, begin, count))
            if len(rows) == count:  # the last key may have more: `start` goes past keys, not versions
                last = rows[-1]
                rows += self.store.all(_OLDER, (bucket.id, last["key"], last["id"], most + 1))
            return rows

        return read_page(fetch, start, prefix, delimiter, most, begun)


def _limits(request: Mapping[str, Any]) -> tuple[int, Callable[[str], str]]:
    """(most entries, how keys are written)."""
    if request.get("OptionalObjectAttributes"):
        raise NotEmulated("s3 list OptionalObjectAttributes")
    most = request.get("MaxKeys")
    if most is None:
        most = _MOST
    elif most < 0:
        raise InvalidArgument(
            "Argument max-keys must be an integer between 0 and 2147483647",
            ArgumentName="max-keys",
            ArgumentValue=most,
        )
    return min(most, _MOST), key_encoder(request.get("EncodingType"))


def key_encoder(encoding: str | None) -> Callable[[str], str]:
    if encoding is None:
        return str
    if encoding != "url":
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=encoding,
        )
    return _url


def _url(text: str) -> str:
    if _SAFE.fullmatch(text):
        return text
    return quote_plus(text, safe="/*-._")


def _resume(page: Page, delimiter: str) -> str:
    """Where the next page begins."""
    if page.prefixes and page.last == page.prefixes[-1] and delimiter:
        return after_prefix(page.last) or ""
    return after_key(page.last)


def _token(start: str) -> str:
    return urlsafe_b64encode(b"1" + start.encode()).decode("ascii")


def _read_token(token: str) -> str:
    try:
        raw = urlsafe_b64decode(token)
        if raw[:1] == b"1":
            return raw[1:].decode()
    except ValueError:
        pass
    raise InvalidArgument(
        "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
    )


def _shown(row: Row, code: Callable[[str], str], owner: Bucket | None) -> dict[str, Any]:
    _, key, _, _, _, size, etag, modified, storage_class, algorithm, checksum_type = row
    entry: dict[str, Any] = {
        "Key": code(key),
        "LastModified": int(modified),  # S3 shows whole seconds
        "ETag": f'"{etag}"',
        "Size": size,
        "StorageClass": storage_class,
    }
    if algorithm is not None:
        entry["ChecksumAlgorithm"] = _ALONE[algorithm]
        entry["ChecksumType"] = checksum_type
    if owner is not None:
        entry["Owner"] = owner.owner
    return entry


def _version(row: Row, code: Callable[[str], str], bucket: Bucket) -> dict[str, Any]:
    return {**_shown(row, code, bucket), "VersionId": row["version"], "IsLatest": bool(row["latest"])}


def _marker(row: Row, code: Callable[[str], str], bucket: Bucket) -> dict[str, Any]:
    return {
        "Key": code(row["key"]),
        "VersionId": row["version"],
        "IsLatest": bool(row["latest"]),
        "LastModified": row["modified"],
        "Owner": bucket.owner,
    }
