"""Event streams, read by botocore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import botocore.eventstream
import botocore.loaders
import botocore.model
import botocore.parsers

from pileus.cloud.protocol import Match, service_codec

LAMBDA = service_codec("lambda")
EVENTS: list[dict[str, Any]] = [
    {"PayloadChunk": {"Payload": b"\x00chunk"}},
    {"PayloadChunk": {"Payload": b""}},
    {"InvokeComplete": {"ErrorCode": "E", "ErrorDetails": "d", "LogResult": "bG9n"}},
]
MATCH = Match("InvokeWithResponseStream", {}, "rest-json")


def read(data: bytes) -> list[Any]:
    description = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    operation = botocore.model.ServiceModel(description).operation_model("InvokeWithResponseStream")
    parser = botocore.parsers.EventStreamJSONParser()
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(data)
    shape = operation.output_shape.members["EventStream"]
    return [parser.parse(message.to_response_dict(200), shape) for message in buffer]


def test_events() -> None:
    response = LAMBDA.serialise(MATCH, {"StatusCode": 200, "EventStream": iter(EVENTS)}, request_id="i")
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert read(b"".join(response.stream)) == EVENTS  # type: ignore[arg-type]


def test_async_events() -> None:
    async def events() -> AsyncIterator[dict[str, Any]]:
        for event in EVENTS:
            yield event

    async def collect() -> bytes:
        response = LAMBDA.serialise(MATCH, {"StatusCode": 200, "EventStream": events()}, request_id="i")
        return b"".join([part async for part in response.stream])  # type: ignore[union-attr]

    assert read(asyncio.run(collect())) == EVENTS
