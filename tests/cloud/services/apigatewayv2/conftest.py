"""An HTTP API in memory, with functions that answer what a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud, HttpRequest, HttpResponse, Invocation

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:{}"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
Handler = Callable[[dict[str, Any]], Any]


class FunctionError(Exception):
    """What a handler raised."""


class FakeFunctions:
    """Stands for the Lambda service: handlers by function name, and what they were called with."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.events: list[dict[str, Any]] = []
        self.sources: list[str] = []

    def says(self, name: str, handler: Handler) -> None:
        self.handlers[name] = handler

    def answers(self, name: str, answer: Any) -> None:
        self.handlers[name] = lambda event: answer

    def fails(self, name: str, message: str) -> None:
        def handler(event: dict[str, Any]) -> Any:
            raise FunctionError(message)

        self.handlers[name] = handler

    def longest(self, function_arn: str) -> float:
        return 900.0

    async def invoke(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        event = json.loads(payload)
        self.events.append(event)
        self.sources.append(source_arn)
        handler = self.handlers.get(function_arn.rpartition(":")[2], lambda event: "ok")
        try:
            answer = handler(event)
            if asyncio.iscoroutine(answer):
                answer = await answer
        except AwsError:
            raise
        except FunctionError as error:
            failure = json.dumps({"errorMessage": str(error), "errorType": "Exception"}).encode()
            return Invocation(200, failure, "Unhandled", "$LATEST", "r")
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Invocation(200, raw, None, "$LATEST", "r")


class Api:
    """One HTTP API with the stage `$default`, deployed automatically, and requests to it."""

    def __init__(self, cloud: Cloud, functions: FakeFunctions, **members: Any) -> None:
        self.cloud = cloud
        self.functions = functions
        self.id: str = self.call("CreateApi", Name="shop", ProtocolType="HTTP", **members)["ApiId"]
        self.on("CreateStage", StageName="$default", AutoDeploy=True)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.cloud.call("apigatewayv2", operation, request)

    def on(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.call(operation, ApiId=self.id, **request)

    def integration(self, function: str = "f", version: str = "2.0", **members: Any) -> str:
        members = {
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": FUNCTION.format(function),
            "PayloadFormatVersion": version,
            **members,
        }
        return f"integrations/{self.on('CreateIntegration', **members)['IntegrationId']}"

    def route(self, key: str, function: str = "f", version: str = "2.0", **members: Any) -> str:
        members.setdefault("Target", None)
        target = members.pop("Target") or self.integration(function, version)
        return str(self.on("CreateRoute", RouteKey=key, Target=target, **members)["RouteId"])

    def authorizer(self, name: str = "auth", **members: Any) -> str:
        members = {
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": URI.format(name),
            "AuthorizerPayloadFormatVersion": "2.0",
            "IdentitySource": ["$request.header.Authorization"],
            **members,
        }
        given = {key: value for key, value in members.items() if value is not None}
        return str(self.on("CreateAuthorizer", Name=name, **given)["AuthorizerId"])

    async def ask(
        self, verb: str, path: str, body: bytes | str = b"", stage: str = "", **headers: str
    ) -> HttpResponse:
        raw, _, query = path.partition("?")
        named = {"host": "localhost:3000", "user-agent": "test/1"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        request = HttpRequest(verb, raw, query, named, content, client="10.1.2.3")
        found, rest = self.cloud.apis.stage_of(self.id, raw)
        return await self.cloud.apis.serve(self.id, found, request, rest)

    def get(self, verb: str, path: str, body: bytes | str = b"", **headers: str) -> HttpResponse:
        return asyncio.run(self.ask(verb, path, body, **headers))


@pytest.fixture
def functions(cloud: Cloud) -> FakeFunctions:
    fake = FakeFunctions()
    cloud._services["lambda"] = fake  # type: ignore[assignment]
    return fake


@pytest.fixture
def api(cloud: Cloud, functions: FakeFunctions) -> Api:
    return Api(cloud, functions)


@pytest.fixture
def make_api(cloud: Cloud, functions: FakeFunctions) -> Callable[..., Api]:
    return lambda **members: Api(cloud, functions, **members)
