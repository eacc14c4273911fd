"""Uploads: the record of each, the URLs to the bucket, and the objects."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from src.models.upload import Status, Upload, upload_id
from src.shared.errors import NotFound
from src.shared.paging import query_all
from src.shared.times import DAY, MINUTE, epoch, iso, now

BUCKET = os.environ["UPLOADS_BUCKET"]
URL_SECONDS = 15 * MINUTE
KEPT_FOR = timedelta(days=1)
PURGED_AFTER = KEPT_FOR + timedelta(seconds=7 * DAY)

table = boto3.resource("dynamodb").Table(os.environ["UPLOADS_TABLE"])
exceptions = table.meta.client.exceptions
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))


def create(user_id: str, *, size: int, content_type: str) -> tuple[Upload, str]:
    """The upload and a URL to PUT it to. Type and length are signed: S3 refuses any other with 403."""
    moment = now()
    upload = Upload(str(uuid4()), user_id, "pending", iso(moment), epoch(moment + KEPT_FOR))
    item = {
        "id": upload.id,
        "userId": upload.user_id,
        "status": upload.status,
        "createdAt": upload.created_at,
        "expiresAt": upload.expires_at,
        "purgeAt": epoch(moment + PURGED_AFTER),
    }
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(id)")
    target = {"Bucket": BUCKET, "Key": upload.key, "ContentType": content_type, "ContentLength": size}
    return upload, s3.generate_presigned_url("put_object", Params=target, ExpiresIn=URL_SECONDS)


def get(user_id: str, identifier: str) -> Upload:
    item = table.get_item(Key={"id": identifier}).get("Item")
    if item is None or item["userId"] != user_id:
        raise NotFound(f"There is no upload {identifier}")
    return Upload.of(item)


def thumbnail_url(upload: Upload) -> str:
    target = {"Bucket": BUCKET, "Key": upload.thumbnail_key}
    return s3.generate_presigned_url("get_object", Params=target, ExpiresIn=URL_SECONDS)


def read_object(key: str, limit: int) -> bytes | None:
    """At most `limit` + 1 bytes, so that one sees what is too long; None if the object is gone."""
    try:
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"]
    except s3.exceptions.NoSuchKey:
        return None
    with body:
        return body.read(limit + 1)


def write_thumbnail(key: str, image: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=image, ContentType="image/jpeg")


def mark_processed(key: str) -> None:
    _mark(key, "SET #status = :status REMOVE expiresAt, purgeAt, reason", {":status": "processed"})


def mark_rejected(key: str, reason: str) -> None:
    _mark(key, "SET #status = :status, reason = :reason", {":status": "rejected", ":reason": reason})


def expired(status: Status, moment: datetime) -> Iterator[Upload]:
    items = query_all(
        table,
        IndexName="ExpiryIndex",
        KeyConditionExpression="#status = :status AND expiresAt < :moment",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": status, ":moment": epoch(moment)},
    )
    return map(Upload.of, items)


def remove(upload: Upload) -> bool:
    """The record first, on condition that nothing came in between; then the object.

    If the function dies between the two, the bucket's lifecycle rule removes the object.
    """
    try:
        table.delete_item(
            Key={"id": upload.id},
            ConditionExpression="#status = :status AND expiresAt = :expiry",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": upload.status, ":expiry": upload.expires_at},
        )
    except exceptions.ConditionalCheckFailedException:
        return False
    s3.delete_object(Bucket=BUCKET, Key=upload.key)
    return True


def _mark(key: str, change: str, values: dict[str, Any]) -> None:
    """An object that was put past the API has no record; that is nothing to stumble over.

    S3 may deliver an event twice and late: what has been processed stays so.
    """
    try:
        table.update_item(
            Key={"id": upload_id(key)},
            UpdateExpression=change,
            ConditionExpression="attribute_exists(id) AND #status <> :processed",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=values | {":processed": "processed"},
        )
    except exceptions.ConditionalCheckFailedException:
        return
