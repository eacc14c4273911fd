"""Lambda authorizers: a function says who may call a route, by a policy or in one word.

What it said is kept for the authorizer's TTL under the values of its identity sources; a policy is applied to each
request's own route. Source: "Control access to HTTP APIs with AWS Lambda authorizers" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import AwsError, Invocation, NotEmulated

from .answers import Refused, forbidden, internal, unauthorized
from .event import authorizer_event
from .exchange import Exchange
from .policy import Policy, parse_policy
from .variables import value_of

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MOST_RESULTS = 10_000


@dataclass(frozen=True, slots=True)
class LambdaAuthorizer:
    id: str
    uri: str
    sources: tuple[str, ...]
    version: str
    simple: bool
    ttl: int

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> LambdaAuthorizer:
        return cls(
            document["AuthorizerId"],
            document["AuthorizerUri"],
            tuple(document.get("IdentitySource") or ()),
            document["AuthorizerPayloadFormatVersion"],
            bool(document.get("EnableSimpleResponses")),
            int(document.get("AuthorizerResultTtlInSeconds") or 0),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """policy: None where the answer was one word, `allowed`."""

    allowed: bool
    policy: Policy | None
    context: Mapping[str, Any]
    principal_id: str | None

    def lets(self, arn: str) -> bool:
        return self.allowed if self.policy is None else self.policy.allows(arn)


class LambdaAuthorizers:
    """Asks authorizers, and keeps what they said, by API and stage."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._results: dict[tuple[str, str], dict[tuple[str, ...], tuple[float, Verdict]]] = {}

    def forget(self, api_id: str) -> None:
        for place in [place for place in self._results if place[0] == api_id]:
            del self._results[place]

    async def authorize(self, exchange: Exchange, authorizer: LambdaAuthorizer) -> None:
        """Raises Refused unless the request may go on; sets what the function said of the caller."""
        values = tuple(value_of(exchange, source) or "" for source in authorizer.sources)
        if not all(values):
            raise unauthorized(reason="identity source missing")
        results = self._results.setdefault((exchange.stage.api_id, exchange.stage.name), {})
        name = (authorizer.id, *values)
        found = results.get(name)
        if found is not None and found[0] > exchange.now:
            verdict = found[1]
        else:
            verdict = await self._ask(exchange, authorizer, values)
            if authorizer.ttl:
                if len(results) >= _MOST_RESULTS:
                    del results[next(iter(results))]
                results[name] = (exchange.now + authorizer.ttl, verdict)
        exchange.lambda_context = dict(verdict.context)
        exchange.principal_id = verdict.principal_id
        if not verdict.lets(exchange.arn):
            raise forbidden(reason="User is not authorized to access this resource")

    async def _ask(
        self, exchange: Exchange, authorizer: LambdaAuthorizer, values: tuple[str, ...]
    ) -> Verdict:
        stage = exchange.stage
        event = authorizer_event(exchange, authorizer.version, values)
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
        except AwsError as error:
            raise _broken(str(error)) from None
        return _verdict(result, authorizer.simple)


def _broken(reason: str) -> Refused:
    return internal(reason, "AUTHORIZER_FAILURE")


def _verdict(result: Invocation, simple: bool) -> Verdict:
    try:
        answer = orjson.loads(result.payload)
    except orjson.JSONDecodeError:
        raise _broken("the authorizer's response is not JSON") from None
    if result.function_error is not None:
        if isinstance(answer, dict) and answer.get("errorMessage") == "Unauthorized":
            raise unauthorized(reason="Unauthorized")
        raise _broken("the Lambda authorizer function returned an error")
    context = answer.get("context") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(context, dict | None):
        raise _broken("Invalid response format of authorizer")
    if simple:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise _broken("Invalid response format of authorizer")
        return Verdict(answer["isAuthorized"], None, context or {}, None)
    try:
        policy = parse_policy(answer.get("policyDocument"))
    except ValueError as error:
        raise _broken(f"invalid policy of authorizer: {error}") from None
    principal = answer.get("principalId")
    if not isinstance(principal, str):
        raise _broken("principalId is missing")
    return Verdict(True, policy, context or {}, principal)
