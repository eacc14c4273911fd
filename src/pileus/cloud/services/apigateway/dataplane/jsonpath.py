"""JSONPath as `$input.path`, `$input.json` and parameter mappings need it.

`$`, `.name`, `['name']`, `['a','b']`, `[0]`, `[-1]`, `[0,1]`, `[1:3]`, `[*]`, `.*`, `..name`, `.length()`, and filters
such as `[?(@.price < 10 && @.kind == 'book')]` without brackets inside.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pileus.cloud.kernel import NotEmulated

from .jsonfilter import compile_filter

_STEP = re.compile(
    r"(?P<deep>\.\.)?(?:\.?(?P<star>\*)|\.?(?P<name>[^.\[\]*'\"()?@]+)|\[(?P<inside>[^\]]*)\])"
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_SLICE = re.compile(r"(-?\d*):(-?\d*)")


class MISSING:
    """What a definite path gives where there is nothing."""


def query(path: str, document: Any) -> Any:
    """The value at a definite path (MISSING where there is none), or the list of what an indefinite one finds."""
    steps, definite = _parse(path)
    found = [document]
    for deep, kind, argument in steps:
        if deep:
            found = [node for item in found for node in _descend(item)]
        found = [value for item in found for value in _step(item, kind, argument)]
    if definite:
        return found[0] if found else MISSING
    return found


@lru_cache(1024)
def _parse(path: str) -> tuple[list[tuple[bool, str, Any]], bool]:
    text = path.strip()
    if text.startswith("$"):
        text = text[1:]
    elif text and text[0] not in ".[":
        text = f".{text}"
    steps: list[tuple[bool, str, Any]] = []
    definite, position = True, 0
    counts = text.endswith(".length()")
    if counts:
        text = text.removesuffix(".length()")
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise NotEmulated(f"the JSONPath {path} in apigateway mapping templates")
        position = found.end()
        deep = found["deep"] is not None
        kind, argument = _selector(path, found)
        definite = definite and not deep and kind in ("name", "index")
        steps.append((deep, kind, argument))
    if counts:
        steps.append((False, "length", None))
    return steps, definite


def _selector(path: str, found: re.Match[str]) -> tuple[str, Any]:
    if found["star"] is not None:
        return "all", None
    if found["name"] is not None:
        return "name", found["name"].strip()
    inside = found["inside"].strip()
    if inside == "*":
        return "all", None
    if inside.startswith("?(") and inside.endswith(")"):
        return "filter", compile_filter(inside[2:-1], path)
    names = [a or b for a, b in _QUOTED.findall(inside)]
    if names:
        return ("name", names[0]) if len(names) == 1 else ("names", names)
    if (cut := _SLICE.fullmatch(inside)) is not None:
        first, last = (int(text) if text else None for text in cut.groups())
        return "slice", slice(first, last)
    try:
        indexes = [int(part) for part in inside.split(",")]
    except ValueError:
        raise NotEmulated(f"the JSONPath {path} in apigateway mapping templates") from None
    return ("index", indexes[0]) if len(indexes) == 1 else ("indexes", indexes)


def _step(item: Any, kind: str, argument: Any) -> list[Any]:
    if kind == "name":
        return [item[argument]] if isinstance(item, dict) and argument in item else []
    if kind == "names":
        return [{name: item[name] for name in argument if name in item}] if isinstance(item, dict) else []
    if kind == "all":
        return list(item.values()) if isinstance(item, dict) else list(item) if isinstance(item, list) else []
    if kind == "length":
        return [len(item)] if isinstance(item, list | dict | str) else []
    if kind == "filter":
        return [each for each in (item if isinstance(item, list) else [item]) if argument(each)]
    if not isinstance(item, list):
        return []
    if kind == "slice":
        return list(item[argument])
    wanted = [argument] if kind == "index" else argument
    return [item[i] for i in wanted if -len(item) <= i < len(item)]


def _descend(item: Any) -> list[Any]:
    found = [item]
    children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    for child in children:
        found.extend(_descend(child))
    return found
