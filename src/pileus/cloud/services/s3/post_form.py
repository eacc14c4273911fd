"""Uploads from a browser's form (`POST` with `multipart/form-data`): the form, its policy document, and the answer.

The gateway reads the form and checks the policy's signature; what the policy allows is checked here. Source: S3 API
reference, "POST Object" and "Creating a POST policy".
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import orjson

from ...kernel import Call, HttpRequest, HttpResponse
from .bucket import Bucket, check_key
from .details import read_details, storage_class
from .errors import (
    AccessDenied,
    EntityTooLarge,
    EntityTooSmall,
    InvalidArgument,
    InvalidPolicyDocument,
    MalformedPOSTRequest,
)
from .objects import ObjectOperations

_NAME = re.compile(r'name="((?:[^"\\]|\\.)*)"')
_FILE_NAME = re.compile(r'filename="((?:[^"\\]|\\.)*)"')
_FREE = frozenset({"x-amz-signature", "file", "policy", "awsaccesskeyid", "signature"})
_MEMBERS = {
    "acl": "ACL",
    "cache-control": "CacheControl",
    "content-type": "ContentType",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "expires": "Expires",
    "x-amz-storage-class": "StorageClass",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
    "content-md5": "ContentMD5",
}
_CHECKSUMS = {
    f"x-amz-checksum-{name.lower()}": f"Checksum{name}"
    for name in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
}


@dataclass(slots=True)
class Form:
    """fields: by lower-case name. file: the content; what follows it in the form is not looked at, as in S3."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytes = b""
    file_name: str = ""


def read_form(request: HttpRequest) -> Form:
    """Raises MalformedPOSTRequest."""
    _, found, boundary = request.headers.get("content-type", "").partition("boundary=")
    if not found:
        raise MalformedPOSTRequest
    mark = b"--" + boundary.partition(";")[0].strip().strip('"').encode("latin-1")
    form = Form()
    for part in (b"\r\n" + request.body).split(b"\r\n" + mark)[1:]:
        if part.startswith(b"--"):
            break
        head, found_body, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(head.decode("utf-8", "replace"))
        if not found_body or name is None:
            raise MalformedPOSTRequest
        if name[1].lower() == "file":
            file_name = _FILE_NAME.search(head.decode("utf-8", "replace"))
            form.file, form.file_name = content, file_name[1] if file_name else ""
            return form
        form.fields[name[1].lower()] = content.decode("utf-8", "replace")
    raise InvalidArgument(
        "POST requires exactly one file upload per request.", ArgumentName="file", ArgumentValue="0"
    )


class PostOperations(ObjectOperations):
    def read_form(self, request: HttpRequest) -> Form:
        return read_form(request)

    async def post_object(self, call: Call, bucket_name: str, form: Form) -> HttpResponse:
        """Stores the form's file. The call's principal is who signed the form's policy."""
        bucket = self.bucket(call, {"Bucket": bucket_name})
        fields = {**form.fields, "bucket": bucket.name}
        if "key" not in fields:
            raise InvalidArgument(
                "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the"
                " fields.",
                ArgumentName="key",
                ArgumentValue="",
            )
        check_policy(fields, len(form.file), call.now)
        key = fields["key"].replace("${filename}", form.file_name.replace("\\", "/").rsplit("/", 1)[-1])
        check_key(key)
        request = _request(fields, form)
        details = read_details(call, bucket, request)
        bare = call.within("s3", "PostObject")  # the body's headers are the form's, not the file's
        content = await self.take_body(bare, request)
        try:
            with self.store.transaction():
                row_id, version = self.store_object(
                    call, bucket, key, content, details, storage_class(request), conditions={}
                )
                self.notify(
                    call, bucket, "ObjectCreated:Post", key, content.size, content.md5, version, row_id
                )
        except BaseException:
            self.discard(content)
            raise
        response = _answer(call, bucket, key, content.md5, fields)
        if bucket.versioning == "Enabled":
            response.headers["x-amz-version-id"] = version
        result = self.answer(call, bucket, {})
        response.headers.update(result.get("$headers", {}))
        return response


def _request(fields: Mapping[str, str], form: Form) -> dict[str, Any]:
    """The form as PutObject's request."""
    request: dict[str, Any] = {"Body": form.file}
    for name, member in {**_MEMBERS, **_CHECKSUMS}.items():
        if name in fields:
            request[member] = fields[name]
    metadata = {n.removeprefix("x-amz-meta-"): v for n, v in fields.items() if n.startswith("x-amz-meta-")}
    if metadata:
        request["Metadata"] = metadata
    tags = fields.get("tagging")
    if tags:
        pairs = re.findall(r"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", tags, re.DOTALL)
        request["Tagging"] = urlencode(pairs)
    return request


def _answer(call: Call, bucket: Bucket, key: str, etag: str, fields: Mapping[str, str]) -> HttpResponse:
    location = f"{call.base_url}/{bucket.name}/{quote(key)}"
    headers = {"ETag": f'"{etag}"', "Location": location}
    redirect = fields.get("success_action_redirect") or fields.get("redirect")
    if redirect:
        query = urlencode({"bucket": bucket.name, "key": key, "etag": f'"{etag}"'})
        return HttpResponse(
            303, {**headers, "Location": f"{redirect}{'&' if '?' in redirect else '?'}{query}"}
        )
    status = fields.get("success_action_status")
    if status == "201":
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>{escape(location)}</Location>'
            f'<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><ETag>"{etag}"</ETag></PostResponse>'
        )
        return HttpResponse(201, {**headers, "content-type": "application/xml"}, text.encode())
    return HttpResponse(200 if status == "200" else 204, headers)


def check_policy(fields: Mapping[str, str], size: int, now: float) -> None:
    """Every condition must hold, and every field must be in one."""
    try:
        policy = orjson.loads(b64decode(fields["policy"]))
        expires = datetime.fromisoformat(policy["expiration"].replace("Z", "+00:00"))
        conditions = policy["conditions"]
    except KeyError as missing:
        if missing.args == ("policy",):
            raise AccessDenied from None
        raise InvalidPolicyDocument(
            f"Invalid Policy: Policy missing {missing.args[0]}.",
        ) from None
    except (ValueError, TypeError, AttributeError):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.") from None
    if (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp() <= now:
        raise AccessDenied("Invalid according to Policy: Policy expired.")
    named: set[str] = set()
    for condition in conditions:
        rules = (
            [["eq", f"${name}", value] for name, value in condition.items()]
            if isinstance(condition, dict)
            else [condition]
        )
        for rule in rules:
            named.add(_check_condition(rule, condition, fields, size))
    extra = [
        name
        for name in fields
        if name not in named | _FREE and name != "bucket" and not name.startswith("x-ignore-")
    ]
    if extra:
        raise AccessDenied(f"Invalid according to Policy: Extra input fields: {', '.join(sorted(extra))}")


def _check_condition(rule: Any, shown: Any, fields: Mapping[str, str], size: int) -> str:
    """Returns the field that the condition is about."""
    if not isinstance(rule, list) or len(rule) != 3:
        raise InvalidPolicyDocument("Invalid Policy: Invalid Condition.")
    kind, name, value = str(rule[0]).lower(), rule[1], rule[2]
    if kind == "content-length-range":
        if size < int(name):
            raise EntityTooSmall(ProposedSize=size, MinSizeAllowed=int(name))
        if size > int(value):
            raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=int(value))
        return ""
    if kind not in ("eq", "starts-with") or not str(name).startswith("$"):
        raise InvalidPolicyDocument("Invalid Policy: Invalid Condition.")
    about = str(name)[1:].lower()
    given = fields.get(about, "")
    if given == str(value) if kind == "eq" else given.startswith(str(value)):
        return about
    text = orjson.dumps(shown if isinstance(shown, list) else rule).decode()
    raise AccessDenied(f"Invalid according to Policy: Policy Condition failed: {text}")
