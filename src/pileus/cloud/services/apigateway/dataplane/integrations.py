"""What a method does with a request: Lambda (proxy, or with templates) and MOCK here, HTTP and services beside."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from pileus.cloud.kernel import AwsError, Cloud, HttpResponse, Invocation, NotEmulated

from .event import proxy_event
from .exchange import Exchange
from .http import HttpCustom, HttpProxy
from .mapping import Templates, as_text, mapped, select
from .proxy_response import malformed, proxy_response
from .responses import GatewayFailure
from .services import ServiceIntegration

log = logging.getLogger("pileus.apigateway")

_STATUS = re.compile(r"""["']?statusCode["']?\s*:\s*["']?(\d{3})""")


class Integration(Protocol):
    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse: ...


def compile_integration(document: Mapping[str, Any]) -> Integration:
    """Raises TemplateSyntaxError, and NotEmulated for templates that can't be rendered here."""
    kind, uri = document["type"], document.get("uri") or ""
    is_lambda = ":lambda:path/" in uri
    timeout = int(document["timeoutInMillis"]) / 1000
    if kind == "AWS_PROXY" and is_lambda:
        return LambdaProxy(uri, timeout)
    if kind == "HTTP_PROXY":
        return _through(document, HttpProxy.compiled(document, timeout))
    templates = Templates.compiled(document)
    if kind == "MOCK":
        return Mock(templates)
    if kind == "HTTP":
        return _through(document, HttpCustom.compiled(document, templates, timeout))
    if kind == "AWS" and is_lambda:
        parameters = document.get("requestParameters") or {}
        is_event = parameters.get("integration.request.header.X-Amz-Invocation-Type") == "'Event'"
        return LambdaCustom(uri, timeout, templates, is_event)
    service = ServiceIntegration.compiled(document, templates, timeout) if kind == "AWS" else None
    return service or _refused(f"{kind} integrations with {uri}")


def _through(document: Mapping[str, Any], integration: Integration) -> Integration:
    if document.get("connectionType") == "VPC_LINK":
        return _refused("integrations through VPC links")
    return integration


def _refused(what: str) -> Integration:
    log.warning("apigateway: %s are not emulated; calls to such a method answer 501", what)
    return RefusedIntegration(what)


async def invoke(cloud: Cloud, exchange: Exchange, uri: str, payload: bytes, timeout: float) -> Invocation:
    """Runs the function; after the integration's timeout the client gets 504 and the function goes on."""
    stage, method = exchange.stage, exchange.method
    assert method is not None
    functions, function = cloud.functions, stage.function(uri)
    try:
        # Most functions end long before: without a task and a timer of its own a request is a tenth cheaper.
        in_time = functions.longest(function) <= timeout
        call = functions.invoke(
            function,
            payload,
            trace=exchange.trace,
            source_arn=stage.source_arn(method, exchange.request.method),
        )
        return await (call if in_time else _within(call, timeout))
    except TimeoutError:
        raise GatewayFailure("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
    except NotEmulated:
        raise
    except AwsError as error:
        log.warning("apigateway: %s was not run: %s", stage.function(uri), error)
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None


async def _within(work: Coroutine[Any, Any, Invocation], seconds: float) -> Invocation:
    """Waits, but no longer; the work goes on whatever becomes of who waits. (At half the price of asyncio.shield
    within asyncio.timeout, once a request.)"""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    waiter = loop.create_future()

    def wake(_: object) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake, None)
    task.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
        if not task.done():
            task.add_done_callback(_observed)
    if not task.done():
        raise TimeoutError
    return task.result()


def _observed(task: asyncio.Task[Invocation]) -> None:
    """Nobody waits for this invocation any more; what went wrong was the function's own to log."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True, slots=True)
class LambdaProxy:
    uri: str
    timeout: float

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        result = await invoke(cloud, exchange, self.uri, proxy_event(exchange), self.timeout)
        if result.function_error is not None:
            raise malformed()
        return proxy_response(exchange, result.payload)


@dataclass(frozen=True, slots=True)
class Mock:
    mapping: Templates

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        """The request template says which status the integration response is chosen by."""
        found = _STATUS.search(as_text(self.mapping.request(exchange)))
        if found is None:
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
        chosen = select(self.mapping.responses, found[1])
        return mapped(exchange, chosen, b"", {})


@dataclass(frozen=True, slots=True)
class LambdaCustom:
    uri: str
    timeout: float
    mapping: Templates
    is_event: bool

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        payload = self.mapping.request(exchange) or b"{}"
        try:
            orjson.loads(payload)
        except ValueError:
            raise GatewayFailure("BAD_REQUEST_BODY", "Could not parse request body into json") from None
        if self.is_event:
            self._queue(cloud, exchange, payload)
            return mapped(exchange, select(self.mapping.responses, ""), b"", {})
        result = await invoke(cloud, exchange, self.uri, payload, self.timeout)
        error = ""
        if result.function_error is not None:
            try:
                error = str(orjson.loads(result.payload).get("errorMessage") or "")
            except (ValueError, AttributeError):
                error = as_text(result.payload)
        return mapped(exchange, select(self.mapping.responses, error), result.payload, {})

    def _queue(self, cloud: Cloud, exchange: Exchange, payload: bytes) -> None:
        method = exchange.method
        assert method is not None
        try:
            with cloud.store.transaction():
                cloud.functions.invoke_async(
                    exchange.stage.function(self.uri),
                    payload,
                    trace=exchange.trace,
                    source_arn=exchange.stage.source_arn(method, exchange.request.method),
                )
        except NotEmulated:
            raise
        except AwsError as error:
            log.warning("apigateway: %s was not run: %s", exchange.stage.function(self.uri), error)
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None


@dataclass(frozen=True, slots=True)
class RefusedIntegration:
    what: str

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        raise NotEmulated(f"apigateway {self.what}")
