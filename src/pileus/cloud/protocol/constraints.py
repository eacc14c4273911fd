"""The constraints of the models (required, enum, length, range, pattern), checked as AWS's services check them.

A shape becomes a closure once; shapes without constraints become nothing. A check that succeeds makes no string and no
list: paths are put together only on the way out of a failure. The words are those of AWS:
`1 validation error detected: Value 'x' at 'tableName' failed to satisfy constraint: Member must have …`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Ref = Mapping[str, Any]
Own = Callable[[Any], list[str] | None]  # the constraints that the value itself breaks
Violation = tuple[str, str, str]  # path, the value as shown, constraint
Inner = Callable[[Any], list[Violation] | None]  # the constraints that values within break

NOT_NULL = "Member must not be null"

# java.util.regex knows Unicode categories, Python's re does not: exact in ASCII, generous beyond.
_CATEGORIES = {
    "L": r"a-zA-Z\x80-\U0010ffff",
    "M": r"\x80-\U0010ffff",
    "N": r"0-9\x80-\U0010ffff",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\x80-\U0010ffff",
    "S": r"$+<=>\^`|~\x80-\U0010ffff",
    "Z": r" \x80-\U0010ffff",
    "Zs": r" \x80-\U0010ffff",
    "Print": r"\x20-\x7e",
    "Graph": r"\x21-\x7e",
    "ASCII": r"\x00-\x7f",
    "Alnum": r"a-zA-Z0-9",
    "Alpha": r"a-zA-Z",
    "Digit": r"0-9",
    "Punct": r"!-/:-@\[-`{-~",
}


class Checks(NamedTuple):
    own: Own | None
    inner: Inner | None
    texts: tuple[str, ...]  # every constraint of the value itself, for lists and maps that hold it
    sensitive: bool


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A Java pattern as Python has it."""
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    text = _expand(text)
    text = re.sub(r"(\\[wdsWDS])-(?!\])", r"\1\\-", text)  # `[\w-/]`: a hyphen, no range
    return re.compile(text)


def _expand(pattern: str) -> str:
    """Unicode categories, inside of brackets and outside."""
    out, depth, at = [], 0, 0
    while at < len(pattern):
        found = re.match(r"\\p\{(?:Is)?(\w+)\}", pattern[at:])
        if found:
            ranges = _CATEGORIES[found[1]]
            out.append(ranges if depth else f"[{ranges}]")
            at += found.end()
            continue
        if pattern[at] == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        if pattern[at] == "[":
            out.append(r"\[" if depth else "[")
            depth = 1
        else:
            if pattern[at] == "]":
                depth = 0
            out.append(pattern[at])
        at += 1
    return "".join(out)


def shown(value: Any) -> str:
    """The value as Java prints it."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={shown(item)}' for key, item in value.items())}}}"
    return str(value)


def message(found: list[Violation]) -> str:
    """AWS's sentence for these violations."""
    each = "; ".join(
        f"Value{value} at '{path}' failed to satisfy constraint: {text}" for path, value, text in found
    )
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {each}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


class Constraints:
    """Compiles the checks of one model's shapes. unchecked: shapes that the service checks itself. presence_only: only
    whether required members are there, at whatever depth."""

    def __init__(
        self,
        shapes: Mapping[str, Ref],
        *,
        opaque: frozenset[str],
        unchecked: frozenset[str] = frozenset(),
        presence_only: bool = False,
    ) -> None:
        self._presence_only = presence_only
        self._shapes = shapes
        self._skipped = opaque | unchecked
        self._done: dict[str, Checks] = {}
        self._open: set[str] = set()

    def structure(self, name: str) -> Inner | None:
        return self.checks(name).inner

    def checks(self, name: str) -> Checks:
        if name in self._skipped:
            return Checks(None, None, (), False)
        if name in self._done:
            return self._done[name]
        if name in self._open:  # a shape within itself: bound when first called
            return Checks(None, self._late(name), (), False)
        self._open.add(name)
        shape = self._shapes[name]
        own, texts = (None, ()) if self._presence_only else _own(shape)
        checks = Checks(own, self._inner(shape), texts, bool(shape.get("sensitive")))
        self._open.discard(name)
        self._done[name] = checks
        return checks

    def _late(self, name: str) -> Inner:
        def inner(value: Any) -> list[Violation] | None:
            check = self._done[name].inner
            return check(value) if check else None

        return inner

    def _inner(self, shape: Ref) -> Inner | None:
        kind = shape["type"]
        if kind == "structure" and not shape.get("document"):
            return self._structure(shape)
        if kind == "list":
            return _list(self.checks(shape["member"]["shape"]))
        if kind == "map":
            return _map(self.checks(shape["key"]["shape"]), self.checks(shape["value"]["shape"]))
        return None

    def _structure(self, shape: Ref) -> Inner | None:
        members = shape["members"]
        required = _required(shape)
        plan = {}
        for name, ref in members.items():
            checks = self.checks(ref["shape"])
            if checks.own or checks.inner:
                plan[name] = (_lower(name), checks.own, checks.inner, checks.sensitive)
        if not required and not plan:
            return None
        find = plan.get

        def inner(value: Any) -> list[Violation] | None:
            found: list[Violation] | None = None
            for name in required:
                if value.get(name) is None:
                    found = found or []
                    found.append((_lower(name), " null", NOT_NULL))
            for name, member in value.items():
                entry = find(name)
                if entry is None or member is None:
                    continue
                label, own, within, sensitive = entry
                if own is not None and (broken := own(member)):
                    text = "" if sensitive else f" '{shown(member)}'"
                    found = (found or []) + [(label, text, each) for each in broken]
                if within is not None and (deeper := within(member)):
                    found = (found or []) + [_under(label, each) for each in deeper]
            return found

        return inner


def _required(shape: Ref) -> tuple[str, ...]:
    """Without idempotency tokens: the client makes them up, so no server asks for them."""
    members = shape["members"]
    return tuple(name for name in shape.get("required", ()) if not members[name].get("idempotencyToken"))


def _under(label: str, violation: Violation) -> Violation:
    path, value, text = violation
    return (f"{label}.{path}" if path else label, value, text)


def _list(member: Checks) -> Inner | None:
    own, within, texts, sensitive = member
    if own is None and within is None:
        return None

    def inner(value: Any) -> list[Violation] | None:
        found: list[Violation] = []
        if own is not None:
            for item in value:
                if own(item):
                    text = "" if sensitive else f" '{shown(value)}'"
                    found.append(("", text, f"Member must satisfy constraint: [{', '.join(texts)}]"))
                    break
        if within is not None:
            for index, item in enumerate(value, 1):
                if deeper := within(item):
                    found += [_under(f"{index}.member", each) for each in deeper]
        return found or None

    return inner


def _map(key: Checks, entry: Checks) -> Inner | None:
    key_own, own, within = key.own, entry.own, entry.inner
    if key_own is None and own is None and within is None:
        return None

    def inner(value: Any) -> list[Violation] | None:
        found: list[Violation] = []
        if key_own is not None:
            for name in value:
                if key_own(name):
                    text = f"Map keys must satisfy constraint: [{', '.join(key.texts)}]"
                    found.append(("", f" '{shown(value)}'", text))
                    break
        if own is not None:
            for item in value.values():
                if own(item):
                    text = f"Map value must satisfy constraint: [{', '.join(entry.texts)}]"
                    found.append(("", "" if entry.sensitive else f" '{shown(value)}'", text))
                    break
        if within is not None:
            for name, item in value.items():
                if deeper := within(item):
                    found += [_under(f"{name}.member", each) for each in deeper]
        return found or None

    return inner


def _own(shape: Ref) -> tuple[Own | None, tuple[str, ...]]:
    """The check of a value's own constraints, and their texts in the order in which AWS lists them."""
    kind = shape["type"]
    if kind in ("integer", "long", "float", "double"):
        return _ranged(shape.get("min"), shape.get("max"))
    if kind in ("string", "blob", "list", "map"):
        return _sized(shape)
    return None, ()


def _ranged(low: float | None, high: float | None) -> tuple[Own | None, tuple[str, ...]]:
    if low is None and high is None:
        return None, ()
    too_high = f"Member must have value less than or equal to {high}"
    too_low = f"Member must have value greater than or equal to {low}"

    def own(value: Any) -> list[str] | None:
        if high is not None and value > high:
            return [too_high]
        if low is not None and value < low:
            return [too_low]
        return None

    return own, (*([too_high] if high is not None else []), *([too_low] if low is not None else []))


def _sized(shape: Ref) -> tuple[Own | None, tuple[str, ...]]:
    low, high = shape.get("min") or 0, shape.get("max")
    pattern, enum = shape.get("pattern"), shape.get("enum")
    if not low and high is None and pattern is None and enum is None:
        return None, ()
    top = high if high is not None else 1 << 62
    too_long = f"Member must have length less than or equal to {high}"
    too_short = f"Member must have length greater than or equal to {low}"
    no_match = f"Member must satisfy regular expression pattern: {pattern}"
    not_listed = f"Member must satisfy enum value set: [{', '.join(enum or ())}]"
    values = frozenset(enum) if enum is not None else None
    fits = compile_pattern(pattern).fullmatch if pattern is not None else None

    def own(value: Any) -> list[str] | None:
        if low <= len(value) <= top and (values is None or value in values) and (fits is None or fits(value)):
            return None
        broken = []
        if len(value) > top:
            broken.append(too_long)
        if len(value) < low:
            broken.append(too_short)
        if fits is not None and not fits(value):
            broken.append(no_match)
        if values is not None and value not in values:
            broken.append(not_listed)
        return broken

    texts = []
    if high is not None:
        texts.append(too_long)
    if "min" in shape:
        texts.append(too_short)
    if pattern is not None:
        texts.append(no_match)
    if enum is not None:
        texts.append(not_listed)
    return own, tuple(texts)
