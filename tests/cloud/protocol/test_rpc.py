"""json 1.0/1.1 and rpc-v2-cbor: what AWS answers to good and bad requests."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from pileus.cloud.kernel.errors import AwsError, ValidationException
from pileus.cloud.kernel.http import HttpRequest
from pileus.cloud.protocol import (
    SerializationException,
    ServiceCodec,
    UnknownOperation,
    UnmodelledMember,
    cbor,
    service_codec,
)

DYNAMODB = service_codec("dynamodb", opaque=frozenset({"AttributeValue"}))
SQS = service_codec("sqs")
SSM = service_codec("ssm")
LOGS = service_codec("logs")
KMS = service_codec("kms")
CLOUDWATCH = service_codec("cloudwatch")


def post(target: str, body: Any, **headers: str) -> HttpRequest:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return HttpRequest("POST", "/", "", {"x-amz-target": target, **headers}, raw)


def parse(codec: ServiceCodec, operation: str, body: Any, **headers: str) -> dict[str, Any]:
    request = post(f"{codec.metadata['targetPrefix']}.{operation}", body, **headers)
    return codec.parse(codec.identify(request), request)


def answer(codec: ServiceCodec, operation: str, result: dict[str, Any] | None) -> Any:
    match = codec.identify(post(f"{codec.metadata['targetPrefix']}.{operation}", {}))
    return codec.serialise(match, result, request_id="id-1")


class Broken(AwsError):
    code = "ConditionalCheckFailedException"


class NoQueue(AwsError):
    code = "QueueDoesNotExist"


class NoQueueByQueryCode(AwsError):
    code = "AWS.SimpleQueueService.NonExistentQueue"


class Denied(AwsError):
    code = "AccessDeniedException"


class Down(AwsError):
    code = "InternalServerError"
    status = 500


def test_opaque_shapes_stay_as_they_are() -> None:
    item = {"id": {"S": "1"}, "blob": {"B": "AQI="}, "odd": {"X": None}}
    assert parse(DYNAMODB, "PutItem", {"TableName": "t", "Item": item})["Item"] == item
    assert json.loads(answer(DYNAMODB, "GetItem", {"Item": item}).body) == {"Item": item}


def test_unknown_members_and_nulls_are_absent() -> None:
    parsed = parse(DYNAMODB, "DescribeTable", {"TableName": "t", "Nonsense": 1})
    assert parsed == {"TableName": "t"}
    assert parse(SQS, "SendMessage", {"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": None}) == {
        "QueueUrl": "q",
        "MessageBody": "b",
    }


def test_numbers() -> None:
    big = 2**63 - 1
    body = {"logGroupName": "g", "logStreamName": "s", "startTime": big, "limit": 7.0}
    parsed = parse(LOGS, "GetLogEvents", body)
    assert (parsed["startTime"], parsed["limit"]) == (big, 7)
    assert isinstance(parsed["limit"], int)


@pytest.mark.parametrize(
    ("operation", "body", "words"),
    [
        ("DescribeTable", {"TableName": 23}, "NUMBER_VALUE cannot be converted to String"),
        ("DescribeTable", {"TableName": 3.5}, "DECIMAL_VALUE cannot be converted to String"),
        ("DescribeTable", {"TableName": True}, "TRUE_VALUE cannot be converted to String"),
        ("DescribeTable", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ("DescribeTable", {"TableName": {}}, "Start of structure or map found where not expected"),
        ("ListTables", {"Limit": "23"}, "STRING_VALUE cannot be converted to Integer"),
        ("ListTables", {"Limit": False}, "FALSE_VALUE cannot be converted to Integer"),
        ("Scan", {"TableName": "t", "ConsistentRead": "x"}, "Unexpected token received from parser"),
        ("Scan", {"TableName": "t", "ConsistentRead": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ("Scan", {"TableName": "t", "AttributesToGet": "x"}, "Unexpected field type"),
        (
            "Scan",
            {"TableName": "t", "AttributesToGet": {}},
            "Start of structure or map found where not expected",
        ),
        ("PutItem", {"TableName": "t", "Item": "x"}, "Unexpected field type"),
    ],
)
def test_wrong_types(operation: str, body: Any, words: str) -> None:
    with pytest.raises(SerializationException) as caught:
        parse(DYNAMODB, operation, body)
    assert caught.value.message == words
    response = DYNAMODB.error("json", caught.value, request_id="id-1")
    assert response.status == 400
    assert json.loads(response.body) == {
        "__type": "com.amazon.coral.service#SerializationException",
        "Message": words,
    }


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"{}{}"])
def test_malformed_bodies(body: bytes) -> None:
    with pytest.raises(SerializationException):
        parse(DYNAMODB, "ListTables", body)


@pytest.mark.parametrize("text", ["A", "AQ=", "AQI=====", "!!!!"])
def test_malformed_base64(text: str) -> None:
    with pytest.raises(SerializationException):
        parse(KMS, "Decrypt", {"CiphertextBlob": text})


def test_blobs_and_times() -> None:
    assert parse(KMS, "Encrypt", {"KeyId": "k", "Plaintext": "AQI="})["Plaintext"] == b"\x01\x02"
    result = {"KeyMetadata": {"KeyId": "k", "CreationDate": 1.5, "DeletionDate": 3.0}}
    assert json.loads(answer(KMS, "DescribeKey", result).body)["KeyMetadata"] == {
        "KeyId": "k",
        "CreationDate": 1.5,
        "DeletionDate": 3,
    }
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    body = answer(KMS, "DescribeKey", {"KeyMetadata": {"KeyId": "k", "CreationDate": moment}}).body
    assert json.loads(body)["KeyMetadata"]["CreationDate"] == 1704067200


def test_results_without_none_and_with_decimals() -> None:
    result = {"ConsumedCapacity": {"TableName": "t", "CapacityUnits": Decimal("0.5")}, "Attributes": None}
    assert json.loads(answer(DYNAMODB, "PutItem", result).body) == {
        "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}
    }
    body = answer(DYNAMODB, "PutItem", {"ConsumedCapacity": {"CapacityUnits": math.inf}}).body
    assert json.loads(body) == {"ConsumedCapacity": {"CapacityUnits": "Infinity"}}


def test_unmodelled_results_are_bugs() -> None:
    with pytest.raises(UnmodelledMember, match="PutItemOutput has no member 'Item'"):
        answer(DYNAMODB, "PutItem", {"Item": {}})


def test_headers() -> None:
    response = answer(DYNAMODB, "GetItem", {})
    assert response.headers == {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-requestid": "id-1",
        "x-amz-crc32": str(zlib.crc32(b"{}")),
    }
    assert answer(SSM, "GetParameter", {}).headers["content-type"] == "application/x-amz-json-1.1"


def test_gzip() -> None:
    body = gzip.compress(b'{"TableName": "t"}')
    headers = {"content-encoding": "gzip"}
    assert parse(DYNAMODB, "DescribeTable", body, **headers) == {"TableName": "t"}
    for broken in (body[:-9], b"no gzip", b""):
        with pytest.raises(SerializationException):
            parse(DYNAMODB, "DescribeTable", broken, **headers)


def test_a_gzip_bomb_ends() -> None:
    bomb = gzip.compress(b" " * (65 * 1024 * 1024))
    with pytest.raises(SerializationException):
        parse(DYNAMODB, "ListTables", bomb, **{"content-encoding": "gzip"})


@pytest.mark.parametrize("target", ["DynamoDB_20120810.Nothing", "DynamoDB_20111205.GetItem", "GetItem", ""])
def test_unknown_operations(target: str) -> None:
    with pytest.raises(UnknownOperation) as caught:
        DYNAMODB.identify(post(target, {}))
    assert caught.value.protocol == "json"
    assert json.loads(DYNAMODB.error("json", caught.value, request_id="id-1").body) == {
        "__type": "com.amazon.coral.service#UnknownOperationException"
    }


def test_validation_errors() -> None:
    with pytest.raises(ValidationException) as caught:
        parse(DYNAMODB, "PutItem", {"TableName": "t", "ReturnValues": "X"})
    assert json.loads(DYNAMODB.error("json", caught.value, request_id="id-1").body) == {
        "__type": "com.amazon.coral.validate#ValidationException",
        "message": "2 validation errors detected: Value null at 'item' failed to satisfy constraint: Member must not be "
        "null; Value 'X' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: "
        "[NONE, ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATED_NEW]",
    }


def test_missing_parameters_as_sqs_says_it() -> None:
    with pytest.raises(AwsError) as caught:
        parse(SQS, "SendMessage", {"QueueUrl": "q"})
    assert str(caught.value) == "MissingParameter: The request must contain the parameter MessageBody."


def test_errors_with_members() -> None:
    error = Broken("The conditional request failed", Item={"id": {"S": "1"}})
    response = DYNAMODB.error("json", error, request_id="id-1")
    assert json.loads(response.body) == {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"id": {"S": "1"}},
    }
    assert response.headers["x-amz-crc32"] == str(zlib.crc32(response.body))


def test_framework_errors() -> None:
    assert json.loads(DYNAMODB.error("json", Denied("no"), request_id="i").body) == {
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "Message": "no",
    }
    assert json.loads(SSM.error("json", Denied("no"), request_id="i").body) == {
        "__type": "AccessDeniedException",
        "Message": "no",
    }
    response = DYNAMODB.error("json", Down("down"), request_id="i")
    assert (response.status, json.loads(response.body)["__type"]) == (
        500,
        "com.amazonaws.dynamodb.v20120810#InternalServerError",
    )


@pytest.mark.parametrize("error", [NoQueue("gone"), NoQueueByQueryCode("gone")])
def test_query_compatible_errors(error: AwsError) -> None:
    response = SQS.error("json", error, request_id="i")
    assert json.loads(response.body) == {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"}
    assert response.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"


def test_calls_inside_the_cloud_are_checked_alike() -> None:
    DYNAMODB.validate("DescribeTable", {"TableName": "t"})
    with pytest.raises(ValidationException, match="Value null at 'tableName'"):
        DYNAMODB.validate("DescribeTable", {})
    with pytest.raises(SerializationException, match="STRING_VALUE cannot be converted to Integer"):
        DYNAMODB.validate("ListTables", {"Limit": "5"})
    KMS.validate("Encrypt", {"KeyId": "k", "Plaintext": b"\x01"})


def cbor_request(operation: str, body: Any) -> HttpRequest:
    path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
    raw = body if isinstance(body, bytes) else cbor.dumps(body)
    return HttpRequest("POST", path, "", {"smithy-protocol": "rpc-v2-cbor"}, raw)


def test_cbor() -> None:
    request = cbor_request(
        "GetMetricData", {"StartTime": cbor.Time(1.5), "EndTime": 2, "MetricDataQueries": []}
    )
    match = CLOUDWATCH.identify(request)
    assert match.protocol == "smithy-rpc-v2-cbor"
    assert CLOUDWATCH.parse(match, request) == {"StartTime": 1.5, "EndTime": 2.0, "MetricDataQueries": []}
    result = {"MetricDataResults": [{"Id": "a", "Timestamps": [1.5], "Values": [0.25]}]}
    response = CLOUDWATCH.serialise(match, result, request_id="id-1")
    assert cbor.loads(response.body) == result
    assert response.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert response.headers["content-type"] == "application/cbor"


def test_cbor_refusals() -> None:
    with pytest.raises(UnknownOperation) as unknown:
        CLOUDWATCH.identify(cbor_request("Nothing", {}))
    assert unknown.value.protocol == "smithy-rpc-v2-cbor"
    for body in (b"\x01", b"\xa1", b"\xff"):
        request = cbor_request("ListMetrics", body)
        with pytest.raises(SerializationException):
            CLOUDWATCH.parse(CLOUDWATCH.identify(request), request)


@pytest.mark.parametrize(
    ("request_", "protocol"),
    [
        (cbor_request("ListMetrics", {}), "smithy-rpc-v2-cbor"),
        (post("GraniteServiceVersion20100801.ListMetrics", {}), "json"),
        (HttpRequest("POST", "/", "", {}, b"Action=ListMetrics&Version=2010-08-01"), "query"),
    ],
)
def test_a_service_of_three_protocols(request_: HttpRequest, protocol: str) -> None:
    match = CLOUDWATCH.identify(request_)
    assert (match.operation, match.protocol) == ("ListMetrics", protocol)
    assert CLOUDWATCH.parse(match, request_) == {}
