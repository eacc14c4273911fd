"""Attribute values, in the form in which they stand on the wire: `{"S": "text"}`, `{"B": "base64"}`, …

`take` is the gate: it checks a value that came in, gives its normal form (numbers canonical, sets sorted) and counts
its size. Everything behind the gate relies on it: two equal values are equal Python dicts, and what is stored is what
is answered.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pileus.cloud.protocol.errors import SerializationException

from . import numbers
from .errors import ValidationException, invalid_value

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]

MAX_ITEM_BYTES = 400 * 1024
_MAX_DEPTH = 32
TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"})


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def binary(text: str) -> bytes:
    """The bytes of a binary value."""
    return a2b_base64(text)


def binary_size(text: str) -> int:
    return len(text) // 4 * 3 - (text[-2:].count("=") if text else 0)


def take(value: Any, depth: int = 0) -> tuple[AttributeValue, int]:
    """The value in normal form and its size in bytes. Raises ValidationException, SerializationException."""
    if type(value) is not dict:
        raise _unexpected(value, "Structure")
    if len(value) == 1:
        [(kind, inner)] = value.items()
    else:
        kind, inner = _only(value)
        value = {kind: inner}
    if kind == "S":
        if type(inner) is not str:
            return _absent(inner, "String")  # type: ignore[no-any-return]
        return value, len(inner) if inner.isascii() else len(inner.encode())
    taker = _TAKERS.get(kind)
    if taker is None:
        raise ValidationException(_EMPTY)
    return taker(inner, depth)


_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"


def _only(value: Mapping[str, Any]) -> tuple[str, Any]:
    """The one type of a value that says none, several, or others than AWS's."""
    given = [(k, v) for k, v in value.items() if k in TYPES and v is not None]
    if len(given) > 1:
        raise ValidationException(
            "Supplied AttributeValue has more than one datatypes set,"
            " must contain exactly one of the supported datatypes"
        )
    if not given:
        raise ValidationException(_EMPTY)
    return given[0]


def _absent(value: Any, wanted: str) -> Any:
    if value is None:
        raise ValidationException(_EMPTY)
    raise _unexpected(value, wanted)


def _unexpected(value: Any, wanted: str) -> SerializationException:
    if isinstance(value, list):
        return SerializationException("Start of list found where not expected")
    if isinstance(value, dict):
        return SerializationException("Start of structure or map found where not expected.")
    if wanted in ("Structure", "Map", "List"):
        return SerializationException("Unexpected value type in payload")
    kind = (
        "TRUE_VALUE"
        if value is True
        else "FALSE_VALUE"
        if value is False
        else "DECIMAL_VALUE"
        if isinstance(value, float)
        else "NUMBER_VALUE"
        if isinstance(value, int)
        else "STRING_VALUE"
    )
    return SerializationException(f"{kind} cannot be converted to {wanted}")


def _take_number(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    if type(inner) is not str:
        return _absent(inner, "String")  # type: ignore[no-any-return]
    text = numbers.canonical(inner)
    return {"N": text}, numbers.size(text)


def _take_binary(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    text, size = _bytes(inner)
    return {"B": text}, size


def _bytes(inner: Any) -> tuple[str, int]:
    if type(inner) is not str:
        return _absent(inner, "Blob")  # type: ignore[no-any-return]
    try:
        raw = a2b_base64(inner, strict_mode=True)
    except (Base64Error, ValueError):
        raise SerializationException("Invalid base64 data in payload") from None
    return b2a_base64(raw, newline=False).decode("ascii"), len(raw)


def _take_bool(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    if type(inner) is not bool:
        return _absent(inner, "Boolean")  # type: ignore[no-any-return]
    return {"BOOL": inner}, 1


def _take_null(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    if type(inner) is not bool:
        return _absent(inner, "Boolean")  # type: ignore[no-any-return]
    if not inner:
        raise invalid_value("Null attribute value types must have the value of true")
    return {"NULL": True}, 1


def _take_map(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    if type(inner) is not dict:
        return _absent(inner, "Map")  # type: ignore[no-any-return]
    _deeper(depth)
    taken, size = {}, 3
    for name, value in inner.items():
        taken[name], more = take(value, depth + 1)
        size += more + text_size(name) + 1
    return {"M": taken}, size


def _take_list(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    if type(inner) is not list:
        return _absent(inner, "List")  # type: ignore[no-any-return]
    _deeper(depth)
    taken, size = [], 3
    for value in inner:
        element, more = take(value, depth + 1)
        taken.append(element)
        size += more + 1
    return {"L": taken}, size


def _deeper(depth: int) -> None:
    if depth >= _MAX_DEPTH:
        raise ValidationException(
            "Nesting Levels have exceeded supported limits: Attributes cannot have a nesting"
            f" level greater than {_MAX_DEPTH}"
        )


def _members(inner: Any, wanted: str) -> list[str]:
    if type(inner) is not list:
        return _absent(inner, "List")  # type: ignore[no-any-return]
    for member in inner:
        if type(member) is not str:
            raise _unexpected(member, wanted)
    return inner


def _take_strings(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    members = _members(inner, "String")
    if not members:
        raise invalid_value("An string set  may not be empty")
    if len(set(members)) != len(members):
        raise invalid_value(f"Input collection [{', '.join(members)}] contains duplicates.")
    return {"SS": sorted(members)}, sum(map(text_size, members))


def _take_numbers(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    members = [numbers.canonical(m) for m in _members(inner, "String")]
    if not members:
        raise invalid_value("An number set  may not be empty")
    if len(set(members)) != len(members):
        raise ValidationException("Input collection contains duplicates")
    return {"NS": sorted(members, key=Decimal)}, sum(map(numbers.size, members))


def _take_binaries(inner: Any, depth: int) -> tuple[AttributeValue, int]:
    taken = [_bytes(m) for m in _members(inner, "Blob")]
    members = [text for text, _ in taken]
    if not members:
        raise invalid_value("Binary sets should not be empty")
    if len(set(members)) != len(members):
        raise invalid_value(f"Input collection [{', '.join(members)}]of type BS contains duplicates.")
    return {"BS": sorted(members, key=binary)}, sum(size for _, size in taken)


_TAKERS: dict[str, Callable[[Any, int], tuple[AttributeValue, int]]] = {
    "N": _take_number,
    "B": _take_binary,
    "BOOL": _take_bool,
    "NULL": _take_null,
    "M": _take_map,
    "L": _take_list,
    "SS": _take_strings,
    "NS": _take_numbers,
    "BS": _take_binaries,
}


def take_item(item: Any) -> tuple[Item, int]:
    """A whole item in normal form and its size: names and values. The limit is the caller's, who knows the words."""
    if type(item) is not dict:
        raise _unexpected(item, "Map")
    taken, size = {}, 0
    for name, value in item.items():
        if type(value) is dict and len(value) == 1 and type(text := value.get("S")) is str:
            taken[name] = value
            more = len(text) if text.isascii() else len(text.encode())
        else:
            taken[name], more = take(value)
        size += more + (len(name) if name.isascii() else len(name.encode()))
    return taken, size


def size_of(value: AttributeValue) -> int:
    """The size of a value that is in normal form."""
    [(kind, inner)] = value.items()
    if kind == "S":
        return text_size(inner)
    if kind == "N":
        return numbers.size(inner)
    if kind == "B":
        return binary_size(inner)
    if kind == "M":
        return 3 + sum(text_size(n) + 1 + size_of(v) for n, v in inner.items())
    if kind == "L":
        return 3 + sum(1 + size_of(v) for v in inner)
    if kind == "SS":
        return sum(map(text_size, inner))
    if kind == "NS":
        return sum(map(numbers.size, inner))
    if kind == "BS":
        return sum(map(binary_size, inner))
    return 1


def item_size(item: Item) -> int:
    return sum(text_size(name) + size_of(value) for name, value in item.items())


def sortable(value: AttributeValue) -> tuple[str, Any] | None:
    """(type, what compares) of a value that has an order; None for the other types."""
    [(kind, inner)] = value.items()
    if kind == "S":
        return kind, inner.encode()
    if kind == "N":
        return kind, Decimal(inner)
    if kind == "B":
        return kind, a2b_base64(inner)
    return None


def depth_of(value: AttributeValue) -> int:
    """How deep lists and maps are nested: 0 for a scalar or a set, 1 for a flat list."""
    [(kind, inner)] = value.items()
    if kind == "M":
        return 1 + max(map(depth_of, inner.values()), default=0)
    if kind == "L":
        return 1 + max(map(depth_of, inner), default=0)
    return 0


def shown(value: AttributeValue) -> str:
    """As AWS's messages show a value: `{S:abc}`."""
    [(kind, inner)] = value.items()
    if isinstance(inner, list):
        text = "[" + ", ".join(shown(v) if isinstance(v, dict) else str(v) for v in inner) + "]"
    elif isinstance(inner, dict):
        text = "{" + ", ".join(f"{n}={shown(v)}" for n, v in inner.items()) + "}"
    else:
        text = str(inner).lower() if isinstance(inner, bool) else str(inner)
    return f"{{{kind}:{text}}}"
