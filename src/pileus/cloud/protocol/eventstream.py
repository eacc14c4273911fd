"""Event streams (`application/vnd.amazon.eventstream`): what InvokeWithResponseStream and its like answer with.

A message is its length, the length of its headers, a checksum of those two, headers, payload, and a checksum of it all.
Each event of the stream's union is one message; a scalar member marked `eventpayload` is the payload as it is, any other
event's members are a JSON object.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any

from pileus.cloud.protocol.tree import TreeWriter

CONTENT_TYPE = "application/vnd.amazon.eventstream"

Ref = Mapping[str, Any]
Event = Mapping[str, Mapping[str, Any]]  # {"PayloadChunk": {"Payload": b"…"}}
Events = AsyncIterator[Event] | Iterable[Event]

_PRELUDE = struct.Struct(">II")
_CRC = struct.Struct(">I")


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; header values are strings (type 7)."""
    block = b"".join(
        bytes((len(name),)) + name.encode() + b"\x07" + struct.pack(">H", len(raw)) + raw
        for name, raw in ((name, value.encode()) for name, value in headers.items())
    )
    prelude = _PRELUDE.pack(len(block) + len(payload) + 16, len(block))
    head = prelude + _CRC.pack(zlib.crc32(prelude)) + block + payload
    return head + _CRC.pack(zlib.crc32(head))


def encoder(
    shapes: Mapping[str, Ref], union: Ref
) -> Callable[[Events], AsyncIterator[bytes] | Iterator[bytes]]:
    """From the events of this union to the messages on the wire."""
    import orjson

    writer = TreeWriter(shapes)
    plan: dict[str, Callable[[Mapping[str, Any]], bytes]] = {}
    for name, ref in union["members"].items():
        plan[name] = _event(name, shapes, ref["shape"], writer, orjson.dumps)

    def one(event: Event) -> bytes:
        ((name, value),) = event.items()
        return plan[name](value)

    def frames(events: Events) -> AsyncIterator[bytes] | Iterator[bytes]:
        if isinstance(events, AsyncIterator):
            return _each(one, events)
        return map(one, events)

    return frames


async def _each(one: Callable[[Event], bytes], events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    async for event in events:
        yield one(event)


def _event(
    name: str, shapes: Mapping[str, Ref], shape_name: str, writer: TreeWriter, dumps: Callable[[Any], bytes]
) -> Callable[[Mapping[str, Any]], bytes]:
    shape = shapes[shape_name]
    if shape.get("exception"):
        headers = {":message-type": "exception", ":exception-type": name}
    else:
        headers = {":message-type": "event", ":event-type": name}
    raw = next((key for key, ref in shape["members"].items() if ref.get("eventpayload")), None)
    kind = shapes[shape["members"][raw]["shape"]]["type"] if raw else ""
    if raw is not None and kind in ("blob", "string"):
        headers[":content-type"] = "application/octet-stream" if kind == "blob" else "text/plain"

        def plain(value: Mapping[str, Any]) -> bytes:
            content = value.get(raw) or b""
            return message(headers, content.encode() if isinstance(content, str) else bytes(content))

        return plain
    headers[":content-type"] = "application/json"
    write = writer.structure(shape_name)
    return lambda value: message(headers, dumps(write(value)))
