"""The RPC protocols whose bodies are trees: json (1.0 and 1.1) and smithy-rpc-v2-cbor."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest, HttpResponse
from pileus.cloud.protocol import cbor, timestamps
from pileus.cloud.protocol.body import plain_body
from pileus.cloud.protocol.errors import SerializationException
from pileus.cloud.protocol.faults import Faults
from pileus.cloud.protocol.model import Model
from pileus.cloud.protocol.plan import Match, Plan
from pileus.cloud.protocol.quirks import Quirks
from pileus.cloud.protocol.tree import TreeReader, TreeWriter


def json_bytes(tree: Any) -> bytes:
    return orjson.dumps(tree, default=_exact, option=orjson.OPT_NON_STR_KEYS)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def json_object(body: bytes, refusal: type[SerializationException]) -> dict[str, Any]:
    """The decoded body, which AWS wants to be an object."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refusal("Unable to parse request body: malformed JSON" if body.strip() else "") from None
    if type(tree) is not dict:
        raise refusal("Unexpected value type in payload")
    return tree


class JsonRpc:
    """`X-Amz-Target` and a JSON body."""

    def __init__(self, model: Model, quirks: Quirks, opaque: frozenset[str], faults: Faults) -> None:
        self._model = model
        self._faults = faults
        self._refusal = SerializationException
        self._query_compatible = "awsQueryCompatible" in model.metadata
        self._content_type = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        self._checksum = quirks.crc32
        self._reader = TreeReader(model.shapes, opaque=opaque)
        self._writer = TreeWriter(model.shapes, opaque=opaque)

    def plan(self, operation: str) -> Plan:
        parts = self._model.operations[operation]
        return Plan(self._parse(parts), self._serialise(parts))

    def _parse(self, parts: Mapping[str, Any]) -> Callable[[HttpRequest, Match], dict[str, Any]]:
        if "input" not in parts:
            return lambda request, match: {}
        read = self._reader.structure(parts["input"]["shape"])
        loads, refusal = orjson.loads, self._refusal

        def parse(request: HttpRequest, match: Match) -> dict[str, Any]:
            body = request.body
            if "content-encoding" in request.headers:
                body = plain_body(request, refusal)
            if not body:
                return {}
            try:
                tree = loads(body)
            except orjson.JSONDecodeError:
                raise refusal("") from None
            if type(tree) is not dict:
                raise refusal("Unexpected value type in payload")
            return read(tree)  # type: ignore[no-any-return]

        return parse

    def _serialise(self, parts: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], HttpResponse]:
        content_type, answer = self._content_type, self._answer
        if "output" not in parts:
            # without modelled output AWS answers with an empty body (json 1.1) or `{}` (1.0)
            body = b"{}" if content_type.endswith("1.0") else b""
            return lambda result, request_id: answer(200, body, request_id)
        write = self._writer.structure(parts["output"]["shape"])
        if self._checksum:
            return lambda result, request_id: answer(200, json_bytes(write(result)), request_id)

        def serialise(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            headers = {"content-type": content_type, "x-amzn-requestid": request_id}
            return HttpResponse(200, headers, json_bytes(write(result)))

        return serialise

    def _answer(self, status: int, body: bytes, request_id: str) -> HttpResponse:
        headers = {"content-type": self._content_type, "x-amzn-requestid": request_id}
        if self._checksum:
            headers["x-amz-crc32"] = str(zlib.crc32(body))
        return HttpResponse(status, headers, body)

    def error(self, operation: str | None, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        tree = {"__type": self._faults.type(error)}
        tree |= self._faults.tree(self._writer, error)
        response = self._answer(error.status, json_bytes(tree), request_id)
        if self._query_compatible:
            fault = "Sender" if error.is_sender_fault else "Receiver"
            response.headers["x-amzn-query-error"] = f"{self._faults.code(error)};{fault}"
        return response


class CborRpc:
    """`/service/NAME/operation/NAME` and a CBOR body."""

    def __init__(self, model: Model, quirks: Quirks, opaque: frozenset[str], faults: Faults) -> None:
        self._model = model
        self._faults = faults
        self._query_compatible = "awsQueryCompatible" in model.metadata
        self._reader = TreeReader(model.shapes, opaque=opaque, binary=True)
        self._writer = TreeWriter(model.shapes, opaque=opaque, binary=True, time=_time)

    def plan(self, operation: str) -> Plan:
        parts = self._model.operations[operation]
        return Plan(self._parse(parts), self._serialise(parts))

    def _parse(self, parts: Mapping[str, Any]) -> Callable[[HttpRequest, Match], dict[str, Any]]:
        if "input" not in parts:
            return lambda request, match: {}
        read = self._reader.structure(parts["input"]["shape"])

        def parse(request: HttpRequest, match: Match) -> dict[str, Any]:
            body = plain_body(request, SerializationException)
            if not body:
                return {}
            try:
                tree = cbor.loads(body)
            except ValueError as error:
                raise SerializationException(str(error)) from None
            if type(tree) is not dict:
                raise SerializationException("Unexpected value type in payload")
            return read(tree)  # type: ignore[no-any-return]

        return parse

    def _serialise(self, parts: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], HttpResponse]:
        if "output" not in parts:
            return lambda result, request_id: _cbor_answer(200, b"", request_id)
        write = self._writer.structure(parts["output"]["shape"])
        return lambda result, request_id: _cbor_answer(200, cbor.dumps(write(result)), request_id)

    def error(self, operation: str | None, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        tree = {"__type": self._faults.type(error)}
        tree |= self._faults.tree(self._writer, error)
        response = _cbor_answer(error.status, cbor.dumps(tree), request_id)
        if self._query_compatible:
            fault = "Sender" if error.is_sender_fault else "Receiver"
            response.headers["x-amzn-query-error"] = f"{self._faults.code(error)};{fault}"
        return response


def _time(value: Any) -> cbor.Time:
    return cbor.Time(timestamps.seconds(value))


def _cbor_answer(status: int, body: bytes, request_id: str) -> HttpResponse:
    headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id}
    if body:
        headers["content-type"] = "application/cbor"
    return HttpResponse(status, headers, body)
