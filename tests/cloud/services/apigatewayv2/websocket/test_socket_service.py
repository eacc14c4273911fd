"""A service with a WebSocket API and real functions, as the pytest plugin runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pileus.testing import RunningService

SERVICE = """\
service: room
provider: {name: aws, runtime: python3.11}
functions:
  room:
    handler: app.room
    events: [{websocket: $connect}, {websocket: $disconnect}, {websocket: $default}]
  slow:
    handler: app.slow
    timeout: 1
    events: [{websocket: slow}]
"""
CODE = """\
import os, time
import boto3
sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="seen")["QueueUrl"]


def room(event, context):
    said = event["requestContext"]
    sqs.send_message(QueueUrl=url, MessageBody=f"{said['eventType']} {said.get('disconnectStatusCode')}")
    if event.get("body") == "raise":
        raise ValueError("a bug")
    if event.get("body") == "exit":
        os._exit(3)
    return None if event.get("body") == "nothing" else {"statusCode": 200}


def slow(event, context):
    time.sleep(5)
"""


@pytest.fixture
def service(tmp_path: Path) -> Any:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "app.py").write_text(CODE)
    with RunningService(tmp_path) as running:
        yield running


def test_a_service_by_the_clock(service: RunningService, connect: Callable[..., Awaitable[Any]]) -> None:
    port = urlsplit(service.websocket_url).port

    async def conversation() -> None:
        client = await connect(port, "/")
        for message in ("raise", "exit", "nothing", {"action": "slow"}):
            client.send(message)
            assert (await client.receive())["message"] == "Internal server error", message
        await asyncio.to_thread(service.travel, 600)
        assert await client.closed() == (1001, "Going away")
        client.writer.close()

    asyncio.run(conversation())
    service.drain()
    sqs = service.client("sqs")
    url = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    bodies = sorted(message["Body"] for message in found)
    assert bodies == ["CONNECT None", "DISCONNECT 1001", "MESSAGE None", "MESSAGE None", "MESSAGE None"]


def test_a_service_without_one_says_so(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(SERVICE.partition("functions")[0])
    with RunningService(tmp_path) as running, pytest.raises(RuntimeError, match="no websocket events"):
        running.websocket_url
