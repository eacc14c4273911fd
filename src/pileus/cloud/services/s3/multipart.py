"""Multipart uploads: create, part, copied part, complete, abort.

Parts are files from the first byte. Completing an upload moves none of them: the object gets a row for each part
(`s3_segment`), so that it costs the parts, not their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import md5
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, operation
from . import checksums
from .body import Content
from .bucket import Bucket, check_key
from .conditions import check_write
from .copying import CopyOperations
from .details import read_details, storage_class
from .errors import (
    BadDigest,
    EntityTooLarge,
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
)

_MIN_PART = 5 * 1024**2
_MAX_OBJECT = 5 * 1024**4
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class MultipartOperations(CopyOperations):
    @operation("CreateMultipartUpload")
    def create_multipart_upload(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        key = request["Key"]
        check_key(key)
        details = read_details(call, bucket, request)
        algorithm = request.get("ChecksumAlgorithm")
        kind = request.get("ChecksumType")
        if algorithm is not None:
            algorithm = checksums.check_algorithm(algorithm)
            kind = checksums.whole_type(algorithm, kind)
        elif kind is not None:
            raise InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        upload_id = self.ids.mixed(86) + "--"
        self.store.execute(
            "INSERT INTO s3_upload (id,bucket,key,initiated,storage_class,checksum_algorithm,checksum_type,initiator,"
            "details) VALUES (?,?,?,?,?,?,?,?,?)",
            (
                upload_id,
                bucket.id,
                key,
                call.now,
                storage_class(request),
                algorithm,
                kind,
                call.principal.arn,
                orjson.dumps(details),
            ),
        )
        result = {
            "Bucket": bucket.name,
            "Key": key,
            "UploadId": upload_id,
            "ChecksumAlgorithm": algorithm,
            "ChecksumType": kind,
            **details["sse"],
        }
        return self.answer(call, bucket, result)

    # -- parts ------------------------------------------------------------------------------------------------------

    @operation("UploadPart")
    async def upload_part(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("SSECustomerAlgorithm", "SSECustomerKey"):
            if request.get(member) is not None:
                raise NotEmulated(f"s3 UploadPart.{member}")
        bucket = self.bucket(call, request)
        upload = self.upload(bucket, request)
        number = _part_number(request)
        wanted = upload["checksum_algorithm"]
        content = await self.take_body(call, request, wanted or checksums.DEFAULT, to_file=True)
        self._save_part(call, bucket, request, number, content)
        result: dict[str, Any] = {"ETag": f'"{content.md5}"', **orjson.loads(upload["details"])["sse"]}
        result[f"Checksum{content.checksum[0]}"] = content.checksum[1]
        return self.answer(call, bucket, result)

    @operation("UploadPartCopy")
    async def upload_part_copy(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        upload = self.upload(bucket, request)
        number = _part_number(request)
        source_bucket, row, _ = self.copy_source(call, request)
        first, count = _copy_range(request.get("CopySourceRange"), row["size"])
        algorithm = upload["checksum_algorithm"] or checksums.DEFAULT
        content = await self.copy_bytes(row, first, count, algorithm, to_file=True)
        self._save_part(call, bucket, request, number, content)
        part: dict[str, Any] = {"ETag": f'"{content.md5}"', "LastModified": call.now}
        if upload["checksum_algorithm"]:
            part[f"Checksum{algorithm}"] = content.checksum[1]
        result: dict[str, Any] = {"CopyPartResult": part, **orjson.loads(upload["details"])["sse"]}
        if source_bucket.versioning is not None:
            result["CopySourceVersionId"] = row["version"]
        return result

    def _save_part(
        self, call: Call, bucket: Bucket, request: Mapping[str, Any], number: int, content: Content
    ) -> None:
        try:
            with self.store.transaction():
                upload = self.upload(bucket, request)  # it may have ended while the bytes came in
                wanted, (algorithm, value) = upload["checksum_algorithm"], content.checksum
                if wanted is not None and algorithm != wanted:
                    raise InvalidRequest(
                        f"Checksum Type mismatch occurred, expected checksum Type: {wanted.lower()}, actual checksum"
                        f" Type: {algorithm.lower()}"
                    )
                old = self.store.one(
                    "SELECT blob FROM s3_part WHERE upload=? AND number=?", (upload["id"], number)
                )
                if old is not None:
                    self.drop_blobs((old["blob"],))
                self.store.execute(
                    "INSERT OR REPLACE INTO s3_part (upload,number,size,etag,modified,blob,checksum)"
                    " VALUES (?,?,?,?,?,?,?)",
                    (
                        upload["id"],
                        number,
                        content.size,
                        content.md5,
                        call.now,
                        content.blob,
                        f"{algorithm}:{value}",
                    ),
                )
                self.keep(content)
        except BaseException:
            self.discard(content)
            raise

    # -- end --------------------------------------------------------------------------------------------------------

    @operation("AbortMultipartUpload")
    def abort_multipart_upload(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if request.get("IfMatchInitiatedTime") is not None:
            raise NotEmulated("s3 AbortMultipartUpload.IfMatchInitiatedTime")
        self.drop_upload(self.upload(bucket, request)["id"], ())
        return self.answer(call, bucket, {})

    def drop_upload(self, upload_id: str, kept: Collection[str]) -> None:
        """Removes the upload and the files of its parts, but for those in `kept`."""
        parts = self.store.all("SELECT blob FROM s3_part WHERE upload=?", (upload_id,))
        self.drop_blobs([part["blob"] for part in parts if part["blob"] not in kept])
        self.store.execute("DELETE FROM s3_part WHERE upload=?", (upload_id,))
        self.store.execute("DELETE FROM s3_upload WHERE id=?", (upload_id,))

    @operation("CompleteMultipartUpload")
    def complete_multipart_upload(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        key = request["Key"]
        upload = self.upload(bucket, request)
        listed = (request.get("MultipartUpload") or {}).get("Parts") or ()
        if not listed:
            raise MalformedXML
        parts = self._chosen_parts(upload, listed)
        size = sum(part["size"] for part in parts)
        if size > _MAX_OBJECT:
            raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=_MAX_OBJECT)
        declared = request.get("MpuObjectSize")
        if declared is not None and int(declared) != size:
            raise InvalidRequest(
                f"The provided 'x-amz-mp-object-size' header value {declared} does not match what was computed: {size}"
            )
        checksum = _whole_checksum(upload, parts, request)
        etag = f"{md5(b''.join(bytes.fromhex(p['etag']) for p in parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
        details = orjson.loads(upload["details"])
        current = self.current(bucket, key)
        check_write(request, key, current)
        self.make_way(bucket, key, current)
        row_id = self.next_id(call.now)
        version = self.new_version(bucket, row_id)
        self.insert(
            row_id,
            bucket,
            key,
            version,
            size=size,
            etag=etag,
            modified=call.now,
            stored_as=upload["storage_class"],
            checksum=checksum,
            blob=None,
            details=details,
            parts=len(parts),
        )
        start = 0
        for number, part in enumerate(parts, 1):
            value = part["checksum"].partition(":")[2]
            self.store.execute(
                "INSERT INTO s3_segment (object,number,start,size,blob,checksum) VALUES (?,?,?,?,?,?)",
                (row_id, number, start, part["size"], part["blob"], value),
            )
            start += part["size"]
        self.drop_upload(upload["id"], {part["blob"] for part in parts})
        self.notify(call, bucket, "ObjectCreated:CompleteMultipartUpload", key, size, etag, version, row_id)
        result: dict[str, Any] = {
            "Location": f"{call.base_url}/{bucket.name}/{key}",
            "Bucket": bucket.name,
            "Key": key,
            "ETag": f'"{etag}"',
            f"Checksum{checksum[0]}": checksum[1],
            "ChecksumType": checksum[2],
            **details["sse"],
        }
        if bucket.versioning == "Enabled":
            result["VersionId"] = version
        return self.answer(call, bucket, result)

    def _chosen_parts(self, upload: Row, listed: Sequence[Mapping[str, Any]]) -> list[Row]:
        known = {
            row["number"]: row
            for row in self.store.all("SELECT * FROM s3_part WHERE upload=? ORDER BY number", (upload["id"],))
        }
        chosen: list[Row] = []
        last = 0
        for entry in listed:
            number, etag = entry.get("PartNumber"), entry.get("ETag")
            if number is None or etag is None:
                raise MalformedXML
            if number <= last:
                raise InvalidPartOrder(UploadId=upload["id"])
            last = number
            part = known.get(number)
            if part is None or part["etag"] != etag.strip('"') or not _same_checksum(part, entry):
                raise InvalidPart(UploadId=upload["id"], PartNumber=number, ETag=etag)
            chosen.append(part)
        for part in chosen[:-1]:
            if part["size"] < _MIN_PART:
                raise EntityTooSmall(
                    ETag=part["etag"],
                    MinSizeAllowed=_MIN_PART,
                    ProposedSize=part["size"],
                    PartNumber=part["number"],
                )
        return chosen


def _part_number(request: Mapping[str, Any]) -> int:
    number: int = request["PartNumber"]
    if not 1 <= number <= 10_000:
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number,
        )
    return number


def _copy_range(text: str | None, size: int) -> tuple[int, int]:
    if text is None:
        return 0, size
    found = _COPY_RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    first, last = int(found[1]), int(found[2])
    if last >= size:
        raise InvalidArgument(
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return first, last - first + 1


def _same_checksum(part: Row, entry: Mapping[str, Any]) -> bool:
    """Whether the checksum that the completion states, if it does, is the part's."""
    algorithm, _, value = part["checksum"].partition(":")
    for name in checksums.SIZES:
        stated = entry.get(f"Checksum{name}")
        if stated is not None and (name != algorithm or stated != value):
            return False
    return True


def _whole_checksum(upload: Row, parts: Sequence[Row], request: Mapping[str, Any]) -> tuple[str, str, str]:
    """(algorithm, value, type) of the whole. Without an algorithm of the upload's own it is S3's default."""
    pieces = [(part["checksum"].partition(":"), part["size"]) for part in parts]
    algorithm = upload["checksum_algorithm"]
    if algorithm is None:
        used = {name for (name, _, _), _ in pieces}
        algorithm = used.pop() if len(used) == 1 else None
        kind = checksums.whole_type(algorithm, None) if algorithm else ""
        if algorithm is None:
            raise NotEmulated("s3 CompleteMultipartUpload of parts with different checksum algorithms")
    else:
        kind = upload["checksum_type"]
    value = checksums.combine(algorithm, kind, ((text, size) for (_, _, text), size in pieces))
    stated = request.get(f"Checksum{algorithm}")
    if stated is not None and stated.partition("-")[0] != value.partition("-")[0]:
        raise BadDigest(f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    return algorithm, value, kind
