"""A WebSocket API as a user runs it: real functions, which send to their clients with boto3, and hear of the end."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from offline_process import PATIENCE, OfflineProcess, write_service
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

SERVICE = """\
service: chat
provider:
  name: aws
  runtime: python3.11
functions:
  connection:
    handler: handler.connection
    events:
      - websocket: {route: $connect, authorizer: {name: guard, identitySource: [route.request.querystring.who]}}
      - websocket: $disconnect
  guard:
    handler: handler.guard
  say:
    handler: handler.say
    events:
      - websocket: say
      - websocket: {route: $default, routeResponseSelectionExpression: $default}
"""
HANDLER = """\
import json
import boto3


def connection(event, context):
    said = event["requestContext"]
    print(json.dumps([said["eventType"], said["authorizer"]["principalId"], said.get("disconnectStatusCode")]))
    return {"statusCode": 200}


def guard(event, context):
    who = event["queryStringParameters"]["who"]
    statement = {"Action": "execute-api:Invoke", "Resource": event["methodArn"],
                 "Effect": "Allow" if who != "mallory" else "Deny"}
    return {"principalId": who, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def say(event, context):
    said = event["requestContext"]
    if said["routeKey"] == "$default":
        return {"statusCode": 200, "body": "heard " + event["body"]}
    address = f"http://{said['domainName']}/{said['stage']}"
    for options in ({}, {"endpoint_url": address}):
        client = boto3.client("apigatewaymanagementapi", **options)
        client.post_to_connection(ConnectionId=said["connectionId"], Data=json.loads(event["body"])["text"].encode())
    return {"statusCode": 200}
"""


class Client:
    """A client that blocks."""

    def __init__(self, url: str, path: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
        self.frames = WSConnection(ConnectionType.CLIENT)
        self.events: list[Any] = []
        self.socket.sendall(self.frames.send(Request(host=parts.netloc, target=path)))

    def event(self) -> Any:
        while not self.events:
            self.frames.receive_data(self.socket.recv(65536) or None)
            self.events += self.frames.events()
        return self.events.pop(0)

    def send(self, text: str) -> None:
        self.socket.sendall(self.frames.send(TextMessage(text)))


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service", SERVICE, handler_py=HANDLER)


def test_functions_and_their_clients(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral") as offline:
        url = offline.events[-1]["websocket"]
        assert url == offline.url
        mallory = Client(url, "/?who=mallory")
        refusal = mallory.event()
        assert isinstance(refusal, RejectConnection)
        assert refusal.status_code == 403
        body = mallory.event()
        assert isinstance(body, RejectData)
        assert json.loads(bytes(body.data))["message"].startswith("User is not authorized")
        mallory.socket.close()

        alice = Client(url, "/dev?who=alice")
        assert isinstance(alice.event(), AcceptConnection)
        alice.send("hello")
        assert alice.event().data == "heard hello"
        alice.send('{"action": "say", "text": "hi"}')
        assert [alice.event().data, alice.event().data] == ["hi", "hi"]

        offline.process.send_signal(signal.SIGINT)
        end = alice.event()
        assert isinstance(end, CloseConnection)
        assert end.code == 1001
        alice.socket.sendall(alice.frames.send(end.response()))
        assert alice.socket.recv(10) == b""
        alice.socket.close()
        assert offline.process.wait(PATIENCE) == 0
        told = []
        while '["DISCONNECT", "alice", 1001]' not in told:  # wait_for fails where nothing more is said
            told.append(str(offline.wait_for("log").get("message", "")).strip())
