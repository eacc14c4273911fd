"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, Row, operation
from .base import S3Base
from .bucket import Bucket
from .errors import InvalidArgument
from .listing import after_key, after_prefix, common_prefix, key_encoder


class UploadListOperations(S3Base):
    @operation("ListParts")
    def list_parts(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        upload = self.upload(bucket, request)
        most = _most(request.get("MaxParts"), "max-parts")
        marker = int(request.get("PartNumberMarker") or 0)
        found = self.store.all(
            "SELECT * FROM s3_part WHERE upload=? AND number>? ORDER BY number LIMIT ?",
            (upload["id"], marker, most + 1),
        )
        shown = found[:most]
        return {
            "Bucket": bucket.name,
            "Key": upload["key"],
            "UploadId": upload["id"],
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1]["number"] if shown else 0,
            "MaxParts": most,
            "IsTruncated": len(found) > most,
            "Parts": [_shown_part(part, upload) for part in shown] or None,
            "Initiator": {"ID": upload["initiator"]},
            "Owner": bucket.owner,
            "StorageClass": upload["storage_class"],
            "ChecksumAlgorithm": upload["checksum_algorithm"],
            "ChecksumType": upload["checksum_type"],
        }

    @operation("ListMultipartUploads")
    def list_multipart_uploads(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        get = request.get
        code = key_encoder(get("EncodingType"))
        prefix, delimiter = get("Prefix") or "", get("Delimiter") or ""
        most = _most(get("MaxUploads"), "max-uploads")
        key_marker, id_marker = get("KeyMarker") or "", get("UploadIdMarker") or ""
        uploads: list[Row] = []
        prefixes: list[str] = []
        truncated = False
        last = ("", "")
        at = (
            max(prefix, key_marker if id_marker else after_key(key_marker) if key_marker else ""),
            id_marker,
        )
        while not truncated:
            row = self.store.one(
                "SELECT * FROM s3_upload WHERE bucket=? AND (key,id)>(?,?) ORDER BY key,id LIMIT 1",
                (bucket.id, *at),
            )
            if row is None or not row["key"].startswith(prefix):
                break
            if len(uploads) + len(prefixes) == most:
                truncated = True
                break
            shared = common_prefix(row["key"], prefix, delimiter)
            if shared is None:
                uploads.append(row)
                at = (row["key"], row["id"])
                last = at
            else:
                prefixes.append(shared)
                last = (shared, "")
                skip_to = after_prefix(shared)
                if skip_to is None:
                    break
                at = (skip_to, "")
        result = {
            "Bucket": bucket.name,
            "KeyMarker": code(key_marker),
            "UploadIdMarker": id_marker,
            "Prefix": code(prefix),
            "Delimiter": code(delimiter) if delimiter else None,
            "MaxUploads": most,
            "EncodingType": get("EncodingType"),
            "IsTruncated": truncated,
            "Uploads": [_shown_upload(row, bucket, code(row["key"])) for row in uploads] or None,
            "CommonPrefixes": [{"Prefix": code(text)} for text in prefixes] or None,
        }
        if truncated and most:
            result["NextKeyMarker"], result["NextUploadIdMarker"] = code(last[0]), last[1]
        return result


def _most(given: int | None, name: str) -> int:
    if given is not None and given < 0:
        raise InvalidArgument(
            f"Argument {name} must be an integer between 0 and 2147483647",
            ArgumentName=name,
            ArgumentValue=given,
        )
    return 1000 if given is None else min(given, 1000)


def _shown_part(part: Row, upload: Row) -> dict[str, Any]:
    shown = {
        "PartNumber": part["number"],
        "LastModified": part["modified"],
        "ETag": f'"{part["etag"]}"',
        "Size": part["size"],
    }
    algorithm, _, value = part["checksum"].partition(":")
    if upload["checksum_algorithm"]:
        shown[f"Checksum{algorithm}"] = value
    return shown


def _shown_upload(row: Row, bucket: Bucket, key: str) -> dict[str, Any]:
    return {
        "UploadId": row["id"],
        "Key": key,
        "Initiated": row["initiated"],
        "StorageClass": row["storage_class"],
        "Owner": bucket.owner,
        "Initiator": {"ID": row["initiator"]},
        "ChecksumAlgorithm": row["checksum_algorithm"],
        "ChecksumType": row["checksum_type"],
    }
