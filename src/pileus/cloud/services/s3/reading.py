"""GetObject, HeadObject and GetObjectAttributes: whole, in ranges, by parts; small ones from the row, large ones streamed."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, operation
from .base import S3Base
from .bucket import Bucket
from .conditions import check_read
from .errors import (
    InvalidArgument,
    InvalidPartNumber,
    InvalidRange,
    InvalidRequest,
    NoSuchKey,
    NoSuchVersion,
    NotFound,
)
from .objects import shown_checksum

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PIECE = 262_144
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}
_DEFAULT_TYPE = "binary/octet-stream"

#: One stretch of a file: (blob, first byte, bytes).
Stretch = tuple[str, int, int]


class ReadOperations(S3Base):
    @operation("GetObject")
    async def get_object(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        row = self.readable(bucket, request["Key"], request.get("VersionId"))
        result, span = self._head(request, row, bucket)
        if span is not None:
            result["Body"] = self._bytes(row, *span)
        return self.answer(call, bucket, result)

    @operation("HeadObject", reads=True)
    async def head_object(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        try:
            row = self.readable(bucket, request["Key"], request.get("VersionId"))
        except (NoSuchKey, NoSuchVersion):
            raise NotFound from None
        result, _ = self._head(request, row, bucket)
        return self.answer(call, bucket, result)

    def _head(
        self, request: Mapping[str, Any], row: Row, bucket: Bucket
    ) -> tuple[dict[str, Any], tuple[int, int] | None]:
        """The answer without its body, and which bytes that is: (first, count); None for "not modified"."""
        for member in ("SSECustomerAlgorithm", "SSECustomerKey"):
            if request.get(member) is not None:
                raise NotEmulated(f"s3 GetObject.{member}")
        if not check_read(request, row):
            unchanged = {"ETag": f'"{row["etag"]}"', "LastModified": row["modified"], "$status": 304}
            return unchanged, None
        details = orjson.loads(row["details"])
        size = row["size"]
        result: dict[str, Any] = {
            "AcceptRanges": "bytes",
            "LastModified": row["modified"],
            "ETag": f'"{row["etag"]}"',
            "ContentType": _DEFAULT_TYPE,
            **details.get("headers", _NOTHING),
            **details.get("sse", _NOTHING),
        }
        if "metadata" in details:
            result["Metadata"] = details["metadata"]
        if details.get("tags"):
            result["TagCount"] = len(details["tags"])
        if bucket.versioning is not None:
            result["VersionId"] = row["version"]
        if row["storage_class"] != "STANDARD":
            result["StorageClass"] = row["storage_class"]
        for member, name in _OVERRIDES.items():
            if request.get(member) is not None:
                result[name] = request[member]
        first, count, partial = self._span(request, row, result)
        if partial:
            result["$status"] = 206
            result["ContentRange"] = f"bytes {first}-{first + count - 1}/{size}"
        elif request.get("ChecksumMode") == "ENABLED":
            result.update(shown_checksum(row))
        result["ContentLength"] = count
        return result, (first, count)

    def _span(self, request: Mapping[str, Any], row: Row, result: dict[str, Any]) -> tuple[int, int, bool]:
        """(first byte, bytes, whether only a part was asked for)."""
        number, text, size = request.get("PartNumber"), request.get("Range"), row["size"]
        if number is not None:
            if text is not None:
                raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
            return self._part(number, row, result)
        if text is None:
            return 0, size, False
        found = _RANGE.fullmatch(text.strip())
        if found is None or found[0] == "bytes=-":
            return 0, size, False  # S3 ignores what it does not understand, and several ranges at once
        begin, end = found[1], found[2]
        if not begin:
            count = min(int(end), size)
            if not count:
                raise InvalidRange(RangeRequested=text, ActualObjectSize=size)
            return size - count, count, True
        first = int(begin)
        if first >= size:
            raise InvalidRange(RangeRequested=text, ActualObjectSize=size)
        last = min(int(end), size - 1) if end else size - 1
        if last < first:
            return 0, size, False
        return first, last - first + 1, True

    def _part(self, number: int, row: Row, result: dict[str, Any]) -> tuple[int, int, bool]:
        if not 1 <= number <= 10_000:
            raise InvalidArgument(
                "Part number must be an integer between 1 and 10000, inclusive",
                ArgumentName="partNumber",
                ArgumentValue=number,
            )
        if not row["parts"]:
            if number > 1:
                raise InvalidPartNumber(ActualPartCount=1, PartNumberRequested=number)
            return 0, row["size"], row["size"] > 0
        part = self.store.one(
            "SELECT start,size FROM s3_segment WHERE object=? ORDER BY number LIMIT 1 OFFSET ?",
            (row["id"], number - 1),
        )
        if part is None:
            raise InvalidPartNumber(ActualPartCount=row["parts"], PartNumberRequested=number)
        result["PartsCount"] = row["parts"]
        return part["start"], part["size"], True

    # -- bytes ------------------------------------------------------------------------------------------------------

    def _bytes(self, row: Row, first: int, count: int) -> bytes | AsyncIterator[bytes]:
        if row["blob"] is None and not row["parts"]:
            kept = self.store.one("SELECT data FROM s3_content WHERE id=?", (row["id"],))
            data: bytes = kept["data"] if kept is not None else b""
            return data if count == len(data) else data[first : first + count]
        return self._stream(self.stretches(row, first, count))

    def stretches(self, row: Row, first: int, count: int) -> list[Stretch]:
        """Where the bytes lie in the object's files."""
        if row["blob"] is not None:
            return [(row["blob"], first, count)]
        end = first + count
        found = []
        for part in self.store.all(
            "SELECT start,size,blob FROM s3_segment WHERE object=? AND start<? AND start+size>? ORDER BY start",
            (row["id"], end, first),
        ):
            begin = max(first, part["start"])
            stop = min(end, part["start"] + part["size"])
            found.append((part["blob"], begin - part["start"], stop - begin))
        return found

    def _stream(self, stretches: list[Stretch]) -> AsyncIterator[bytes]:
        """The bytes of the stretches, read in a thread. The files stay while they are read, whoever deletes them."""
        blobs = [blob for blob, _, _ in stretches]
        self.acquire(blobs)

        async def pieces() -> AsyncIterator[bytes]:
            try:
                for blob, offset, left in stretches:
                    file = os.open(self.store.blobs.path(blob), os.O_RDONLY)
                    try:
                        while left:
                            piece = await asyncio.to_thread(os.pread, file, min(left, _PIECE), offset)
                            if not piece:
                                raise OSError(f"blob {blob} is shorter than its object")
                            yield piece
                            offset += len(piece)
                            left -= len(piece)
                    finally:
                        os.close(file)
            finally:
                self.release(blobs)

        return pieces()

    # -- attributes -------------------------------------------------------------------------------------------------

    @operation("GetObjectAttributes")
    def get_object_attributes(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        row = self.readable(bucket, request["Key"], request.get("VersionId"))
        names = request.get("ObjectAttributes") or ()
        result: dict[str, Any] = {"LastModified": row["modified"]}
        if bucket.versioning is not None:
            result["VersionId"] = row["version"]
        if "ETag" in names:
            result["ETag"] = row["etag"]
        if "Checksum" in names and row["checksum"] is not None:
            result["Checksum"] = shown_checksum(row)
        if "StorageClass" in names:
            result["StorageClass"] = row["storage_class"]
        if "ObjectSize" in names:
            result["ObjectSize"] = row["size"]
        if "ObjectParts" in names and row["parts"]:
            result["ObjectParts"] = self._object_parts(request, row)
        return result

    def _object_parts(self, request: Mapping[str, Any], row: Row) -> dict[str, Any]:
        marker = int(request.get("PartNumberMarker") or 0)
        most = min(int(request.get("MaxParts") or 1000), 1000)
        found = self.store.all(
            "SELECT number,size,checksum FROM s3_segment WHERE object=? AND number>? ORDER BY number LIMIT ?",
            (row["id"], marker, most + 1),
        )
        shown = found[:most]
        result: dict[str, Any] = {
            "TotalPartsCount": row["parts"],
            "PartNumberMarker": marker,
            "MaxParts": most,
            "IsTruncated": len(found) > most,
            "NextPartNumberMarker": shown[-1]["number"] if shown else 0,
        }
        if row["checksum_type"] == "COMPOSITE":
            name = f"Checksum{row['checksum_algorithm']}"
            result["Parts"] = [
                {"PartNumber": part["number"], "Size": part["size"], name: part["checksum"]} for part in shown
            ]
        return result


_NOTHING: Mapping[str, Any] = {}
