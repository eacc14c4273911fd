"""Patch operations: JSON Patch as API Gateway's Update operations take it.

What may be patched is data: a table of `Patch` rows for each entity. A path's `*` stands for one segment and gives its
decoded text to the setter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pileus.cloud.kernel import NotEmulated

from .documents import Document
from .errors import BadRequestException


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise BadRequestException(f"Invalid boolean value: {value}")
    return value.lower() == "true"


def integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise BadRequestException(f"Invalid integer value: {value}") from None


def number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise BadRequestException(f"Invalid number value: {value}") from None


@dataclass(frozen=True, slots=True)
class Patch:
    """path: a pattern such as `/variables/*`. member: where in the document, `*` filled in from the path.

    kind: `value` is one value, `set` a list whose members the last segment names. refused: not emulated, said out loud.
    """

    path: str
    member: str = ""
    convert: Callable[[str], Any] = text
    operations: frozenset[str] = frozenset({"replace"})
    kind: str = "value"
    refused: bool = False


REPLACE = frozenset({"replace"})
EDIT = frozenset({"add", "remove", "replace"})
ADD_REMOVE = frozenset({"add", "remove"})


def values(*names: str, convert: Callable[[str], Any] = text) -> tuple[Patch, ...]:
    """Members that are replaced as a whole."""
    return tuple(Patch(f"/{name}", name, convert, EDIT) for name in names)


def maps(*names: str, convert: Callable[[str], Any] = text) -> tuple[Patch, ...]:
    """Maps whose entries are edited one by one."""
    return tuple(Patch(f"/{name}/*", f"{name}/*", convert, EDIT) for name in names)


def apply(
    document: Document, operations: Iterable[Mapping[str, Any]] | None, table: tuple[Patch, ...], what: str
) -> None:
    """Changes `document` in place. what: the API operation, for what is refused."""
    for step in operations or ():
        operation, path = step.get("op", ""), step.get("path", "")
        if operation == "copy":
            _copy(document, step, table, what)
            continue
        patch, found = _match(path, operation, table)
        if patch.refused:
            raise NotEmulated(f"apigateway {what} {path}")
        if patch.kind == "set":
            _edit_set(document, patch, operation, found, step.get("value"))
        elif operation == "remove":
            _remove(document, _member(patch, found))
        else:
            if step.get("value") is None:
                raise BadRequestException(f"Invalid null or empty value for path {path}")
            _assign(document, _member(patch, found), patch.convert(step["value"]))


def _segments(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _match(path: str, operation: str, table: tuple[Patch, ...]) -> tuple[Patch, list[str]]:
    segments = _segments(path)
    for patch in table:
        pattern = patch.path.split("/")[1:]
        if len(pattern) != len(segments) or operation not in patch.operations:
            continue
        if all(p in ("*", s) for p, s in zip(pattern, segments, strict=True)):
            return patch, [s for p, s in zip(pattern, segments, strict=True) if p == "*"]
    allowed = ", ".join(patch.path.replace("*", "{name}") for patch in table if operation in patch.operations)
    raise BadRequestException(
        f"Invalid patch path  '{path}' specified for op '{operation}'. Must be one of: [{allowed}]"
    )


def _member(patch: Patch, found: list[str]) -> list[str]:
    rest = iter(found)
    return [next(rest) if part == "*" else part for part in patch.member.split("/")]


def _assign(document: Document, member: list[str], value: Any) -> None:
    for part in member[:-1]:
        document = document.setdefault(part, {})
    document[member[-1]] = value


def _remove(document: Document, member: list[str]) -> None:
    for part in member[:-1]:
        document = document.get(part) or {}
    document.pop(member[-1], None)


def _edit_set(document: Document, patch: Patch, operation: str, found: list[str], value: str | None) -> None:
    items = document.setdefault(patch.member, [])
    item = found[0] if found else (value or "")
    if operation == "remove":
        if item in items:
            items.remove(item)
        elif not found and not item:
            items.clear()
    elif operation == "replace":
        if item in items and value is not None:
            items[items.index(item)] = value
        else:
            document[patch.member] = [part for part in (value or "").split(",") if part]
    elif item not in items:
        items.append(item)


def _copy(document: Document, step: Mapping[str, Any], table: tuple[Patch, ...], what: str) -> None:
    raise NotEmulated(f"apigateway {what} with the patch operation copy")
