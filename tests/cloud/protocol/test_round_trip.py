"""Every operation of every service that Pileus emulates, through botocore's own client side and back.

Requests: botocore's serialiser → our parse gives the parameters that went in. Answers: our serialise → botocore's parser
gives the result that went in. Values are made from the models, so this needs no upkeep.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest
from pileus.cloud.protocol import ServiceCodec, service_codec
from pileus.cloud.protocol.model import load_model

from .shape_values import Maker, plain

SERVICES = [
    "apigateway",
    "apigatewayv2",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "secretsmanager",
    "ses",
    "sesv2",
    "sns",
    "sqs",
    "ssm",
    "sts",
    "xray",
]
CASES = [(service, protocol) for service in SERVICES for protocol in service_codec(service).protocols]
MEMBERS = ("all", "required")


def _codec(service: str) -> ServiceCodec:
    """Without patterns: the values are made to fit lengths and enums, not regular expressions."""
    model = load_model(service)
    shapes = {
        name: {key: value for key, value in shape.items() if key != "pattern"}
        for name, shape in model.shapes.items()
    }
    return ServiceCodec(dataclasses.replace(model, shapes=shapes))


def _client_model(service: str, protocol: str) -> botocore.model.ServiceModel:
    description = botocore.loaders.Loader(include_default_extras=False).load_service_model(
        service, "service-2"
    )
    if service == "sqs" and protocol == "query":
        return _old_sqs(description)
    return botocore.model.ServiceModel(description, service)


def _old_sqs(description: dict[str, Any]) -> botocore.model.ServiceModel:
    """SQS's model as botocore had it while SQS spoke the query protocol."""
    from pileus.cloud.protocol.quirks import QUIRKS

    shapes = dict(description["shapes"])
    locations = {}
    for name, traits in QUIRKS["sqs"].wire_names.items():
        shape = dict(shapes[name], flattened=True)
        if "member" in traits:
            shape["member"] = {**shape["member"], **traits["member"]}
        else:
            locations[name] = traits["locationName"]
            for part in ("key", "value"):
                shape[part] = {**shape[part], "locationName": traits[part]}
        shapes[name] = shape
    for name, shape in shapes.items():
        if "members" in shape:
            members = {
                key: {**ref, "locationName": locations[ref["shape"]]} if ref["shape"] in locations else ref
                for key, ref in shape["members"].items()
            }
            shapes[name] = {**shape, "members": members}
    operations = {
        name: {**parts, "output": {**parts["output"], "resultWrapper": f"{name}Result"}}
        if "output" in parts
        else parts
        for name, parts in description["operations"].items()
    }
    return botocore.model.ServiceModel({**description, "shapes": shapes, "operations": operations}, "sqs")


def _operations(service: str, protocol: str) -> Iterator[botocore.model.OperationModel]:
    model = _client_model(service, protocol)
    for name in model.operation_names:
        if not SHADOWED.get(name):
            yield model.operation_model(name)


# Operations whose address is another's: AWS tells them apart by the host, or the newer one has taken over.
SHADOWED = {
    "ListDirectoryBuckets": True,
    "GetBucketLifecycle": True,
    "PutBucketLifecycle": True,
    "GetBucketNotification": True,
    "PutBucketNotification": True,
}


def _request(
    serializer: Any, operation: botocore.model.OperationModel, values: dict[str, Any]
) -> HttpRequest:
    parts = serializer.serialize_to_request(values, operation)
    prepare_request_dict(parts, endpoint_url="http://127.0.0.1:4566")
    sent = create_request_object(parts).prepare()
    url = urlsplit(sent.url)
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for key, value in sent.headers.items()
    }
    body = sent.body or b""
    return HttpRequest(
        sent.method, url.path, url.query, headers, body.encode() if isinstance(body, str) else body
    )


@pytest.mark.parametrize("members", MEMBERS)
@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_requests(service: str, protocol: str, members: str) -> None:
    codec = _codec(service)
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    for operation in _operations(service, protocol):
        values = Maker(members).value(operation.input_shape) if operation.input_shape else {}
        if any(m.serialization.get("eventstream") for m in values and operation.input_shape.members.values()):
            continue
        request = _request(serializer, operation, values)
        match = codec.identify(request)
        assert (match.operation, match.protocol) == (operation.name, protocol)
        parsed = codec.parse(match, request)
        if operation.input_shape:
            _without_empty_payload(operation.input_shape, parsed, values)
        if service == "s3":
            parsed.pop("ContentLength", None), values.pop("ContentLength", None)  # the HTTP client's own
        assert parsed == plain(values), operation.name


def _statuses(shape: Any) -> dict[str, int]:
    return {n: 200 for n, m in shape.members.items() if m.serialization.get("location") == "statusCode"}


def _without_empty_payload(shape: Any, parsed: dict[str, Any], values: dict[str, Any]) -> None:
    """A payload that was not given is an empty body or `{}`: the wire does not tell it from an empty one."""
    payload = shape.serialization.get("payload")
    if payload is not None and payload not in values and not parsed.get(payload):
        parsed.pop(payload, None)


def _stream_member(shape: Any) -> str | None:
    for name, member in shape.members.items():
        if member.serialization.get("eventstream"):
            return str(name)
    return None


@pytest.mark.parametrize("members", MEMBERS)
@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_results(service: str, protocol: str, members: str) -> None:
    codec = _codec(service)
    parser = botocore.parsers.create_parser(protocol)
    for operation in _operations(service, protocol):
        shape = operation.output_shape
        result = Maker(members).value(shape) if shape else {}
        if (shape and _stream_member(shape)) or operation.name == "GetBucketLocation":
            continue  # events: see test_eventstream; GetBucketLocation: see test_rest
        if shape:
            result.update(_statuses(shape))
        match = _match(codec, operation.name, protocol)
        response = codec.serialise(match, plain(result), request_id="id-1")
        body = response.body if response.stream is None else b"".join(response.stream)  # type: ignore[arg-type]
        if operation.http["method"] == "HEAD":
            assert body == b""
        parsed = parser.parse(
            {"body": body, "headers": HeadersDict(response.headers), "status_code": response.status}, shape
        )
        metadata = parsed.pop("ResponseMetadata")
        assert metadata.get("RequestId") == "id-1" or shape is None, operation.name
        if shape:
            _without_empty_payload(shape, parsed, result)
            for name, member in shape.members.items():  # botocore finds an empty map where no header is
                if member.serialization.get("location") == "headers" and name not in result:
                    assert parsed.pop(name) == {}
        payload = shape and shape.serialization.get("payload")
        if payload in result and isinstance(result[payload], bytes):
            result[payload] = result[payload].decode()
        assert plain(parsed) == plain(result), operation.name


def _match(codec: ServiceCodec, operation: str, protocol: str) -> Any:
    from pileus.cloud.protocol.plan import Match

    return Match(operation, {}, protocol)


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_errors(service: str, protocol: str) -> None:
    codec = _codec(service)
    model = _client_model(service, protocol)
    parser = botocore.parsers.create_parser(protocol)
    for shape in model.error_shapes:

        class Told(AwsError):
            code = shape.name
            status = shape.metadata.get("error", {}).get("httpStatusCode", 400)

        response = codec.error(protocol, Told("It is so & <thus>."), request_id="id-1")
        parsed = parser.parse(
            {
                "body": response.body,
                "headers": HeadersDict(response.headers),
                "status_code": response.status,
            },
            None,
        )
        if response.status == 304:
            continue
        queried = codec._faults.code(Told("x"))
        codes = (
            {queried}
            if protocol in ("query", "rest-xml") or "awsQueryCompatible" in codec.metadata
            else {shape.name}
        )
        assert parsed["Error"]["Code"] in codes
        assert parsed["Error"]["Message"] == "It is so & <thus>."
