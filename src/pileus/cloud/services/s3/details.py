"""What an object carries beside its bytes: system headers, metadata, tags, encryption; read from a request, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from ...kernel import Call, NotEmulated
from .bucket import Bucket
from .errors import (
    AccessControlListNotSupported,
    HeaderNotImplemented,
    InvalidArgument,
    InvalidStorageClass,
    InvalidTag,
    MetadataTooLarge,
)

HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
)
STORAGE_CLASSES = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    }
)
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_NOT_EMULATED = (
    "SSECustomerAlgorithm",
    "SSECustomerKey",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHold",
    "WriteOffsetBytes",
    "SSEKMSEncryptionContext",
)
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_MAX_METADATA = 2048

Details = dict[str, Any]


def read_details(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> Details:
    """`headers`, `metadata`, `tags`, `sse`: those that the object has."""
    for member in _NOT_EMULATED:
        if request.get(member) is not None:
            raise NotEmulated(f"s3 {call.operation}.{member}")
    check_acl(call, bucket, request)
    headers = {name: request[name] for name in HEADERS if request.get(name) is not None}
    encoding = headers.get("ContentEncoding")
    if encoding is not None and "aws-chunked" in encoding:
        kept = [part.strip() for part in encoding.split(",") if part.strip() != "aws-chunked"]
        if kept:
            headers["ContentEncoding"] = ",".join(kept)
        else:
            del headers["ContentEncoding"]
    redirect = headers.get("WebsiteRedirectLocation")
    if redirect is not None and not redirect.startswith(("/", "http://", "https://")):
        raise InvalidArgument(
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
        )
    details: Details = {}
    if headers:
        details["headers"] = headers
    metadata = request.get("Metadata")
    if metadata:
        size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
        if size > _MAX_METADATA:
            raise MetadataTooLarge(Size=size, MaxSizeAllowed=_MAX_METADATA)
        details["metadata"] = {name.lower(): value for name, value in metadata.items()}
    if request.get("Tagging"):
        details["tags"] = header_tags(request["Tagging"])
    details["sse"] = encryption(call, bucket, request)
    return details


def check_acl(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Canned ACLs and grants. A bucket that enforces its owner takes only what says the same."""
    acl = request.get("ACL")
    grants = any(request.get(name) is not None for name in _GRANTS)
    if bucket.ownership == "BucketOwnerEnforced":
        if grants or acl not in (None, "private", "bucket-owner-full-control"):
            raise AccessControlListNotSupported
    elif grants or acl not in (None, "private"):
        raise NotEmulated(f"s3 {call.operation}.{'Grant*' if grants else 'ACL'}")


def encryption(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say how the object is encrypted: by the request, else by the bucket's default."""
    algorithm = request.get("ServerSideEncryption")
    key = request.get("SSEKMSKeyId")
    bucket_key = request.get("BucketKeyEnabled")
    if algorithm is None:
        if key is not None:
            raise InvalidArgument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption :"
                " aws:kms",
                ArgumentName="x-amz-server-side-encryption",
            )
        rule = default_encryption(bucket)
        algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        key = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        bucket_key = rule.get("BucketKeyEnabled")
    if algorithm == "AES256":
        return {"ServerSideEncryption": "AES256"}
    if algorithm != "aws:kms":
        if algorithm == "aws:kms:dsse":
            raise NotEmulated("s3 server-side encryption aws:kms:dsse")
        raise InvalidArgument(
            "The encryption method specified is not supported",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=algorithm,
        )
    found = call.cloud.call("kms", "DescribeKey", {"KeyId": key or "alias/aws/s3"}, within=call)
    sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": found["KeyMetadata"]["Arn"]}
    return {**sse, "BucketKeyEnabled": True} if bucket_key else sse


def default_encryption(bucket: Bucket) -> Mapping[str, Any]:
    rule: Mapping[str, Any] = bucket.settings.get("encryption") or _SSE_S3
    return rule


_SSE_S3: Mapping[str, Any] = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    "BucketKeyEnabled": False,
}


def storage_class(request: Mapping[str, Any]) -> str:
    name: str = request.get("StorageClass") or "STANDARD"
    if name not in STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=name)
    if name in _ARCHIVED:
        raise NotEmulated(f"s3 storage class {name}")
    return name


# -- tags --------------------------------------------------------------------------------------------------------------


def header_tags(text: str) -> list[dict[str, str]]:
    """The x-amz-tagging header: `a=1&b=2`."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag"
            " name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=text,
        ) from None
    return check_tags([{"Key": key, "Value": value} for key, value in pairs], most=10)


def check_tags(tags: Sequence[Mapping[str, str]], *, most: int) -> list[dict[str, str]]:
    if len(tags) > most:
        kind = "Object" if most == 10 else "Bucket"
        raise InvalidTag(f"{kind} tags cannot be greater than {most}")
    seen: set[str] = set()
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key in seen:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        seen.add(key)
        if not 1 <= len(key) <= 128:
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256:
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags]


def reject(name: str, value: Any, hint: str) -> HeaderNotImplemented:
    return HeaderNotImplemented(Header=name, additionalMessage=hint.format(value=value))
