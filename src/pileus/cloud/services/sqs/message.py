"""A message as it is sent: its checks, its size and its MD5 sums."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import orjson

from .errors import InvalidMessageContents, InvalidParameterValue, MissingParameter

MAX_BATCH_BYTES = 1_048_576
_BAD_CHARACTER = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,256}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked message, not yet in a queue. size: bytes that count against the limits."""

    body: str
    body_md5: str
    size: int
    attributes: bytes | None
    attributes_md5: str | None
    trace: str | None
    system_md5: str | None


def draft_message(request: Mapping[str, Any], trace: str | None) -> Draft:
    """trace: the request's own trace header, which counts where the message brings none."""
    body: str = request.get("MessageBody") or ""
    if not body:
        raise MissingParameter.of("MessageBody")
    if not (body.isascii() and body.isprintable()) and (bad := _BAD_CHARACTER.search(body)):
        raise InvalidMessageContents(
            f"Invalid binary character '#x{ord(bad[0]):X}' was found in the message body, "
            f"the set of allowed characters is {_ALLOWED}"
        )
    raw = body.encode()
    size = len(raw)
    attributes = request.get("MessageAttributes")
    packed = sum_attributes = sum_system = None
    if attributes:
        size += check_attributes(attributes)
        sum_attributes = attributes_md5(attributes)
        packed = pack_attributes(attributes)
    system = request.get("MessageSystemAttributes")
    if system:
        trace = _trace_header(system)
        sum_system = attributes_md5(system)
    return Draft(
        body, md5(raw, usedforsecurity=False).hexdigest(), size, packed, sum_attributes, trace, sum_system
    )


def _trace_header(system: Mapping[str, Mapping[str, Any]]) -> str | None:
    for name, value in system.items():
        if name != "AWSTraceHeader":
            raise InvalidParameterValue(f"Message system attribute name '{name}' is invalid.")
        if value.get("DataType") != "String":
            raise InvalidParameterValue(
                f"The type of message (system) attribute '{name}' is invalid."
                " You must use only the following supported type prefixes: String."
            )
    text = system.get("AWSTraceHeader", {}).get("StringValue")
    return str(text) if text else None


def check_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """Refuses malformed message attributes. Returns the bytes that they count for."""
    if len(attributes) > 10:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        )
    size = 0
    for name, value in attributes.items():
        _check_name(name)
        data_type = value.get("DataType")
        if not data_type:
            raise InvalidParameterValue(
                f"The message attribute '{name}' must contain a message attribute type."
            )
        kind = data_type.partition(".")[0]
        if kind not in ("String", "Number", "Binary"):
            raise InvalidParameterValue(
                f"The type of message (user) attribute '{name}' is invalid. You must use only the following"
                " supported type prefixes: Binary, Number, String."
            )
        size += len(name.encode()) + len(data_type.encode()) + _check_value(name, kind, value)
    return size


def _check_name(name: str) -> None:
    lowered = name.lower()
    if (
        not _ATTRIBUTE_NAME.fullmatch(name)
        or lowered.startswith(("aws.", "amazon.", "."))
        or name.endswith(".")
        or ".." in name
    ):
        raise InvalidParameterValue(
            "Message (user) attribute name can only include A-Z, a-z, 0-9, underscore (_), hyphen (-) and period"
            " (.), must not start or end with a period or have successive periods, and must not start with AWS."
            " or Amazon.; it can be up to 256 characters long."
        )


def _check_value(name: str, kind: str, value: Mapping[str, Any]) -> int:
    if value.get("StringListValues") or value.get("BinaryListValues"):
        raise InvalidParameterValue(
            "Message attribute list values in SendMessage operation are not supported."
        )
    given = value.get("BinaryValue" if kind == "Binary" else "StringValue")
    if not given:
        raise InvalidParameterValue(
            f"The message attribute '{name}' must contain a non-empty message attribute value of type"
            f" '{'Binary' if kind == 'Binary' else 'String'}'."
        )
    if isinstance(given, bytes):
        return len(given)
    if bad := _BAD_CHARACTER.search(given):
        raise InvalidMessageContents(
            f"Invalid binary character '#x{ord(bad[0]):X}' was found in the message attribute '{name}', "
            f"the set of allowed characters is {_ALLOWED}"
        )
    if kind == "Number" and not _NUMBER.fullmatch(given.strip()):
        raise InvalidParameterValue(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    return len(given.encode())


def check_token(value: str, name: str) -> None:
    """A MessageGroupId or MessageDeduplicationId."""
    if not _TOKEN.fullmatch(value):
        raise InvalidParameterValue.of(
            value,
            name,
            f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )


def attributes_md5(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """MD5OfMessageAttributes: over name, type, transport kind and value, each with its length, by name.

    Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".
    """
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        binary = value.get("BinaryValue")
        content = binary if binary is not None else value["StringValue"].encode()
        for part in (name.encode(), value["DataType"].encode()):
            digest.update(len(part).to_bytes(4) + part)
        digest.update(b"\x01" if binary is None else b"\x02")
        digest.update(len(content).to_bytes(4) + content)
    return digest.hexdigest()


def pack_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> bytes:
    return orjson.dumps(attributes, default=lambda raw: b64encode(raw).decode("ascii"))


def unpack_attributes(packed: bytes) -> dict[str, dict[str, Any]]:
    attributes: dict[str, dict[str, Any]] = orjson.loads(packed)
    for value in attributes.values():
        if "BinaryValue" in value:
            value["BinaryValue"] = b64decode(value["BinaryValue"])
    return attributes


def select_attributes(
    attributes: dict[str, dict[str, Any]], names: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Those that ReceiveMessage's MessageAttributeNames ask for: names, `All`, `.*`, `prefix.*`."""
    exact: set[str] = set()
    prefixes: list[str] = []
    for name in names:
        if name in ("All", ".*"):
            return attributes
        if name.endswith(".*"):
            prefixes.append(name[:-2])
        else:
            exact.add(name)
    starts = tuple(prefixes)
    return {
        name: value
        for name, value in attributes.items()
        if name in exact or (starts and name.startswith(starts))
    }
