"""Scalars as text: what stands in forms, headers, paths, query strings and XML elements."""

from __future__ import annotations

import math
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any

from pileus.cloud.protocol import timestamps
from pileus.cloud.protocol.errors import SerializationException

FromText = Callable[[str], Any]
ToText = Callable[[Any], str]
TextRefusal = type[SerializationException]

_TRUTH = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
_WHOLE = frozenset({"integer", "long", "bigInteger", "short", "byte"})
_REAL = frozenset({"float", "double"})


def from_text(kind: str, refusal: TextRefusal) -> FromText | None:
    """A reader of the scalar type; None for strings, which are taken as they are."""
    if kind in ("string", "character"):
        return None
    if kind == "boolean":
        return _reading(_TRUTH.__getitem__, "Boolean", refusal)
    if kind in _WHOLE:
        return _reading(int, "Integer" if kind == "integer" else "Long", refusal)
    if kind in _REAL:
        return _reading(float, "Double", refusal)
    if kind == "timestamp":
        return _reading(timestamps.from_text, "Timestamp", refusal)
    if kind == "blob":
        return _reading(_from_base64, "Blob", refusal)
    raise TypeError(f"{kind} is no scalar")


def _reading(read: FromText, wanted: str, refusal: TextRefusal) -> FromText:
    def convert(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, KeyError, IndexError, TypeError, Base64Error):
            raise refusal(f"STRING_VALUE cannot be converted to {wanted}") from None

    return convert


def _from_base64(text: str) -> bytes:
    return a2b_base64("".join(text.split()), strict_mode=True)


def to_text(shape: Mapping[str, Any], ref: Mapping[str, Any], time: ToText) -> ToText:
    """A writer of the scalar shape. time: how timestamps are written where the model names no format."""
    kind = shape["type"]
    if kind == "timestamp":
        given = ref.get("timestampFormat") or shape.get("timestampFormat")
        return _TIMES[given.lower()] if given else time
    if kind == "boolean":
        return _boolean
    if kind in _REAL:
        return _real
    return _base64 if kind == "blob" else str


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _real(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return str(value)


def _base64(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def _unix(value: Any) -> str:
    return str(timestamps.to_unix(value))


_TIMES: dict[str, ToText] = {
    "iso8601": timestamps.to_iso,
    "rfc822": timestamps.to_http,
    "unixtimestamp": _unix,
}
