"""Filters of JSONPath: `@.a.b OPERATOR literal`, or `@.a` for what is there, joined by `&&` or by `||`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import orjson

from pileus.cloud.kernel import NotEmulated

Filter = Callable[[Any], bool]
_TERM = re.compile(r"\s*@((?:\.[\w-]+)*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def compile_filter(text: str, path: str) -> Filter:
    """path: the whole JSONPath, for what is refused. Raises NotEmulated."""
    some = "||" in text
    if some and "&&" in text:
        raise NotEmulated(f"the JSONPath {path} in apigateway mapping templates")
    terms = [_term(part, path) for part in text.split("||" if some else "&&")]
    if some:
        return lambda item: any(term(item) for term in terms)
    return lambda item: all(term(item) for term in terms)


def _term(text: str, path: str) -> Filter:
    found = _TERM.fullmatch(text)
    if found is None:
        raise NotEmulated(f"the JSONPath {path} in apigateway mapping templates")
    names = found[1].split(".")[1:]
    if found[2] is None:
        return lambda item: _member(item, names)[0]
    wanted, compare = _literal(found[3], path), _OPERATORS[found[2]]

    def holds(item: Any) -> bool:
        there, value = _member(item, names)
        if not there:
            return False
        try:
            return compare(value, wanted)
        except TypeError:
            return False

    return holds


def _member(item: Any, names: list[str]) -> tuple[bool, Any]:
    for name in names:
        if not isinstance(item, dict) or name not in item:
            return False, None
        item = item[name]
    return True, item


def _literal(text: str, path: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotEmulated(f"the JSONPath {path} in apigateway mapping templates") from None
