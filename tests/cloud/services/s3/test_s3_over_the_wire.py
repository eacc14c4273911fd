"""S3 as real boto3 clients meet it."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud


@pytest.fixture
def s3(shared_aws: EmbeddedCloud) -> Any:
    return shared_aws.client("s3")


@pytest.fixture
def signing(shared_aws: EmbeddedCloud) -> Any:
    """A client that presigns with Signature Version 4; boto3's default for us-east-1 still is Version 2."""
    return shared_aws.client("s3", config=Config(signature_version="s3v4"))


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = "b-" + hashlib.md5(request.node.nodeid.encode(), usedforsecurity=False).hexdigest()
    s3.create_bucket(Bucket=name)
    return name


def failure(action: Any, **request: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        action(**request)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def http(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, sent, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


@pytest.mark.parametrize("key", ["a", "a/../b", "//x", "ü ☂/😀", "a+b%20c&d", "..", "x" * 1024])
def test_any_key_round_trips(s3: Any, bucket: str, key: str) -> None:
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"hello", Metadata={"Who": "me"}, ContentType="text/x")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert (put["ServerSideEncryption"], put["ChecksumType"]) == ("AES256", "FULL_OBJECT")
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["Metadata"], got["ContentLength"]) == ("text/x", {"who": "me"}, 5)
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert failure(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404)
    assert failure(s3.head_object, Bucket=bucket, Key=key) == ("404", 404)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
@pytest.mark.parametrize("algorithm", [None, "CRC32", "SHA1", "SHA256"])
def test_sizes_and_checksums(s3: Any, bucket: str, size: int, algorithm: str | None) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, **more)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    name = f"Checksum{algorithm or 'CRC32'}"
    assert got[name] == put[name]


def test_streams_of_unknown_length_and_ranges(s3: Any, bucket: str) -> None:
    body = bytes(range(256)) * 4096
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for text, expected, shown in (
        ("bytes=0-9", body[:10], "bytes 0-9/1048576"),
        ("bytes=-5", body[-5:], "bytes 1048571-1048575/1048576"),
        ("bytes=1048570-", body[1048570:], "bytes 1048570-1048575/1048576"),
        ("bytes=262140-262150", body[262140:262151], "bytes 262140-262150/1048576"),
    ):
        got = s3.get_object(Bucket=bucket, Key="k", Range=text)
        assert (got["Body"].read(), got["ContentRange"]) == (expected, shown)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert failure(s3.get_object, Bucket=bucket, Key="k", Range="bytes=1048576-") == ("InvalidRange", 416)


def test_the_transfer_manager_s_multipart_upload(s3: Any, bucket: str, tmp_path: Any) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 4 * 1024 * 17)  # 17 MiB: three parts
    s3.upload_file(str(source), bucket, "big")
    head = s3.head_object(Bucket=bucket, Key="big")
    assert head["ETag"].endswith('-3"')
    s3.download_file(bucket, "big", str(target))
    assert target.read_bytes() == source.read_bytes()
    part = s3.get_object(Bucket=bucket, Key="big", PartNumber=3)
    assert (part["PartsCount"], part["ContentLength"]) == (3, 1024 * 1024)
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy")
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == source.read_bytes()


def test_presigned_urls(signing: Any, bucket: str) -> None:
    put = signing.generate_presigned_url(
        "put_object", {"Bucket": bucket, "Key": "k", "ContentType": "image/jpeg"}, ExpiresIn=900
    )
    assert http(put, "PUT", b"jpeg", Content_Type="image/jpeg")[:2] == (200, b"")
    get = signing.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    status, body, headers = http(get)
    assert (status, body, headers["content-type"]) == (200, b"jpeg", "image/jpeg")
    status, body, _ = http(put, "PUT", b"jpeg", Content_Type="text/html")
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)
    status, body, _ = http(get.partition("?")[0])
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def _form(fields: dict[str, str], body: bytes) -> tuple[bytes, str]:
    parts = [f'--xyz\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    head = '--xyz\r\nContent-Disposition: form-data; name="file"; filename="C:\\\\a\\\\photo.jpg"\r\n\r\n'
    return "".join(
        parts
    ).encode() + head.encode() + body + b"\r\n--xyz--\r\n", "multipart/form-data; boundary=xyz"


def test_a_browser_s_form(s3: Any, signing: Any, bucket: str) -> None:
    post = signing.generate_presigned_post(
        bucket,
        "up/${filename}",
        Fields={"Content-Type": "image/jpeg", "success_action_status": "201"},
        Conditions=[
            ["starts-with", "$Content-Type", "image/"],
            ["content-length-range", 1, 20],
            {"success_action_status": "201"},
        ],
    )

    def send(body: bytes, **changes: str) -> tuple[int, bytes]:
        data, content_type = _form({**post["fields"], **changes}, body)
        return http(post["url"], "POST", data, Content_Type=content_type)[:2]

    status, answer = send(b"\r\njpeg--xyz\r\n")
    assert (status, b"<Key>up/photo.jpg</Key>" in answer) == (201, True)
    got = s3.get_object(Bucket=bucket, Key="up/photo.jpg")
    assert (got["Body"].read(), got["ContentType"]) == (b"\r\njpeg--xyz\r\n", "image/jpeg")
    for body, changes, code in (
        (b"x" * 21, {}, b"EntityTooLarge"),
        (b"", {}, b"EntityTooSmall"),
        (b"x", {"Content-Type": "text/html"}, b"AccessDenied"),
        (b"x", {"acl": "private"}, b"AccessDenied"),
        (b"x", {"x-amz-signature": "0" * 64}, b"SignatureDoesNotMatch"),
    ):
        status, answer = send(body, **changes)
        assert b"<Code>" + code + b"</Code>" in answer, (code, answer)


def test_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    k = {"Bucket": bucket, "Key": "k"}
    assert failure(s3.put_object, **k, Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert failure(s3.put_object, **k, Body=b"2", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert failure(s3.put_object, Bucket=bucket, Key="none", IfMatch=etag) == ("NoSuchKey", 404)
    s3.put_object(**k, Body=b"2", IfMatch=etag)
    assert failure(s3.get_object, **k, IfMatch=etag) == ("PreconditionFailed", 412)
    assert failure(s3.get_object, **k, IfNoneMatch=s3.head_object(**k)["ETag"]) == ("304", 304)


def test_versions(s3: Any, bucket: str) -> None:
    k = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**k, Body=b"zero")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(**k, Body=b"one")["VersionId"]
    second = s3.put_object(**k, Body=b"two")["VersionId"]
    assert s3.get_object(**k, VersionId=first)["Body"].read() == b"one"
    assert s3.get_object(**k, VersionId="null")["Body"].read() == b"zero"
    marker = s3.delete_object(**k)
    assert marker["DeleteMarker"] is True
    assert failure(s3.get_object, **k) == ("NoSuchKey", 404)
    assert failure(s3.get_object, **k, VersionId=marker["VersionId"]) == ("MethodNotAllowed", 405)
    listed = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [second, first, "null"]
    assert [(m["VersionId"], m["IsLatest"]) for m in listed["DeleteMarkers"]] == [(marker["VersionId"], True)]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3.delete_object(**k, VersionId=marker["VersionId"])
    assert s3.get_object(**k)["Body"].read() == b"two"
    assert failure(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    everything = [{"Key": v["Key"], "VersionId": v["VersionId"]} for page in pages for v in page["Versions"]]
    assert [entry["VersionId"] for entry in everything] == [second, first, "null"]
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": everything})["Deleted"]) == 3
    s3.delete_bucket(Bucket=bucket)
    assert failure(s3.head_bucket, Bucket=bucket) == ("404", 404)


def test_listing_with_delimiter_and_pages(s3: Any, bucket: str) -> None:
    for key in ("a/1", "a/2", "b", "c/1", "c/d/1", "é", "z z"):
        s3.put_object(Bucket=bucket, Key=key)
    found: list[str] = []
    paginator = s3.get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}):
        assert page["KeyCount"] == 1
        found += [entry["Key"] for entry in page.get("Contents", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    assert found == ["a/", "b", "c/", "z z", "é"]
    inner = s3.list_objects_v2(Bucket=bucket, Prefix="c/", Delimiter="/")
    assert [entry["Key"] for entry in inner["Contents"]] == ["c/1"]
    assert inner["CommonPrefixes"] == [{"Prefix": "c/d/"}]
    first = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=1)
    assert first["NextMarker"] == "a/"
    assert s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a/")["Contents"][0]["Key"] == "b"


def test_cors_headers(s3: Any, signing: Any, bucket: str) -> None:
    rule = {
        "AllowedMethods": ["PUT", "GET"],
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["*"],
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    url = signing.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    origin = "https://www.example.com"
    asked = {
        "Origin": origin,
        "Access_Control_Request_Method": "PUT",
        "Access_Control_Request_Headers": "x-y",
    }
    status, _, headers = http(url, "OPTIONS", **asked)
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert headers["access-control-allow-headers"] == "x-y"
    refused = http(url, "OPTIONS", **{**asked, "Access_Control_Request_Method": "DELETE"})
    assert (refused[0], b"<Code>AccessDenied</Code>" in refused[1]) == (403, True)
    status, _, headers = http(url, "PUT", b"x", Origin=origin)
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert http(url, "PUT", b"x", Origin="https://evil.test")[2]["access-control-allow-origin"] is None


def test_notifications_reach_a_queue(shared_aws: EmbeddedCloud, s3: Any, bucket: str) -> None:
    sqs = shared_aws.client("sqs")
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {
            "Key": {"FilterRules": [{"Name": "prefix", "Value": "up/"}, {"Name": "suffix", "Value": ".jpg"}]}
        },
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [rule]}
    )
    [test] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(test["Body"])["Event"] == "s3:TestEvent"
    s3.put_object(Bucket=bucket, Key="elsewhere.jpg", Body=b"x")
    s3.put_object(Bucket=bucket, Key="up/a b+ü.jpg", Body=b"jpeg")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    [record] = json.loads(message["Body"])["Records"]
    assert (record["eventVersion"], record["eventName"]) == ("2.1", "ObjectCreated:Put")
    assert record["s3"]["bucket"]["name"] == bucket
    thing = record["s3"]["object"]
    assert thing.pop("sequencer")
    assert thing == {
        "key": "up/a+b%2B%C3%BC.jpg",
        "size": 4,
        "eTag": hashlib.md5(b"jpeg", usedforsecurity=False).hexdigest(),
    }


def test_sqs_over_the_wire(shared_aws: EmbeddedCloud) -> None:
    sqs = shared_aws.client("sqs")
    assert failure(sqs.get_queue_url, QueueName="none") == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    url = sqs.create_queue(QueueName="wire", Attributes={"DelaySeconds": "0"})["QueueUrl"]
    assert (
        failure(sqs.create_queue, QueueName="wire", Attributes={"DelaySeconds": "1"})[0]
        == "QueueAlreadyExists"
    )
    attributes = {
        "n": {"DataType": "Number", "StringValue": "1"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    sqs.send_message(QueueUrl=url, MessageBody="hi", MessageAttributes=attributes)
    [message] = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], WaitTimeSeconds=1
    )["Messages"]
    assert message["MessageAttributes"] == attributes
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert failure(sqs.delete_message, QueueUrl=url, ReceiptHandle="x")[0] == "ReceiptHandleIsInvalid"
    assert failure(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)[0] == "InvalidParameterValue"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
