"""Who may connect: by a function that is asked once a connection, and nothing of whose answers is kept; or by signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import Invocation

from ..dataplane.answers import Refused as Forbidden
from ..dataplane.iam import signer
from ..dataplane.policy import parse_policy
from .integrations import IntegrationFailed, invoke

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

    from .client import Client
    from .stage import Authorizer, SocketStage

_SECONDS = 29.0


class Refused(Exception):
    """The handshake is answered with `status` and `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def identify(cloud: Cloud, client: Client) -> None:
    """AWS_IAM: the handshake is signed, in its headers or its URL. Raises Refused."""
    try:
        client.principal = signer(cloud, client.request)
    except Forbidden:
        raise Refused(403, "Forbidden") from None


async def authorize(
    cloud: Cloud,
    client: Client,
    stage: SocketStage,
    authorizer: Authorizer,
    context: Mapping[str, Any],
    trace: str,
) -> dict[str, Any]:
    """What the authorizer knows of the caller: principalId and its context. Raises Refused."""
    for place, name in authorizer.sources:
        if not _identity(client, stage, context, place, name):
            raise Refused(401, "Unauthorized")
    arn = f"{stage.arn}/$connect"
    seen = client.handshake(trace)
    event = {
        "type": "REQUEST",
        "methodArn": arn,
        "headers": seen["headers"],
        "multiValueHeaders": seen["multiValueHeaders"],
        "queryStringParameters": seen.get("queryStringParameters", {}),
        "multiValueQueryStringParameters": seen.get("multiValueQueryStringParameters", {}),
        "stageVariables": stage.variables,
        "requestContext": context,
    }
    source = f"arn:aws:execute-api:{stage.region}:{stage.account}:{stage.api_id}/authorizers/{authorizer.id}"
    try:
        result = await invoke(cloud, authorizer.function, event, trace, source, _SECONDS)
    except IntegrationFailed:
        raise _broken() from None
    return _granted(result, arn)


def _identity(
    client: Client, stage: SocketStage, context: Mapping[str, Any], place: str, name: str
) -> str | None:
    if place == "header":
        return client.request.headers.get(name)
    if place == "querystring":
        return client.request.param(name)
    if place == "stageVariables":
        return stage.variables.get(name)
    found: Any = context
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None else str(found)


def _granted(result: Invocation, arn: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(result.payload)
    except ValueError:
        raise _broken() from None
    if not isinstance(answer, dict):
        raise _broken()
    if result.function_error is not None:
        if answer.get("errorMessage") == "Unauthorized":
            raise Refused(401, "Unauthorized")
        raise _broken()
    said = answer.get("context") or {}
    if not isinstance(answer.get("principalId"), str) or not isinstance(said, dict):
        raise _broken()
    try:
        policy = parse_policy(answer.get("policyDocument"))
    except ValueError:
        raise _broken() from None
    if not policy.allows(arn):
        denied = any(pattern.fullmatch(arn) for pattern in policy.denied)
        words = "User is not authorized to access this resource"
        raise Refused(403, f"{words} with an explicit deny" if denied else words)
    return {"principalId": answer["principalId"], **{name: _text(value) for name, value in said.items()}}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _broken()  # a map, a list or null


def _broken() -> Refused:
    return Refused(500, "Internal server error")
