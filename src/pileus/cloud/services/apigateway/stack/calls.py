"""How resource types speak to the API: a template's values as operations and patch operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from pileus.cloud.kernel import StackCall

from ..errors import NotFoundException

Properties = Mapping[str, Any]
_SERVICE = "apigateway"


def number(value: Any) -> Any:
    return int(value) if value is not None else None


def flag(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) else value


def camel(value: Any) -> Any:
    """Property names as the API spells them, one level deep and below: `StatusCode` → `statusCode`."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(item) for key, item in value.items()}
    return value


def texts(value: Mapping[str, Any] | None) -> dict[str, str] | None:
    """A map of strings: YAML's `{a: 1}` and `{a: true}` mean their texts."""
    if value is None:
        return None
    return {key: text(item) for key, item in value.items()}


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def document(value: Any) -> str | None:
    """A JSON document that a template gives as an object or as text; None where there is none."""
    return (value if isinstance(value, str) else orjson.dumps(value).decode()) if value else None


def given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def invoke(stack: StackCall, operation: str, **members: Any) -> dict[str, Any]:
    return stack.invoke(_SERVICE, operation, given(**members))


def patch(stack: StackCall, operation: str, steps: Iterable[Mapping[str, Any]], **names: str) -> None:
    listed = [{key: value for key, value in step.items() if value is not None} for step in steps]
    if listed:
        stack.invoke(_SERVICE, operation, {**names, "patchOperations": listed})


def remove(stack: StackCall, operation: str, **names: str) -> None:
    with suppress(NotFoundException):  # gone already, maybe with its API
        stack.invoke(_SERVICE, operation, names)


def replaced(
    old: Properties, new: Properties, paths: Mapping[str, str], removable: bool = True
) -> Iterable[dict[str, Any]]:
    """A step for each property (name → path) whose value changed."""
    for name, path in paths.items():
        if old.get(name) == new.get(name):
            continue
        if new.get(name) is None:
            if removable:
                yield {"op": "remove", "path": path}
        else:
            yield {"op": "replace", "path": path, "value": text(new[name])}


def retag(stack: StackCall, arn: str, old: Properties, new: Properties) -> None:
    before, after = stack.all_tags(old), stack.all_tags(new)
    gone = [key for key in before if key not in after]
    if gone:
        invoke(stack, "UntagResource", resourceArn=arn, tagKeys=gone)
    invoke(stack, "TagResource", resourceArn=arn, tags=after)


def arn(stack: StackCall, path: str) -> str:
    return f"arn:aws:apigateway:{stack.call.region}::{path}"


def flags(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else {key: flag(item) for key, item in value.items()}
