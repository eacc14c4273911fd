"""S3 in the process: what is easier said without a wire, and what a client would not send."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.cloud.kernel import AwsError, Cloud, HttpRequest, NotEmulated, Settings
from pileus.cloud.services import REGISTRY
from pileus.cloud.services.s3 import checksums
from pileus.cloud.services.s3.chunked import ChunkDecoder, ChunkSigner
from pileus.cloud.services.s3.errors import IncompleteBody, SignatureDoesNotMatch
from pileus.cloud.services.s3.listing import after_prefix

Result = dict[str, Any]
DAY = 86_400


def call(cloud: Cloud, operation: str, **request: Any) -> Result:
    return asyncio.run(cloud.call_async("s3", operation, request))


def fails(cloud: Cloud, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **request)
    return caught.value.code, caught.value.message


async def read(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


def get(cloud: Cloud, key: str, bucket: str = "bucket", **more: Any) -> bytes:
    async def scene() -> bytes:
        request = {"Bucket": bucket, "Key": key, **more}
        return await read((await cloud.call_async("s3", "GetObject", request))["Body"])

    return asyncio.run(scene())


@pytest.fixture
def made(cloud: Cloud) -> Cloud:
    call(cloud, "CreateBucket", Bucket="bucket")
    return cloud


def upload(cloud: Cloud, headers: dict[str, str], body: bytes, **attributes: Any) -> Result:
    """PutObject as the gateway hands it over, in chunks of seven bytes."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    async def scene() -> Result:
        http = HttpRequest("PUT", "/bucket/k", "", {"host": "x", **headers}, stream=chunks())
        made = cloud.make_call("s3", "PutObject", http=http)
        made.attributes.update(attributes)
        service: Any = cloud.service("s3")
        result: Result = await service.put_object(made, {"Bucket": "bucket", "Key": "k", "Body": http.stream})
        return result

    return asyncio.run(scene())


# -- checksums and bodies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [  # of "123456789": the check values of the catalogues
        ("CRC32", "cbf43926"),
        ("CRC32C", "e3069283"),
        ("CRC64NVME", "ae8b14860a799888"),
        ("SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ("SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    ],
)
def test_checksums(algorithm: str, value: str) -> None:
    expected = b64encode(bytes.fromhex(value)).decode()
    assert checksums.checksum(algorithm, b"123456789") == expected
    running = checksums.hasher(algorithm)
    for piece in (b"12345", b"", b"6789"):
        running.update(piece)
    assert checksums.encode(running) == expected
    if algorithm.startswith("CRC"):
        parts = [(checksums.checksum(algorithm, piece), len(piece)) for piece in (b"12", b"345678", b"9")]
        assert checksums.combine(algorithm, "FULL_OBJECT", parts) == expected


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"ContentMD5": b64encode(b"0" * 16).decode()}, "BadDigest"),
        ({"ContentMD5": "nonsense"}, "InvalidDigest"),
        ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
        ({"ChecksumCRC32": "AAAA"}, "InvalidRequest"),
        ({"ChecksumCRC32": "AAAAAA==", "ChecksumSHA1": "x"}, "InvalidRequest"),
        ({"StorageClass": "NONE"}, "InvalidStorageClass"),
        ({"ACL": "public-read"}, "AccessControlListNotSupported"),
        ({"Tagging": "a=1&a=2"}, "InvalidTag"),
        ({"Metadata": {"a": "x" * 2048}}, "MetadataTooLarge"),
        ({"Key": "x" * 1025}, "KeyTooLongError"),
        ({"Key": "a\0b"}, "InvalidArgument"),
        ({"Bucket": "none"}, "NoSuchBucket"),
        ({"ExpectedBucketOwner": "111111111111"}, "AccessDenied"),
        ({"IfNoneMatch": '"x"'}, "NotImplemented"),
    ],
)
def test_refused_puts_leave_nothing(made: Cloud, request_: Result, code: str) -> None:
    assert (
        fails(made, "PutObject", **{"Bucket": "bucket", "Key": "k", "Body": b"x" * 70_000, **request_})[0]
        == code
    )
    assert call(made, "ListObjectsV2", Bucket="bucket")["KeyCount"] == 0
    assert list(made.store.blobs.ids()) == []
    assert list((made.store.root / "blobs" / "incoming").iterdir()) == []


def test_what_is_not_emulated_says_so(made: Cloud) -> None:
    with pytest.raises(NotEmulated, match=r"s3 PutObject\.SSECustomerKey"):
        call(made, "PutObject", Bucket="bucket", Key="k", SSECustomerKey="x")


def _chunked(data: bytes, size: int, signer: tuple[bytes, str] | None, trailer: bytes = b"") -> bytes:
    """An aws-chunked body, signed by hand as the reference describes it."""
    date, scope = "20130524T000000Z", "20130524/us-east-1/s3/aws4_request"
    out = b""
    previous = signer[1] if signer else ""

    def sign(kind: str, text: str) -> str:
        assert signer is not None
        whole = f"AWS4-HMAC-SHA256-{kind}\n{date}\n{scope}\n{previous}\n{text}"
        return hmac.new(signer[0], whole.encode(), hashlib.sha256).hexdigest()

    empty = hashlib.sha256(b"").hexdigest()
    for start in [*range(0, len(data), size), len(data)]:
        piece = data[start : start + size]
        out += f"{len(piece):x}".encode()
        if signer:
            previous = sign("PAYLOAD", f"{empty}\n{hashlib.sha256(piece).hexdigest()}")
            out += f";chunk-signature={previous}".encode()
        out += b"\r\n" + (piece + b"\r\n" if piece else b"")
    if trailer:
        out += trailer + b"\r\n"
        if signer:
            signature = sign("TRAILER", hashlib.sha256(trailer + b"\n").hexdigest())
            out += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return out + b"\r\n"


class _Signature:
    date, scope, signature = "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", "5eed"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("size", [0, 100, 200_000])
def test_chunked_bodies_with_trailers(made: Cloud, signed: bool, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    crc = checksums.checksum("CRC32C", data).encode()
    body = _chunked(data, 8192, (b"key", "5eed") if signed else None, b"x-amz-checksum-crc32c:" + crc)
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" if signed else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": kind,
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": "x-amz-checksum-crc32c",
    }
    attributes: Result = {"payload_sha256": kind}
    if signed:
        attributes |= {"signing_key": b"key", "signature": _Signature()}
    assert upload(made, headers, body, **attributes)["ChecksumCRC32C"] == crc.decode()
    assert get(made, "k") == data
    assert "ContentEncoding" not in call(made, "HeadObject", Bucket="bucket", Key="k")
    wrong = body.replace(crc, b"AAAAAA==") if crc != b"AAAAAA==" else body.replace(crc, b"AAAAAQ==")
    with pytest.raises(AwsError) as caught:
        upload(made, headers, wrong, **attributes)
    assert caught.value.code == ("SignatureDoesNotMatch" if signed else "BadDigest")


def test_a_forged_or_cut_chunk_is_refused() -> None:
    body = _chunked(b"hello world", 4, (b"key", "5eed"))

    def decode(sent: bytes) -> bytes:
        decoder = ChunkDecoder(ChunkSigner(b"key", _Signature.date, _Signature.scope, "5eed"))
        data = decoder.feed(sent)
        decoder.finish()
        return data

    assert decode(body) == b"hello world"
    with pytest.raises(SignatureDoesNotMatch):
        decode(body.replace(b"hell", b"hall"))
    with pytest.raises(IncompleteBody):
        decode(body[: len(body) // 2])


def test_a_body_shorter_than_its_length_is_refused(made: Cloud) -> None:
    with pytest.raises(IncompleteBody):
        upload(made, {"content-length": "10"}, b"short")
    assert upload(made, {"content-length": "5"}, b"short")["ETag"]


# -- buckets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["ab", "A-b", "a_b", "a..b", "-ab", "ab-", "192.168.0.1", "xn--a", "a-s3alias", "x" * 64]
)
def test_bad_bucket_names(cloud: Cloud, name: str) -> None:
    assert fails(cloud, "CreateBucket", Bucket=name)[0] == "InvalidBucketName"


def test_buckets_are_one_namespace(made: Cloud) -> None:
    assert call(made, "CreateBucket", Bucket="bucket")["Location"] == "/bucket"  # us-east-1 says it again
    other = {"account": "111111111111"}
    for operation, code in (("CreateBucket", "BucketAlreadyExists"), ("ListObjectsV2", "AccessDenied")):
        with pytest.raises(AwsError) as caught:
            made.call("s3", operation, {"Bucket": "bucket"}, **other)
        assert caught.value.code == code
    assert made.call("s3", "ListBuckets", {}, **other)["Buckets"] == []


@pytest.mark.parametrize(
    ("region", "constraint", "expected"),
    [
        ("us-east-1", None, None),
        ("us-east-1", "eu-central-1", "eu-central-1"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("eu-central-1", "eu-central-1", "eu-central-1"),
        ("eu-central-1", None, "IllegalLocationConstraintException"),
        ("eu-central-1", "us-west-2", "IllegalLocationConstraintException"),
    ],
)
def test_where_a_bucket_is_made(
    cloud: Cloud, region: str, constraint: str | None, expected: str | None
) -> None:
    request: Result = {"Bucket": "bucket"}
    if constraint:
        request["CreateBucketConfiguration"] = {"LocationConstraint": constraint}
    try:
        cloud.call("s3", "CreateBucket", request, region=region)
    except AwsError as error:
        assert error.code == expected
    else:
        assert call(cloud, "GetBucketLocation", Bucket="bucket").get("LocationConstraint") == expected


def test_defaults_of_a_new_bucket(made: Cloud) -> None:
    found = call(made, "GetPublicAccessBlock", Bucket="bucket")["PublicAccessBlockConfiguration"]
    assert set(found.values()) == {True}
    rules = call(made, "GetBucketEncryption", Bucket="bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    controls = call(made, "GetBucketOwnershipControls", Bucket="bucket")["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert call(made, "GetBucketVersioning", Bucket="bucket") == {}


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetBucketPolicy", "NoSuchBucketPolicy"),
        ("GetBucketCors", "NoSuchCORSConfiguration"),
        ("GetBucketTagging", "NoSuchTagSet"),
        ("GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    ],
)
def test_what_was_never_put_is_not_there(made: Cloud, operation: str, code: str) -> None:
    assert fails(made, operation, Bucket="bucket")[0] == code


@pytest.mark.parametrize(
    "policy",
    [
        "nope",
        "[]",
        '{"Version":"2012-10-17","Statement":[]}',
        '{"Statement":[{"Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket"}]}',
        '{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bucket"}]}',
        '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"arn:aws:s3:::bucket"}]}',
        '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other"}]}',
    ],
)
def test_bad_policies(made: Cloud, policy: str) -> None:
    assert fails(made, "PutBucketPolicy", Bucket="bucket", Policy=policy)[0] == "MalformedPolicy"


def test_public_policies_need_the_block_lifted(made: Cloud) -> None:
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::bucket/*"}]}'
    )
    assert fails(made, "PutBucketPolicy", Bucket="bucket", Policy=policy)[0] == "AccessDenied"
    call(made, "DeletePublicAccessBlock", Bucket="bucket")
    call(made, "PutBucketPolicy", Bucket="bucket", Policy=policy)
    assert call(made, "GetBucketPolicy", Bucket="bucket") == {"Policy": policy}


_PREFLIGHT = {"origin": "https://a.example", "access-control-request-method": "PUT"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (_PREFLIGHT, "https://a.example"),
        ({**_PREFLIGHT, "access-control-request-headers": "Content-Type, X-Amz-Date"}, "https://a.example"),
        ({**_PREFLIGHT, "access-control-request-headers": "authorization"}, "AccessDenied"),
        ({**_PREFLIGHT, "origin": "https://b.test"}, "AccessDenied"),
        ({**_PREFLIGHT, "access-control-request-method": "DELETE"}, "AccessDenied"),
        ({}, "InvalidRequest"),
    ],
)
def test_preflights(made: Cloud, headers: dict[str, str], expected: str) -> None:
    rule = {
        "AllowedMethods": ["PUT"],
        "AllowedOrigins": ["https://*.example"],
        "AllowedHeaders": ["content-*", "x-amz-*"],
    }
    call(made, "PutBucketCors", Bucket="bucket", CORSConfiguration={"CORSRules": [rule]})
    service: Any = made.service("s3")
    try:
        response = service.preflight("bucket", HttpRequest("OPTIONS", "/bucket/k", "", headers))
    except AwsError as error:
        assert error.code == expected
    else:
        assert response.headers["Access-Control-Allow-Origin"] == expected


# -- listing -----------------------------------------------------------------------------------------------------------

_KEYS = st.lists(
    st.text(st.sampled_from("ab/é\U0010ffff\ud7ff"), min_size=1, max_size=5), unique=True, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(_KEYS, st.sampled_from(["", "a", "a/", "é"]), st.sampled_from(["", "/", "b"]), st.integers(1, 4))
def test_listing_agrees_with_the_plain_definition(
    keys: list[str], prefix: str, delimiter: str, most: int
) -> None:
    cloud = Cloud(REGISTRY, Settings())
    try:
        cloud.call("s3", "CreateBucket", {"Bucket": "bucket"})

        async def put_all() -> None:
            for key in keys:
                await cloud.call_async("s3", "PutObject", {"Bucket": "bucket", "Key": key})

        asyncio.run(put_all())
        expected: list[str] = []
        for key in sorted(keys, key=str.encode):
            if key.startswith(prefix):
                end = key.find(delimiter, len(prefix)) if delimiter else -1
                name = key if end < 0 else "P:" + key[: end + len(delimiter)]
                if name not in expected:
                    expected.append(name)
        assert list(_pages(cloud, prefix, delimiter, most)) == sorted(
            expected, key=lambda name: name.removeprefix("P:").encode()
        )
    finally:
        cloud.store.close()


def _pages(cloud: Cloud, prefix: str, delimiter: str, most: int) -> list[str]:
    found: list[str] = []
    more: Result = {}
    while True:
        request = {"Bucket": "bucket", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": most, **more}
        page = cloud.call("s3", "ListObjectsV2", request)
        entries = [entry["Key"] for entry in page["Contents"] or ()]
        entries += ["P:" + entry["Prefix"] for entry in page["CommonPrefixes"] or ()]
        assert len(entries) == page["KeyCount"] <= most
        found += sorted(entries, key=lambda name: name.removeprefix("P:").encode())
        if not page["IsTruncated"]:
            return found
        more = {"ContinuationToken": page["NextContinuationToken"]}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "a/b", "a/c", "b"]), st.booleans()), max_size=14),
    st.sampled_from(["", "/"]),
    st.integers(1, 3),
)
def test_versions_page_through_all_newest_first(
    changes: list[tuple[str, bool]], delimiter: str, most: int
) -> None:
    cloud = Cloud(REGISTRY, Settings())
    try:
        cloud.call("s3", "CreateBucket", {"Bucket": "bucket"})
        enabled = {"VersioningConfiguration": {"Status": "Enabled"}}
        cloud.call("s3", "PutBucketVersioning", {"Bucket": "bucket", **enabled})

        async def change_all() -> list[tuple[str, str]]:
            made = []
            for key, put in changes:
                operation = "PutObject" if put else "DeleteObject"
                done = await cloud.call_async("s3", operation, {"Bucket": "bucket", "Key": key})
                made.append((key, str(done["VersionId"])))
            return made

        made = asyncio.run(change_all())
        newest_first = [
            (key, version) for key in ("a", "a/b", "a/c", "b") for k, version in reversed(made) if k == key
        ]
        plain = [pair for pair in newest_first if not delimiter or "/" not in pair[0]]
        shared = {"a/"} if delimiter and any("/" in key for key, _ in changes) else set()
        found: list[tuple[str, str]] = []
        prefixes: list[str] = []
        more: Result = {}
        while True:
            request = {"Bucket": "bucket", "Delimiter": delimiter, "MaxKeys": most, **more}
            page = cloud.call("s3", "ListObjectVersions", request)
            rows = [*(page["Versions"] or ()), *(page["DeleteMarkers"] or ())]
            order = {version: place for place, (_, version) in enumerate(newest_first)}
            found += sorted(((r["Key"], r["VersionId"]) for r in rows), key=lambda pair: order[pair[1]])
            prefixes += [entry["Prefix"] for entry in page["CommonPrefixes"] or ()]
            latest = {r["VersionId"] for r in rows if r["IsLatest"]}
            assert all(
                version == next(v for k, v in newest_first if k == key)
                for key, version in found
                if version in latest
            )
            if not page["IsTruncated"]:
                break
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker")}
        assert found == plain
        assert prefixes == sorted(shared)
    finally:
        cloud.store.close()


def test_the_end_of_a_prefix() -> None:
    assert [after_prefix(text) for text in ("a", "a\U0010ffff", "\ud7ff", "\U0010ffff", "")] == [
        "b",
        "b",
        "\ue000",
        None,
        None,
    ]


def test_listing_skips_what_is_under_a_common_prefix(made: Cloud) -> None:
    async def fill() -> None:
        for number in range(2000):
            await made.call_async("s3", "PutObject", {"Bucket": "bucket", "Key": f"a/{number}"})
        await made.call_async("s3", "PutObject", {"Bucket": "bucket", "Key": "b"})

    asyncio.run(fill())
    service: Any = made.service("s3")
    read_rows = 0
    original = service.store.all

    def counting(sql: str, parameters: Any = ()) -> Any:
        nonlocal read_rows
        rows = original(sql, parameters)
        read_rows += len(rows)
        return rows

    service.store.all = counting
    page = call(made, "ListObjectsV2", Bucket="bucket", Delimiter="/")
    assert [entry["Key"] for entry in page["Contents"]] == ["b"]
    assert read_rows < 200


# -- multipart ---------------------------------------------------------------------------------------------------------

_PART = 5 * 1024 * 1024


def start_upload(cloud: Cloud, **more: Any) -> Result:
    created = call(cloud, "CreateMultipartUpload", Bucket="bucket", Key="big", **more)
    return {"Bucket": "bucket", "Key": "big", "UploadId": created["UploadId"]}


@pytest.mark.parametrize(
    ("algorithm", "kind", "expected"),
    [
        (None, None, "FULL_OBJECT"),
        ("CRC32", None, "COMPOSITE"),
        ("CRC32C", "FULL_OBJECT", "FULL_OBJECT"),
        ("SHA256", None, "COMPOSITE"),
    ],
)
def test_multipart_checksums(made: Cloud, algorithm: str | None, kind: str | None, expected: str) -> None:
    options = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind} if algorithm else {}
    target = start_upload(made, **options)
    bodies = [b"a" * _PART, b"tail"]
    parts = []
    for number, body in enumerate(bodies, 1):
        put = call(made, "UploadPart", **target, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": put["ETag"]})
    done = call(made, "CompleteMultipartUpload", **target, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.md5(body, usedforsecurity=False).digest() for body in bodies)
    assert done["ETag"] == f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-2"'
    name = algorithm or "CRC64NVME"
    assert done["ChecksumType"] == expected
    if expected == "FULL_OBJECT":
        assert done[f"Checksum{name}"] == checksums.checksum(name, b"".join(bodies))
    else:
        assert done[f"Checksum{name}"].endswith("-2")
    assert get(made, "big", Range=f"bytes={_PART - 2}-{_PART + 1}") == b"aata"
    assert fails(made, "ListParts", **target)[0] == "NoSuchUpload"
    call(made, "DeleteObject", Bucket="bucket", Key="big")
    assert list(made.store.blobs.ids()) == []


def test_completing_what_does_not_fit(made: Cloud) -> None:
    target = start_upload(made)
    etags = [call(made, "UploadPart", **target, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]
    one, two = ({"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1))

    def complete(*parts: Result) -> str:
        return fails(made, "CompleteMultipartUpload", **target, MultipartUpload={"Parts": list(parts)})[0]

    assert complete() == "MalformedXML"
    assert complete(two, one) == "InvalidPartOrder"
    assert complete({**one, "ETag": "wrong"}) == "InvalidPart"
    assert complete({"PartNumber": 3, "ETag": etags[0]}) == "InvalidPart"
    assert complete(one, two) == "EntityTooSmall"
    assert len(call(made, "ListParts", **target)["Parts"]) == 2
    assert len(call(made, "ListMultipartUploads", Bucket="bucket")["Uploads"]) == 1
    call(made, "AbortMultipartUpload", **target)
    assert fails(made, "UploadPart", **target, PartNumber=1, Body=b"x")[0] == "NoSuchUpload"
    assert list(made.store.blobs.ids()) == []


def test_a_copied_part_and_a_copied_object(made: Cloud) -> None:
    call(
        made,
        "PutObject",
        Bucket="bucket",
        Key="source",
        Body=b"0123456789",
        Metadata={"a": "1"},
        Tagging="t=1",
    )
    target = start_upload(made)
    source = {"CopySource": "bucket/source"}
    copied = call(made, "UploadPartCopy", **target, **source, PartNumber=1, CopySourceRange="bytes=2-5")
    parts = [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]
    call(made, "CompleteMultipartUpload", **target, MultipartUpload={"Parts": parts})
    assert get(made, "big") == b"2345"
    call(made, "CopyObject", Bucket="bucket", Key="copy", **source)
    head = call(made, "HeadObject", Bucket="bucket", Key="copy")
    assert (head["Metadata"], head["TagCount"]) == ({"a": "1"}, 1)
    assert fails(made, "CopyObject", Bucket="bucket", Key="source", **source)[0] == "InvalidRequest"
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}}
    call(made, "CopyObject", Bucket="bucket", Key="source", **source, **replaced)
    assert call(made, "HeadObject", Bucket="bucket", Key="source")["Metadata"] == {"b": "2"}
    missing = {"CopySource": "bucket/none"}
    assert fails(made, "CopyObject", Bucket="bucket", Key="x", **missing)[0] == "NoSuchKey"


# -- versions, files, events, lifecycle --------------------------------------------------------------------------------


def test_a_suspended_bucket_replaces_only_its_null_version(made: Cloud) -> None:
    k = {"Bucket": "bucket", "Key": "k"}

    def versioning(status: str) -> None:
        call(made, "PutBucketVersioning", Bucket="bucket", VersioningConfiguration={"Status": status})

    versioning("Enabled")
    kept = call(made, "PutObject", **k, Body=b"kept")["VersionId"]
    versioning("Suspended")
    call(made, "PutObject", **k, Body=b"null 1")
    call(made, "PutObject", **k, Body=b"null 2")
    call(made, "DeleteObject", **k)
    listed = call(made, "ListObjectVersions", Bucket="bucket")
    assert [v["VersionId"] for v in listed["Versions"]] == [kept]
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == ["null"]
    call(made, "DeleteObject", **k, VersionId="null")
    assert get(made, "k") == b"kept"


def test_files_go_with_their_objects_but_not_under_a_reader(made: Cloud) -> None:
    async def scene() -> None:
        big = bytes(range(256)) * 4000
        k = {"Bucket": "bucket", "Key": "k"}
        await made.call_async("s3", "PutObject", {**k, "Body": big})
        body = (await made.call_async("s3", "GetObject", k))["Body"]
        first = await anext(body)
        await made.call_async("s3", "PutObject", {**k, "Body": b"small"})
        assert first + await read(body) == big

    asyncio.run(scene())
    assert list(made.store.blobs.ids()) == []


def test_a_restart_collects_what_a_crash_left_and_keeps_the_rest(tmp_path: Path) -> None:
    cloud = Cloud(REGISTRY, Settings(state=tmp_path))
    call(cloud, "CreateBucket", Bucket="bucket")
    call(cloud, "PutObject", Bucket="bucket", Key="../../x", Body=b"x" * 100_000)
    cloud.store.blobs.put("ab" * 16 + "-s3", b"orphan")
    cloud.store.blobs.put("cd" * 16, b"another service's")
    cloud.store.close()
    cloud = Cloud(REGISTRY, Settings(state=tmp_path))
    cloud.service("s3").start()
    assert len(list(cloud.store.blobs.ids())) == 2
    assert get(cloud, "../../x") == b"x" * 100_000
    cloud.store.close()


def test_an_undone_put_leaves_the_old_object(made: Cloud) -> None:
    service: Any = made.service("s3")
    call(made, "PutObject", Bucket="bucket", Key="k", Body=b"old" * 40_000)

    def explode(*_: Any) -> None:
        raise RuntimeError("the process dies here")

    service.notify = explode
    with pytest.raises(RuntimeError):
        call(made, "PutObject", Bucket="bucket", Key="k", Body=b"new" * 40_000)
    del service.notify
    assert get(made, "k") == b"old" * 40_000
    assert len(list(made.store.blobs.ids())) == 1


_QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([{"QueueArn": _QUEUE, "Events": ["s3:Nope"]}], "InvalidArgument"),
        ([{"QueueArn": _QUEUE, "Events": ["s3:ObjectRestore:Post"]}], "NotEmulated"),
        ([{"QueueArn": _QUEUE + ".fifo", "Events": ["s3:ObjectCreated:*"]}], "InvalidArgument"),
        ([{"QueueArn": _QUEUE + "x", "Events": ["s3:ObjectCreated:*"]}], "InvalidArgument"),
        (
            [
                {"QueueArn": _QUEUE, "Events": ["s3:ObjectCreated:*"]},
                {"QueueArn": _QUEUE, "Events": ["s3:ObjectCreated:Put"]},
            ],
            "InvalidArgument",
        ),
    ],
)
def test_bad_notifications(made: Cloud, rules: list[Result], code: str) -> None:
    made.call("sqs", "CreateQueue", {"QueueName": "q"})
    configuration = {"QueueConfigurations": rules}
    request = {"Bucket": "bucket", "NotificationConfiguration": configuration}
    assert fails(made, "PutBucketNotificationConfiguration", **request)[0] == code
    assert call(made, "GetBucketNotificationConfiguration", Bucket="bucket") == {}


def test_lifecycle_by_the_clock() -> None:
    async def scene() -> None:
        cloud = Cloud(REGISTRY, Settings())
        await cloud.start()

        async def do(operation: str, **request: Any) -> Result:
            return await cloud.call_async("s3", operation, {"Bucket": "bucket", **request})

        await do("CreateBucket")
        rules = [
            {"Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}},
            {
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            },
        ]
        await do("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": rules})
        for key in ("tmp/a", "kept"):
            await do("PutObject", Key=key)
        await do("CreateMultipartUpload", Key="never finished")
        await cloud.travel(2 * DAY + 60)
        assert (await do("ListObjectsV2"))["KeyCount"] == 2
        assert (await do("ListMultipartUploads"))["Uploads"] is None
        await cloud.travel(2 * DAY)
        assert [entry["Key"] for entry in (await do("ListObjectsV2"))["Contents"]] == ["kept"]
        await cloud.stop()

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"Status": "Enabled", "Filter": {"Prefix": ""}}, "InvalidRequest"),
        ({"Status": "Enabled", "Expiration": {"Days": 1}}, "MalformedXML"),
        ({"Status": "On", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}, "MalformedXML"),
        ({"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Date": 5.0}}, "InvalidArgument"),
        (
            {
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}],
            },
            "NotEmulated",
        ),
    ],
)
def test_bad_lifecycle_rules(made: Cloud, rule: Result, code: str) -> None:
    request = {"Bucket": "bucket", "LifecycleConfiguration": {"Rules": [rule]}}
    assert fails(made, "PutBucketLifecycleConfiguration", **request)[0] == code
