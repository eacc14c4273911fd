"""What a method does with a request: Lambda (proxy, or with templates), MOCK. Others are refused when they are called."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from pileus.cloud.kernel import AwsError, Cloud, HttpResponse, Invocation, NotEmulated

from ..vtl import parse
from ..vtl.nodes import Block
from .event import proxy_event
from .exchange import Exchange
from .mapping import IntegrationResponse, compile_responses, mapped, request_text, select
from .proxy_response import malformed, proxy_response
from .responses import GatewayFailure
from .templates import apply_template

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
    if kind == "MOCK" or (kind == "AWS" and is_lambda):
        requests = {
            content_type.lower(): parse(template)
            for content_type, template in (document.get("requestTemplates") or {}).items()
        }
        mapping = Templates(
            requests,
            document["passthroughBehavior"],
            document.get("contentHandling"),
            compile_responses(document.get("integrationResponses") or {}),
        )
        if kind == "MOCK":
            return Mock(mapping)
        parameters = document.get("requestParameters") or {}
        is_event = parameters.get("integration.request.header.X-Amz-Invocation-Type") == "'Event'"
        return LambdaCustom(uri, timeout, mapping, is_event)
    what = f"{kind} integrations" if kind != "AWS" else "AWS integrations with services other than Lambda"
    log.warning("apigateway: %s are not emulated; calls to such a method answer 501 (%s)", what, uri)
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
class Templates:
    """The templates of a non-proxy integration."""

    requests: Mapping[str, Block]
    passthrough: str
    content_handling: str | None
    responses: tuple[IntegrationResponse, ...] = field(default=())

    def request(self, exchange: Exchange) -> str:
        """The payload for the integration. Raises GatewayFailure (415) where no template takes the content type."""
        body = request_text(exchange, self.content_handling)
        content_type = exchange.request.headers.get("content-type", "application/json")
        content_type = content_type.partition(";")[0].strip().lower()
        template = self.requests.get(content_type)
        if template is not None:
            return apply_template(template, exchange, body)
        never = self.passthrough == "NEVER"
        if never or (self.passthrough == "WHEN_NO_TEMPLATES" and self.requests):
            raise GatewayFailure("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        return body


@dataclass(frozen=True, slots=True)
class Mock:
    mapping: Templates

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        """The request template says which status the integration response is chosen by."""
        found = _STATUS.search(self.mapping.request(exchange))
        if found is None:
            raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
        chosen = select(self.mapping.responses, found[1])
        return mapped(exchange, chosen, "", {})


@dataclass(frozen=True, slots=True)
class LambdaCustom:
    uri: str
    timeout: float
    mapping: Templates
    is_event: bool

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        payload = self.mapping.request(exchange).encode() or b"{}"
        try:
            orjson.loads(payload)
        except ValueError:
            raise GatewayFailure("BAD_REQUEST_BODY", "Could not parse request body into json") from None
        if self.is_event:
            self._queue(cloud, exchange, payload)
            return mapped(exchange, select(self.mapping.responses, ""), "", {})
        result = await invoke(cloud, exchange, self.uri, payload, self.timeout)
        text = result.payload.decode("utf-8", "replace")
        error = ""
        if result.function_error is not None:
            try:
                error = str(orjson.loads(result.payload).get("errorMessage") or "")
            except (ValueError, AttributeError):
                error = text
        return mapped(exchange, select(self.mapping.responses, error), text, {})

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
