"""What a route leads to: a function, an HTTP endpoint, or nothing but an answer (MOCK).

Templates are sent as they stand where they hold no variables; others are refused by name.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import orjson

from pileus.cloud.kernel import AwsError, Cloud, Invocation, NotEmulated
from pileus.cloud.kernel.outbound import InvalidAddress, Unreachable, send

from ..documents import Document
from .client import Client

if TYPE_CHECKING:
    from .stage import SocketStage

log = logging.getLogger("pileus.apigatewayv2")


class IntegrationFailed(Exception):
    """The integration gave no usable answer. status: what a handshake that waits for it is refused with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Turn:
    """One event of one client on its way through a route. context: its `requestContext`."""

    client: Client
    stage: SocketStage
    route_key: str
    context: Mapping[str, Any]
    event: Mapping[str, Any]
    trace: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """headers: by lower-case name. body: None where there is none."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None


class Integration(Protocol):
    async def answer(self, cloud: Cloud, turn: Turn) -> Outcome:
        """Raises IntegrationFailed."""
        ...


def compile_integration(document: Document, responses: Sequence[Document]) -> Integration:
    """Raises NotEmulated for what can't be done here."""
    kind, uri = document["IntegrationType"], document.get("IntegrationUri") or ""
    timeout = int(document["TimeoutInMillis"]) / 1000
    if kind == "AWS_PROXY" and ":lambda:" in uri:
        return LambdaProxy(uri, timeout)
    if kind == "HTTP_PROXY":
        parameters = _parameters(document.get("RequestParameters") or {})
        return HttpProxy(uri, document.get("IntegrationMethod") or "POST", timeout, parameters)
    if kind == "MOCK":
        return _mock(document, responses)
    raise NotEmulated(f"apigatewayv2 {kind} integrations of WebSocket APIs with {uri}")


@dataclass(frozen=True, slots=True)
class LambdaProxy:
    uri: str
    timeout: float

    async def answer(self, cloud: Cloud, turn: Turn) -> Outcome:
        function = turn.stage.function(self.uri)
        source = f"{turn.stage.arn}/{turn.route_key}"
        result = await invoke(cloud, function, turn.event, turn.trace, source, self.timeout)
        if result.function_error is not None:
            raise IntegrationFailed(502)
        return _proxy_outcome(result.payload)


async def invoke(
    cloud: Cloud, function: str, event: Mapping[str, Any], trace: str, source: str, timeout: float
) -> Invocation:
    """Runs a function; after `timeout` nobody waits for it any longer, and it goes on."""
    try:
        call = cloud.functions.invoke(function, orjson.dumps(event), trace=trace, source_arn=source)
        if cloud.functions.longest(function) <= timeout:
            return await call
        running = asyncio.ensure_future(call)
        running.add_done_callback(_observed)
        done, _ = await asyncio.wait((running,), timeout=timeout)
        if not done:
            raise IntegrationFailed(504)
        return running.result()
    except NotEmulated:
        raise
    except AwsError as error:
        log.warning("apigatewayv2: %s was not run: %s", function, error)
        raise IntegrationFailed(500) from None


def _observed(running: asyncio.Future[Invocation]) -> None:
    if not running.cancelled():
        running.exception()


def _proxy_outcome(payload: bytes) -> Outcome:
    try:
        result = orjson.loads(payload)
    except ValueError:
        raise IntegrationFailed(502) from None
    if not isinstance(result, dict):
        raise IntegrationFailed(502)
    body, status, headers = result.get("body"), result.get("statusCode", 200), result.get("headers") or {}
    try:
        status = int(status)
    except (TypeError, ValueError):
        raise IntegrationFailed(502) from None
    if (body is not None and not isinstance(body, str)) or not isinstance(headers, dict):
        raise IntegrationFailed(502)
    if body and result.get("isBase64Encoded"):
        try:
            body = b64decode(body, validate=True)
        except (Base64Error, ValueError):
            raise IntegrationFailed(502) from None
    return Outcome(status, {str(name).lower(): str(value) for name, value in headers.items()}, body)


@dataclass(frozen=True, slots=True)
class HttpProxy:
    """parameters: (header or querystring, name, expression)."""

    uri: str
    method: str
    timeout: float
    parameters: tuple[tuple[str, str, str], ...]

    async def answer(self, cloud: Cloud, turn: Turn) -> Outcome:
        body = turn.event.get("body") or ""
        data = b64decode(body) if turn.event.get("isBase64Encoded") else body.encode()
        headers = [("content-type", "application/json"), ("x-amzn-trace-id", turn.trace)]
        query: list[tuple[str, str]] = []
        for place, name, expression in self.parameters:
            value = _value(expression, turn)
            if value is not None:
                (headers if place == "header" else query).append((name, value))
        url = turn.stage.filled(self.uri)
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        method = "POST" if self.method == "ANY" else self.method
        try:
            reply = await send(method, url, headers, data, self.timeout)
        except TimeoutError:
            raise IntegrationFailed(504) from None
        except (InvalidAddress, Unreachable) as error:
            log.warning("apigatewayv2: %s was not reached: %s", url, error)
            raise IntegrationFailed(500) from None
        try:
            text: str | bytes = reply.body.decode()
        except UnicodeDecodeError:
            text = reply.body
        return Outcome(reply.status, {name.lower(): value for name, value in reply.headers}, text)


def _parameters(given: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    found = []
    for target, expression in given.items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        head = expression.partition(".")[0]
        if place not in ("header", "querystring") or not (
            expression.startswith(("'", "route.request.header.", "route.request.querystring."))
            or head in ("context", "stageVariables")
        ):
            raise NotEmulated(f"apigatewayv2 the request parameter {target} from {expression}")
        found.append((place, name, expression))
    return tuple(found)


def _value(expression: str, turn: Turn) -> str | None:
    if expression.startswith("'"):
        return expression.strip("'")
    if expression.startswith("stageVariables."):
        return turn.stage.variables.get(expression.partition(".")[2])
    if expression.startswith("route.request."):
        place, _, name = expression.removeprefix("route.request.").partition(".")
        request = turn.client.request
        return request.headers.get(name.lower()) if place == "header" else request.param(name)
    found: Any = turn.context
    for part in expression.split(".")[1:]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class Mock:
    outcome: Outcome

    async def answer(self, cloud: Cloud, turn: Turn) -> Outcome:
        return self.outcome


def _mock(document: Document, responses: Sequence[Document]) -> Mock:
    """The request template says the status, the response for it the body."""
    status = 200
    templates = document.get("RequestTemplates") or {}
    if template := next(iter(templates.values()), None):
        try:
            status = int(orjson.loads(_plain(template))["statusCode"])
        except (ValueError, KeyError, TypeError):
            raise NotEmulated(
                "apigatewayv2 request templates of MOCK integrations without a statusCode"
            ) from None
    chosen = [r for r in responses if r["IntegrationResponseKey"] in (f"/{status}/", "$default")]
    chosen.sort(key=lambda response: response["IntegrationResponseKey"] == "$default")
    body = None
    if chosen and (said := chosen[0].get("ResponseTemplates")):
        body = _plain(next(iter(said.values())))
    return Mock(Outcome(status, {}, body))


def _plain(template: str) -> str:
    if "$" in template or "#" in template:
        raise NotEmulated("apigatewayv2 mapping templates of WebSocket APIs with variables or directives")
    return template
