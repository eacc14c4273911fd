"""The life of a bucket: create, head, list, locate, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, NotEmulated, operation
from .base import S3Base
from .bucket import Bucket, canonical_id, check_bucket_name
from .details import check_acl, check_tags
from .errors import (
    AccessDenied,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidArgument,
    InvalidLocationConstraint,
    NoSuchBucket,
    NotFound,
)

_LEGACY = "us-east-1"
_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
_NEW_SETTINGS: Mapping[str, Any] = {
    "ownership": "BucketOwnerEnforced",
    "public-access-block": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
}


class BucketOperations(S3Base):
    @operation("CreateBucket")
    def create_bucket(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if call.principal.kind == "anonymous":
            raise AccessDenied
        name = request["Bucket"]
        check_bucket_name(name)
        configuration = request.get("CreateBucketConfiguration") or {}
        for member in ("Location", "Bucket"):
            if configuration.get(member):
                raise NotEmulated(f"s3 CreateBucket.CreateBucketConfiguration.{member}")
        if request.get("ObjectLockEnabledForBucket"):
            raise NotEmulated("s3 CreateBucket.ObjectLockEnabledForBucket")
        if request.get("BucketNamespace") not in (None, "global"):
            raise NotEmulated("s3 CreateBucket.BucketNamespace")
        region = _region(call, configuration.get("LocationConstraint"))
        tags = check_tags(configuration.get("Tags") or [], most=50)
        existing = self.find_bucket(name)
        if existing is not None:
            if existing.account != call.account:
                raise BucketAlreadyExists(BucketName=name)
            if call.region != _LEGACY or existing.region != _LEGACY:
                raise BucketAlreadyOwnedByYou(BucketName=name)
            return {"Location": f"/{name}", "BucketArn": existing.arn}
        ownership = request.get("ObjectOwnership") or "BucketOwnerEnforced"
        if ownership not in _OWNERSHIP:
            raise InvalidArgument(
                f"Invalid x-amz-object-ownership header: {ownership}", ArgumentName="x-amz-object-ownership"
            )
        bucket_id = self.store.execute(
            "INSERT INTO s3_bucket (name,account,region,created) VALUES (?,?,?,?)",
            (name, call.account, region, call.now),
        ).lastrowid
        bucket = Bucket(bucket_id or 0, name, call.account, region, call.now, None, {"ownership": ownership})
        check_acl(call, bucket, request)
        settings = {**_NEW_SETTINGS, "ownership": ownership, **({"tags": tags} if tags else {})}
        for setting, value in settings.items():
            self.save_setting(bucket, setting, value)
        location = f"/{name}" if region == _LEGACY else f"{call.base_url}/{name}"
        return {"Location": location, "BucketArn": bucket.arn}

    @operation("HeadBucket", reads=True)
    def head_bucket(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            bucket = self.bucket(call, request)
        except NoSuchBucket:
            raise NotFound from None
        return self.answer(
            call, bucket, {"BucketRegion": bucket.region, "AccessPointAlias": False, "BucketArn": bucket.arn}
        )

    @operation("GetBucketLocation", reads=True)
    def get_bucket_location(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        region = self.bucket(call, request).region
        return {} if region == _LEGACY else {"LocationConstraint": region}

    @operation("ListBuckets", reads=True)
    def list_buckets(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if call.principal.kind == "anonymous":
            raise AccessDenied
        most = request.get("MaxBuckets")
        if most is not None and not 1 <= most <= 10_000:
            raise InvalidArgument(
                "Argument max-buckets must be an integer between 1 and 10000",
                ArgumentName="max-buckets",
                ArgumentValue=most,
            )
        prefix = request.get("Prefix") or ""
        region = request.get("BucketRegion")
        limit = most or 10_000
        rows = self.store.all(
            "SELECT name,created,region FROM s3_bucket WHERE account=? AND name>? AND name>=? AND name<?"
            " AND (? IS NULL OR region=?) ORDER BY name LIMIT ?",
            (
                call.account,
                request.get("ContinuationToken") or "",
                prefix,
                prefix + "\U0010ffff",
                region,
                region,
                limit + 1,
            ),
        )
        paged = most is not None or bool(prefix) or region is not None
        buckets = [
            {
                "Name": row["name"],
                "CreationDate": row["created"],
                "BucketArn": f"arn:aws:s3:::{row['name']}",
                **({"BucketRegion": row["region"]} if paged else {}),
            }
            for row in rows[:limit]
        ]
        result: dict[str, Any] = {"Buckets": buckets, "Owner": {"ID": canonical_id(call.account)}}
        if prefix:
            result["Prefix"] = prefix
        if len(rows) > limit:
            result["ContinuationToken"] = buckets[-1]["Name"]
        return result

    @operation("DeleteBucket")
    def delete_bucket(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self.bucket(call, request)
        if self.store.one("SELECT 1 FROM s3_object WHERE bucket=? LIMIT 1", (bucket.id,)) is not None:
            versioned = bucket.versioning is not None
            raise BucketNotEmpty(
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
                if versioned
                else "",
                BucketName=bucket.name,
            )
        for upload in self.store.all("SELECT id FROM s3_upload WHERE bucket=?", (bucket.id,)):
            parts = self.store.all("SELECT blob FROM s3_part WHERE upload=?", (upload["id"],))
            self.drop_blobs(part["blob"] for part in parts)
            self.store.execute("DELETE FROM s3_part WHERE upload=?", (upload["id"],))
        self.store.execute("DELETE FROM s3_upload WHERE bucket=?", (bucket.id,))
        self.store.execute("DELETE FROM s3_bucket_setting WHERE bucket=?", (bucket.id,))
        self.store.execute("DELETE FROM s3_bucket WHERE id=?", (bucket.id,))
        self.bucket_changed(bucket)


def _region(call: Call, constraint: str | None) -> str:
    """Where the bucket goes. Only the endpoint of us-east-1 makes buckets elsewhere."""
    if constraint is None:
        if call.region != _LEGACY:
            raise IllegalLocationConstraintException
        return _LEGACY
    if constraint == _LEGACY or (constraint.count("-") < 2 and constraint != "EU"):
        raise InvalidLocationConstraint(LocationConstraint=constraint)
    region = "eu-west-1" if constraint == "EU" else constraint
    if call.region not in (_LEGACY, region):
        raise IllegalLocationConstraintException(
            f"The {constraint} location constraint is incompatible for the region specific endpoint this request was"
            " sent to."
        )
    return region
