"""CBOR (RFC 8949), as far as Smithy's RPC v2 protocol uses it.

Integers up to 64 bits, byte and text strings, arrays and maps of definite or indefinite length, true, false, null,
half, single and double floats, and tag 1 (seconds since the epoch), which is read as the number it holds.
"""

from __future__ import annotations

import struct
from typing import Any

_HALF, _SINGLE, _DOUBLE = struct.Struct(">e"), struct.Struct(">f"), struct.Struct(">d")
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: _HALF, 26: _SINGLE, 27: _DOUBLE}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_ENDLESS = 31
_BREAK = 0xFF
_DEEPEST = 200  # nesting beyond this is an attack, not a request


class Time(float):
    """Seconds since the epoch, written with tag 1."""

    __slots__ = ()


def dumps(value: Any) -> bytes:
    out = bytearray()
    _write(value, out)
    return bytes(out)


def loads(data: bytes) -> Any:
    """ValueError when `data` is not one CBOR item."""
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"malformed CBOR: {error}") from None
    if end != len(data):
        raise ValueError("malformed CBOR: bytes after the end")
    return value


def _head(major: int, number: int, out: bytearray) -> None:
    top = major << 5
    if number < 24:
        out.append(top | number)
    elif number < 0x100:
        out += bytes((top | 24, number))
    elif number < 0x10000:
        out.append(top | 25)
        out += number.to_bytes(2, "big")
    elif number < 0x100000000:
        out.append(top | 26)
        out += number.to_bytes(4, "big")
    else:
        out.append(top | 27)
        out += number.to_bytes(8, "big")


def _write(value: Any, out: bytearray) -> None:
    if isinstance(value, str):
        raw = value.encode()
        _head(3, len(raw), out)
        out += raw
    elif value is True or value is False or value is None:
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _head(0, value, out) if value >= 0 else _head(1, -1 - value, out)
    elif isinstance(value, float):
        if isinstance(value, Time):
            out.append(0xC1)
        out.append(0xFB)
        out += _DOUBLE.pack(value)
    elif isinstance(value, dict):
        _head(5, len(value), out)
        for key, item in value.items():
            _write(key, out)
            _write(item, out)
    elif isinstance(value, list | tuple):
        _head(4, len(value), out)
        for item in value:
            _write(item, out)
    elif isinstance(value, bytes | bytearray):
        _head(2, len(value), out)
        out += value
    else:
        raise TypeError(f"CBOR has no form for {type(value).__name__}")


def _number(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    end = at + _WIDTHS.get(info, 1 << 40)
    if end > len(data):
        raise ValueError("malformed CBOR: cut off")
    return int.from_bytes(data[at:end], "big"), end


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise ValueError("malformed CBOR: nested too deeply")
    first = data[at]
    major, info = first >> 5, first & 31
    at += 1
    if major == 7:
        if info in _SIMPLE:
            return _SIMPLE[info], at
        form = _FLOATS.get(info)
        if form is None:
            raise ValueError("malformed CBOR: unknown simple value")
        return form.unpack_from(data, at)[0], at + form.size
    if info == _ENDLESS:
        return _read_endless(data, at, major, depth)
    number, at = _number(data, at, info)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        end = at + number
        if end > len(data):
            raise ValueError("malformed CBOR: cut off")
        raw = data[at:end]
        return (raw if major == 2 else raw.decode()), end
    if major == 6:
        return _read(data, at, depth + 1)
    if number > len(data) - at:  # every item is a byte at least
        raise ValueError("malformed CBOR: cut off")
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _read(data, at, depth + 1)
            items.append(item)
        return items, at
    pairs = {}
    for _ in range(number):
        key, at = _read(data, at, depth + 1)
        pairs[key], at = _read(data, at, depth + 1)
    return pairs, at


def _read_endless(data: bytes, at: int, major: int, depth: int) -> tuple[Any, int]:
    items = []
    while data[at] != _BREAK:
        item, at = _read(data, at, depth + 1)
        items.append(item)
    at += 1
    if major == 2:
        return b"".join(items), at
    if major == 3:
        return "".join(items), at
    if major == 4:
        return items, at
    if major == 5 and len(items) % 2 == 0:
        return dict(zip(items[::2], items[1::2], strict=True)), at
    raise ValueError("malformed CBOR: unknown item without end")
