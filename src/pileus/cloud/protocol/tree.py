"""Shapes over trees of plain values: what JSON and CBOR bodies are once decoded.

`TreeReader` and `TreeWriter` turn a shape once into a closure; per request nothing looks at a shape any more. Where a
shape asks for no change (strings, numbers, maps of those, opaque shapes) there is no closure at all and the decoded
value is taken as it is.
"""

from __future__ import annotations

import math
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pileus.cloud.protocol import timestamps
from pileus.cloud.protocol.errors import SerializationException, UnmodelledMember

Convert = Callable[[Any], Any]
Ref = Mapping[str, Any]  # {"shape": name, …traits of the member}


class Rule(NamedTuple):
    """How to read one value. kind: the decoded type that needs no more than `convert` (None: any type);
    convert: None for as it is; otherwise: for every other type, gives the value or refuses it."""

    kind: type | None
    convert: Convert | None
    otherwise: Convert


def _token(value: Any) -> str:
    """How AWS's parser calls what it found."""
    if value is None:
        return "NULL_VALUE"
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    if isinstance(value, float):
        return "DECIMAL_VALUE"
    return "NUMBER_VALUE" if isinstance(value, int) else "STRING_VALUE"


_CONTAINERS = frozenset({"Structure", "Map", "List"})


def _refuse(value: Any, wanted: str) -> SerializationException:
    """The words of AWS's parser."""
    if isinstance(value, dict):
        return SerializationException("Start of structure or map found where not expected")
    if isinstance(value, list):
        if wanted in _CONTAINERS:
            return SerializationException("Start of list found where not expected")
        java = "java.nio.ByteBuffer" if wanted == "Blob" else f"java.lang.{wanted}"
        return SerializationException(f"Unrecognized collection type class {java}")
    if wanted in _CONTAINERS:
        return SerializationException("Unexpected field type")
    if wanted == "Blob":
        return SerializationException("only base-64-encoded strings are convertible to bytes")
    if wanted == "Boolean" and isinstance(value, str):
        return SerializationException("Unexpected token received from parser")
    return SerializationException(f"{_token(value)} cannot be converted to {wanted}")


def _refusing(wanted: str) -> Convert:
    def refuse(value: Any) -> Any:
        raise _refuse(value, wanted)

    return refuse


def _whole(wanted: str) -> Convert:
    def whole(value: Any) -> Any:
        if type(value) is float and math.isfinite(value):
            return int(value)
        raise _refuse(value, wanted)

    return whole


def _real(wanted: str) -> Convert:
    special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

    def real(value: Any) -> Any:
        if type(value) is int:
            return float(value)
        if type(value) is str and value in special:
            return special[value]
        raise _refuse(value, wanted)

    return real


def _moment(value: Any) -> Any:
    if type(value) is int:
        return float(value)
    if type(value) is str:
        try:
            return timestamps.from_text(value)
        except (ValueError, IndexError, TypeError):
            pass
    raise _refuse(value, "Timestamp")


def _from_base64(value: str) -> bytes:
    try:
        return a2b_base64(value, strict_mode=True)
    except (Base64Error, ValueError):
        raise SerializationException("only base-64-encoded strings are convertible to bytes") from None


_ANY = Rule(None, None, lambda value: value)
_SCALARS = {
    "string": Rule(str, None, _refusing("String")),
    "character": Rule(str, None, _refusing("String")),
    "integer": Rule(int, None, _whole("Integer")),
    "long": Rule(int, None, _whole("Long")),
    "bigInteger": Rule(int, None, _whole("BigInteger")),
    "float": Rule(float, None, _real("Float")),
    "double": Rule(float, None, _real("Double")),
    "boolean": Rule(bool, None, _refusing("Boolean")),
    "timestamp": Rule(float, None, _moment),
}


class TreeReader:
    """Compiles shapes into readers of decoded trees.

    opaque: shapes taken as they are. binary: blobs come as bytes (CBOR), not as base64 text. by_member: members
    have the model's names, not those of the wire (calls inside the cloud).
    """

    def __init__(
        self,
        shapes: Mapping[str, Ref],
        *,
        opaque: frozenset[str] = frozenset(),
        binary: bool = False,
        by_member: bool = False,
    ) -> None:
        self._by_member = by_member
        self._shapes = shapes
        self._opaque = opaque
        self._rules: dict[str, Rule | None] = {}
        self._blob = (
            Rule(bytes, None, _refusing("Blob")) if binary else Rule(str, _from_base64, _refusing("Blob"))
        )

    def structure(self, name: str, only: frozenset[str] | None = None) -> Convert:
        """A reader of the structure; `only`: of these members (a REST operation's body)."""
        if only is None:
            convert = self.rule(name).convert
            assert convert is not None
            return convert
        return self._structure(self._shapes[name], only)

    def rule(self, name: str) -> Rule:
        if name in self._opaque:
            return _ANY
        known = self._rules.get(name)
        if known is not None:
            return known
        if name in self._rules:  # a shape within itself: bound when first called
            return self._late(name)
        self._rules[name] = None
        rule = self._compile(self._shapes[name])
        self._rules[name] = rule
        return rule

    def _late(self, name: str) -> Rule:
        kind = list if self._shapes[name]["type"] == "list" else dict

        def convert(value: Any) -> Any:
            rule = self._rules[name]
            assert rule is not None
            return value if rule.convert is None else rule.convert(value)

        return Rule(kind, convert, _refusing("List" if kind is list else "Structure"))

    def _compile(self, shape: Ref) -> Rule:
        kind = shape["type"]
        if kind == "structure":
            if shape.get("document"):
                return _ANY
            return Rule(dict, self._structure(shape), _refusing("Structure"))
        if kind == "list":
            return Rule(list, _list_reader(self.rule(shape["member"]["shape"])), _refusing("List"))
        if kind == "map":
            return Rule(dict, _map_reader(self.rule(shape["value"]["shape"])), _refusing("Map"))
        return self._blob if kind == "blob" else _SCALARS[kind]

    def _structure(self, shape: Ref, only: frozenset[str] | None = None) -> Convert:
        plan = {
            name if self._by_member else ref.get("locationName", name): (name, *self.rule(ref["shape"]))
            for name, ref in shape["members"].items()
            if only is None or name in only
        }
        find = plan.get

        def read(raw: Any) -> dict[str, Any]:
            result = {}
            for wire, value in raw.items():
                entry = find(wire)
                if entry is None or value is None:
                    continue  # AWS ignores what the model does not have, and null is absence
                name, kind, convert, otherwise = entry
                if kind is None:
                    result[name] = value
                elif type(value) is kind:
                    result[name] = value if convert is None else convert(value)
                else:
                    result[name] = otherwise(value)
            return result

        return read


def _list_reader(rule: Rule) -> Convert | None:
    kind, convert, otherwise = rule
    if kind is None:
        return None

    def read(raw: Any) -> list[Any]:
        if convert is None:
            for value in raw:
                if type(value) is not kind:
                    return [value if type(value) is kind else otherwise(value) for value in raw]
            return raw  # type: ignore[no-any-return]
        return [convert(value) if type(value) is kind else otherwise(value) for value in raw]

    return read


def _map_reader(rule: Rule) -> Convert | None:
    kind, convert, otherwise = rule
    if kind is None:
        return None

    def read(raw: Any) -> dict[str, Any]:
        result = {}
        for key, value in raw.items():
            if type(value) is kind:
                result[key] = value if convert is None else convert(value)
            elif value is not None:
                result[key] = otherwise(value)
        return result

    return read


def _to_base64(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def _number(value: Any) -> Any:
    """JSON has no infinities; AWS spells them."""
    if type(value) is float and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


_TIME_WRITERS: dict[str, Convert] = {
    "iso8601": timestamps.to_iso,
    "rfc822": timestamps.to_http,
    "unixTimestamp": timestamps.to_unix,
    "unixtimestamp": timestamps.to_unix,
}


class TreeWriter:
    """Compiles shapes into writers of trees for the JSON or CBOR encoder.

    time: how a timestamp without a format is written (CBOR tags it). binary: blobs stay bytes, floats stay floats.
    """

    def __init__(
        self,
        shapes: Mapping[str, Ref],
        *,
        opaque: frozenset[str] = frozenset(),
        binary: bool = False,
        time: Convert = timestamps.to_unix,
    ) -> None:
        self._shapes = shapes
        self._opaque = opaque
        self._binary = binary
        self._time = time
        self._done: dict[str, Convert | None] = {}
        self._open: set[str] = set()

    def structure(self, name: str, only: frozenset[str] | None = None) -> Convert:
        return self._structure(name, only)

    def value(self, ref: Ref) -> Convert | None:
        """A writer of the member's values; None: they go as they are."""
        name = ref["shape"]
        if name in self._opaque:
            return None
        if "timestampFormat" in ref and not self._binary:
            return _TIME_WRITERS[ref["timestampFormat"]]
        if name in self._done:
            return self._done[name]
        if name in self._open:
            return self._late(name)
        self._open.add(name)
        self._done[name] = writer = self._compile(name)
        self._open.discard(name)
        return writer

    def _late(self, name: str) -> Convert:
        def write(value: Any) -> Any:
            writer = self._done[name]
            return value if writer is None else writer(value)

        return write

    def _compile(self, name: str) -> Convert | None:
        shape = self._shapes[name]
        kind = shape["type"]
        if kind == "structure":
            return None if shape.get("document") else self._structure(name)
        if kind == "list":
            member = self.value(shape["member"])
            return None if member is None else _list_writer(member)
        if kind == "map":
            entry = self.value(shape["value"])
            return None if entry is None else _map_writer(entry)
        if kind == "timestamp":
            given = shape.get("timestampFormat")
            return _TIME_WRITERS[given] if given and not self._binary else self._time
        if self._binary:
            return None
        return _to_base64 if kind == "blob" else _number if kind in ("float", "double") else None

    def _structure(self, shape_name: str, only: frozenset[str] | None = None) -> Convert:
        members = self._shapes[shape_name]["members"]
        plan = {
            name: (ref.get("locationName", name), self.value(ref))
            for name, ref in members.items()
            if only is None or name in only
        }
        find = plan.get

        def write(value: Any) -> dict[str, Any]:
            out = {}
            for name, member in value.items():
                if member is None:
                    continue
                entry = find(name)
                if entry is None:
                    if name in members or name[:1] == "$":  # a REST member that goes elsewhere
                        continue
                    raise UnmodelledMember(f"{shape_name} has no member {name!r}")
                wire, convert = entry
                out[wire] = member if convert is None else convert(member)
            return out

        return write


def _list_writer(member: Convert) -> Convert:
    def write(value: Any) -> list[Any]:
        return [member(item) for item in value]

    return write


def _map_writer(entry: Convert) -> Convert:
    def write(value: Any) -> dict[str, Any]:
        return {key: entry(item) for key, item in value.items() if item is not None}

    return write
