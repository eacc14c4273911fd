"""Which service a request is for."""

from __future__ import annotations

import pytest

from pileus.cloud.gateway.identify import ServiceIndex, api_of_host, bucket_of_host, signature_of
from pileus.cloud.kernel import HttpRequest
from pileus.cloud.protocol import sigv4
from pileus.cloud.services import REGISTRY

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def signed(service: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=s"


@pytest.mark.parametrize(
    ("scope", "path", "headers", "service"),
    [
        ("sqs", "/", {}, "sqs"),
        ("monitoring", "/", {}, "cloudwatch"),
        ("dynamodb", "/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, "dynamodb"),
        ("dynamodb", "/", {"x-amz-target": "DynamoDBStreams_20120810.GetRecords"}, "dynamodbstreams"),
        ("ses", "/", FORM, "ses"),
        ("ses", "/v2/email/outbound-emails", {}, "sesv2"),
        ("apigateway", "/restapis", {}, "apigateway"),
        ("s3", "/bucket/key", {}, "s3"),
        ("nonsense", "/", {}, "nonsense"),
        # a scope counts more than what else the request says
        ("sqs", "/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, "sqs"),
        (None, "/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, "dynamodb"),
        (None, "/", {"x-amz-target": "Nonsense.GetItem"}, "Nonsense"),
        (None, "/", {"host": "sqs.us-east-1.localhost:4566"}, "sqs"),
        (None, "/", FORM, "sts"),
        (None, "/bucket/key", {}, "s3"),
    ],
)
def test_the_service(scope: str | None, path: str, headers: dict[str, str], service: str) -> None:
    headers = {"host": "localhost", "x-amz-date": "20260101T000000Z", **headers}
    if scope is not None:
        headers["authorization"] = signed(scope)
    request = HttpRequest("POST", path, "", headers)
    signature, presigned = signature_of(request)
    assert not presigned
    assert ServiceIndex(REGISTRY).find(request, signature) == service


def test_a_presigned_query_is_a_claim() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=s"
    )
    signature, presigned = signature_of(HttpRequest("GET", "/b/k", query, {}))
    assert presigned
    assert signature is not None
    assert (signature.service, signature.expires) == ("s3", 60)
    with pytest.raises(sigv4.IncompleteSignature, match="must include 'X-Amz-Signature'"):
        signature_of(HttpRequest("GET", "/b/k", query.replace("&X-Amz-Signature=s", ""), {}))


@pytest.mark.parametrize("authorization", ["", "Basic dGVzdA==", "Bearer x", "AWS k:s"])
def test_another_scheme_is_no_claim(authorization: str) -> None:
    assert signature_of(HttpRequest("GET", "/", "", {"authorization": authorization})) == (None, False)


@pytest.mark.parametrize(
    ("host", "bucket", "api"),
    [
        ("localhost:4566", None, None),
        ("b.s3.localhost:4566", "b", None),
        ("b.with.dots.s3.us-east-1.localhost", "b.with.dots", None),
        ("b.s3-eu-west-1.amazonaws.com", "b", None),
        ("s3.localhost", None, None),
        (".s3.localhost", None, None),
        ("abc123.execute-api.localhost:4566", None, "abc123"),
        ("abc123.execute-api.us-east-1.localhost", None, "abc123"),
        (".execute-api.localhost", None, None),
        ("[::1]:4566", None, None),
        ("", None, None),
    ],
)
def test_names_in_hosts(host: str, bucket: str | None, api: str | None) -> None:
    assert bucket_of_host(host) == bucket
    assert api_of_host(host) == api
