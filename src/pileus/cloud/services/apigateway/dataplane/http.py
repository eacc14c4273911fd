"""HTTP and HTTP_PROXY: the integration is an HTTP server.

What fails on the way answers as API Gateway does: 504 for one that is not reached or does not answer in time, 500 for an
address that is none. Redirects are the client's to follow.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pileus.cloud.kernel import Cloud, HttpResponse
from pileus.cloud.kernel.outbound import InvalidAddress, Reply, Unreachable, send

from .exchange import Exchange
from .mapping import Templates, as_text, mapped, select
from .outgoing import Outgoing, RequestMapping
from .proxy_response import add_header
from .responses import GatewayFailure

log = logging.getLogger("pileus.apigateway")

#: Of the client's headers, what a proxied server gets in API Gateway's own words or not at all.
_OWN = frozenset({"host", "x-amzn-trace-id"})


async def exchange_with(
    exchange: Exchange, verb: str, outgoing: Outgoing, timeout: float, verify: bool
) -> Reply:
    try:
        return await send(verb, outgoing.url, outgoing.headers, outgoing.body, timeout, verify=verify)
    except TimeoutError:
        raise GatewayFailure("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
    except Unreachable as error:
        log.warning("apigateway: no answer from %s: %s", outgoing.url, error)
        raise GatewayFailure("INTEGRATION_FAILURE", "Network error communicating with endpoint") from None
    except InvalidAddress:
        log.warning("apigateway: %s is no address of an HTTP server", outgoing.url)
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None


def verb_of(document: Mapping[str, Any]) -> str:
    return str(document.get("httpMethod") or "")


def verifies(document: Mapping[str, Any]) -> bool:
    return not (document.get("tlsConfig") or {}).get("insecureSkipVerification", False)


@dataclass(frozen=True, slots=True)
class HttpProxy:
    """The request as it came, to another server. verb: ANY stands for the client's own."""

    verb: str
    mapping: RequestMapping
    timeout: float
    verify: bool

    @classmethod
    def compiled(cls, document: Mapping[str, Any], timeout: float) -> HttpProxy:
        return cls(verb_of(document), RequestMapping.compiled(document), timeout, verifies(document))

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        request = exchange.request
        mapped_to = self.mapping.outgoing(exchange, request.query)
        outgoing = Outgoing(mapped_to.url, body=request.body)
        for name, values in exchange.headers()[1].items():
            if name.lower() not in _OWN:
                outgoing.headers += [(name, value) for value in values]
        for name in dict.fromkeys(name for name, _ in mapped_to.headers):
            outgoing.put(name, *(value for known, value in mapped_to.headers if known == name))
        sign_as_gateway(exchange, outgoing)
        verb = request.method if self.verb == "ANY" else self.verb
        reply = await exchange_with(exchange, verb, outgoing, self.timeout, self.verify)
        response = HttpResponse(reply.status)
        for name, value in reply.headers:
            add_header(response, name, value)
        response.body = reply.body
        if not exchange.stage.is_binary(_first(reply, "content-type")) and not _is_encoded(reply):
            response.body = as_text(reply.body).encode()
        return response


def sign_as_gateway(exchange: Exchange, outgoing: Outgoing) -> None:
    """The headers by which a server sees that API Gateway calls."""
    outgoing.put("X-Amzn-Trace-Id", exchange.trace)
    outgoing.put("x-amzn-apigateway-api-id", exchange.stage.api_id)
    if not outgoing.has("user-agent"):
        outgoing.put("User-Agent", f"AmazonAPIGateway_{exchange.stage.api_id}")


@dataclass(frozen=True, slots=True)
class HttpCustom:
    """A request of templates and parameter mappings, to another server."""

    verb: str
    mapping: RequestMapping
    templates: Templates
    timeout: float
    verify: bool

    @classmethod
    def compiled(cls, document: Mapping[str, Any], templates: Templates, timeout: float) -> HttpCustom:
        mapping = RequestMapping.compiled(document)
        return cls(verb_of(document), mapping, templates, timeout, verifies(document))

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        body = self.templates.request(exchange)  # first: it may override parameters
        outgoing = self.mapping.outgoing(exchange)
        outgoing.body = body
        if not outgoing.has("content-type"):
            outgoing.put("Content-Type", exchange.content_type())
        if not outgoing.has("accept"):
            outgoing.put("Accept", "application/json")
        sign_as_gateway(exchange, outgoing)
        verb = exchange.request.method if self.verb == "ANY" else self.verb
        reply = await exchange_with(exchange, verb, outgoing, self.timeout, self.verify)
        chosen = select(self.templates.responses, str(reply.status))
        return mapped(exchange, chosen, reply.body, grouped(reply))


def grouped(reply: Reply) -> dict[str, list[str]]:
    """An answer's headers by name in lower case."""
    found: dict[str, list[str]] = {}
    for name, value in reply.headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def _first(reply: Reply, wanted: str) -> str:
    return next((value for name, value in reply.headers if name.lower() == wanted), "")


def _is_encoded(reply: Reply) -> bool:
    return _first(reply, "content-encoding").lower() not in ("", "identity")
