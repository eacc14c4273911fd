"""The bodies of the REST protocols, and their errors: JSON and XML."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpResponse
from pileus.cloud.protocol import text, timestamps
from pileus.cloud.protocol.errors import SerializationException
from pileus.cloud.protocol.faults import Faults
from pileus.cloud.protocol.model import Model
from pileus.cloud.protocol.places import Ref
from pileus.cloud.protocol.quirks import Quirks
from pileus.cloud.protocol.rest import ReadBody, WriteBody
from pileus.cloud.protocol.rpc import json_bytes
from pileus.cloud.protocol.tree import TreeReader, TreeWriter
from pileus.cloud.protocol.xmltext import HEAD, MALFORMED, XmlReader, XmlWriter, error_bytes, escape, local


class JsonBody:
    content_type = "application/json"
    blank = b"{}"

    def __init__(self, model: Model, quirks: Quirks, opaque: frozenset[str], faults: Faults) -> None:
        self._model = model
        self._refusal = quirks.serialization
        self._faults = faults
        self._reader = TreeReader(model.shapes, opaque=opaque)
        self._writer = TreeWriter(model.shapes, opaque=opaque)

    def reader(
        self, shape: str, only: frozenset[str] | None, roots: frozenset[str] = frozenset()
    ) -> ReadBody:
        read = self._reader.structure(shape, only)
        refusal = self._refusal

        def read_json(body: bytes) -> Any:
            try:
                tree = orjson.loads(body)
            except orjson.JSONDecodeError:
                raise refusal("Could not parse request body into json") from None
            if type(tree) is not dict:
                raise refusal("Unexpected value type in payload")
            try:
                return read(tree)
            except SerializationException as error:
                raise error if refusal is SerializationException else refusal(error.message) from None

        return read_json

    def writer(self, operation: str, ref: Ref, member: str | None, only: frozenset[str]) -> WriteBody:
        write = self._writer.structure(ref["shape"], None if member else only)
        return lambda value: json_bytes(write(value))

    def identity(self, request_id: str) -> dict[str, str]:
        return {"x-amzn-requestid": request_id}

    def error(self, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        headers = {
            "content-type": self.content_type,
            "x-amzn-requestid": request_id,
            "x-amzn-errortype": self._faults.shape(error) or error.code,
        }
        shape = self._faults.shape(error)
        if shape is not None:
            members = self._faults.members(error)
            for name, ref in self._model.shapes[shape]["members"].items():
                if ref.get("location") == "header" and members.get(name) is not None:
                    convert = text.to_text(self._model.shapes[ref["shape"]], ref, timestamps.to_http)
                    headers[ref.get("locationName", name).lower()] = convert(members[name])
        tree = self._faults.tree(self._writer, error)
        return HttpResponse(error.status, headers, json_bytes(tree))


class XmlBody:
    content_type = "application/xml"
    blank = b""

    def __init__(self, model: Model, quirks: Quirks, faults: Faults) -> None:
        self._model = model
        self._is_s3 = model.metadata["endpointPrefix"] == "s3"
        self._faults = faults
        self._refusal = quirks.serialization
        self._roots = quirks.roots
        self._namespace = model.metadata.get("xmlNamespace") or quirks.namespace
        self._reader = XmlReader(model.shapes, self._refusal)
        self._writer = XmlWriter(model.shapes, timestamps.to_iso)

    def reader(
        self, shape: str, only: frozenset[str] | None, roots: frozenset[str] = frozenset()
    ) -> ReadBody:
        """roots: what the outermost element may be called, where only one thing may come."""
        from xml.etree.ElementTree import ParseError, fromstring  # late: only S3 reads XML

        read = self._reader.structure(shape, only)
        refusal = self._refusal

        def read_xml(body: bytes) -> Any:
            try:
                root = None if b"<!DOCTYPE" in body else fromstring(body)
            except (ParseError, ValueError, LookupError):
                root = None
            if root is None or (roots and local(root.tag) not in roots):
                raise refusal(MALFORMED)
            return read(root)

        return read_xml

    def writer(self, operation: str, ref: Ref, member: str | None, only: frozenset[str]) -> WriteBody:
        shape = self._model.shapes[ref["shape"]]
        if member is not None:
            root = ref.get("locationName") or shape.get("locationName", member)
            write = self._writer.element(root, {"shape": ref["shape"]}, self._namespace)
        else:
            root = self._roots.get(operation) or ref.get("locationName", ref["shape"])
            if only == frozenset({root}):  # GetBucketLocation: the member is the root
                return self._single(root, shape["members"][root])
            contents = self._writer.contents(ref["shape"], only)
            opening, closing = f'<{root} xmlns="{self._namespace}">', f"</{root}>"

            def write(value: Any, out: list[str]) -> None:
                out.append(opening)
                contents(value, out)
                out.append(closing)

        return lambda value: _document(write, value)

    def _single(self, name: str, ref: Ref) -> WriteBody:
        write = self._writer.element(name, ref, self._namespace)
        return lambda value: _document(write, value.get(name) or "")

    def identity(self, request_id: str) -> dict[str, str]:
        if not self._is_s3:
            return {"x-amzn-requestid": request_id}
        return {"x-amz-request-id": request_id, "x-amz-id-2": host_id(request_id)}

    def error(self, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        out = [HEAD]
        if self._is_s3:
            out.append(f"<Error>{self._told(error)}")
            out += [f"<{k}>{escape(str(v))}</{k}>" for k, v in error.members.items() if v is not None]
            if resource:
                out.append(f"<Resource>{escape(resource)}</Resource>")
            out.append(f"<RequestId>{request_id}</RequestId><HostId>{host_id(request_id)}</HostId></Error>")
        else:
            fault = "Sender" if error.is_sender_fault else "Receiver"
            out.append(f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>{fault}</Type>')
            out.append(self._told(error))
            shape = self._faults.shape(error)
            if shape and error.members:
                self._writer.contents(shape)(error.members, out)
            out.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
        headers = {"content-type": self.content_type, **self.identity(request_id)}
        return HttpResponse(error.status, headers, error_bytes("".join(out)))

    def _told(self, error: AwsError) -> str:
        return f"<Code>{escape(self._faults.code(error))}</Code><Message>{escape(error.message)}</Message>"


def _document(write: Any, value: Any) -> bytes:
    out = [HEAD]
    write(value, out)
    return "".join(out).encode("utf-8", "surrogateescape")


def host_id(request_id: str) -> str:
    """S3's second id of a request (`x-amz-id-2`): made from the first, for there is only one host."""
    return b64encode(request_id.encode()).decode("ascii")
