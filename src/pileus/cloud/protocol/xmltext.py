"""Shapes as XML: what REST-XML bodies are and query answers are.

`XmlReader` and `XmlWriter` compile shapes into closures, as `tree` does for JSON. Elements are read without regard to
namespaces, since clients leave them out; a document that isn't well-formed is refused by whoever parses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pileus.cloud.protocol import text
from pileus.cloud.protocol.errors import UnmodelledMember
from pileus.cloud.protocol.text import TextRefusal, ToText
from pileus.cloud.protocol.xmlrows import Member, written

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Ref = Mapping[str, Any]
ReadElement = Callable[["Element"], Any]
ReadElements = Callable[[list["Element"]], Any]
Write = Callable[[Any, list[str]], None]

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

_ESCAPED = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]')
_IMPOSSIBLE = re.compile("&#x(?:[0-8BCEF]|1[0-9A-F]|FFFE|FFFF);")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def escape(value: str) -> str:
    """As AWS escapes: also carriage returns and control characters, by number."""
    if _ESCAPED.search(value) is None:
        return value
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _CONTROL.sub(lambda found: f"&#x{ord(found[0]):X};", value)


def error_bytes(document: str) -> bytes:
    """An error's document as every parser takes it: it may quote what no XML 1.0 document can hold. (Answers keep
    such characters as references, as S3 writes the keys of its listings.)"""
    return _IMPOSSIBLE.sub("\ufffd", document).encode("utf-8", "replace")


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2] if tag[:1] == "{" else tag


def is_flat(shape: Ref, ref: Ref) -> bool:
    return bool(ref.get("flattened") or shape.get("flattened"))


def wire_name(shapes: Mapping[str, Ref], name: str, ref: Ref) -> str:
    """The element or parameter that a structure's member stands in; flattened lists may take their members' name."""
    shape = shapes[ref["shape"]]
    if shape["type"] == "list" and is_flat(shape, ref):
        given: str | None = shape["member"].get("locationName")
        if given:
            return given
    return str(ref.get("locationName") or shape.get("locationName", name))


class XmlReader:
    """Compiles shapes into readers of elements."""

    def __init__(self, shapes: Mapping[str, Ref], refusal: TextRefusal) -> None:
        self._shapes = shapes
        self._refusal = refusal
        self._done: dict[str, ReadElement | None] = {}

    def structure(self, name: str, only: frozenset[str] | None = None) -> ReadElement:
        return self._structure(self._shapes[name], only)

    def element(self, name: str) -> ReadElement:
        """A reader of one element that holds the shape's value (a list: its members as children)."""
        known = self._done.get(name)
        if known is not None:
            return known
        if name in self._done:  # a shape within itself
            return lambda element: self._done[name](element)  # type: ignore[misc]
        self._done[name] = None
        shape = self._shapes[name]
        kind = shape["type"]
        if kind == "structure":
            read = self._structure(shape)
        elif kind == "list":
            read = _children(self.element(shape["member"]["shape"]))
        elif kind == "map":
            read = _entries(self._pair(shape))
        else:
            read = self._scalar(kind)
        self._done[name] = read
        return read

    def _scalar(self, kind: str) -> ReadElement:
        convert = text.from_text(kind, self._refusal)
        if convert is None:
            return lambda element: element.text or ""
        return lambda element: convert((element.text or "").strip())

    def _pair(self, shape: Ref) -> Callable[[Element], tuple[Any, Any]]:
        key, value = self.element(shape["key"]["shape"]), self.element(shape["value"]["shape"])
        key_name, value_name = (
            shape["key"].get("locationName", "key"),
            shape["value"].get("locationName", "value"),
        )
        refusal = self._refusal

        def pair(element: Element) -> tuple[Any, Any]:
            found = {local(child.tag): child for child in element}
            if key_name not in found or value_name not in found:
                raise refusal("Map entry without key or value")
            return key(found[key_name]), value(found[value_name])

        return pair

    def _member(self, ref: Ref) -> ReadElements:
        """A reader of all elements with the member's name."""
        shape = self._shapes[ref["shape"]]
        if is_flat(shape, ref):
            if shape["type"] == "list":
                item = self.element(shape["member"]["shape"])
                return lambda elements: [item(element) for element in elements]
            pair = self._pair(shape)
            return lambda elements: dict(pair(element) for element in elements)
        one = self.element(ref["shape"])
        return lambda elements: one(elements[-1])

    def _structure(self, shape: Ref, only: frozenset[str] | None = None) -> ReadElement:
        plan: dict[str, tuple[str, ReadElements]] = {}
        attributes: dict[str, str] = {}
        for name, ref in shape["members"].items():
            if only is not None and name not in only:
                continue
            if ref.get("xmlAttribute"):
                attributes[ref["locationName"].rpartition(":")[2]] = name
            else:
                plan[wire_name(self._shapes, name, ref)] = (name, self._member(ref))
        find = plan.get
        required = [name for name in shape.get("required", ()) if only is None or name in only]
        refusal = self._refusal

        def read(element: Element) -> dict[str, Any]:
            groups: dict[str, list[Element]] = {}
            for child in element:
                groups.setdefault(local(child.tag), []).append(child)
            result: dict[str, Any] = {}
            for tag, children in groups.items():
                entry = find(tag)
                if entry is not None:
                    result[entry[0]] = entry[1](children)
            if attributes:
                for key, value in element.attrib.items():
                    name = attributes.get(local(key))
                    if name is not None:
                        result[name] = value
            for name in required:
                if name not in result:
                    raise refusal(MALFORMED)
            return result

        return read


def _children(item: ReadElement) -> ReadElement:
    return lambda element: [item(child) for child in element]


def _entries(pair: Callable[[Element], tuple[Any, Any]]) -> ReadElement:
    return lambda element: dict(pair(child) for child in element)


class XmlWriter:
    """Compiles shapes into writers that append pieces of XML to a list.

    time: how timestamps without a format are written.
    """

    def __init__(self, shapes: Mapping[str, Ref], time: ToText) -> None:
        self._shapes = shapes
        self._time = time
        self._done: dict[tuple[str, str], Write | None] = {}

    def contents(self, name: str, only: frozenset[str] | None = None) -> Write:
        """Writes a structure's members without an element around them."""
        return self._members(name, only)

    def element(self, tag: str, ref: Ref, namespace: str = "") -> Write:
        """Writes the value within `<tag>`; a flattened list or map as repeated `<tag>`."""
        shape = self._shapes[ref["shape"]]
        kind = shape["type"]
        if kind in ("list", "map") and is_flat(shape, ref):
            return self._flat_list(tag, shape) if kind == "list" else self._flat_map(tag, shape)
        key = (ref["shape"], f"{tag} {ref.get('timestampFormat', '')} {namespace}")
        known = self._done.get(key)
        if known is not None:
            return known
        if key in self._done:  # a shape within itself
            return lambda value, out: self._done[key](value, out)  # type: ignore[misc]
        self._done[key] = None
        write = self._compile(tag, shape, ref, namespace)
        self._done[key] = write
        return write

    def _compile(self, tag: str, shape: Ref, ref: Ref, namespace: str) -> Write:
        kind = shape["type"]
        opening = f'<{tag} xmlns="{namespace}">' if namespace else f"<{tag}>"
        closing = f"</{tag}>"
        if kind == "structure":
            return self._structure(tag, ref, opening, closing)
        if kind == "list":
            member = shape["member"]
            return _wrapped(opening, closing, self._items(member.get("locationName", "member"), member))
        if kind == "map":
            entry = self._entry("entry", shape)
            return _wrapped(opening, closing, entry)
        convert = self._scalar(shape, ref)

        def write(value: Any, out: list[str]) -> None:
            out.append(f"{opening}{convert(value)}{closing}")

        return write

    def _structure(self, tag: str, ref: Ref, opening: str, closing: str) -> Write:
        name = ref["shape"]
        inner = self._members(name, None)
        attributes = {
            member: part["locationName"]
            for member, part in self._shapes[name]["members"].items()
            if part.get("xmlAttribute")
        }
        if not attributes:
            return _wrapped(opening, closing, inner)
        declared = ref.get("xmlNamespace") or self._shapes[name].get("xmlNamespace") or {}
        space = f' xmlns:{declared["prefix"]}="{declared["uri"]}"' if "prefix" in declared else ""

        def write(value: Any, out: list[str]) -> None:
            given = "".join(
                f' {wire}="{escape(str(value[member]))}"'
                for member, wire in attributes.items()
                if value.get(member) is not None
            )
            out.append(f"{opening[:-1]}{space}{given}>")
            inner(value, out)
            out.append(closing)

        return write

    def _members(self, shape_name: str, only: frozenset[str] | None) -> Write:
        members = self._shapes[shape_name]["members"]
        find = self._plan(shape_name, only).get

        def write(value: Any, out: list[str]) -> None:
            for name, member in value.items():
                if member is None:
                    continue
                entry = find(name)
                if entry is not None:
                    opening, convert, closing, write_member = entry
                    if convert is not None:
                        out.append(f"{opening}{convert(member)}{closing}")
                    elif write_member is not None:
                        write_member(member, out)
                elif name not in members and name[:1] != "$":
                    raise UnmodelledMember(f"{shape_name} has no member {name!r}")

        return write

    def _plan(self, shape_name: str, only: frozenset[str] | None) -> dict[str, Member]:
        return {
            name: self._entry_of(wire_name(self._shapes, name, ref), ref)
            for name, ref in self._shapes[shape_name]["members"].items()
            if (only is None or name in only) and not ref.get("xmlAttribute")
        }

    def _entry_of(self, tag: str, ref: Ref) -> Member:
        """Scalars are written by the structure itself, for a call each is what costs."""
        shape = self._shapes[ref["shape"]]
        if shape["type"] in ("structure", "list", "map"):
            return Member("", None, "", self.element(tag, ref))
        return Member(f"<{tag}>", self._scalar(shape, ref), f"</{tag}>", None)

    def _items(self, tag: str, ref: Ref) -> Write:
        """Writes the members of a list, each as `<tag>`."""
        item = self.element(tag, ref)
        shape = self._shapes[ref["shape"]]
        if shape["type"] != "structure" or any(
            part.get("xmlAttribute") for part in shape["members"].values()
        ):
            return lambda value, out: _each(item, value, out)
        opening, closing = f"<{tag}>", f"</{tag}>"
        members: dict[str, Member] = {}

        def write(value: Any, out: list[str]) -> None:
            if (
                not members
            ):  # a shape may hold a list of its own kind: its plan is made when it is first needed
                members.update(self._plan(ref["shape"], None))
            rows = written(value, opening, closing, members, escape)
            if rows is None:
                _each(item, value, out)
            else:
                out.append(rows)

        return write

    def _scalar(self, shape: Ref, ref: Ref) -> ToText:
        convert = text.to_text(shape, ref, self._time)
        return escape if convert is str and shape["type"] in ("string", "character") else convert

    def _flat_list(self, tag: str, shape: Ref) -> Write:
        return self._items(tag, shape["member"])

    def _flat_map(self, tag: str, shape: Ref) -> Write:
        return self._entry(tag, shape)

    def _entry(self, tag: str, shape: Ref) -> Write:
        key = self.element(shape["key"].get("locationName", "key"), shape["key"])
        item = self.element(shape["value"].get("locationName", "value"), shape["value"])
        opening, closing = f"<{tag}>", f"</{tag}>"

        def write(value: Any, out: list[str]) -> None:
            for name, member in value.items():
                if member is not None:
                    out.append(opening)
                    key(name, out)
                    item(member, out)
                    out.append(closing)

        return write


def _each(item: Write, value: Any, out: list[str]) -> None:
    for member in value:
        item(member, out)


def _wrapped(opening: str, closing: str, inner: Write) -> Write:
    def write(value: Any, out: list[str]) -> None:
        out.append(opening)
        inner(value, out)
        out.append(closing)

    return write
