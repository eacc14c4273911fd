"""Where the members of a REST operation stand: path, query string, headers, status, body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Ref = Mapping[str, Any]


class Places(NamedTuple):
    """The members of a structure by where they stand."""

    uri: dict[str, Ref]
    query: dict[str, Ref]
    header: dict[str, Ref]
    prefixed: dict[str, Ref]
    status: dict[str, Ref]
    body: dict[str, Ref]
    payload: str | None


def places(shape: Ref) -> Places:
    found = Places({}, {}, {}, {}, {}, {}, shape.get("payload"))
    by_location = {
        "uri": found.uri,
        "querystring": found.query,
        "header": found.header,
        "headers": found.prefixed,
        "statusCode": found.status,
    }
    for name, ref in shape["members"].items():
        by_location.get(ref.get("location", ""), found.body)[name] = ref
    return found


def is_streaming(shapes: Mapping[str, Ref], parts: Mapping[str, Any], side: str) -> bool:
    """Whether the body of this side (`input`, `output`) is a stream of bytes or events."""
    if side not in parts:
        return False
    shape = shapes[parts[side]["shape"]]
    name = shape.get("payload")
    if name is None:
        return any(shapes[ref["shape"]].get("eventstream") for ref in shape["members"].values())
    ref = shape["members"][name]
    payload = shapes[ref["shape"]]
    return bool(ref.get("streaming") or payload.get("streaming") or payload.get("eventstream"))


def literals(parts: Mapping[str, Any]) -> frozenset[str]:
    """The query parameters that belong to the operation's address."""
    query = parts["http"]["requestUri"].partition("?")[2]
    return frozenset(part.partition("=")[0] for part in query.split("&"))


def header_items(value: str) -> list[str]:
    """`a, "b,\\"c"` as its two items."""
    if '"' not in value:
        return [item.strip() for item in value.split(",")] if value.strip() else []
    items, item, quoted, at = [], "", False, 0
    while at < len(value):
        char = value[at]
        if char == "\\" and quoted and at + 1 < len(value):
            at += 1
            item += value[at]
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            items.append(item.strip())
            item = ""
        else:
            item += char
        at += 1
    return [*items, item.strip()]
