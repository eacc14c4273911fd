"""Lambda authorizers: who may call a method.

A result is kept for the authorizer's TTL under the values of its identity sources; its policy is evaluated against the
method of each request anew. Source: "Use API Gateway Lambda authorizers" in the developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import AwsError, Invocation, NotEmulated

from ..policy import Decision, Policy, parse_policy
from .event import authorizer_event
from .exchange import Exchange
from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MOST_RESULTS = 10_000
_DENIED = "User is not authorized to access this resource"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorizer answered. context: with principalId, all strings."""

    policy: Policy
    context: Mapping[str, Any]
    usage_key: str | None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """sources: (place, name) of the identity sources, in order."""

    id: str
    is_token: bool
    uri: str
    sources: tuple[tuple[str, str], ...]
    pattern: re.Pattern[str] | None
    ttl: int

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> Authorizer:
        expression = document.get("identityValidationExpression")
        parts = (text.strip() for text in (document.get("identitySource") or "").split(","))
        return cls(
            document["id"],
            document["type"] == "TOKEN",
            document["authorizerUri"],
            tuple(_source(part) for part in parts if part),
            re.compile(expression) if expression else None,
            int(document["authorizerResultTtlInSeconds"]),
        )


def _source(expression: str) -> tuple[str, str]:
    if expression.startswith("method.request."):
        place, _, name = expression.removeprefix("method.request.").partition(".")
        return place, name.lower() if place == "header" else name
    place, _, name = expression.partition(".")
    return place, name


class Authorizers:
    """Asks authorizers, and keeps what they said."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._results: dict[tuple[str, str], dict[tuple[str, ...], tuple[float, Grant]]] = {}

    def flush(self, api_id: str, stage: str) -> None:
        self._results.pop((api_id, stage), None)

    def flush_api(self, api_id: str) -> None:
        for name in [name for name in self._results if name[0] == api_id]:
            del self._results[name]

    async def authorize(self, exchange: Exchange, authorizer: Authorizer) -> None:
        """Raises GatewayFailure unless the request may go on; sets what it knows of the caller."""
        values = self._identity(exchange, authorizer)
        name = (authorizer.id, *values)
        place = (exchange.stage.api_id, exchange.stage.name)
        latency = 0
        grant = self._kept(place, name, exchange.now)
        if grant is None:
            started = self._cloud.clock.now()
            grant = await self._ask(exchange, authorizer, values)
            latency = int((self._cloud.clock.now() - started) * 1000)
            if authorizer.ttl:
                self._keep(place, name, exchange.now + authorizer.ttl, grant)
        exchange.authorizer = {**grant.context, "integrationLatency": latency}
        exchange.usage_key = grant.usage_key
        decision = grant.policy.decide(exchange.arn, condition_keys(exchange))
        if decision is Decision.DENY:
            raise GatewayFailure("ACCESS_DENIED", f"{_DENIED} with an explicit deny")
        if decision is Decision.NONE:
            raise GatewayFailure("ACCESS_DENIED", _DENIED)

    def _identity(self, exchange: Exchange, authorizer: Authorizer) -> tuple[str, ...]:
        """The values of the identity sources; one that is missing ends the request without asking."""
        values = tuple(_value(exchange, place, name) for place, name in authorizer.sources)
        if not all(values):
            raise GatewayFailure("UNAUTHORIZED", "Unauthorized")
        if authorizer.pattern is not None and authorizer.pattern.fullmatch(values[0]) is None:
            raise GatewayFailure("UNAUTHORIZED", "Unauthorized")
        return values

    def _kept(self, place: tuple[str, str], name: tuple[str, ...], now: float) -> Grant | None:
        found = self._results.get(place, {}).get(name)
        return found[1] if found is not None and found[0] > now else None

    def _keep(self, place: tuple[str, str], name: tuple[str, ...], until: float, grant: Grant) -> None:
        results = self._results.setdefault(place, {})
        if len(results) >= _MOST_RESULTS:
            del results[next(iter(results))]
        results[name] = (until, grant)

    async def _ask(self, exchange: Exchange, authorizer: Authorizer, values: tuple[str, ...]) -> Grant:
        event: dict[str, Any]
        if authorizer.is_token:
            event = {"type": "TOKEN", "methodArn": exchange.arn, "authorizationToken": values[0]}
        else:
            event = authorizer_event(exchange)
        stage = exchange.stage
        try:
            result = await self._cloud.functions.invoke(
                stage.function(authorizer.uri),
                orjson.dumps(event),
                trace=exchange.trace,
                source_arn=f"arn:aws:execute-api:{stage.region}:{stage.account}:{stage.api_id}"
                f"/authorizers/{authorizer.id}",
            )
        except NotEmulated:
            raise
        except AwsError:
            raise _broken() from None
        return _grant(result)


def _value(exchange: Exchange, place: str, name: str) -> str:
    if place == "header":
        return exchange.request.headers.get(name, "")
    if place == "querystring":
        return exchange.request.param(name) or ""
    if place == "stageVariables":
        return exchange.stage.variables.get(name, "")
    found: Any = exchange.request_context()
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return "" if found is None else str(found)


def condition_keys(exchange: Exchange) -> dict[str, str]:
    caller = exchange.principal
    own = {"aws:principalarn": caller.arn, "aws:principalaccount": caller.account} if caller else {}
    return {
        **own,
        "aws:sourceip": exchange.request.client,
        "aws:useragent": exchange.request.headers.get("user-agent", ""),
        "aws:referer": exchange.request.headers.get("referer", ""),
        "aws:securetransport": "true" if exchange.request.scheme == "https" else "false",
    }


def _broken() -> GatewayFailure:
    return GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR")


def _grant(result: Invocation) -> Grant:
    """Raises GatewayFailure: 401 where the function said `Unauthorized`, 500 for any other failure."""
    try:
        answer = orjson.loads(result.payload)
    except ValueError:
        raise _broken() from None
    if result.function_error is not None:
        if isinstance(answer, dict) and answer.get("errorMessage") == "Unauthorized":
            raise GatewayFailure("UNAUTHORIZED", "Unauthorized")
        raise _broken()
    if not isinstance(answer, dict) or not isinstance(answer.get("principalId"), str):
        raise _broken()
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise _broken()
    usage_key = answer.get("usageIdentifierKey")
    try:
        policy = parse_policy(answer.get("policyDocument"))
    except ValueError:
        raise _broken() from None
    said = {name: _string(value) for name, value in context.items() if value is not None}
    return Grant(
        policy,
        {"principalId": answer["principalId"], **said},
        usage_key if isinstance(usage_key, str) else None,
    )


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _broken()  # a map or a list
