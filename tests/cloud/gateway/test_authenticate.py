"""Whose request it is: over the wire with botocore's signers, each mistake with the code of its service's family."""

from __future__ import annotations

import datetime
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

CALLS = {
    "s3": "list_buckets",
    "iam": "list_users",
    "sts": "get_caller_identity",
    "sqs": "list_queues",
    "dynamodb": "list_tables",
    "lambda": "list_functions",
    "cloudformation": "list_stacks",
}
CODES = {
    # reason: s3, query, json (and sqs, which speaks JSON with the codes of its query days)
    "unknown key": ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"),
    "wrong secret": ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"),
    "an hour ago": ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"),
    "an hour ahead": ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"),
    "no token": ("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"),
}
FAMILY = {"s3": 0, "iam": 1, "sts": 1, "sqs": 1, "cloudformation": 1, "dynamodb": 2, "lambda": 2}


@pytest.fixture(scope="module")
def gate() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket="bucket")
        cloud.client("s3").put_object(Bucket="bucket", Key="key", Body=b"content")
        yield cloud


@pytest.fixture(scope="module")
def keys(gate: EmbeddedCloud) -> dict[str, str]:
    iam = gate.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def refused(client: Any, service: str) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        getattr(client, CALLS[service])()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("reason", CODES)
@pytest.mark.parametrize("service", CALLS)
def test_who_is_refused(gate: EmbeddedCloud, keys: dict[str, str], service: str, reason: str) -> None:
    options = {
        "unknown key": {"aws_access_key_id": "AKIAUNKNOWN000000000"},
        "wrong secret": {**keys, "aws_secret_access_key": "wrong"},
        "no token": _session_without_token(gate),
    }.get(reason, {})
    client = gate.client(service, **options)
    hours = {"an hour ago": -1, "an hour ahead": 1}.get(reason, 0)
    if hours:
        client.meta.events.register("before-sign.*.*", lambda request, **_: None)
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)
        with patch("botocore.auth.get_current_datetime", lambda *_: at.replace(tzinfo=None)):
            found = refused(client, service)
    else:
        found = refused(client, service)
    code, status = found
    assert code == CODES[reason][FAMILY[service]]
    assert status == (400 if service == "dynamodb" else 403)


def _session_without_token(gate: EmbeddedCloud) -> dict[str, str]:
    session = gate.client("sts").get_session_token()["Credentials"]
    return {"aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"]}


def test_who_is_let_in(gate: EmbeddedCloud, keys: dict[str, str]) -> None:
    identity = gate.client("sts", **keys).get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::000000000000:user/u"
    session = gate.client("sts", **keys).get_session_token(DurationSeconds=900)["Credentials"]
    options = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    for service, call in CALLS.items():
        getattr(gate.client(service, **options), call)()
    other = gate.client("sts", aws_access_key_id="123456789012").get_caller_identity()
    assert other["Arn"] == "arn:aws:iam::123456789012:root"


def test_keys_end(gate: EmbeddedCloud) -> None:
    iam = gate.client("iam")
    iam.create_user(UserName="leaver")
    key = iam.create_access_key(UserName="leaver")["AccessKey"]
    options = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    gate.client("sqs", **options).list_queues()
    iam.update_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(gate.client("sqs", **options), "sqs")[0] == "InvalidClientTokenId"
    iam.update_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"], Status="Active")
    gate.client("sqs", **options).list_queues()
    iam.delete_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"])
    assert refused(gate.client("sqs", **options), "sqs")[0] == "InvalidClientTokenId"


def test_sessions_end() -> None:
    with EmbeddedCloud() as cloud:
        session = cloud.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
        options = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
        for service in ("s3", "sqs", "dynamodb"):
            getattr(cloud.client(service, **options), CALLS[service])()
        cloud.travel(901)
        found = [
            refused(cloud.client(service, **options), service)[0] for service in ("s3", "sqs", "dynamodb")
        ]
        assert found == ["ExpiredToken", "ExpiredToken", "ExpiredTokenException"]


def test_nobody_may_call_but_where_aws_lets_them(gate: EmbeddedCloud) -> None:
    from botocore import UNSIGNED

    config = Config(signature_version=UNSIGNED)
    assert refused(gate.client("sqs", config=config), "sqs") == ("MissingAuthenticationToken", 403)
    assert (
        refused(gate.client("dynamodb", config=config), "dynamodb")[0]
        == "MissingAuthenticationTokenException"
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        gate.client("s3", config=config).get_object(Bucket="bucket", Key="key")


# -- presigned URLs ------------------------------------------------------------------------------------------------------


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status, and the error's code or the body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
        found = re.search("<Code>(.*?)</Code>", text)
        return error.code, found[1] if found else text


def presigned(gate: EmbeddedCloud, method: str, expires: int = 60, **params: str) -> str:
    client = gate.client("s3", config=Config(signature_version="s3v4"))
    url: str = client.generate_presigned_url(
        method, Params={"Bucket": "bucket", "Key": "key", **params}, ExpiresIn=expires
    )
    return url


def test_presigned_urls(gate: EmbeddedCloud) -> None:
    url = presigned(gate, "get_object")
    assert fetch(url) == (200, "content")
    assert fetch(url, "PUT", b"x") == (403, "SignatureDoesNotMatch")
    assert fetch(url.replace("/key?", "/other?")) == (403, "SignatureDoesNotMatch")
    assert fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")) == (403, "SignatureDoesNotMatch")
    assert fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801")) == (
        400,
        "AuthorizationQueryParametersError",
    )
    assert fetch(re.sub("&X-Amz-Signature=[0-9a-f]+", "", url)) == (400, "AuthorizationQueryParametersError")
    assert fetch(url + "&versionId=null") == (403, "SignatureDoesNotMatch")


def test_a_presigned_url_covers_the_headers_that_change_what_it_does(gate: EmbeddedCloud) -> None:
    url = presigned(gate, "put_object", ContentType="image/png")
    assert fetch(url, "PUT", b"x", content_type="image/png")[0] == 200
    assert fetch(url, "PUT", b"x", content_type="text/html") == (403, "SignatureDoesNotMatch")
    added = fetch(url, "PUT", b"x", content_type="image/png", x_amz_acl="public-read")
    assert added == (403, "AccessDenied")
    assert fetch(presigned(gate, "put_object"), "PUT", b"content", content_type="text/plain")[0] == 200


def test_presigned_urls_expire_by_the_clouds_clock() -> None:
    with EmbeddedCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket="bucket")
        cloud.client("s3").put_object(Bucket="bucket", Key="key", Body=b"content")
        url = presigned(cloud, "get_object", expires=3600)
        assert fetch(url)[0] == 200
        cloud.travel(3500)
        assert fetch(url)[0] == 200
        cloud.travel(200)
        assert fetch(url) == (403, "AccessDenied")


# -- payloads ------------------------------------------------------------------------------------------------------------


def test_a_body_that_was_changed_on_its_way(gate: EmbeddedCloud) -> None:
    def tamper(request: Any, **_: Any) -> None:
        request.body = (request.body if isinstance(request.body, bytes) else request.body.read()) + b" "
        request.headers["Content-Length"] = str(len(request.body))

    sqs = gate.client("sqs")
    sqs.meta.events.register("before-send.sqs.*", tamper)
    assert refused(sqs, "sqs") == ("SignatureDoesNotMatch", 403)

    s3 = gate.client("s3", config=Config(request_checksum_calculation="when_required"))
    s3.meta.events.register("before-send.s3.*", tamper)
    for call, request in (
        (s3.put_object, {"Body": b"content", "Key": "tampered"}),
        (s3.put_bucket_tagging, {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
    ):
        with pytest.raises(ClientError, match="XAmzContentSHA256Mismatch"):
            call(Bucket="bucket", **request)
    with pytest.raises(ClientError, match="404"):
        gate.client("s3").head_object(Bucket="bucket", Key="tampered")


def test_signatures_of_chunks(gate: EmbeddedCloud) -> None:
    """botocore sends streams with a trailing checksum; the body's framing is taken apart and checked."""
    client = gate.client("s3", config=Config(s3={"payload_signing_enabled": True}))
    content = b"abc" * 100_000
    client.put_object(Bucket="bucket", Key="chunks", Body=content, ChecksumAlgorithm="CRC32")
    assert client.get_object(Bucket="bucket", Key="chunks")["Body"].read() == content


def test_time_does_not_stop_a_client_whose_clock_is_a_little_off(gate: EmbeddedCloud) -> None:
    for minutes in (-14, 14):
        at = datetime.datetime.fromtimestamp(time.time() + minutes * 60, datetime.UTC).replace(tzinfo=None)
        with patch("botocore.auth.get_current_datetime", lambda *_, at=at: at):
            gate.client("sqs").list_queues()
