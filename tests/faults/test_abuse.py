"""Hostile bytes on the wire: each gets a proper error of AWS's form or a closed connection; nothing is written outside
the state folder, and the server goes on."""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import stat
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from pileus.cloud.protocol import cbor
from pileus.testing import EmbeddedCloud

from .raw import Answer, Request, exchange, json_call, query_call

LIST_TABLES = ("dynamodb", "DynamoDB_20120810.ListTables")
PUT_ITEM = ("dynamodb", "DynamoDB_20120810.PutItem")
SEND = ("sqs", "AmazonSQS.SendMessage")
CBOR = (("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor"))
METRICS = "/service/GraniteServiceVersion20100801/operation/PutMetricData"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    folder = tmp_path_factory.mktemp("abuse")
    (folder / "outside").write_text("untouched")
    with EmbeddedCloud(state=folder / "state") as cloud:
        cloud.client("s3").create_bucket(Bucket="bucket")
        cloud.client("sqs").create_queue(QueueName="queue")
        yield cloud


@pytest.fixture(autouse=True)
def unharmed(target: EmbeddedCloud, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each test: nothing was logged as a bug, the server answers, and only its folder was written to."""
    assert not Path("/tmp/evil").exists()
    caplog.set_level(logging.ERROR)
    yield
    assert [record.getMessage() for record in caplog.records] == []
    with urllib.request.urlopen(f"{target.url}/_pileus/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "running"
    folder = _folder(target)
    assert sorted(path.name for path in folder.iterdir()) == ["outside", "state"]
    assert (folder / "outside").read_text() == "untouched"
    assert not Path("/tmp/evil").exists()


def _folder(target: EmbeddedCloud) -> Path:
    state = target.cloud.settings.state
    assert state is not None
    return state.parent


def code_of(answer: Answer) -> str:
    """The error's code, from a body that is well-formed in its protocol."""
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        tree = json.loads(answer.body)
        return str(
            tree.get("__type") or answer.headers.get("x-amzn-errortype") or tree.get("message")
        ).rpartition("#")[2]
    if "xml" in kind:
        root = ElementTree.fromstring(answer.body)
        return next(element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] == "Code")
    if "cbor" in kind:
        return str(cbor.loads(answer.body)["__type"]).rpartition("#")[2]
    return ""


# -- HTTP itself ---------------------------------------------------------------------------------------------------------

MALFORMED = {
    "no request at all": b"\0\1\2\3\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\0" * 200,
    "no version": b"GET /\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nnonsense\r\n\r\n",
    "a header with a NUL": b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "an endless length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 100 + b"\r\n\r\n",
    "a length in words": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
    "a bad chunk size": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a huge chunk size": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "a chunk too short": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
    "a space in the target": b"GET /a b c HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a truncated body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
    "a truncated chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort",
    "raw UTF-8 in the target": "GET /ü?ü=ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "invalid UTF-8 in the target": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare percent sign": b"GET /%zz%/%?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "an absolute target": b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "an odd host": b"GET / HTTP/1.1\r\nHost: ]:[:::\r\n\r\n",
    "a host of an API": b"GET / HTTP/1.1\r\nHost: ../../x.execute-api.localhost\r\n\r\n",
    "a host without an API": b"GET / HTTP/1.1\r\nHost: .execute-api.\r\n\r\n",
    "a host of a bucket": b"GET /k HTTP/1.1\r\nHost: ../../x.s3.localhost\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "ten thousand headers": b"GET / HTTP/1.1\r\nHost: x\r\n"
    + b"".join(b"h%d: v\r\n" % n for n in range(10_000))
    + b"\r\n",
    "a header of a megabyte": b"GET / HTTP/1.1\r\nHost: x\r\nh: " + b"v" * 1_000_000 + b"\r\n\r\n",
    "a target of a megabyte": b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_http(target: EmbeddedCloud, name: str) -> None:
    answer = exchange(target, MALFORMED[name], end=True)
    if answer is not None:
        assert 400 <= answer.status < 500 or answer.status == 501, answer
        assert b"Traceback" not in answer.body


def test_a_client_that_leaves_in_the_middle_costs_nothing(target: EmbeddedCloud) -> None:
    whole = Request("s3", "PUT", "/bucket/half", body=b"x" * 300_000).signed()
    for part in (10, 200, 500, 5_000, 200_000):
        exchange(target, whole[:part], end=True)
    with pytest.raises(ClientError, match="404"):
        target.client("s3").head_object(Bucket="bucket", Key="half")
    incoming = _folder(target) / "state" / "blobs" / "incoming"
    deadline = time.monotonic() + 10
    while list(incoming.iterdir()):
        assert time.monotonic() < deadline


# -- bodies --------------------------------------------------------------------------------------------------------------

DEEP = 100_000
BOMB = gzip.compress(b"\0" * 200_000_000, 1)
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";"}{"&" + chr(97 + n) + ";"}">' for n in range(20)
    )
    + "]><VersioningConfiguration><Status>&u;</Status></VersioningConfiguration>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Tagging>&e;</Tagging>'

BODIES = {
    "JSON cut off": (json_call(*LIST_TABLES, b'{"Limit": '), "SerializationException"),
    "JSON that is a list": (json_call(*LIST_TABLES, b"[]"), "SerializationException"),
    "JSON that is a number": (json_call(*LIST_TABLES, b"1e999"), "SerializationException"),
    "JSON with invalid UTF-8": (json_call(*LIST_TABLES, b'{"a": "\xff"}'), "SerializationException"),
    "JSON with a lone surrogate": (json_call(*SEND, b'{"QueueUrl": "\\ud800"}'), "SerializationException"),
    "JSON with a byte order mark": (json_call(*LIST_TABLES, b"\xef\xbb\xbf{}"), "SerializationException"),
    "deep lists": (
        json_call(*LIST_TABLES, b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}"),
        "SerializationException",
    ),
    "deep objects": (
        json_call(*PUT_ITEM, b'{"Item":' + b'{"M":{"a":' * DEEP + b"1" + b"}}" * DEEP + b"}"),
        "SerializationException",
    ),
    "objects as deep as can be parsed": (
        json_call(
            *PUT_ITEM,
            b'{"TableName":"ttt","Item":{"a":' + b'{"M":{"a":' * 480 + b'{"S":""}' + b"}}" * 480 + b"}}",
        ),
        "ValidationException|SerializationException",
    ),
    "the wrong types": (json_call(*LIST_TABLES, b'{"Limit": {"a": []}}'), "SerializationException"),
    "huge numbers": (
        json_call(*LIST_TABLES, b'{"Limit": 1' + b"0" * 5000 + b"}"),
        "SerializationException|ValidationException",
    ),
    "negative numbers": (json_call(*LIST_TABLES, b'{"Limit": -9223372036854775809}'), "ValidationException"),
    "no target": (Request("dynamodb", body=b"{}"), "UnknownOperationException|MissingAction"),
    "an unknown operation": (
        json_call("dynamodb", "DynamoDB_20120810.Nonsense", b"{}"),
        "UnknownOperationException",
    ),
    "a method as operation": (
        json_call("dynamodb", "DynamoDB_20120810.__init__", b"{}"),
        "UnknownOperationException",
    ),
    "an odd target": (json_call("dynamodb", "....", b"{}"), "UnknownOperationException"),
    "an unknown service": (json_call("nonsense", "Nonsense.Do", b"{}"), "NotEmulated"),
    "a gzip bomb for JSON": (
        json_call(
            "monitoring", "GraniteServiceVersion20100801.PutMetricData", BOMB, ("content-encoding", "gzip")
        ),
        "SerializationException|RequestEntityTooLargeException|ValidationError|RequestEntityTooLarge",
    ),
    "gzip cut off": (
        json_call(
            "monitoring",
            "GraniteServiceVersion20100801.PutMetricData",
            BOMB[:99],
            ("content-encoding", "gzip"),
        ),
        "SerializationException",
    ),
    "zlib as gzip": (
        json_call(
            "monitoring",
            "GraniteServiceVersion20100801.PutMetricData",
            zlib.compress(b"{}"),
            ("content-encoding", "gzip"),
        ),
        "SerializationException",
    ),
    "CBOR cut off": (
        Request("monitoring", path=METRICS, headers=CBOR, body=b"\xbb\xff"),
        "SerializationException",
    ),
    "deep CBOR": (
        Request("monitoring", path=METRICS, headers=CBOR, body=b"\x81" * DEEP),
        "SerializationException",
    ),
    "CBOR of endless length": (
        Request("monitoring", path=METRICS, headers=CBOR, body=b"\x9b" + b"\xff" * 8),
        "SerializationException",
    ),
    "CBOR with a list as key": (
        Request("monitoring", path=METRICS, headers=CBOR, body=b"\xa1\x80\x00"),
        "SerializationException",
    ),
    "a form with invalid UTF-8": (
        query_call("iam", b"Action=GetUser&UserName=%ff%fe"),
        "ValidationError|MalformedInput",
    ),
    "a form without an action": (query_call("iam", b"&&&==&a"), "MissingAction"),
    "a form with a huge index": (
        query_call("iam", b"Action=TagUser&Version=2010-05-08&UserName=u&Tags.member.99999999999.Key=k"),
        "ValidationError|NoSuchEntity|MalformedInput",
    ),
    "a form with deep names": (
        query_call("iam", b"Action=TagUser&UserName=u&Tags" + b".member.1" * 20_000 + b"=k"),
        "ValidationError|MalformedInput|NoSuchEntity",
    ),
    "a form with negative indexes": (
        query_call("iam", b"Action=TagUser&UserName=u&Tags.member.-1.Key=k&Tags.member.x.Key=k"),
        "ValidationError|NoSuchEntity|MalformedInput",
    ),
    "XML cut off": (Request("s3", "PUT", "/bucket", "versioning", body=b"<Versioning"), "MalformedXML"),
    "XML entities": (Request("s3", "PUT", "/bucket", "versioning", body=LAUGHS.encode()), "MalformedXML"),
    "an XML entity from a file": (
        Request("s3", "PUT", "/bucket", "tagging", body=OUTSIDE.encode()),
        "MalformedXML",
    ),
    "deep XML": (Request("s3", "PUT", "/bucket", "tagging", body=b"<a>" * DEEP), "MalformedXML"),
    "deep closed XML": (
        Request("s3", "PUT", "/bucket", "tagging", body=b"<a>" * DEEP + b"</a>" * DEEP),
        "MalformedXML",
    ),
    "XML in another encoding": (
        Request("s3", "PUT", "/bucket", "tagging", body=b'<?xml version="1.0" encoding="utf-32"?><a/>'),
        "MalformedXML",
    ),
    "XML with another root": (Request("s3", "PUT", "/bucket", "notification", body=b"<x/>"), "MalformedXML"),
    "XML that lacks a part": (
        Request("s3", "PUT", "/bucket", "tagging", body=b"<Tagging><TagSet><Tag/></TagSet></Tagging>"),
        "MalformedXML",
    ),
    "binary as XML": (Request("s3", "PUT", "/bucket", "tagging", body=bytes(range(256))), "MalformedXML"),
    "JSON to a REST service": (
        Request("lambda", "POST", "/2015-03-31/functions", body=b'{"FunctionName": '),
        "SerializationException|InvalidRequestContentException",
    ),
    "a wrong path of a REST service": (Request("lambda", "POST", "/../../x"), "UnknownOperationException"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_refused(target: EmbeddedCloud, name: str) -> None:
    request, codes = BODIES[name]
    answer = exchange(target, request.signed())
    assert answer is not None
    assert 400 <= answer.status < 500 or answer.status == 501, answer
    assert re.fullmatch(codes, code_of(answer)), answer


def test_bombs_take_no_memory_and_no_time(target: EmbeddedCloud) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    for name in ("a gzip bomb for JSON", "XML entities", "deep objects", "deep CBOR"):
        exchange(target, BODIES[name][0].signed())
    assert time.perf_counter() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KB


# -- signatures ----------------------------------------------------------------------------------------------------------

_TABLES = json_call(*LIST_TABLES, b"{}")
_QUEUES = json_call("sqs", "AmazonSQS.ListQueues", b"{}")
_USERS = query_call("iam", b"Action=ListUsers&Version=2010-05-08")
_BUCKETS = Request("s3", "GET")
_FUNCTIONS = Request("lambda", "GET", "/2015-03-31/functions")
_EACH = {"dynamodb": _TABLES, "sqs": _QUEUES, "iam": _USERS, "s3": _BUCKETS, "lambda": _FUNCTIONS}


@pytest.mark.parametrize("service", _EACH)
def test_signatures_that_do_not_hold(target: EmbeddedCloud, service: str) -> None:
    request = _EACH[service]
    whole = request.signed()
    sent = {
        "good": whole,
        "tampered header": whole.replace(b"host: 127.0.0.1", b"host: 127.0.0.2"),
        "tampered signature": re.sub(rb"Signature=[0-9a-f]{4}", b"Signature=0000", whole),
        "wrong secret": request.signed(secret="wrong"),
        "unknown key": request.signed(key="AKIAUNKNOWN000000000"),
        "unknown session": request.signed(key="ASIAUNKNOWN000000000"),
        "an hour ago": request.signed(at=time.time() - 3600),
        "an hour ahead": request.signed(at=time.time() + 3600),
        "other date in scope": whole.replace(b"Credential=test/2", b"Credential=test/1"),
        "other region in scope": whole.replace(b"/us-east-1/", b"/eu-west-1/"),
        "no signature": re.sub(rb", Signature=[0-9a-f]+", b"", whole),
        "no credential": re.sub(rb"Credential=[^,]+, ", b"", whole),
        "short credential": re.sub(rb"Credential=[^,]+", b"Credential=test", whole),
        "garbled": re.sub(rb"authorization: [^\r]+", b"authorization: AWS4-HMAC-SHA256 \xff\xfe,=,,=", whole),
        "basic": re.sub(rb"authorization: [^\r]+", b"authorization: Basic dGVzdDp0ZXN0", whole),
        "a date that is none": re.sub(rb"x-amz-date: [^\r]+", b"x-amz-date: tomorrow", whole),
        "nothing": request.bytes(),
    }
    if request.body:
        sent["tampered body"] = whole[:-1] + b" "
    for what, data in sent.items():
        answer = exchange(target, data)
        assert answer is not None, what
        if what == "good":
            assert answer.status == 200, answer
        else:
            # who signs nothing at all speaks to S3, where a path is a bucket's
            allowed = (400, 403, 404) if what in ("nothing", "basic") else (400, 403)
            assert answer.status in allowed, (what, answer)
            assert code_of(answer), (what, answer)


# -- names ---------------------------------------------------------------------------------------------------------------

KEYS = (
    "..",
    "../../outside",
    "/etc/passwd",
    "a/../../../../../../../../tmp/evil",
    "//",
    "a//b",
    "./.",
    "%2e%2e%2f",
    "\x01\x1f\x7f",
    "back\\slash",
    "🦊/é/\u202e",
    "x" * 1024,
    "'; DROP TABLE s3_object; --",
    "blobs/incoming/x",
    "state.db",
    "?query#fragment&a=b+c d",
    ".",
)


@pytest.mark.parametrize("size", [5, 100_000], ids=["inline", "file"])
@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_is_only_a_name(target: EmbeddedCloud, key: str, size: int) -> None:
    from urllib.parse import quote

    path = f"/bucket/{quote(key, safe='/')}"
    body = (f"{key}-{size}" * size).encode()[:size]
    put = exchange(target, Request("s3", "PUT", path, body=body).signed())
    assert put is not None
    assert put.status == 200, put
    got = exchange(target, Request("s3", "GET", path).signed())
    assert got is not None
    assert (got.status, got.body) == (200, body)
    listed = target.client("s3").list_objects_v2(Bucket="bucket", Prefix=key)
    assert [item["Key"] for item in listed["Contents"]] == [key]
    gone = exchange(target, Request("s3", "DELETE", path).signed())
    assert gone is not None
    assert gone.status == 204


@pytest.mark.parametrize(
    "path",
    [
        "/..%2fx/k",
        "/%2e%2e/k",
        "/../x",
        "/.../k",
        "/BIG/k",
        "/a%00b/k",
        "/%ff/k",
        "/" + "x" * 5000 + "/k",
        "/a'b/k",
    ],
)
def test_a_bucket_has_only_good_names(target: EmbeddedCloud, path: str) -> None:
    for method, target_path in (("PUT", path.rpartition("/")[0] or path), ("PUT", path), ("GET", path)):
        answer = exchange(target, Request("s3", method, target_path).signed())
        assert answer is not None
        assert 400 <= answer.status < 500
        assert code_of(answer) in {"InvalidBucketName", "NoSuchBucket", "InvalidURI", "MethodNotAllowed"}, (
            answer
        )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/bucket/{'x' * 1025}", "KeyTooLongError"),
        ("/bucket/%ff%fe", "InvalidURI"),
        ("/bucket/nul%00nul", "InvalidArgument"),
        ("/bucket?prefix=%ff", "InvalidURI"),
    ],
)
def test_keys_that_are_refused(target: EmbeddedCloud, path: str, code: str) -> None:
    path, _, query = path.partition("?")
    answer = exchange(target, Request("s3", "GET" if query else "PUT", path, query).signed())
    assert answer is not None
    assert (answer.status, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("lambda", "/2015-03-31/functions/%ff"),
        ("apigateway", "/restapis/%ff"),
        ("lambda", "/2015-03-31/tags/%ff"),
    ],
)
def test_paths_that_are_no_text(target: EmbeddedCloud, service: str, path: str) -> None:
    answer = exchange(target, Request(service, "GET", path).signed())
    assert answer is not None
    assert answer.status in (400, 404), answer
    assert code_of(answer)


def _zip(entries: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


_APP = b"import os\ndef handler(event, context):\n    return sorted(os.listdir('.'))\n"
_LINK = {"link": stat.S_IFLNK | 0o777}
ARCHIVES: dict[str, bytes] = {
    "parents": _zip({"app.py": _APP, "../../outside": b"evil", "../../../../../../tmp/evil": b"evil"}),
    "absolute": _zip({"app.py": _APP, "/tmp/evil": b"evil"}),
    "a link out": _zip({"app.py": _APP, "link": b"../../..", "link/outside": b"evil"}, _LINK),
    "a link to a file": _zip({"app.py": _APP, "link": b"/etc/passwd"}, _LINK),
    "backslashes": _zip({"app.py": _APP, "..\\..\\outside": b"evil"}),
    "a NUL": _zip({"app.py": _APP, "a\0../../outside": b"evil"}),
    "a file and a folder": _zip({"app.py": _APP, "a": b"1", "a/b": b"2"}),
    "a long name": _zip({"app.py": _APP, "x" * 5000: b"1"}),
    "a bomb": _zip({"app.py": _APP, "zeros": b"\0" * 300_000_000}),
    "no zip": b"PK\x03\x04nonsense",
    "empty": b"",
    "cut off": _zip({"app.py": _APP})[:-30],
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_unpack_nowhere_else(target: EmbeddedCloud, name: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam, functions = target.client("iam"), target.client("lambda")
    role = f"role-{list(ARCHIVES).index(name)}"
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    request: dict[str, Any] = {
        "FunctionName": role,
        "Role": arn,
        "Runtime": "python3.11",
        "Handler": "app.handler",
    }
    try:
        functions.create_function(**request, Code={"ZipFile": ARCHIVES[name]})
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
        return
    answer = functions.invoke(FunctionName=role)
    assert answer["StatusCode"] == 200
    seen = json.load(answer["Payload"])
    assert isinstance(seen, dict) or "evil" not in seen
    functions.delete_function(FunctionName=role)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "x" * 200, "a:b:c:d", "é", "a%2fb", "$(id)", "a'b"])
def test_a_function_has_only_good_names(target: EmbeddedCloud, name: str) -> None:
    from urllib.parse import quote

    for path in (
        f"/2015-03-31/functions/{quote(name, safe='')}",
        f"/2015-03-31/functions/{quote(name, safe='')}/invocations",
    ):
        method = "POST" if path.endswith("invocations") else "GET"
        answer = exchange(target, Request("lambda", method, path).signed())
        assert answer is not None
        assert 400 <= answer.status < 500
        assert code_of(answer)


# -- the side door and deployed APIs -------------------------------------------------------------------------------------

SIDE_DOOR = {
    "a page": (Request("", "GET", "/_pileus/health", headers=(("origin", "http://evil"),)), 403),
    "a page's image": (
        Request("", "GET", "/_pileus/health", headers=(("sec-fetch-site", "cross-site"),)),
        403,
    ),
    "no such endpoint": (Request("", "GET", "/_pileus/nonsense"), 404),
    "an attribute": (Request("", "GET", "/_pileus/__class__"), 404),
    "nothing": (Request("", "GET", "/_pileus/"), 404),
    "another method": (Request("", "DELETE", "/_pileus/health"), 404),
    "no JSON": (Request("", "POST", "/_pileus/travel", body=b"nonsense"), 400),
    "a list": (Request("", "POST", "/_pileus/travel", body=b"[]"), 400),
    "no seconds": (Request("", "POST", "/_pileus/travel", body=b"{}"), 400),
    "seconds in words": (Request("", "POST", "/_pileus/travel", body=b'{"seconds": "ten"}'), 400),
    "seconds of null": (Request("", "POST", "/_pileus/travel", body=b'{"seconds": null}'), 400),
    "backwards": (Request("", "POST", "/_pileus/travel", body=b'{"seconds": -5}'), 400),
    "too far": (Request("", "POST", "/_pileus/travel", body=b'{"seconds": 1e300}'), 400),
    "an odd timeout": (Request("", "POST", "/_pileus/drain", "timeout=nan"), 400),
    "a timeout in words": (Request("", "POST", "/_pileus/drain", "timeout=soon"), 400),
    "an unknown token": (Request("", "PUT", "/_pileus/cfn-response/nonsense", body=b"\xff"), 404),
    "another host's name": (
        Request("", "GET", "/_pileus/health", headers=(("host", "evil.example:4566"),)),
        403,
    ),
}


@pytest.mark.parametrize("name", SIDE_DOOR)
def test_the_side_door(target: EmbeddedCloud, name: str) -> None:
    request, status = SIDE_DOOR[name]
    answer = exchange(target, request.bytes())
    assert answer is not None
    assert answer.status == status, answer


@pytest.mark.parametrize(
    "path",
    [
        "/_aws/execute-api/",
        "/_aws/execute-api/x",
        "/_aws/execute-api/x/y",
        "/_aws/execute-api/x/y/%00",
        "/_aws/execute-api/../../x/y/z",
    ],
)
def test_an_api_that_is_not_there(target: EmbeddedCloud, path: str) -> None:
    answer = exchange(target, Request("", "GET", path).bytes())
    assert answer is not None
    assert 400 <= answer.status < 500
    assert "message" in json.loads(answer.body)
