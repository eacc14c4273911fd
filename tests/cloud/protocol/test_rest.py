"""rest-json and rest-xml: addresses, headers, payloads, errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest
from pileus.cloud.protocol import ServiceCodec, UnknownOperation, service_codec
from pileus.cloud.protocol.errors import MalformedXML, SerializationException

S3 = service_codec("s3")
LAMBDA = service_codec("lambda")
APIGATEWAY = service_codec("apigateway")
SCHEDULER = service_codec("scheduler")


def request(line: str, body: bytes = b"", **headers: str) -> HttpRequest:
    method, _, url = line.partition(" ")
    path, _, query = url.partition("?")
    return HttpRequest(method, path, query, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def parse(codec: ServiceCodec, given: HttpRequest) -> dict[str, Any]:
    return codec.parse(codec.identify(given), given)


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("GET /", "ListBuckets"),
        ("GET /?x-id=ListBuckets", "ListBuckets"),
        ("GET /b", "ListObjects"),
        ("GET /b/", "ListObjects"),
        ("GET /b?list-type=2", "ListObjectsV2"),
        ("GET /b?list-type=1", "ListObjects"),
        ("GET /b/?list-type=2&prefix=a", "ListObjectsV2"),
        ("GET /b?versions", "ListObjectVersions"),
        ("GET /b?acl", "GetBucketAcl"),
        ("GET /b?acl=", "GetBucketAcl"),
        ("GET /b?location", "GetBucketLocation"),
        ("GET /b?uploads&prefix=x", "ListMultipartUploads"),
        ("GET /b?lifecycle", "GetBucketLifecycleConfiguration"),
        ("GET /b?notification", "GetBucketNotificationConfiguration"),
        ("GET /b?analytics", "ListBucketAnalyticsConfigurations"),
        ("GET /b?analytics&id=1", "GetBucketAnalyticsConfiguration"),
        ("GET /b/k", "GetObject"),
        ("GET /b/k?x-id=GetObject", "GetObject"),
        ("GET /b/k?versionId=1&response-content-type=a", "GetObject"),
        ("GET /b/k?acl", "GetObjectAcl"),
        ("GET /b/k?attributes", "GetObjectAttributes"),
        ("GET /b/k?uploadId=1", "ListParts"),
        ("GET /b/k?tagging&versionId=2", "GetObjectTagging"),
        ("HEAD /b", "HeadBucket"),
        ("HEAD /b/k", "HeadObject"),
        ("PUT /b", "CreateBucket"),
        ("PUT /b?lifecycle", "PutBucketLifecycleConfiguration"),
        ("PUT /b?notification", "PutBucketNotificationConfiguration"),
        ("PUT /b/k", "PutObject"),
        ("PUT /b/k?partNumber=1&uploadId=2", "UploadPart"),
        ("PUT /b/k?tagging", "PutObjectTagging"),
        ("POST /b?delete", "DeleteObjects"),
        ("POST /b/k?uploads", "CreateMultipartUpload"),
        ("POST /b/k?uploadId=1", "CompleteMultipartUpload"),
        ("POST /b/k?select&select-type=2", "SelectObjectContent"),
        ("DELETE /b", "DeleteBucket"),
        ("DELETE /b/k", "DeleteObject"),
        ("DELETE /b/k?uploadId=1", "AbortMultipartUpload"),
        ("DELETE /b?policy", "DeleteBucketPolicy"),
    ],
)
def test_s3_addresses(line: str, operation: str) -> None:
    assert S3.identify(request(line)).operation == operation


@pytest.mark.parametrize(
    ("headers", "line", "operation"),
    [
        ({"x_amz_copy_source": "/a/b"}, "PUT /b/k", "CopyObject"),
        ({"x_amz_copy_source": "/a/b"}, "PUT /b/k?partNumber=1&uploadId=2", "UploadPartCopy"),
        ({"x_amz_object_attributes": "ETag"}, "GET /b/k?attributes", "GetObjectAttributes"),
    ],
)
def test_s3_addresses_with_headers(headers: dict[str, str], line: str, operation: str) -> None:
    assert S3.identify(request(line, **headers)).operation == operation


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/b/a/b/c", "a/b/c"),
        ("/b/a//b", "a//b"),
        ("/b//a", "/a"),
        ("/b/a/", "a/"),
        ("/b//", "/"),
        ("/b/../a/./", "../a/./"),
        ("/b/a%2Fb%20c%3F+d", "a/b c?+d"),
        ("/b/%C3%A9", "é"),
        ("/b/k%25", "k%"),
    ],
)
def test_s3_keys_are_any_text(path: str, key: str) -> None:
    match = S3.identify(request(f"GET {path}"))
    assert (match.operation, match.path_params) == ("GetObject", {"Bucket": "b", "Key": key})


@pytest.mark.parametrize("line", ["PATCH /b", "POST /", "DELETE /", "POST /b"])
def test_s3_unknown_addresses(line: str) -> None:
    with pytest.raises(UnknownOperation) as caught:
        S3.identify(request(line))
    assert (caught.value.code, caught.value.status) == ("MethodNotAllowed", 405)


@pytest.mark.parametrize(
    ("line", "operation", "params"),
    [
        ("GET /2015-03-31/functions", "ListFunctions", {}),
        ("GET /2015-03-31/functions/", "ListFunctions", {}),
        ("GET /2015-03-31/functions/f", "GetFunction", {"FunctionName": "f"}),
        (
            "GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A0%3Afunction%3Af/configuration",
            "GetFunctionConfiguration",
            {"FunctionName": "arn:aws:lambda:eu-west-1:0:function:f"},
        ),
        (
            "POST /2015-03-31/functions/arn:aws:lambda:eu-west-1:0:function:f/invocations",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:eu-west-1:0:function:f"},
        ),
    ],
)
def test_lambda_addresses(line: str, operation: str, params: dict[str, str]) -> None:
    match = LAMBDA.identify(request(line))
    assert (match.operation, match.path_params) == (operation, params)


def test_labels_may_hold_encoded_slashes() -> None:
    match = APIGATEWAY.identify(request("GET /tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Frestapis%2Fx"))
    assert match.path_params == {"resource_arn": "arn:aws:apigateway:eu-west-1::/restapis/x"}


def test_query_literals_with_values() -> None:
    assert APIGATEWAY.identify(request("POST /restapis")).operation == "CreateRestApi"
    assert APIGATEWAY.identify(request("POST /restapis?mode=import")).operation == "ImportRestApi"


def test_unknown_routes() -> None:
    with pytest.raises(UnknownOperation) as caught:
        LAMBDA.identify(request("GET /2015-03-31/nothing"))
    assert (caught.value.code, caught.value.status) == ("UnknownOperationException", 404)


def test_put_object_head() -> None:
    given = request(
        "PUT /b/k",
        b"data",
        content_type="image/jpeg",
        content_length="4",
        x_amz_meta_colour="red",
        x_amz_storage_class="STANDARD",
        x_amz_server_side_encryption_bucket_key_enabled="true",
        x_amz_object_lock_retain_until_date="2030-01-02T03:04:05Z",
        expires="whenever",
    )
    assert parse(S3, given) == {
        "Bucket": "b",
        "Key": "k",
        "Body": b"data",
        "ContentType": "image/jpeg",
        "ContentLength": 4,
        "Metadata": {"colour": "red"},
        "StorageClass": "STANDARD",
        "BucketKeyEnabled": True,
        "ObjectLockRetainUntilDate": 1893553445.0,
        "Expires": "whenever",
    }


@pytest.mark.parametrize(
    "date",
    ["Wed, 21 Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015"],
)
def test_http_dates(date: str) -> None:
    assert parse(S3, request("GET /b/k", if_modified_since=date))["IfModifiedSince"] == 1445412480.0


def test_header_lists() -> None:
    given = request("GET /b/k?attributes", x_amz_object_attributes="ETag, ObjectSize")
    assert parse(S3, given)["ObjectAttributes"] == ["ETag", "ObjectSize"]


def test_streamed_bodies() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    assert S3.is_streaming_input("PutObject")
    assert S3.is_streaming_output("GetObject")
    assert not S3.is_streaming_input("DeleteObjects")
    assert not LAMBDA.is_streaming_input("Invoke")
    given = request("PUT /b/k")
    given.stream = chunks()
    assert parse(S3, given)["Body"] is given.stream
    match = S3.identify(request("GET /b/k"))
    stream = chunks()
    assert S3.serialise(match, {"Body": stream}, request_id="i").stream is stream
    assert S3.serialise(match, {"Body": b"data"}, request_id="i").body == b"data"


def test_xml_bodies() -> None:
    body = (
        b'<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key>'
        b"</Object><Object><Key> c </Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>"
    )
    assert parse(S3, request("POST /b?delete", body))["Delete"] == {
        "Objects": [{"Key": "a&b"}, {"Key": " c ", "VersionId": "1"}],
        "Quiet": True,
    }


@pytest.mark.parametrize("body", [b"<Delete>", b"no xml", b"<a></b>", b'{"a":1}', b"\xff\xfe"])
def test_malformed_xml(body: bytes) -> None:
    with pytest.raises(MalformedXML) as caught:
        parse(S3, request("POST /b?delete", body))
    assert caught.value.message.startswith("The XML you provided was not well-formed")


def test_xml_entities_are_not_expanded_without_end() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    for index in range(9):
        bomb += f'<!ENTITY {chr(98 + index)} "{f"&{chr(97 + index)};" * 10}">'.encode()
    bomb += b"]><Delete><Object><Key>&j;</Key></Object></Delete>"
    with pytest.raises(MalformedXML):
        parse(S3, request("POST /b?delete", bomb))


def serialise(codec: ServiceCodec, line: str, result: dict[str, Any], **headers: str) -> Any:
    return codec.serialise(codec.identify(request(line, **headers)), result, request_id="id-1")


NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    ("line", "result", "xml"),
    [
        (
            "GET /b?list-type=2",
            {
                "Name": "b",
                "IsTruncated": False,
                "Contents": [{"Key": "k\r&\x01", "Size": 1, "ETag": '"e"', "LastModified": 0.25}],
                "CommonPrefixes": [{"Prefix": "p/"}, {"Prefix": "q/"}],
            },
            f"<ListBucketResult {NAMESPACE}><Name>b</Name><IsTruncated>false</IsTruncated><Contents>"
            "<Key>k&#xD;&amp;&#x1;</Key><Size>1</Size><ETag>&quot;e&quot;</ETag>"
            "<LastModified>1970-01-01T00:00:00.250Z</LastModified></Contents>"
            "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
            "<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListBucketResult>",
        ),
        (
            "GET /",
            {"Buckets": [{"Name": "b", "CreationDate": 1.0}], "Owner": {"ID": "o"}},
            f"<ListAllMyBucketsResult {NAMESPACE}><Buckets><Bucket><Name>b</Name>"
            "<CreationDate>1970-01-01T00:00:01.000Z</CreationDate></Bucket></Buckets><Owner><ID>o</ID></Owner>"
            "</ListAllMyBucketsResult>",
        ),
        ("GET /b?location", {}, f"<LocationConstraint {NAMESPACE}></LocationConstraint>"),
        (
            "GET /b?location",
            {"LocationConstraint": "eu-west-1"},
            f"<LocationConstraint {NAMESPACE}>eu-west-1</LocationConstraint>",
        ),
        ("GET /b?versioning", {}, f"<VersioningConfiguration {NAMESPACE}></VersioningConfiguration>"),
        (
            "POST /b/k?uploads",
            {"Bucket": "b", "Key": "k", "UploadId": "u"},
            f"<InitiateMultipartUploadResult {NAMESPACE}><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId>"
            "</InitiateMultipartUploadResult>",
        ),
        (
            "GET /b/k?retention",
            {"Retention": {"Mode": "GOVERNANCE"}},
            f"<Retention {NAMESPACE}><Mode>GOVERNANCE</Mode></Retention>",
        ),
        (
            "GET /b?acl",
            {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}]},
            f"<AccessControlPolicy {NAMESPACE}><AccessControlList><Grant>"
            '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>i</ID>'
            "</Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>",
        ),
    ],
)
def test_s3_answers(line: str, result: dict[str, Any], xml: str) -> None:
    response = serialise(S3, line, result)
    assert response.body.decode() == HEAD + xml
    assert response.headers["content-type"] == "application/xml"


def test_copy_object_answers_with_its_payload() -> None:
    result = {"CopyObjectResult": {"ETag": "e"}, "VersionId": "1"}
    response = serialise(S3, "PUT /b/k", result, x_amz_copy_source="/a/b")
    assert response.body.decode() == f"{HEAD}<CopyObjectResult {NAMESPACE}><ETag>e</ETag></CopyObjectResult>"
    assert response.headers["x-amz-version-id"] == "1"


def test_get_object_headers() -> None:
    response = serialise(
        S3,
        "GET /b/k",
        {
            "Body": b"data",
            "LastModified": 1445412480.9,
            "ETag": '"e"',
            "ContentLength": 4,
            "DeleteMarker": False,
            "Metadata": {"Colour": "red"},
            "$status": 206,
            "$headers": {"x-extra": "1"},
        },
    )
    assert response.status == 206
    assert response.headers == {
        "x-amz-request-id": "id-1",
        "x-amz-id-2": "aWQtMQ==",
        "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT",
        "etag": '"e"',
        "content-length": "4",
        "x-amz-delete-marker": "false",
        "x-amz-meta-colour": "red",
        "x-extra": "1",
        "content-type": "binary/octet-stream",
    }


def test_answers_without_bodies() -> None:
    head = serialise(S3, "HEAD /b/k", {"ContentLength": 4, "ETag": '"e"'})
    assert (head.body, head.headers["content-length"]) == (b"", "4")
    assert "content-type" not in head.headers
    gone = serialise(S3, "DELETE /b/k", {"VersionId": "1"})
    assert (gone.status, gone.body) == (204, b"")
    put = serialise(S3, "PUT /b/k", {"ETag": '"e"'})
    assert (put.status, put.body) == (200, b"")


class NoSuchKey(AwsError):
    code = "NoSuchKey"
    status = 404


class NotModified(AwsError):
    code = "NotModified"
    status = 304


def test_s3_errors() -> None:
    error = NoSuchKey("The specified key does not exist.", Key="a<b")
    response = S3.error(S3.identify(request("GET /b/k")), error, request_id="id-1", resource="/b/k")
    assert response.body.decode() == (
        f"{HEAD}<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
        "<Resource>/b/k</Resource><RequestId>id-1</RequestId><HostId>aWQtMQ==</HostId></Error>"
    )
    assert (response.status, response.headers["content-type"]) == (404, "application/xml")


def test_errors_without_bodies() -> None:
    head = S3.error(S3.identify(request("HEAD /b/k")), NoSuchKey("x"), request_id="i")
    assert (head.status, head.body) == (404, b"")
    assert S3.error(S3.identify(request("GET /b/k")), NotModified(), request_id="i").body == b""


def test_invoke() -> None:
    given = request(
        "POST /2015-03-31/functions/f/invocations?Qualifier=1", b'{"a":1}', x_amz_invocation_type="Event"
    )
    assert parse(LAMBDA, given) == {
        "FunctionName": "f",
        "Qualifier": "1",
        "InvocationType": "Event",
        "Payload": b'{"a":1}',
    }
    result = {"StatusCode": 202, "Payload": b"", "FunctionError": "Unhandled"}
    response = LAMBDA.serialise(LAMBDA.identify(given), result, request_id="i")
    assert (response.status, response.body) == (202, b"")
    assert response.headers["x-amz-function-error"] == "Unhandled"


class NoFunction(AwsError):
    code = "ResourceNotFoundException"
    status = 404


class TooMany(AwsError):
    code = "TooManyRequestsException"
    status = 429


def test_rest_json_errors() -> None:
    response = LAMBDA.error("rest-json", NoFunction("Function not found: x"), request_id="id-1")
    assert (response.status, response.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert json.loads(response.body) == {"Type": "User", "Message": "Function not found: x"}
    error = TooMany(
        "Rate Exceeded.", retryAfterSeconds="1", Reason="ReservedFunctionConcurrentInvocationLimitExceeded"
    )
    response = LAMBDA.error("rest-json", error, request_id="id-1")
    assert response.headers["retry-after"] == "1"
    assert json.loads(response.body) == {
        "Type": "User",
        "message": "Rate Exceeded.",
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    }


def test_rest_json_bodies() -> None:
    body = {"name": "api", "minimumCompressionSize": "much"}
    with pytest.raises(SerializationException) as caught:
        parse(APIGATEWAY, request("POST /restapis", json.dumps(body).encode()))
    assert caught.value.code == "BadRequestException"
    with pytest.raises(SerializationException):
        parse(SCHEDULER, request("POST /schedules/s", b"{"))


def test_rest_json_validation() -> None:
    with pytest.raises(AwsError) as caught:
        parse(
            LAMBDA,
            request("POST /2015-03-31/functions", b'{"FunctionName": "f", "Code": {}, "MemorySize": 1}'),
        )
    assert str(caught.value) == (
        "ValidationException: 2 validation errors detected: Value null at 'role' failed to satisfy constraint: Member "
        "must not be null; Value '1' at 'memorySize' failed to satisfy constraint: Member must have value greater than "
        "or equal to 128"
    )
