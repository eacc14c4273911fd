"""Values as Java and Velocity have them: how they print, and which methods they answer to.

None is null, str String, bool Boolean, int Integer, float Double, list and dict what JSON gives; `JavaList` and `JavaMap`
are those that a template wrote itself, which print as Java does (`[1, 2]`, `{a=1}`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from pileus.cloud.kernel import NotEmulated


class JavaList(list[Any]):
    """A list that a template wrote."""


class Entry:
    """One entry of a map's entrySet()."""

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value


def to_text(value: Any) -> str:
    """As Java's toString() prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, JavaList | tuple):
        return "[" + ", ".join(map(to_text, value)) + "]"
    if isinstance(value, list):  # json-smart's JSONArray prints as JSON
        return orjson.dumps(value).decode()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{to_text(k)}={to_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Entry):
        return f"{to_text(value.key)}={to_text(value.value)}"
    return str(value)


def is_true(value: Any) -> bool:
    """Velocity 1.7: null and false are false, all else is true (an empty string, too)."""
    return value is not None and value is not False


def equals(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if left is None or right is None:
        return left is right
    if type(left) is type(right) or (isinstance(left, Mapping) and isinstance(right, Mapping)):
        return bool(left == right)
    return to_text(left) == to_text(right)


@lru_cache(512)
def java_pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise NotEmulated(f"the regular expression {pattern!r} in a mapping template ({error})") from None


def _replacement(text: str) -> str:
    """Java's `$1` and `\\$` as `re` has them."""
    protected = re.sub(r"\\(.)", lambda m: "\0" + m[1], text)
    python = re.sub(r"(?<!\0)\$(\d)", r"\\g<\1>", protected.replace("\\", "\\\\"))
    return python.replace("\0", "")


def _split(text: str, pattern: str, limit: int = 0) -> list[str]:
    """String.split: trailing empty strings fall away."""
    parts = java_pattern(pattern).split(text, maxsplit=max(limit - 1, 0))
    if limit == 0:
        while len(parts) > 1 and parts[-1] == "":
            parts.pop()
    return JavaList(parts)


def _substring(text: str, begin: int, end: int | None = None) -> str:
    return text[begin:end]


STRING: dict[str, Callable[..., Any]] = {
    "charAt": lambda s, i: s[i],
    "compareTo": lambda s, o: (s > o) - (s < o),
    "compareToIgnoreCase": lambda s, o: (s.lower() > o.lower()) - (s.lower() < o.lower()),
    "concat": lambda s, o: s + o,
    "contains": lambda s, o: to_text(o) in s,
    "endsWith": lambda s, o: s.endswith(o),
    "equals": lambda s, o: s == o,
    "equalsIgnoreCase": lambda s, o: isinstance(o, str) and s.lower() == o.lower(),
    "indexOf": lambda s, o, start=0: s.find(o, start),
    "isBlank": lambda s: not s.strip(),
    "isEmpty": lambda s: s == "",
    "lastIndexOf": lambda s, o: s.rfind(o),
    "length": len,
    "matches": lambda s, p: java_pattern(p).fullmatch(s) is not None,
    "repeat": lambda s, n: s * n,
    "replace": lambda s, a, b: s.replace(a, b),
    "replaceAll": lambda s, p, r: java_pattern(p).sub(_replacement(r), s),
    "replaceFirst": lambda s, p, r: java_pattern(p).sub(_replacement(r), s, count=1),
    "size": len,
    "split": _split,
    "startsWith": lambda s, o, start=0: s.startswith(o, start),
    "strip": lambda s: s.strip(),
    "substring": _substring,
    "toLowerCase": lambda s: s.lower(),
    "toCharArray": lambda s: JavaList(s),
    "toString": lambda s: s,
    "toUpperCase": lambda s: s.upper(),
    "trim": lambda s: s.strip(),
    "valueOf": lambda s, value: to_text(value),
}


def _add(items: list[Any], *arguments: Any) -> bool:
    if len(arguments) == 2:
        items.insert(arguments[0], arguments[1])
    else:
        items.append(arguments[0])
    return True


def _add_all(items: list[Any], more: Any) -> bool:
    items.extend(more)
    return bool(more)


def _set_item(items: list[Any], index: int, value: Any) -> Any:
    items[index], old = value, items[index]
    return old


def _remove_item(items: list[Any], what: Any) -> Any:
    if isinstance(what, int):
        return items.pop(what)
    if what in items:
        items.remove(what)
        return True
    return False


def _keep_only(items: list[Any], wanted: Callable[[Any], bool]) -> bool:
    before = len(items)
    items[:] = [item for item in items if wanted(item)]
    return len(items) != before


LIST: dict[str, Callable[..., Any]] = {
    "add": _add,
    "addAll": _add_all,
    "clear": lambda a: a.clear(),
    "contains": lambda a, x: x in a,
    "containsAll": lambda a, more: all(x in a for x in more),
    "equals": lambda a, other: a == other,
    "get": lambda a, i: a[i] if 0 <= i < len(a) else None,
    "indexOf": lambda a, x: a.index(x) if x in a else -1,
    "isEmpty": lambda a: not a,
    "lastIndexOf": lambda a, x: max((i for i, item in enumerate(a) if item == x), default=-1),
    "length": len,
    "remove": _remove_item,
    "removeAll": lambda a, more: _keep_only(a, lambda x: x not in more),
    "retainAll": lambda a, more: _keep_only(a, lambda x: x in more),
    "set": _set_item,
    "size": len,
    "subList": lambda a, i, j: JavaList(a[i:j]),
    "toString": to_text,
}


def _put(target: dict[Any, Any], key: Any, value: Any) -> Any:
    old = target.get(key)
    target[key] = value
    return old


MAP: dict[str, Callable[..., Any]] = {
    "clear": lambda m: m.clear(),
    "containsKey": lambda m, k: k in m,
    "containsValue": lambda m, v: v in m.values(),
    "equals": lambda m, o: m == o,
    "entrySet": lambda m: JavaList(Entry(k, v) for k, v in m.items()),
    "get": lambda m, k: m.get(k),
    "getOrDefault": lambda m, k, d: m.get(k, d),
    "isEmpty": lambda m: not m,
    "keySet": lambda m: JavaList(m),
    "put": _put,
    "putAll": lambda m, o: m.update(o),
    "putIfAbsent": lambda m, k, v: None if m.setdefault(k, v) is v else m[k],
    "remove": lambda m, k: m.pop(k, None),
    "size": len,
    "toString": to_text,
    "values": lambda m: JavaList(m.values()),
}
NUMBER: dict[str, Callable[..., Any]] = {
    "compareTo": lambda n, o: (n > o) - (n < o),
    "doubleValue": float,
    "equals": lambda n, o: n == o,
    "intValue": int,
    "longValue": int,
    "parseDouble": lambda n, text: float(text),
    "parseInt": lambda n, text: int(text),
    "toString": to_text,
    "valueOf": lambda n, text: float(text) if isinstance(n, float) else int(text),
}
BOOLEAN: dict[str, Callable[..., Any]] = {
    "booleanValue": lambda b: b,
    "equals": lambda b, o: b is o,
    "toString": to_text,
}
ENTRY: dict[str, Callable[..., Any]] = {
    "getKey": lambda e: e.key,
    "getValue": lambda e: e.value,
    "toString": to_text,
}
_KINDS: tuple[tuple[Any, str, dict[str, Callable[..., Any]]], ...] = (
    (str, "String", STRING),
    (bool, "Boolean", BOOLEAN),
    ((int, float), "Number", NUMBER),
    (list, "List", LIST),
    (dict, "Map", MAP),
    (Entry, "Map.Entry", ENTRY),
)


def call_method(value: Any, name: str, arguments: list[Any]) -> Any:
    """The method of a plain value. A wrong argument gives null, as an exception does in Velocity."""
    for kind, label, methods in _KINDS:
        if isinstance(value, kind):
            method = methods.get(name)
            if method is None:
                raise NotEmulated(f"the method {label}.{name}() in apigateway mapping templates")
            try:
                return method(value, *arguments)
            except (TypeError, ValueError, IndexError, KeyError, AttributeError):
                return None
    raise NotEmulated(f"the method {name}() on {type(value).__name__} in apigateway mapping templates")
