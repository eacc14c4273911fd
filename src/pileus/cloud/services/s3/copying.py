"""CopyObject, and the source of UploadPartCopy: finding what is to be copied and its bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from ...kernel import Call, NotEmulated, Row, operation
from . import checksums
from .base import BLOB_SUFFIX
from .body import INLINE, MAX_SINGLE, Content
from .bucket import Bucket, check_key
from .conditions import check_read
from .details import Details, header_tags, read_details, storage_class
from .errors import InvalidArgument, InvalidRequest
from .objects import ObjectOperations
from .reading import ReadOperations, Stretch

_PIECE = 1_048_576


class CopyOperations(ObjectOperations, ReadOperations):
    @operation("CopyObject")
    async def copy_object(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        key = request["Key"]
        check_key(key)
        source_bucket, row, source_version = self.copy_source(call, request)
        directive = request.get("MetadataDirective") or "COPY"
        tag_directive = request.get("TaggingDirective") or "COPY"
        for name, value in (("MetadataDirective", directive), ("TaggingDirective", tag_directive)):
            if value not in ("COPY", "REPLACE"):
                raise InvalidArgument(
                    f"Unknown {name.removesuffix('Directive').lower()} directive.", ArgumentValue=value
                )
        self._refuse_idle_copy(bucket, key, source_bucket, row, source_version, request, directive)
        stored_as = storage_class(request)
        details = _copied_details(call, bucket, request, row, directive, tag_directive)
        algorithm = request.get("ChecksumAlgorithm")
        if algorithm is not None:
            algorithm = checksums.check_algorithm(algorithm)
        elif row["checksum_type"] == "FULL_OBJECT":
            algorithm = row["checksum_algorithm"]
        content = await self.copy_bytes(row, 0, row["size"], algorithm or checksums.DEFAULT)
        try:
            with self.store.transaction():
                row_id, version = self.store_object(
                    call, bucket, key, content, details, stored_as, conditions=request
                )
                self.notify(
                    call, bucket, "ObjectCreated:Copy", key, content.size, content.md5, version, row_id
                )
        except BaseException:
            self.discard(content)
            raise
        copied = {
            "ETag": f'"{content.md5}"',
            "LastModified": call.now,
            f"Checksum{content.checksum[0]}": content.checksum[1],
            "ChecksumType": "FULL_OBJECT",
        }
        result: dict[str, Any] = {"CopyObjectResult": copied, **details["sse"]}
        if bucket.versioning == "Enabled":
            result["VersionId"] = version
        if source_bucket.versioning is not None:
            result["CopySourceVersionId"] = row["version"]
        return self.answer(call, bucket, result)

    def copy_source(self, call: Call, request: Mapping[str, Any]) -> tuple[Bucket, Row, str | None]:
        """(bucket, object, version as asked for) of the x-amz-copy-source header, its conditions held."""
        for member in ("CopySourceSSECustomerAlgorithm", "CopySourceSSECustomerKey"):
            if request.get(member) is not None:
                raise NotEmulated(f"s3 {call.operation}.{member}")
        path, found, version = request["CopySource"].partition("?versionId=")
        name, slash, key = unquote(path).removeprefix("/").partition("/")
        if name.startswith("arn:"):
            raise NotEmulated(f"s3 {call.operation}.CopySource as an access point ARN")
        if not slash or not key:
            raise InvalidArgument(
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                ArgumentName="x-amz-copy-source",
                ArgumentValue=request["CopySource"],
            )
        source = {"Bucket": name, "ExpectedBucketOwner": request.get("ExpectedSourceBucketOwner")}
        bucket = self.bucket(call, source)
        row = self.readable(bucket, key, version if found else None)
        check_read(request, row, "CopySource")
        if row["size"] > MAX_SINGLE and call.operation == "CopyObject":
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_SINGLE}"
            )
        return bucket, row, version if found else None

    @staticmethod
    def _refuse_idle_copy(
        bucket: Bucket,
        key: str,
        source: Bucket,
        row: Row,
        version: str | None,
        request: Mapping[str, Any],
        directive: str,
    ) -> None:
        same = source is bucket and row["key"] == key and version is None
        changes = ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation", "SSEKMSKeyId")
        if same and directive == "COPY" and not any(request.get(name) is not None for name in changes):
            raise InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing the"
                " object's metadata, storage class, website redirect location or encryption attributes."
            )

    async def copy_bytes(
        self, row: Row, first: int, count: int, algorithm: str, *, to_file: bool = False
    ) -> Content:
        """A new content with the object's bytes, hashed on the way."""
        if row["blob"] is None and not row["parts"]:
            kept = self.store.one("SELECT data FROM s3_content WHERE id=?", (row["id"],))
            data: bytes = (kept["data"] if kept is not None else b"")[first : first + count]
            if not to_file:
                value = checksums.checksum(algorithm, data)
                md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
                return Content(count, md5, (algorithm, value), data=data)
            return await self._copy_to_file([], count, algorithm, data)
        stretches = self.stretches(row, first, count)
        blobs = [blob for blob, _, _ in stretches]
        self.acquire(blobs)
        try:
            content = await self._copy_to_file(stretches, count, algorithm, b"")
        finally:
            self.release(blobs)
        if count <= INLINE and not to_file:
            return self._inlined(content)
        return content

    def _inlined(self, content: Content) -> Content:
        path = self.store.blobs.incoming(content.blob or "")
        data = path.read_bytes()
        path.unlink()
        return Content(content.size, content.md5, content.checksum, data=data)

    async def _copy_to_file(
        self, stretches: list[Stretch], count: int, algorithm: str, data: bytes
    ) -> Content:
        blob = self.ids.hex(32) + BLOB_SUFFIX
        blobs = self.store.blobs

        def copy() -> tuple[str, str]:
            md5, running = hashlib.md5(usedforsecurity=False), checksums.hasher(algorithm)
            with blobs.incoming(blob).open("wb") as out:
                for piece in [data] if data else []:
                    _write(out, piece, md5, running)
                for source, offset, left in stretches:
                    with blobs.path(source).open("rb") as file:
                        file.seek(offset)
                        while left:
                            piece = file.read(min(left, _PIECE))
                            if not piece:
                                raise OSError(f"blob {source} is shorter than its object")
                            _write(out, piece, md5, running)
                            left -= len(piece)
            return md5.hexdigest(), checksums.encode(running)

        try:
            md5, value = await asyncio.to_thread(copy)
        except BaseException:
            blobs.incoming(blob).unlink(missing_ok=True)
            raise
        return Content(count, md5, (algorithm, value), blob=blob)


def _write(out: Any, piece: bytes, *hashes: Any) -> None:
    out.write(piece)
    for running in hashes:
        running.update(piece)


def _copied_details(
    call: Call, bucket: Bucket, request: Mapping[str, Any], row: Row, directive: str, tag_directive: str
) -> Details:
    given = read_details(call, bucket, {**request, "Tagging": None})
    source = orjson.loads(row["details"])
    if directive == "REPLACE":
        details = given
    else:
        details = {name: source[name] for name in ("headers", "metadata") if name in source}
        details["sse"] = given["sse"]
        headers = {k: v for k, v in details.get("headers", {}).items() if k != "WebsiteRedirectLocation"}
        if request.get("WebsiteRedirectLocation") is not None:
            headers["WebsiteRedirectLocation"] = request["WebsiteRedirectLocation"]
        details["headers"] = headers
    if tag_directive == "REPLACE":
        if request.get("Tagging"):
            details["tags"] = header_tags(request["Tagging"])
    elif source.get("tags"):
        details["tags"] = source["tags"]
    return details
