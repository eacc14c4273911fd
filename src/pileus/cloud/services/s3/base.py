"""What all S3 operations stand on: buckets and their settings in memory, object rows, and the files behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import orjson

from ...kernel import Call, Cloud, Row, Service
from . import cors
from .bucket import Bucket
from .errors import AccessDenied, MethodNotAllowed, NoSuchBucket, NoSuchKey, NoSuchUpload, NoSuchVersion
from .schema import MIGRATIONS

BLOB_SUFFIX = "-s3"
OBJECT = (
    "id,bucket,key,version,latest,marker,size,etag,modified,storage_class,checksum_algorithm,checksum,checksum_type,"
    "blob,parts,details"
)
_CURRENT = f"SELECT {OBJECT} FROM s3_object WHERE bucket=? AND key=? AND latest=1 AND marker=0"
_NEWEST = f"SELECT {OBJECT} FROM s3_object WHERE bucket=? AND key=? ORDER BY id DESC LIMIT 1"
_VERSION = f"SELECT {OBJECT} FROM s3_object WHERE bucket=? AND key=? AND version=?"
_BY_ID = f"SELECT {OBJECT} FROM s3_object WHERE id=?"
_BASE32 = "0123456789abcdefghijklmnopqrstuv"


class S3Base(Service):
    name: ClassVar[str] = "s3"
    migrations: ClassVar[tuple[str, ...]] = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._buckets: dict[str, Bucket] = {}
        self._last_id = 0
        self._reading: Counter[str] = Counter()
        self._doomed: set[str] = set()

    def start(self) -> None:
        """Collects the files that a crash left behind between their writing and their commit, or after a delete."""
        mine = {blob for blob in self.store.blobs.ids() if blob.endswith(BLOB_SUFFIX)}
        if not mine:
            return
        for table in ("s3_object", "s3_segment", "s3_part"):
            for row in self.store.execute(f"SELECT blob FROM {table} WHERE blob IS NOT NULL"):
                mine.discard(row[0])
        for blob in mine:
            self.store.blobs.delete(blob)

    # -- buckets ----------------------------------------------------------------------------------------------------

    def bucket(self, call: Call, request: Mapping[str, Any]) -> Bucket:
        """The request's bucket, for who may use it. Raises NoSuchBucket, AccessDenied."""
        name = request["Bucket"]
        bucket = self._buckets.get(name) or self._load(name)
        if bucket is None:
            raise NoSuchBucket(BucketName=name)
        principal = call.principal
        if principal.kind == "anonymous" or (bucket.account != call.account and principal.kind != "service"):
            raise AccessDenied
        expected = request.get("ExpectedBucketOwner")
        if expected is not None and expected != bucket.account:
            raise AccessDenied
        return bucket

    def _load(self, name: str) -> Bucket | None:
        row = self.store.one("SELECT * FROM s3_bucket WHERE name=?", (name,))
        if row is None:
            return None
        settings = self.store.all("SELECT name,value FROM s3_bucket_setting WHERE bucket=?", (row["id"],))
        bucket = self._buckets[name] = Bucket.read(row, settings)
        self.store.on_rollback(lambda: self._drop_bucket(name))
        return bucket

    def find_bucket(self, name: str) -> Bucket | None:
        return self._buckets.get(name) or self._load(name)

    def bucket_by_id(self, bucket_id: int) -> Bucket | None:
        row = self.store.one("SELECT name FROM s3_bucket WHERE id=?", (bucket_id,))
        return None if row is None else self.find_bucket(row["name"])

    def bucket_changed(self, bucket: Bucket) -> None:
        name = bucket.name
        self._drop_bucket(name)
        self.store.on_rollback(lambda: self._drop_bucket(name))

    def _drop_bucket(self, name: str) -> None:
        self._buckets.pop(name, None)

    def save_setting(self, bucket: Bucket, name: str, value: Any) -> None:
        """value: what orjson writes; None takes the setting away."""
        if value is None:
            self.store.execute("DELETE FROM s3_bucket_setting WHERE bucket=? AND name=?", (bucket.id, name))
        else:
            self.store.execute(
                "INSERT OR REPLACE INTO s3_bucket_setting (bucket,name,value) VALUES (?,?,?)",
                (bucket.id, name, orjson.dumps(value)),
            )
        self.bucket_changed(bucket)

    def answer(self, call: Call, bucket: Bucket, result: dict[str, Any]) -> dict[str, Any]:
        """The result with the bucket's CORS headers, where a browser asks from another origin."""
        if call.http is not None and "origin" in call.http.headers and "cors" in bucket.settings:
            headers = cors.actual_headers(bucket.settings["cors"], call.http)
            if headers:
                result["$headers"] = {**result.get("$headers", {}), **headers}
        return result

    # -- objects ----------------------------------------------------------------------------------------------------

    def next_id(self, now: float) -> int:
        """An object's row: the clock's microseconds, pushed on where that is taken."""
        last = self._last_id
        if not last:
            row = self.store.one("SELECT max(id) FROM s3_object")
            last = (row[0] or 0) if row else 0
        self._last_id = last = max(int(now * 1e6), last + 1)
        return last

    def new_version(self, bucket: Bucket, row_id: int) -> str:
        """Opaque to clients; its last eleven characters are the row, so that a version is found without an index."""
        if bucket.versioning != "Enabled":
            return "null"
        tail = ""
        while row_id:
            row_id, digit = divmod(row_id, 32)
            tail = _BASE32[digit] + tail
        return self.ids.mixed(21) + tail.rjust(11, "0")

    def current(self, bucket: Bucket, key: str) -> Row | None:
        return self.store.one(_CURRENT, (bucket.id, key))

    def newest(self, bucket: Bucket, key: str) -> Row | None:
        """The newest version, a delete marker too."""
        return self.store.one(_NEWEST, (bucket.id, key))

    def version(self, bucket: Bucket, key: str, version: str) -> Row | None:
        if version == "null":
            return self.store.one(_VERSION, (bucket.id, key, version))
        try:
            row = self.store.one(_BY_ID, (int(version[21:], 32),))
        except (ValueError, OverflowError):
            return None
        fits = row is not None and (row["bucket"], row["key"], row["version"]) == (bucket.id, key, version)
        return row if fits else None

    def readable(self, bucket: Bucket, key: str, version: str | None) -> Row:
        """The object to read. Raises NoSuchKey, NoSuchVersion, and for a delete marker what S3 says of it."""
        if version is None:
            row = self.current(bucket, key)
            if row is None:
                raise NoSuchKey(Key=key)
            return row
        row = self.version(bucket, key, version)
        if row is None:
            raise NoSuchVersion(Key=key, VersionId=version)
        if row["marker"]:
            raise MethodNotAllowed(Method="GET", ResourceType="DeleteMarker")
        return row

    def upload(self, bucket: Bucket, request: Mapping[str, Any]) -> Row:
        """Raises NoSuchUpload."""
        upload_id = request["UploadId"]
        row = self.store.one("SELECT * FROM s3_upload WHERE id=?", (upload_id,))
        if row is None or row["bucket"] != bucket.id or row["key"] != request["Key"]:
            raise NoSuchUpload(UploadId=upload_id)
        return row

    def drop_row(self, row: Row) -> None:
        """Removes one version, its bytes with it (files after the commit)."""
        row_id = row["id"]
        self.store.execute("DELETE FROM s3_object WHERE id=?", (row_id,))
        if row["blob"] is not None:
            self.drop_blobs((row["blob"],))
        elif row["parts"]:
            self.drop_blobs(
                [r["blob"] for r in self.store.all("SELECT blob FROM s3_segment WHERE object=?", (row_id,))]
            )
            self.store.execute("DELETE FROM s3_segment WHERE object=?", (row_id,))
        elif not row["marker"]:
            self.store.execute("DELETE FROM s3_content WHERE id=?", (row_id,))

    # -- files ------------------------------------------------------------------------------------------------------

    def drop_blobs(self, blobs: Iterable[str]) -> None:
        for blob in blobs:
            self.store.after_commit(lambda blob=blob: self._remove(blob))  # type: ignore[misc]

    def _remove(self, blob: str) -> None:
        if self._reading[blob]:
            self._doomed.add(blob)  # a download is under way: it goes when that ends
        else:
            self.store.blobs.delete(blob)

    def acquire(self, blobs: Iterable[str]) -> None:
        self._reading.update(blobs)

    def release(self, blobs: Iterable[str]) -> None:
        for blob in blobs:
            self._reading[blob] -= 1
            if self._reading[blob] <= 0:
                del self._reading[blob]
                if blob in self._doomed:
                    self._doomed.discard(blob)
                    self.store.blobs.delete(blob)
