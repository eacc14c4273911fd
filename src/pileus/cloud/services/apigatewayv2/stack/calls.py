"""How resource types speak to the API: a template's properties, which are named as the API's members, as requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from pileus.cloud.kernel import StackCall

from ..errors import NotFoundException

Properties = Mapping[str, Any]
_FLAGS = frozenset(
    (
        "AllowCredentials",
        "ApiKeyRequired",
        "AutoDeploy",
        "DataTraceEnabled",
        "DetailedMetricsEnabled",
        "DisableExecuteApiEndpoint",
        "DisableSchemaValidation",
        "EnableSimpleResponses",
    )
)
_INTEGERS = frozenset(("AuthorizerResultTtlInSeconds", "MaxAge", "ThrottlingBurstLimit", "TimeoutInMillis"))
_TEXTS = frozenset({"RequestParameters", "RequestTemplates", "ResponseTemplates", "StageVariables"})


def invoke(stack: StackCall, operation: str, **members: Any) -> dict[str, Any]:
    given = {name: value for name, value in members.items() if value is not None}
    return stack.invoke("apigatewayv2", operation, given)


def remove(stack: StackCall, operation: str, **names: str) -> None:
    with suppress(NotFoundException):  # gone already, maybe with its API
        stack.invoke("apigatewayv2", operation, names)


def members(properties: Properties, names: Iterable[str]) -> dict[str, Any]:
    """What is given of `names`, with the types of the API: templates may hold `"true"` and `"30000"`."""
    return {name: _typed(name, properties[name]) for name in names if properties.get(name) is not None}


def changed_members(
    old: Properties, new: Properties, names: Iterable[str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The members of an update: what is given now, and the defaults of what was given before.

    Maps that an update merges into lose what is gone by empty values.
    """
    found = members(new, names)
    for name in names:
        before = old.get(name)
        if before is None:
            continue
        if name in _TEXTS or name == "ResponseParameters":
            empty: Any = "" if name in _TEXTS else {}
            now = found.get(name, {})
            found[name] = {**{key: empty for key in before if key not in now}, **now}
        elif name not in found:
            found[name] = defaults.get(name, "")
    return found


def _typed(name: str, value: Any) -> Any:
    if name in _FLAGS:
        return value.lower() == "true" if isinstance(value, str) else value
    if name in _INTEGERS:
        return int(value)
    if name == "ThrottlingRateLimit":
        return float(value)
    if name == "Schema":
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if name in _TEXTS and isinstance(value, Mapping):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, Mapping):
        return {key: _typed(key, item) for key, item in value.items()}
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def retag(stack: StackCall, path: str, old: Properties, new: Properties) -> None:
    arn = f"arn:aws:apigateway:{stack.call.region}::{path}"
    before, after = stack.all_tags(old), stack.all_tags(new)
    gone = [key for key in before if key not in after]
    if gone:
        invoke(stack, "UntagResource", ResourceArn=arn, TagKeys=gone)
    invoke(stack, "TagResource", ResourceArn=arn, Tags=after)
