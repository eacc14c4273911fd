"""The query protocol: forms in, XML out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest, HttpResponse
from pileus.cloud.protocol import text, timestamps
from pileus.cloud.protocol.body import plain_body
from pileus.cloud.protocol.errors import MalformedInput
from pileus.cloud.protocol.faults import Faults
from pileus.cloud.protocol.model import Model
from pileus.cloud.protocol.plan import Match, Plan
from pileus.cloud.protocol.quirks import Quirks
from pileus.cloud.protocol.xmltext import XmlWriter, error_bytes, escape, is_flat, wire_name

Ref = Mapping[str, Any]
Node = Any  # a parameter's text, or the parameters below a name: {part of the name: Node}
ReadNode = Callable[[Node], Any]

_TYPE = "text/xml"


def form_of(request: HttpRequest) -> dict[str, str]:
    """The parameters of a query request, from its query string (GET) and its body."""
    body = plain_body(request, MalformedInput)
    text = body.decode("utf-8", "replace")
    if request.query:
        text = f"{request.query}&{text}"
    form: dict[str, str] = {}
    for pair in text.split("&"):
        name, found, value = pair.partition("=")
        if found:
            form[_decode(name)] = _decode(value)
    return form


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text) if "%" in text else text


def tree_of(form: Mapping[str, str]) -> dict[str, Node]:
    """`{"A.member.1": "x"}` as `{"A": {"member": {"1": "x"}}}`."""
    tree: dict[str, Node] = {}
    for name, value in form.items():
        node = tree
        *above, last = name.split(".")
        for part in above:
            below = node.get(part)
            if type(below) is not dict:
                below = node[part] = {}
            node = below
        if type(node.get(last)) is not dict:
            node[last] = value
    return tree


class QueryReader:
    """Compiles shapes into readers of nodes."""

    def __init__(self, shapes: Mapping[str, Ref]) -> None:
        self._shapes = shapes
        self._done: dict[tuple[str, bool], ReadNode | None] = {}

    def structure(self, name: str) -> ReadNode:
        return self._structure(self._shapes[name])

    def _value(self, ref: Ref) -> ReadNode:
        shape = self._shapes[ref["shape"]]
        flat = is_flat(shape, ref)
        key = (ref["shape"], flat)
        known = self._done.get(key)
        if known is not None:
            return known
        if key in self._done:  # a shape within itself
            return lambda node: self._done[key](node)  # type: ignore[misc]
        self._done[key] = None
        read = self._compile(shape, flat)
        self._done[key] = read
        return read

    def _compile(self, shape: Ref, flat: bool) -> ReadNode:
        kind = shape["type"]
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            item = self._value(shape["member"])
            return _list(item, None if flat else shape["member"].get("locationName", "member"))
        if kind == "map":
            key, value = shape["key"], shape["value"]
            return _map(
                self._value(value),
                None if flat else "entry",
                key.get("locationName", "key"),
                value.get("locationName", "value"),
            )
        convert = text.from_text(kind, MalformedInput)

        def read(node: Node) -> Any:
            if type(node) is not str:
                raise MalformedInput("Unexpected complex element termination")
            return node if convert is None else convert(node)

        return read

    def _structure(self, shape: Ref) -> ReadNode:
        plan = {
            wire_name(self._shapes, name, ref): (name, self._value(ref))
            for name, ref in shape["members"].items()
        }
        find = plan.get

        def read(node: Node) -> dict[str, Any]:
            if type(node) is not dict:
                if node == "":
                    return {}
                raise MalformedInput("Unexpected simple value")
            result = {}
            for wire, below in node.items():
                entry = find(wire)
                if entry is not None:
                    result[entry[0]] = entry[1](below)
            return result

        return read


def _numbered(node: Node) -> list[Node]:
    """The nodes under 1, 2, …: gaps close up, as AWS closes them."""
    if type(node) is not dict:
        if node == "":
            return []
        raise MalformedInput("Unexpected simple value")
    try:
        return [node[index] for index in sorted(node, key=int)] if len(node) > 1 else list(node.values())
    except ValueError:
        raise MalformedInput("Key is not an index") from None


def _list(item: ReadNode, name: str | None) -> ReadNode:
    def read(node: Node) -> list[Any]:
        if name is not None and type(node) is dict:
            # some clients say `member` where the model has another name
            node = node.get(name, node.get("member", ""))
        return [item(below) for below in _numbered(node)]

    return read


def _map(value: ReadNode, name: str | None, key_name: str, value_name: str) -> ReadNode:
    def read(node: Node) -> dict[str, Any]:
        if name is not None and type(node) is dict:
            node = node.get(name, "")
        result = {}
        for entry in _numbered(node):
            if type(entry) is not dict or type(entry.get(key_name)) is not str:
                raise MalformedInput("Map entry without key")
            result[entry[key_name]] = value(entry.get(value_name, ""))
        return result

    return read


class Query:
    """`Action=…` and XML."""

    def __init__(self, model: Model, quirks: Quirks, faults: Faults) -> None:
        self._model = model
        self._faults = faults
        self._address = quirks.address_member
        self._namespace = model.metadata.get("xmlNamespace") or quirks.namespace
        shapes = _with_wire_names(model.shapes, quirks.wire_names) if quirks.wire_names else model.shapes
        time = timestamps.to_iso if quirks.iso_millis else timestamps.to_iso_whole
        self._reader = QueryReader(shapes)
        self._writer = XmlWriter(shapes, time)

    def plan(self, operation: str) -> Plan:
        parts = self._model.operations[operation]
        return Plan(self._parse(parts), self._serialise(operation, parts))

    def _parse(self, parts: Mapping[str, Any]) -> Callable[[HttpRequest, Match], dict[str, Any]]:
        if "input" not in parts:
            return lambda request, match: {}
        name = parts["input"]["shape"]
        read = self._reader.structure(name)
        address = self._address if self._address in self._model.shapes[name]["members"] else ""

        def parse(request: HttpRequest, match: Match) -> dict[str, Any]:
            form = match.form if match.form is not None else form_of(request)
            parsed: dict[str, Any] = read(tree_of(form))
            if address and address not in parsed and request.path != "/":
                parsed[address] = request.base_url + request.path
            return parsed

        return parse

    def _serialise(
        self, operation: str, parts: Mapping[str, Any]
    ) -> Callable[[Mapping[str, Any], str], HttpResponse]:
        opening = f'<{operation}Response xmlns="{self._namespace}">'
        closing = "</RequestId></ResponseMetadata>" + f"</{operation}Response>"
        if "output" not in parts:
            before = f"{opening}<ResponseMetadata><RequestId>"
            return lambda result, request_id: _answer(
                200, f"{before}{request_id}{closing}".encode(), request_id
            )
        wrapper = parts["output"].get("resultWrapper", f"{operation}Result")
        write = self._writer.contents(parts["output"]["shape"])

        def serialise(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            out = [f"{opening}<{wrapper}>"]
            write(result, out)
            out.append(f"</{wrapper}><ResponseMetadata><RequestId>{request_id}{closing}")
            return _answer(200, "".join(out).encode("utf-8", "surrogateescape"), request_id)

        return serialise

    def error(self, operation: str | None, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        fault = "Sender" if error.is_sender_fault else "Receiver"
        out = [
            f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>{fault}</Type>',
            f"<Code>{escape(self._faults.code(error))}</Code><Message>{escape(error.message)}</Message>",
        ]
        shape = self._faults.shape(error)
        if shape and error.members:
            self._writer.contents(shape)(error.members, out)
        out.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
        return _answer(error.status, error_bytes("".join(out)), request_id)


def _answer(status: int, body: bytes, request_id: str) -> HttpResponse:
    headers = {"content-type": _TYPE, "x-amzn-requestid": request_id}
    return HttpResponse(status, headers, body)


def _with_wire_names(shapes: Mapping[str, Ref], names: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Ref]:
    """The shapes with the traits that only the query protocol has (see `quirks`)."""
    renamed = dict(shapes)
    for name, traits in names.items():
        shape = dict(shapes[name]) | {"flattened": True}
        if "member" in traits:
            shape["member"] = {**shape["member"], **traits["member"]}
        else:
            shape["locationName"] = traits["locationName"]
            shape["key"] = {**shape["key"], "locationName": traits["key"]}
            shape["value"] = {**shape["value"], "locationName": traits["value"]}
        renamed[name] = shape
    return renamed
