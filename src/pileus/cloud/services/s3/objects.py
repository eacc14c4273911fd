"""Putting an object's row in its place, and the operations PutObject, DeleteObject and DeleteObjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import AwsError, Call, NotEmulated, Row, operation
from .body import BodyTaker, Content, check_document
from .bucket import Bucket, check_key
from .conditions import check_write
from .details import Details, read_details, storage_class
from .errors import MalformedXML, NoSuchVersion, PreconditionFailed
from .notifications import Notifier

_INSERT = (
    "INSERT INTO s3_object (id,bucket,key,version,latest,marker,size,etag,modified,storage_class,checksum_algorithm,"
    "checksum,checksum_type,blob,parts,details) VALUES (?,?,?,?,1,?,?,?,?,?,?,?,?,?,?,?)"
)
_REPLACE = (
    "UPDATE s3_object SET size=?,etag=?,modified=?,storage_class=?,checksum_algorithm=?,checksum=?,checksum_type=?,"
    "details=? WHERE id=?"
)
_NO_DETAILS = b"{}"
_EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def _is_replaceable(bucket: Bucket, current: Row) -> bool:
    """Whether a new object of bytes in the database may take the row of `current`: there is no older version to keep, and
    its bytes are in the database too."""
    return bucket.versioning is None and current["blob"] is None and not current["parts"]


class ObjectOperations(BodyTaker, Notifier):
    @operation("PutObject")
    async def put_object(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        key = request["Key"]
        check_key(key)
        stored_as = storage_class(request)
        details = read_details(call, bucket, request)
        content = await self.take_body(call, request)
        try:
            with self.store.transaction():
                row_id, version = self.store_object(
                    call, bucket, key, content, details, stored_as, conditions=request
                )
                self.notify(
                    call, bucket, "ObjectCreated:Put", key, content.size, content.md5, version, row_id
                )
        except BaseException:
            self.discard(content)
            raise
        algorithm, value = content.checksum
        result: dict[str, Any] = {
            "ETag": f'"{content.md5}"',
            f"Checksum{algorithm}": value,
            "ChecksumType": "FULL_OBJECT",
            **details["sse"],
        }
        if bucket.versioning == "Enabled":
            result["VersionId"] = version
        return self.answer(call, bucket, result)

    def store_object(
        self,
        call: Call,
        bucket: Bucket,
        key: str,
        content: Content,
        details: Details,
        stored_as: str,
        *,
        conditions: Mapping[str, Any],
    ) -> tuple[int, str]:
        """Writes the object, in the current transaction, in place of what its key named.

        Returns (a number that rises with every change, version).
        """
        current = self.current(bucket, key)
        check_write(conditions, key, current)
        row_id = self.next_id(call.now)
        if content.data is not None and current is not None and _is_replaceable(bucket, current):
            self._replace(current["id"], content.data, content, call.now, stored_as, details)
            return row_id, "null"
        self.make_way(bucket, key, current)
        version = self.new_version(bucket, row_id)
        self.insert(
            row_id,
            bucket,
            key,
            version,
            size=content.size,
            etag=content.md5,
            modified=call.now,
            stored_as=stored_as,
            checksum=(*content.checksum, "FULL_OBJECT"),
            blob=content.blob,
            details=details,
        )
        if content.data is not None:
            self.store.execute("INSERT INTO s3_content (id,data) VALUES (?,?)", (row_id, content.data))
        self.keep(content)
        return row_id, version

    def _replace(
        self, row_id: int, data: bytes, content: Content, now: float, stored_as: str, details: Details
    ) -> None:
        """In the row that there is: no index changes, and bytes of the same length go into the same pages."""
        written = orjson.dumps(details) if details else _NO_DETAILS
        checksum = (*content.checksum, "FULL_OBJECT")
        self.store.execute(_REPLACE, (content.size, content.md5, now, stored_as, *checksum, written, row_id))
        self.store.execute("UPDATE s3_content SET data=? WHERE id=?", (data, row_id))

    def insert(
        self,
        row_id: int,
        bucket: Bucket,
        key: str,
        version: str,
        *,
        size: int,
        etag: str,
        modified: float,
        stored_as: str,
        checksum: tuple[str | None, str | None, str | None],
        blob: str | None,
        details: Details,
        parts: int = 0,
        marker: bool = False,
    ) -> None:
        self.store.execute(
            _INSERT,
            (
                row_id,
                bucket.id,
                key,
                version,
                marker,
                size,
                etag,
                modified,
                stored_as,
                *checksum,
                blob,
                parts,
                orjson.dumps(details) if details else _NO_DETAILS,
            ),
        )

    def make_way(self, bucket: Bucket, key: str, current: Row | None) -> None:
        """Before a new newest version: replaces the `null` version, or leaves the others as older ones."""
        if bucket.versioning is None:
            if current is not None:
                self.drop_row(current)
            return
        newest = current if current is not None else self.newest(bucket, key)
        if newest is None:
            return
        if bucket.versioning == "Suspended":
            old = newest if newest["version"] == "null" else self.version(bucket, key, "null")
            if old is not None:
                self.drop_row(old)
                if old["id"] == newest["id"]:
                    return
        self.store.execute("UPDATE s3_object SET latest=0 WHERE id=?", (newest["id"],))

    # -- delete -----------------------------------------------------------------------------------------------------

    @operation("DeleteObject")
    def delete_object(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        for member in ("MFA", "IfMatchLastModifiedTime", "IfMatchSize"):
            if request.get(member) is not None:
                raise NotEmulated(f"s3 DeleteObject.{member}")
        result = self.delete(call, bucket, request["Key"], request.get("VersionId"), request.get("IfMatch"))
        return self.answer(call, bucket, result)

    def delete(
        self, call: Call, bucket: Bucket, key: str, version: str | None, if_match: str | None = None
    ) -> dict[str, Any]:
        """Deletes as the bucket's versioning says. Returns the members `DeleteMarker` and `VersionId` that apply."""
        check_key(key)
        if version is not None:
            return self._delete_version(call, bucket, key, version)
        current = self.current(bucket, key)
        if if_match is not None:
            if current is None and if_match == "*":
                raise PreconditionFailed(Condition="If-Match")
            check_write({"IfMatch": if_match}, key, current)
        if bucket.versioning is None:
            if current is not None:
                self.drop_row(current)
                self.notify(
                    call, bucket, "ObjectRemoved:Delete", key, None, None, "null", self.next_id(call.now)
                )
            return {}
        self.make_way(bucket, key, current)
        row_id = self.next_id(call.now)
        marker = self.new_version(bucket, row_id)
        self.insert(
            row_id,
            bucket,
            key,
            marker,
            size=0,
            etag=_EMPTY_MD5,
            modified=call.now,
            stored_as="STANDARD",
            checksum=(None, None, None),
            blob=None,
            details={},
            marker=True,
        )
        self.notify(call, bucket, "ObjectRemoved:DeleteMarkerCreated", key, 0, _EMPTY_MD5, marker, row_id)
        return {"DeleteMarker": True, "VersionId": marker}

    def _delete_version(self, call: Call, bucket: Bucket, key: str, version: str) -> dict[str, Any]:
        row = self.version(bucket, key, version)
        if row is None:
            if version != "null" and len(version) != 32:
                raise NoSuchVersion("Invalid version id specified", Key=key, VersionId=version)
            return {"VersionId": version}
        self.drop_row(row)
        if row["latest"]:
            newest = self.newest(bucket, key)
            if newest is not None:
                self.store.execute("UPDATE s3_object SET latest=1 WHERE id=?", (newest["id"],))
        self.notify(call, bucket, "ObjectRemoved:Delete", key, None, None, version, self.next_id(call.now))
        return {"VersionId": version, **({"DeleteMarker": True} if row["marker"] else {})}

    @operation("DeleteObjects")
    def delete_objects(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        check_document(call.http, request, required=True)
        listed = request["Delete"].get("Objects") or ()
        if not 1 <= len(listed) <= 1000:
            raise MalformedXML
        quiet = request["Delete"].get("Quiet", False)
        deleted: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for entry in listed:
            key, version = entry["Key"], entry.get("VersionId")
            for member in ("LastModifiedTime", "Size"):
                if entry.get(member) is not None:
                    raise NotEmulated(f"s3 DeleteObjects.{member}")
            try:
                with self.store.transaction():
                    done = self.delete(call, bucket, key, version, entry.get("ETag"))
            except AwsError as error:
                errors.append(
                    {"Key": key, "VersionId": version, "Code": error.code, "Message": error.message}
                )
                continue
            if not quiet:
                deleted.append(_deleted(key, version, done))
        result: dict[str, Any] = {}
        if deleted:
            result["Deleted"] = deleted
        if errors:
            result["Errors"] = errors
        return self.answer(call, bucket, result)


def _deleted(key: str, version: str | None, done: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"Key": key}
    if version is not None:
        entry["VersionId"] = version
    if done.get("DeleteMarker"):
        entry["DeleteMarker"] = True
        entry["DeleteMarkerVersionId"] = done["VersionId"]
    return entry


def shown_checksum(row: Row) -> dict[str, str]:
    """The members that show an object's checksum."""
    if row["checksum"] is None:
        return {}
    return {f"Checksum{row['checksum_algorithm']}": row["checksum"], "ChecksumType": row["checksum_type"]}
