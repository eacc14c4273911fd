"""Signature Version 4 against botocore's own signers: what they sign, we calculate to the same, for odd requests too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.kernel import HttpRequest
from pileus.cloud.protocol import sigv4

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials("AKIDEXAMPLE", SECRET)
SESSION = Credentials("ASIAEXAMPLE", SECRET, "to/ken+with=odd&signs")


def sent(signer: Any, request: AWSRequest) -> HttpRequest:
    """The request as it arrives after botocore signed and sent it."""
    signer.add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers.setdefault("host", parts.netloc)
    body = prepared.body or b""
    return HttpRequest(
        prepared.method,
        parts.path,
        parts.query,
        headers,
        body=body.encode() if isinstance(body, str) else body,
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def claimed(request: HttpRequest) -> sigv4.Signature:
    if "authorization" in request.headers:
        return sigv4.from_header(request.headers["authorization"], request.headers)
    return sigv4.from_query(request)


def holds(request: HttpRequest, payload_hash: str | None = None) -> bool:
    signature = claimed(request)
    key = sigv4.signing_key(SECRET, signature.scope_date, signature.region, signature.service)
    digest = payload_hash or hashlib.sha256(request.body).hexdigest()
    return sigv4.is_right(sigv4.calculate(key, request, signature, digest), signature)


def request_for(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> AWSRequest:
    return AWSRequest(
        method=method, url=f"http://localhost:4566{url}", data=body, headers=dict(headers or {})
    )


PATHS = [
    "/",
    "/a",
    "/a/",
    "/a//b",
    "//",
    "/./a/../b",
    "/a/b/..",
    "/a/.",
    "/..",
    "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations",
    "/a%20b",
    "/a%2Fb",
    "/%C3%BC/%F0%9F%A6%8A",
    "/a+b",
    "/~a-b_c.d",
    "/a:b@c,d;e=f!g$h'i(j)k*l",
    "/a%25b",
]
#: S3 signs the key itself, so its clients write each in one way only.
S3_PATHS = [path for path in PATHS if path == quote(unquote_to_bytes(path), safe="/-_.~")]
QUERIES = [
    "",
    "?",
    "?a=1",
    "?b=2&a=1",
    "?a=2&a=1&A=0",
    "?a",
    "?a=",
    "?a=%20b&c=%2B",
    "?k=%C3%BC",
    "?delimiter=%2F&list-type=2&prefix=a%20b%2F",
    "?x=a%3Db%26c",
    "?a-b_c.d~e=1",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", PATHS)
def test_paths_and_queries(path: str, query: str) -> None:
    for service, signer in (("lambda", SigV4Auth), ("s3", S3SigV4Auth)):
        if service == "s3" and path not in S3_PATHS:
            continue
        request = sent(signer(CREDENTIALS, service, "us-east-1"), request_for("GET", path + query))
        assert holds(request), service
        request.query = f"{request.query}&z=1" if request.query else "z=1"
        assert not holds(request)


@pytest.mark.parametrize("path", S3_PATHS)
def test_presigned_urls(path: str) -> None:
    s3 = S3SigV4QueryAuth(SESSION, "s3", "us-east-1", 60)
    request = sent(s3, request_for("PUT", f"{path}?versionId=a%20b"))
    assert holds(request, sigv4.UNSIGNED_PAYLOAD)
    signature = claimed(request)
    assert (signature.access_key_id, signature.token, signature.expires) == ("ASIAEXAMPLE", SESSION.token, 60)
    other = sent(SigV4QueryAuth(CREDENTIALS, "lambda", "eu-west-1", 60), request_for("GET", path))
    assert holds(other)
    assert claimed(other).scope.endswith("/eu-west-1/lambda/aws4_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Meta-A": "  many   spaces  "},
        {"X-Amz-Meta-A": "a,b, c"},
        {"X-Amz-Meta-A": ""},
        {"X-Amz-Meta-A": '"quoted  text"'},
        {"Content-Type": "text/plain; charset=utf-8", "X-Amz-Target": "A_1.B"},
        {"X-Amz-Meta-A": "tab\tand  two"},
    ],
)
def test_headers(headers: dict[str, str]) -> None:
    request = sent(SigV4Auth(SESSION, "s3", "us-east-1"), request_for("POST", "/", b"body", headers))
    assert holds(request)
    name = next(iter(headers)).lower()
    request.headers[name] += "x"
    assert not holds(request)


def test_header_bytes_are_signed_as_they_came() -> None:
    """A UTF-8 header comes to us as latin-1 text; what was signed are its bytes."""
    signer = SigV4Auth(CREDENTIALS, "s3", "us-east-1")
    request = request_for("PUT", "/b/k", b"", {"X-Amz-Meta-A": "é🦊"})
    arrived = sent(signer, request)
    arrived.headers["x-amz-meta-a"] = "é🦊".encode().decode("latin-1")
    assert holds(arrived)


def test_session_tokens_and_streams() -> None:
    request = sent(SigV4Auth(SESSION, "sqs", "us-east-1"), request_for("POST", "/", b"{}"))
    assert claimed(request).token == SESSION.token
    assert holds(request)
    streaming = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = {"X-Amz-Content-SHA256": streaming, "X-Amz-Decoded-Content-Length": "5"}
    signed = request_for("PUT", "/b/k", b"", headers)
    signed.context["payload_signing_enabled"] = True
    request = sent(_Streaming(CREDENTIALS, "s3", "us-east-1"), signed)
    assert holds(request, streaming)
    assert not holds(request)


class _Streaming(S3SigV4Auth):
    """botocore's signer with the payload's hash that it sends for aws-chunked bodies."""

    def payload(self, request: Any) -> str:
        return str(request.headers["X-Amz-Content-SHA256"])

    def _modify_request_before_signing(self, request: Any) -> None:
        SigV4Auth._modify_request_before_signing(self, request)


def test_the_order_of_the_headers_parts_does_not_matter() -> None:
    request = sent(SigV4Auth(CREDENTIALS, "sqs", "us-east-1"), request_for("POST", "/", b"{}"))
    parts = request.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    for text in (",".join(parts), ", ".join(reversed(parts)), " , ".join([parts[2], parts[0], parts[1]])):
        request.headers["authorization"] = f"AWS4-HMAC-SHA256 {text}"
        assert holds(request), text


@given(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4),
)
def test_any_text_in_path_and_query(path: str, pairs: list[tuple[str, str]]) -> None:
    query = "&".join(
        f"{quote(k.encode('utf-8', 'replace'), safe='')}={quote(v.encode('utf-8', 'replace'), safe='')}"
        for k, v in pairs
    )
    url = "/" + quote(path, safe="/-_.~") + (f"?{query}" if query else "")
    for service, signer in (("apigateway", SigV4Auth), ("s3", S3SigV4Auth)):
        assert holds(sent(signer(CREDENTIALS, service, "us-east-1"), request_for("GET", url)))


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("AWS4-HMAC-SHA256", "Authorization header requires 'Signature' parameter"),
        ("AWS4-HMAC-SHA256 Signature=a", "Authorization header requires 'Credential' parameter"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, Signature=a",
            "Authorization header requires 'SignedHeaders' parameter",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=a",
            "Credential must have at least 5 slash-delimited elements, got: a/b",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101/../x/s3/aws4_request, SignedHeaders=host, Signature=a",
            None,
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101/a b/s3/aws4_request, SignedHeaders=host, Signature=a",
            "Credential should be scoped to a valid region.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101//s3/aws4_request, SignedHeaders=host, Signature=a",
            "Credential should be scoped to a valid region.",
        ),
    ],
)
def test_claims_that_lack_something(authorization: str, message: str | None) -> None:
    headers = {"x-amz-date": "20260101T000000Z"}
    if message is None:  # a slash in the key id: the last four parts count
        assert sigv4.from_header(authorization, headers).access_key_id == "a/20260101/.."[:-3]
        return
    with pytest.raises(sigv4.IncompleteSignature, match=message.replace("(", r"\(")):
        sigv4.from_header(authorization, headers)


def test_a_date_is_needed() -> None:
    whole = "AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=a"
    with pytest.raises(sigv4.IncompleteSignature, match="'X-Amz-Date' or a 'Date' header"):
        sigv4.from_header(whole, {})
    assert sigv4.from_header(whole, {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}).date.startswith("Thu")


@pytest.mark.parametrize("expires", ["-1", "ten", "1.5", "604801", "²", "9" * 5000, ""])
def test_an_expiry_that_is_none(expires: str) -> None:
    request = sent(S3SigV4QueryAuth(CREDENTIALS, "s3", "us-east-1", 60), request_for("GET", "/b/k"))
    request.query = request.query.replace("X-Amz-Expires=60", f"X-Amz-Expires={quote(expires)}")
    with pytest.raises(sigv4.IncompleteSignature, match="X-Amz-Expires"):
        sigv4.from_query(request)


def test_times() -> None:
    assert sigv4.timestamp("19700101T000010Z") == 10.0
    assert sigv4.timestamp("Thu, 01 Jan 1970 00:00:10 GMT") == 10.0
    for text in ("", "tomorrow", "20260101", "20261301T000000Z", "20260101T000000"):
        assert sigv4.timestamp(text) is None

    def skew(seconds: float) -> str:
        signature = sigv4.Signature("a", "20260101", "r", "s", "host", "x", "20260101T120000Z", None)
        at = sigv4.timestamp(signature.date)
        assert at is not None
        return sigv4.skew(signature, at + seconds)

    assert skew(0) == skew(899) == skew(-899) == ""
    assert skew(901) == (
        "Signature expired: 20260101T120000Z is now earlier than 20260101T120001Z (20260101T121501Z - 15 min.)"
    )
    assert skew(-901) == (
        "Signature not yet current: 20260101T120000Z is still later than 20260101T115959Z "
        "(20260101T114459Z + 15 min.)"
    )
