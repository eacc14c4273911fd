"""A running cloud with a WebSocket API whose functions answer what a test says, and clients that speak to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import boto3
import pytest
import uvloop
from botocore.config import Config
from botocore.exceptions import ClientError
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from pileus.cloud.gateway.sockets import SocketSite
from pileus.cloud.kernel import AwsError, Cloud, Invocation, Settings
from pileus.cloud.server import CloudServer, Listener, bind

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:{}"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
Handler = Callable[[dict[str, Any]], Any]


class FunctionError(Exception):
    """What a handler raises."""


class FakeFunctions:
    """Stands for the Lambda service: handlers by function name, and what they were called with."""

    name = "lambda"

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.events: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str | None, str]] = []
        self.called = asyncio.Event()

    async def heard(self, count: int, kind: str = "") -> None:
        """Until `count` events (of one kind) have come."""
        while len(self.contexts(kind) if kind else self.events) < count:
            self.called.clear()
            await self.called.wait()

    async def invoke(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        event = json.loads(payload)
        self.events.append(event)
        self.calls.append((function_arn, trace, source_arn))
        self.called.set()
        handler = self.handlers.get(function_arn.rpartition(":")[2], lambda event: {"statusCode": 200})
        try:
            answer = handler(event)
            if asyncio.iscoroutine(answer):
                answer = await answer
        except AwsError:
            raise
        except FunctionError as error:
            failure = {"errorMessage": str(error), "errorType": "Exception"}
            return Invocation(200, json.dumps(failure).encode(), "Unhandled", "$LATEST", "r")
        return Invocation(200, json.dumps(answer).encode(), None, "$LATEST", "r")

    def longest(self, function_arn: str) -> float:
        return 900.0

    def is_busy(self) -> bool:
        return False

    async def stop(self) -> None:
        pass

    def contexts(self, kind: str) -> list[dict[str, Any]]:
        """requestContexts of the events of one kind."""
        return [e["requestContext"] for e in self.events if e["requestContext"]["eventType"] == kind]


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(status, body)
        self.status, self.headers = status, headers
        self.body = json.loads(body) if body else None


class Client:
    """A WebSocket client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.frames = Frames(ConnectionType.CLIENT)
        self.events: list[Any] = []
        self.headers: dict[str, str] = {}

    @classmethod
    async def connect(cls, port: int, path: str, host: str = "", **headers: str) -> Client:
        self = cls(*await asyncio.open_connection("127.0.0.1", port))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host or f'localhost:{port}'}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {KEY}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        try:
            self.writer.write("\r\n".join([*lines, "", ""]).encode())
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            self.headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
            status = int(head[0].split()[1])
            if status != 101:
                body = await self.reader.read()
                self.writer.close()
                raise Refused(status, self.headers, body)
        except BaseException:  # refused, or cancelled on the way
            self.writer.transport.abort()
            raise
        return self

    def send(self, message: Any) -> None:
        if isinstance(message, bytes):
            self.writer.write(self.frames.send(BytesMessage(message)))
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self.writer.write(self.frames.send(TextMessage(text)))

    async def _event(self) -> Any:
        while not self.events:
            data = await self.reader.read(65536)
            self.frames.receive_data(data or None)
            self.events += self.frames.events()
        return self.events.pop(0)

    async def receive(self) -> Any:
        """A message: JSON where it is, else text or bytes."""
        parts = []
        while True:
            event = await self._event()
            assert isinstance(event, TextMessage | BytesMessage), event
            parts.append(event.data)
            if event.message_finished:
                break
        whole = ("" if isinstance(parts[0], str) else b"").join(parts)
        try:
            return json.loads(whole)
        except ValueError:
            return whole

    async def closed(self) -> tuple[int, str]:
        event = await self._event()
        assert isinstance(event, CloseConnection), event
        return int(event.code), event.reason or ""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.writer.write(self.frames.send(CloseConnection(code, reason)))
        await self.reader.read()
        self.writer.close()


class Sockets:
    """One WebSocket API, `dev` its stage, on a port of its own as `pileus offline` gives it one."""

    def __init__(self, server: CloudServer, functions: FakeFunctions) -> None:
        self.server, self.cloud, self.functions = server, server.cloud, functions
        self.clients: list[Client] = []
        self.integrations: dict[str, str] = {}
        made = self.call(
            "CreateApi",
            Name="chat",
            ProtocolType="WEBSOCKET",
            RouteSelectionExpression="$request.body.action",
        )
        self.id: str = made["ApiId"]
        self.site: Listener

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        if operation != "CreateApi":
            request["ApiId"] = self.id
        return self.cloud.call("apigatewayv2", operation, request)

    def route(self, key: str, function: str = "f", *, answers: bool = False, **members: Any) -> str:
        if function not in self.integrations:
            self.integrations[function] = self.integration(
                IntegrationType="AWS_PROXY", IntegrationUri=URI.format(function)
            )
        return self.route_to(key, self.integrations[function], answers=answers, **members)

    def integration(self, **members: Any) -> str:
        return str(self.call("CreateIntegration", **members)["IntegrationId"])

    def route_to(self, key: str, integration: str, *, answers: bool = False, **members: Any) -> str:
        if answers:
            members["RouteResponseSelectionExpression"] = "$default"
        made = self.call("CreateRoute", RouteKey=key, Target=f"integrations/{integration}", **members)
        if answers:
            self.call("CreateRouteResponse", RouteId=made["RouteId"], RouteResponseKey="$default")
        return str(made["RouteId"])

    def authorizer(self, *sources: str) -> dict[str, str]:
        made = self.call(
            "CreateAuthorizer",
            Name="guard",
            AuthorizerType="REQUEST",
            AuthorizerUri=URI.format("guard"),
            IdentitySource=list(sources),
        )
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}

    def deploy(self, **stage: Any) -> None:
        """Creates the stage; again: deploys to it."""
        if stage or not self.call("GetStages")["Items"]:
            deployment = self.call("CreateDeployment")["DeploymentId"]
            self.call("CreateStage", StageName="dev", DeploymentId=deployment, **stage)
        else:
            self.call("CreateDeployment", StageName="dev")

    @property
    def port(self) -> int:
        return self.site.port

    async def connect(self, path: str = "/", port: int = 0, **headers: str) -> Client:
        client = await Client.connect(port or self.port, path, **headers)
        self.clients.append(client)
        return client

    async def settle(self) -> None:
        await self.cloud.drain()

    async def manage(self, operation: str, *, endpoint: str = "", **request: Any) -> Any:
        """An operation of apigatewaymanagementapi over the wire; of an error, its code and status."""

        def run() -> Any:
            client = boto3.client(
                "apigatewaymanagementapi",
                endpoint_url=endpoint or f"http://127.0.0.1:{self.port}",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                region_name="us-east-1",
                config=Config(retries={"max_attempts": 1}),
            )
            try:
                return getattr(client, operation)(**request)
            except ClientError as error:
                return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            finally:
                client.close()

        return await asyncio.to_thread(run)


Story = Callable[[Sockets], Awaitable[None]]


@pytest.fixture
def tell() -> Callable[[Story], None]:
    """Runs a story over a cloud; afterwards nothing may be left of it."""

    async def run(story: Story) -> None:
        functions = FakeFunctions()
        server = CloudServer(Settings(), 0)
        await server.start()
        server.cloud._services["lambda"] = functions  # type: ignore[assignment]
        try:
            world = Sockets(server, functions)
            site = SocketSite(server.cloud, lambda: (world.id, "dev"))
            world.site = await server.serve_site(site.answer, bind("127.0.0.1", 0))
            async with asyncio.timeout(20):
                await story(world)
        finally:
            for client in world.clients:
                client.writer.close()
            await server.stop()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left

    def start(story: Story) -> None:
        uvloop.run(run(story))

    return start


@pytest.fixture
def connect() -> Callable[..., Awaitable[Client]]:
    """A client of whatever listens on a port: `await connect(port, "/")`."""
    return Client.connect


__all__ = ["Client", "Cloud", "FunctionError", "Refused", "Sockets"]
