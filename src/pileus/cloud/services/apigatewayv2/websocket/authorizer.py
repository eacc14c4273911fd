"""The authorizer of $connect: a function that is asked once a connection; nothing of its answers is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import Invocation

from .integrations import IntegrationFailed, invoke
from .policy import decide

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
        allowed = decide(answer.get("policyDocument"), arn)
    except ValueError:
        raise _broken() from None
    if allowed is not True:
        words = "User is not authorized to access this resource"
        raise Refused(403, f"{words} with an explicit deny" if allowed is False else words)
    return {"principalId": answer["principalId"], **{name: _text(value) for name, value in said.items()}}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _broken()  # a map, a list or null


def _broken() -> Refused:
    return Refused(500, "Internal server error")
