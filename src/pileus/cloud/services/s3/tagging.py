"""Object tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, Row, operation
from .body import check_document
from .bucket import Bucket
from .details import check_tags
from .notifications import Notifier


class TaggingOperations(Notifier):
    @operation("GetObjectTagging")
    def get_object_tagging(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket, row = self._object(call, request)
        tags = orjson.loads(row["details"]).get("tags") or []
        return {"TagSet": tags, **_version(bucket, row)}

    @operation("PutObjectTagging")
    def put_object_tagging(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket, row = self._object(call, request)
        check_document(call.http, request)
        self._save(row, check_tags(request["Tagging"].get("TagSet") or [], most=10))
        self._tell(call, bucket, row, "ObjectTagging:Put")
        return _version(bucket, row)

    @operation("DeleteObjectTagging")
    def delete_object_tagging(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket, row = self._object(call, request)
        self._save(row, [])
        self._tell(call, bucket, row, "ObjectTagging:Delete")
        return _version(bucket, row)

    def _object(self, call: Call, request: Mapping[str, Any]) -> tuple[Bucket, Row]:
        bucket = self.bucket(call, request)
        return bucket, self.readable(bucket, request["Key"], request.get("VersionId"))

    def _save(self, row: Row, tags: list[dict[str, str]]) -> None:
        details = {**orjson.loads(row["details"]), "tags": tags}
        self.store.execute("UPDATE s3_object SET details=? WHERE id=?", (orjson.dumps(details), row["id"]))

    def _tell(self, call: Call, bucket: Bucket, row: Row, event: str) -> None:
        key = row["key"]
        self.notify(call, bucket, event, key, None, row["etag"], row["version"], self.next_id(call.now))


def _version(bucket: Bucket, row: Row) -> dict[str, Any]:
    return {} if bucket.versioning is None else {"VersionId": row["version"]}
