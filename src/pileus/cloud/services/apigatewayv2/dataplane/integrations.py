"""What a route leads to: a function (AWS_PROXY), or an HTTP endpoint (HTTP_PROXY)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from pileus.cloud.kernel import AwsError, Cloud, HttpResponse, Invocation, NotEmulated
from pileus.cloud.kernel.outbound import InvalidAddress, Unreachable, send

from .answers import internal, unavailable
from .event import event_1, event_2
from .exchange import Exchange
from .parameters import Outgoing, Step, apply_to_response, steps_of
from .response import response_1, response_2

log = logging.getLogger("pileus.apigatewayv2")

_PLACE = re.compile(r"\{([^{}+]+)\+?\}")
_NOT_SENT = frozenset({"content-length", "host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})  # fmt: skip
_NOT_RETURNED = frozenset(
    {"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"}
)


class Integration(Protocol):
    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse: ...


def compile_integration(document: Mapping[str, Any]) -> Integration:
    timeout = document["TimeoutInMillis"] / 1000
    responses = {
        status: steps_of(parameters)
        for status, parameters in (document.get("ResponseParameters") or {}).items()
    }
    if document["IntegrationType"] == "AWS_PROXY":
        is_second = document["PayloadFormatVersion"] == "2.0"
        return LambdaProxy(document["IntegrationUri"], is_second, timeout, responses)
    return HttpProxy(
        document["IntegrationUri"],
        document["IntegrationMethod"],
        timeout,
        steps_of(document.get("RequestParameters")),
        responses,
    )


@dataclass(frozen=True, slots=True)
class LambdaProxy:
    uri: str
    is_second: bool
    timeout: float
    responses: Mapping[str, tuple[Step, ...]]

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        event = event_2(exchange) if self.is_second else event_1(exchange)
        result = await self._invoke(cloud, exchange, orjson.dumps(event))
        if result.function_error is not None:
            raise internal(
                "The Lambda function returned the following error. Check your Lambda function code."
            )
        response = response_2(result.payload) if self.is_second else response_1(result.payload)
        exchange.integration_status = 200
        if self.responses:
            apply_to_response(self.responses, exchange, response)
        return response

    async def _invoke(self, cloud: Cloud, exchange: Exchange, payload: bytes) -> Invocation:
        """After the integration's timeout the client gets 503 and the function goes on."""
        stage, route = exchange.stage, exchange.route
        assert route is not None
        functions, function = cloud.functions, stage.function(self.uri)
        try:
            # Most functions end long before: they need no task and no timer of their own.
            in_time = functions.longest(function) <= self.timeout
            call = functions.invoke(
                function,
                payload,
                trace=exchange.trace,
                source_arn=route.source_arn(stage.arn, exchange.request.method),
            )
            return await (call if in_time else _in_time(call, self.timeout))
        except TimeoutError:
            raise unavailable("Endpoint request timed out") from None
        except NotEmulated:
            raise
        except AwsError as error:
            if error.status == 429:
                raise unavailable(str(error), "INTEGRATION_FAILURE") from None
            log.warning("apigatewayv2: %s was not run: %s", function, error)
            raise internal(str(error)) from None


async def _in_time(call: Coroutine[Any, Any, Invocation], seconds: float) -> Invocation:
    """Waits so long; the function goes on whatever becomes of the client."""
    task = asyncio.get_running_loop().create_task(call)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise TimeoutError
    return task.result()


@dataclass(frozen=True, slots=True)
class HttpProxy:
    uri: str
    method: str
    timeout: float
    requests: tuple[Step, ...]
    responses: Mapping[str, tuple[Step, ...]]

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        request = exchange.request
        url = urlsplit(self._url(exchange))
        headers = {name: value for name, value in exchange.headers().items() if name not in _NOT_SENT}
        by = exchange.stage.api_id
        headers["forwarded"] = f"by={by};for={request.client};host={request.host};proto={request.scheme}"
        headers["via"] = "HTTP/1.1 AmazonAPIGateway"
        outgoing = Outgoing(
            url.path, {name: list(values) for name, values in request.params.items()}, headers
        )
        outgoing.apply(self.requests, exchange)
        query = "&".join(part for part in (url.query, urlencode(outgoing.query, doseq=True)) if part)
        target = url._replace(path=quote(outgoing.path, safe="/%:@!$&'()*+,;=~-._"), query=query).geturl()
        method = request.method if self.method == "ANY" else self.method
        try:
            answer = await send(method, target, outgoing.headers.items(), request.body, self.timeout)
        except TimeoutError:
            raise unavailable("Endpoint request timed out", "INTEGRATION_FAILURE") from None
        except (InvalidAddress, Unreachable) as error:
            raise unavailable(str(error), "INTEGRATION_FAILURE") from None
        exchange.integration_status = answer.status
        response = HttpResponse(answer.status, {}, answer.body)
        for name, value in answer.headers:
            lower = name.lower()
            if lower in response.headers:
                response.extra_headers.append((lower, value))
            elif lower not in _NOT_RETURNED:
                response.headers[lower] = value
        apply_to_response(self.responses, exchange, response)
        return response

    def _url(self, exchange: Exchange) -> str:
        """The URI with its path variables and stage variables."""
        uri = exchange.stage.filled(self.uri)
        return _PLACE.sub(lambda found: quote(exchange.parameters.get(found[1], ""), safe="/"), uri)
