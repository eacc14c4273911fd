"""JSON Schema with coercion in place, as the Serverless Framework applies it.

Coercion changes what is compiled (a number in `environment` becomes text, a lone `Action` a list, a list of one
`Resource` that resource), and it happens branch by branch while the schema is walked, whether or not the branch
fits in the end. A validator that only says yes or no cannot stand in for that, so the walk is here. Schemas are
read once, when first needed, and kept by the Validator.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pileus.service.errors import did_you_mean
from pileus.service.scalars import as_text, number
from pileus.service.tree import Json, Path

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_NAMES = {
    "string": "text",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
}
_NAMES |= {"number": "a number", "integer": "a whole number"}
_NUMERIC = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*\Z")
_UNCHANGED = object()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A value that does not fit: where, why, and the remedy. `key` marks a mistake in the key, not the value."""

    path: Path
    message: str
    hint: str | None = None
    key: bool = False
    kind: str = "value"


@dataclass(slots=True)
class _Holder:
    """Where a value stands, so that a coerced one can take its place."""

    parent: Json
    key: str | int

    @property
    def value(self) -> Json:
        return self.parent[self.key]


def known_events() -> list[str]:
    """The event types that have a schema, in alphabetical order."""
    folder = files(__package__) / "events"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json"))


@dataclass(slots=True)
class Validator:
    """Applies the schema files; one for a load.

    `additions` are properties besides the format's own, each a mapping from a place to the schemas of properties
    there: `service`, `custom`, `provider`, `function`, `layer`, `event` (a new kind), or `event.http`.
    """

    additions: Sequence[Mapping[str, Json]] = ()
    _documents: dict[str, Json] = field(default_factory=dict)

    def check(self, config: dict[str, Json], reference: str = "service.json") -> list[Mistake]:
        """Coerce `config` in place and return what does not fit."""
        mistakes: list[Mistake] = []
        root = {"": config}
        self._walk({"$ref": reference}, _Holder(root, ""), (), mistakes)
        return mistakes

    def _schema(self, reference: str) -> Json:
        if reference in self._documents:
            return self._documents[reference]
        name, _, definition = reference.partition("#")
        if name not in self._documents:
            self._documents[name] = json.loads(_file(name).read_text("utf-8"))
            for addition in self.additions:
                add_properties(name, self._documents[name], addition)
        schema = self._documents[name]
        if definition:
            schema = schema[definition]
            self._documents[reference] = schema
        return schema

    def _walk(self, schema: Json, at: _Holder, path: Path, out: list[Mistake]) -> bool:
        """Apply one schema to one place; true when it fits. Coerced values are put back in their place."""
        if schema is True:
            return True
        while "$ref" in schema:
            schema = self._schema(schema["$ref"])
        if "type" in schema and not self._type(schema, at, path, out):
            return False
        value = at.value
        before = len(out)
        if isinstance(value, dict):
            self._object(schema, value, path, out)
        elif isinstance(value, list):
            self._list(schema, value, path, out)
        elif isinstance(value, str):
            _text(schema, value, path, out)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            _range(schema, value, path, out)
        if "const" in schema and not _same(value, schema["const"]):
            out.append(Mistake(path, f"must be {json.dumps(schema['const'])}", kind="const"))
        if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
            out.append(_not_allowed(value, schema["enum"], path))
        for combined in schema.get("allOf", ()):
            self._walk(combined, at, path, out)
        if "anyOf" in schema:
            self._any(schema["anyOf"], at, path, out)
        if "not" in schema and self._walk(schema["not"], at, path, []):
            out.append(Mistake(path, schema.get("message", "is not allowed here")))
        return len(out) == before

    def _type(self, schema: Json, at: _Holder, path: Path, out: list[Mistake]) -> bool:
        types = schema["type"]
        types = types if isinstance(types, list) else [types]
        value = at.value
        if any(_is(value, kind) for kind in types):
            return True
        coerced = _coerce(value, types)
        if coerced is _UNCHANGED:
            wanted = " or ".join(_NAMES[kind] for kind in types)
            out.append(Mistake(path, f"must be {wanted}, not {_describe(value)}", kind="type"))
            return False
        at.parent[at.key] = coerced
        return True

    def _object(self, schema: Json, value: dict[str, Json], path: Path, out: list[Mistake]) -> None:
        for name in schema.get("required", ()):
            if name not in value:
                out.append(Mistake(path, f"the property '{name}' is missing", key=True, kind="required"))
        if len(value) < schema.get("minProperties", 0):
            few = schema.get("empty") or f"must have at least {schema['minProperties']} properties"
            out.append(Mistake(path, few))
        if len(value) > schema.get("maxProperties", len(value)):
            out.append(Mistake(path, f"must have at most {schema['maxProperties']} properties"))
        properties = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties", True)
        names = schema.get("propertyNames")
        only = next((name for name in value if name in properties), None) if schema.get("exclusive") else None
        for name in list(value):
            here = (*path, name)
            known = False
            if names is not None:
                self._walk(names, _Holder({"": name}, ""), here, out)
            if name in properties:
                known = True
                self._walk(properties[name], _Holder(value, name), here, out)
            for pattern, inner in patterns.items():
                if _pattern(pattern).search(name):
                    known = True
                    self._walk(inner, _Holder(value, name), here, out)
            if known and only not in (None, name):
                out.append(Mistake(here, f"'{only}' stands here already", f"write '- {name}:'", key=True))
            if known or extra is True:
                continue
            if extra is False:
                hint = did_you_mean(name, properties) or schema.get("unknownHint")
                if only is not None:
                    hint = f"indent it further if it belongs to '{only}'"
                what = schema.get("unknown", "unknown property")
                out.append(Mistake(here, f"{what} '{name}'", hint, key=True, kind="unknown"))
            else:
                self._walk(extra, _Holder(value, name), here, out)

    def _list(self, schema: Json, value: list[Json], path: Path, out: list[Mistake]) -> None:
        if len(value) < schema.get("minItems", 0):
            out.append(Mistake(path, f"needs at least {schema['minItems']} item(s)"))
        if len(value) > schema.get("maxItems", len(value)):
            out.append(Mistake(path, f"may have at most {schema['maxItems']} item(s)"))
        if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
            out.append(Mistake(path, "has the same item twice"))
        items = schema.get("items")
        if items is not None:
            each = items if isinstance(items, list) else [items] * len(value)
            for index, inner in enumerate(each[: len(value)]):
                self._walk(inner, _Holder(value, index), (*path, index), out)

    def _any(self, branches: list[Json], at: _Holder, path: Path, out: list[Mistake]) -> None:
        failures: list[list[Mistake]] = []
        for branch in branches:
            mistakes: list[Mistake] = []
            if self._walk(branch, at, path, mistakes):
                return
            failures.append(mistakes)
        out.extend(_closest(failures, at.value, path))


def add_properties(name: str, document: Json, addition: Mapping[str, Json]) -> None:
    """Put the properties of an addition that belong to this file into it."""
    for place, properties in addition.items():
        head, _, kind = place.partition(".")
        if (f"events/{kind}.json" if kind else f"{head}.json") == name:
            for branch in (document, *document.get("anyOf", ())):
                if branch is not True and branch.get("type") == "object":
                    branch.setdefault("properties", {}).update(properties)
        elif place == "custom" and name == "service.json":
            document["properties"]["custom"].setdefault("properties", {}).update(properties)
        elif place == "event" and name == "function.json":
            document["event"]["properties"].update(properties)


def _file(name: str) -> Traversable:
    folder = files(__package__)
    for part in name.split("/"):
        folder = folder / part
    return folder


@cache
def _pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    # ECMAScript's `$` is the very end of the text, Python's also stands before a last line break.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), flags)


def _is(value: Json, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


def _coerce(value: Json, types: list[str]) -> Json:
    """The value as the first of the types that it can be taken for, or _UNCHANGED."""
    scalar = any(kind not in ("object", "array") for kind in types)
    if scalar and isinstance(value, list) and len(value) == 1:
        value = value[0]
        if any(_is(value, kind) for kind in types):
            return value
    if isinstance(value, (dict, list)):
        return _UNCHANGED
    for kind in types:
        for coerced in _as(value, kind):
            return coerced
    return _UNCHANGED


def _as(value: Json, kind: str) -> Iterator[Json]:
    if kind == "string" and isinstance(value, (bool, int, float)):
        yield as_text(value)
    elif kind == "string" and value is None:
        yield ""
    elif kind in ("number", "integer"):
        numeric: Json = None
        if isinstance(value, bool) or value is None:
            numeric = int(bool(value))
        elif isinstance(value, str) and _NUMERIC.match(value):
            numeric = number(float(value))
        if numeric is not None and _is(numeric, kind):
            yield numeric
    elif kind == "boolean":
        if value in ("true", 1):
            yield True
        elif value in ("false", 0) or value is None:
            yield False
    elif kind == "array":
        yield [value]


def _same(value: Json, other: Json) -> bool:
    return type(value) is type(other) and bool(value == other)


def _text(schema: Json, value: str, path: Path, out: list[Mistake]) -> None:
    if len(value) < schema.get("minLength", 0):
        least = schema["minLength"]
        out.append(
            Mistake(path, "must not be empty" if least == 1 else f"must have at least {least} characters")
        )
    if len(value) > schema.get("maxLength", len(value)):
        out.append(Mistake(path, f"must have at most {schema['maxLength']} characters, not {len(value)}"))
    pattern = schema.get("pattern")
    if pattern is not None and not _pattern(pattern, re.IGNORECASE if schema.get("ignoreCase") else 0).search(
        value
    ):
        wanted = schema.get("message") or f"must match {pattern}"
        out.append(Mistake(path, f"'{value}' {wanted}", kind="pattern"))


def _range(schema: Json, value: int | float, path: Path, out: list[Mistake]) -> None:
    if value < schema.get("minimum", value):
        out.append(Mistake(path, f"must be at least {schema['minimum']}, not {value}"))
    if value > schema.get("maximum", value):
        out.append(Mistake(path, f"must be at most {schema['maximum']}, not {value}"))


def _not_allowed(value: Json, allowed: list[Json], path: Path) -> Mistake:
    words = [str(word) for word in allowed]
    hint = did_you_mean(value, words) if isinstance(value, str) else None
    listed = ", ".join(words)
    return Mistake(
        path, f"{_describe(value)} is not one of the allowed values", hint or f"one of: {listed}", kind="enum"
    )


def _describe(value: Json) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'" if isinstance(value, str) else as_text(value)


def _closest(failures: list[list[Mistake]], value: Json, path: Path) -> list[Mistake]:
    """Of the alternatives that all failed, the mistakes of the one that was meant."""
    meant = [
        mistakes
        for mistakes in failures
        if not any(mistake.path == path and mistake.kind in ("type", "const") for mistake in mistakes)
    ]
    if not meant:
        here = [mistake for mistakes in failures for mistake in mistakes if mistake.path == path]
        reasons = dict.fromkeys(mistake.message.partition(", not ")[0] for mistake in here)
        return [Mistake(path, f"{_describe(value)} does not fit: it {', or '.join(reasons)}")]
    return min(meant, key=lambda mistakes: (-max(len(mistake.path) for mistake in mistakes), len(mistakes)))
