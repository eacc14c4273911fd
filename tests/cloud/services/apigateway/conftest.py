"""An API in memory, with functions that answer what a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud, HttpRequest, HttpResponse, Invocation

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:{}"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
REPLY = {"statusCode": 200, "body": "ok"}
Handler = Callable[[dict[str, Any]], Any]


class FunctionError(Exception):
    """What a handler raised."""


class FakeFunctions:
    """Stands for the Lambda service: handlers by function name, and what they were called with."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.events: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str | None, str]] = []

    def says(self, name: str, handler: Handler) -> None:
        self.handlers[name] = handler

    def fails(self, name: str, message: str) -> None:
        def handler(event: dict[str, Any]) -> Any:
            raise FunctionError(message)

        self.handlers[name] = handler

    async def invoke(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        name = function_arn.rpartition(":")[2]
        event = json.loads(payload)
        self.events.append(event)
        self.calls.append((function_arn, trace, source_arn))
        handler = self.handlers.get(name, lambda event: REPLY)
        try:
            answer = handler(event)
            if asyncio.iscoroutine(answer):
                answer = await answer
        except AwsError:
            raise
        except FunctionError as error:
            failure = {"errorMessage": str(error), "errorType": "Exception"}
            return Invocation(200, json.dumps(failure).encode(), "Unhandled", "$LATEST", "r")
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Invocation(200, raw, None, "$LATEST", "r")

    def longest(self, function_arn: str) -> float:
        return 900.0

    def invoke_async(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> str:
        self.events.append(json.loads(payload))
        self.calls.append((function_arn, trace, source_arn))
        return "r"


class Api:
    """One REST API under construction, and requests to its stage `dev`."""

    def __init__(self, cloud: Cloud, functions: FakeFunctions, **members: Any) -> None:
        self.cloud = cloud
        self.functions = functions
        made = self.call("CreateRestApi", name="shop", **members)
        self.id: str = made["id"]
        self.paths: dict[str, str] = {"/": made["rootResourceId"]}

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.cloud.call("apigateway", operation, request)

    @staticmethod
    def uri(function: str) -> str:
        return URI.format(function)

    def on(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.call(operation, restApiId=self.id, **request)

    def resource(self, path: str) -> str:
        if path not in self.paths:
            parent, _, part = path.rpartition("/")
            made = self.on("CreateResource", parentId=self.resource(parent or "/"), pathPart=part)
            self.paths[path] = made["id"]
        return self.paths[path]

    def method(self, verb: str, path: str, function: str = "f", **members: Any) -> None:
        self.bare_method(verb, path, **members)
        self.on(
            "PutIntegration",
            resourceId=self.resource(path),
            httpMethod=verb,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=URI.format(function),
        )

    def bare_method(self, verb: str, path: str, **members: Any) -> None:
        members.setdefault("authorizationType", "NONE")
        self.on("PutMethod", resourceId=self.resource(path), httpMethod=verb, **members)

    def deploy(self, stage: str = "dev", **members: Any) -> str:
        return str(self.on("CreateDeployment", stageName=stage, **members)["id"])

    async def ask(
        self, verb: str, path: str, body: bytes | str = b"", stage: str = "dev", **headers: str
    ) -> HttpResponse:
        raw, _, query = path.partition("?")
        named = {"host": "localhost:3000", "user-agent": "test/1"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        request = HttpRequest(verb, f"/{stage}{raw}", query, named, content, client="10.1.2.3")
        return await self.cloud.apis.serve(self.id, stage, request, raw)

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
