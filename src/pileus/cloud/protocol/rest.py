"""The REST protocols: members stand in the path, the query string, headers, the status and the body.

What JSON and XML do differently is in `RestBody`'s two kinds; where members stand is the same for both.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest, HttpResponse
from pileus.cloud.protocol import eventstream, text, timestamps
from pileus.cloud.protocol.errors import SerializationException, UnmodelledMember
from pileus.cloud.protocol.model import Model
from pileus.cloud.protocol.places import Places, Ref, header_items, is_streaming, literals, places
from pileus.cloud.protocol.plan import Match, Plan
from pileus.cloud.protocol.quirks import Quirks

ReadText = Callable[[str], Any]
ReadBody = Callable[[bytes], Any]
WriteBody = Callable[[Any], bytes]
_EMPTY_STATUS = frozenset({204, 205, 304})


class RestBody(Protocol):
    """The bodies of one REST service."""

    content_type: str
    blank: bytes  # the body of a result without body members

    def reader(
        self, shape: str, only: frozenset[str] | None, roots: frozenset[str] = frozenset()
    ) -> ReadBody: ...

    def writer(self, operation: str, ref: Ref, member: str | None, only: frozenset[str]) -> WriteBody:
        """member: the payload's name, whose shape `ref` is; None: `ref` is the output itself."""
        ...

    def identity(self, request_id: str) -> dict[str, str]:
        """The headers that tell the request's id."""
        ...

    def error(self, error: AwsError, request_id: str, resource: str) -> HttpResponse: ...


class Rest:
    """rest-json or rest-xml, by the body it is given."""

    def __init__(self, model: Model, quirks: Quirks, body: RestBody) -> None:
        self._model = model
        self._shapes = model.shapes
        self._quirks = quirks
        self._body = body

    def plan(self, operation: str) -> Plan:
        parts = self._model.operations[operation]
        return Plan(self._parse(parts), self._serialise(operation, parts))

    def error(self, operation: str | None, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        response = self._body.error(error, request_id, resource)
        is_head = operation is not None and self._model.operations[operation]["http"]["method"] == "HEAD"
        if is_head or response.status in _EMPTY_STATUS:
            response.body = b""
            response.headers.pop("content-type", None)
        return response

    # requests

    def _parse(self, parts: Mapping[str, Any]) -> Callable[[HttpRequest, Match], dict[str, Any]]:
        if "input" not in parts:
            return lambda request, match: {}
        shape = self._shapes[parts["input"]["shape"]]
        at = places(shape)
        uri = tuple(
            (name, ref.get("locationName", name), self._from_text(ref)) for name, ref in at.uri.items()
        )
        query = self._query_reader(at.query, literals(parts)) if at.query else None
        header = self._header_reader(at) if at.header or at.prefixed else None
        body = self._body_reader(parts, at)

        def parse(request: HttpRequest, match: Match) -> dict[str, Any]:
            result: dict[str, Any] = {}
            for name, label, convert in uri:
                value = match.path_params[label]
                result[name] = value if convert is None else convert(value)
            if query is not None and request.query:
                query(request, result)
            if header is not None:
                header(request.headers, result)
            if body is not None:
                body(request, result)
            return result

        return parse

    def _from_text(self, ref: Ref) -> ReadText | None:
        shape = self._shapes[ref["shape"]]
        if ref.get("jsonvalue"):
            return lambda value: orjson.loads(b64decode(value))
        if shape["type"] == "list":
            return self._split(shape)
        return text.from_text(shape["type"], self._refusal())

    def _refusal(self) -> type[SerializationException]:
        return self._quirks.serialization

    def _split(self, shape: Ref) -> ReadText:
        """A list in one header, divided by commas; HTTP dates have a comma of their own."""
        item = self._from_text(shape["member"])
        is_time = self._shapes[shape["member"]["shape"]]["type"] == "timestamp"

        def split(value: str) -> list[Any]:
            parts = header_items(value)
            if is_time and any("-" not in part[:5] for part in parts):
                parts = [f"{day}, {rest}" for day, rest in zip(parts[::2], parts[1::2], strict=False)]
            return parts if item is None else [item(part) for part in parts]

        return split

    def _query_reader(
        self, members: Mapping[str, Ref], literals: frozenset[str]
    ) -> Callable[[HttpRequest, dict[str, Any]], None]:
        plan: dict[str, tuple[str, ReadText | None, bool]] = {}
        rest: list[tuple[str, bool]] = []  # members that are maps take what no other takes
        for name, ref in members.items():
            shape = self._shapes[ref["shape"]]
            if shape["type"] == "map":
                rest.append((name, self._shapes[shape["value"]["shape"]]["type"] == "list"))
            elif shape["type"] == "list":
                plan[ref.get("locationName", name)] = (name, self._from_text(shape["member"]), True)
            else:
                plan[ref.get("locationName", name)] = (name, self._from_text(ref), False)
        find = plan.get

        def read(request: HttpRequest, result: dict[str, Any]) -> None:
            for wire, values in request.params.items():
                entry = find(wire)
                if entry is not None:
                    name, convert, is_list = entry
                    if is_list:
                        result[name] = values if convert is None else [convert(value) for value in values]
                    else:
                        result[name] = values[0] if convert is None else convert(values[0])
                elif wire not in literals:
                    for name, many in rest:
                        result.setdefault(name, {})[wire] = values if many else values[0]

        return read

    def _header_reader(self, at: Places) -> Callable[[Mapping[str, str], dict[str, Any]], None]:
        plan = {
            ref.get("locationName", name).lower(): (name, self._from_text(ref))
            for name, ref in at.header.items()
        }
        prefixes = tuple((ref.get("locationName", "").lower(), name) for name, ref in at.prefixed.items())
        find = plan.get

        def read(headers: Mapping[str, str], result: dict[str, Any]) -> None:
            for wire, value in headers.items():
                entry = find(wire)
                if entry is not None:
                    name, convert = entry
                    result[name] = value if convert is None else convert(value)
                    continue
                for prefix, name in prefixes:
                    if wire.startswith(prefix):
                        result.setdefault(name, {})[wire[len(prefix) :]] = value

        return read

    def _body_reader(
        self, parts: Mapping[str, Any], at: Places
    ) -> Callable[[HttpRequest, dict[str, Any]], None] | None:
        if at.payload is not None:
            return self._payload_reader(parts, at.payload, at.body[at.payload])
        if not at.body:
            return None
        read = self._body.reader(parts["input"]["shape"], frozenset(at.body))

        def read_members(request: HttpRequest, result: dict[str, Any]) -> None:
            if request.body:
                result.update(read(request.body))

        return read_members

    def _payload_reader(
        self, parts: Mapping[str, Any], name: str, ref: Ref
    ) -> Callable[[HttpRequest, dict[str, Any]], None]:
        kind = self._shapes[ref["shape"]]["type"]
        if is_streaming(self._shapes, parts, "input"):

            def take_stream(request: HttpRequest, result: dict[str, Any]) -> None:
                result[name] = request.body if request.stream is None else request.stream

            return take_stream
        read: ReadBody
        if kind == "blob":
            read = bytes
        elif kind == "string":
            read = _utf8(self._refusal())
        else:
            roots = frozenset({ref.get("locationName", name), ref["shape"], name})
            read = self._body.reader(ref["shape"], None, roots)

        def take_body(request: HttpRequest, result: dict[str, Any]) -> None:
            if request.body:
                result[name] = read(request.body)

        return take_body

    # responses

    def _serialise(
        self, operation: str, parts: Mapping[str, Any]
    ) -> Callable[[Mapping[str, Any], str], HttpResponse]:
        status = parts["http"].get("responseCode", 200)
        identity = self._body.identity
        if "output" not in parts:
            return lambda result, request_id: HttpResponse(
                result.get("$status", status), {**identity(request_id), **result.get("$headers", {})}
            )
        shape_name = parts["output"]["shape"]
        at = places(self._shapes[shape_name])
        place = self._header_writer(shape_name, at)
        body = self._body_writer(operation, parts, at)
        bodiless = parts["http"]["method"] == "HEAD"

        def serialise(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            response = HttpResponse(status, identity(request_id))
            place(result, response)
            if not bodiless and response.status not in _EMPTY_STATUS:
                body(result, response)
            return response

        return serialise

    def _header_writer(
        self, shape_name: str, at: Places
    ) -> Callable[[Mapping[str, Any], HttpResponse], None]:
        members = self._shapes[shape_name]["members"]
        plan = {
            name: (ref.get("locationName", name).lower(), self._to_text(ref))
            for name, ref in at.header.items()
        }
        prefixes = {name: ref.get("locationName", "") for name, ref in at.prefixed.items()}
        status = frozenset(at.status)
        find = plan.get

        def place(result: Mapping[str, Any], response: HttpResponse) -> None:
            for name, value in result.items():
                if value is None:
                    continue
                entry = find(name)
                if entry is not None:
                    response.headers[entry[0]] = entry[1](value)
                elif name in prefixes:
                    for key, item in value.items():
                        response.headers[(prefixes[name] + key).lower()] = str(item)
                elif name in status or name == "$status":
                    response.status = value
                elif name == "$headers":
                    response.headers.update(value)
                elif name not in members:
                    raise UnmodelledMember(f"{shape_name} has no member {name!r}")

        return place

    def _to_text(self, ref: Ref) -> text.ToText:
        shape = self._shapes[ref["shape"]]
        if ref.get("jsonvalue"):
            return lambda value: b64encode(orjson.dumps(value)).decode("ascii")
        if shape["type"] == "list":
            item = self._to_text(shape["member"])
            return lambda value: ",".join(item(part) for part in value)
        return text.to_text(shape, ref, timestamps.to_http)

    def _body_writer(
        self, operation: str, parts: Mapping[str, Any], at: Places
    ) -> Callable[[Mapping[str, Any], HttpResponse], None]:
        kind = self._body.content_type
        if at.payload is not None:
            return self._payload_writer(operation, at.payload, at.body[at.payload])
        blank = self._body.blank
        if not at.body:

            def write_blank(result: Mapping[str, Any], response: HttpResponse) -> None:
                if blank:
                    response.headers.setdefault("content-type", kind)
                    response.body = blank

            return write_blank
        write = self._body.writer(operation, parts["output"], None, frozenset(at.body))

        def write_members(result: Mapping[str, Any], response: HttpResponse) -> None:
            response.headers.setdefault("content-type", kind)
            response.body = write(result)

        return write_members

    def _payload_writer(
        self, operation: str, name: str, ref: Ref
    ) -> Callable[[Mapping[str, Any], HttpResponse], None]:
        shape = self._shapes[ref["shape"]]
        if shape.get("eventstream"):
            frames = eventstream.encoder(self._shapes, shape)

            def stream_events(result: Mapping[str, Any], response: HttpResponse) -> None:
                response.headers.setdefault("content-type", eventstream.CONTENT_TYPE)
                response.stream = frames(result[name])

            return stream_events
        if shape["type"] in ("blob", "string"):
            return _raw_writer(name, self._quirks.blob_type)
        write = self._body.writer(operation, ref, name, frozenset())
        kind = self._body.content_type

        def write_payload(result: Mapping[str, Any], response: HttpResponse) -> None:
            value = result.get(name)
            if value is not None:
                response.headers.setdefault("content-type", kind)
                response.body = write(value)

        return write_payload


def _raw_writer(name: str, content_type: str) -> Callable[[Mapping[str, Any], HttpResponse], None]:
    def write(result: Mapping[str, Any], response: HttpResponse) -> None:
        value = result.get(name)
        if value is None:
            return
        response.headers.setdefault("content-type", content_type)
        if isinstance(value, str):
            response.body = value.encode()
        elif isinstance(value, bytes):
            response.body = value
        elif isinstance(value, bytearray | memoryview):
            response.body = bytes(value)
        else:
            response.stream = value

    return write


def _utf8(refusal: type[SerializationException]) -> ReadBody:
    def read(body: bytes) -> str:
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise refusal("Request body is not UTF-8") from None

    return read
