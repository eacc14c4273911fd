"""Receipt handles: opaque to the client, and to us the message's row and which receive of it this was.

The handle of an earlier receive carries a smaller count, so it is known to be old without anything stored. A checksum
tells a handle of ours from any other text.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from struct import Struct
from zlib import crc32

_BODY = Struct(">4sQQI")
_WHOLE = Struct(">4sQQII")
_PREFIX = b"\x01\x01\x01p"  # AWS's handles begin with AQEB too


def encode(queue_id: int, message_row: int, receive_count: int) -> str:
    body = _BODY.pack(_PREFIX, queue_id, message_row, receive_count)
    return b64encode(body + crc32(body).to_bytes(4)).decode("ascii")


def decode(handle: str) -> tuple[int, int, int] | None:
    """(queue id, message row, receive count), or None for what is no handle."""
    try:
        raw = b64decode(handle, validate=True)
    except (Base64Error, ValueError):
        return None
    if len(raw) != _WHOLE.size:
        return None
    prefix, queue_id, message_row, receive_count, check = _WHOLE.unpack(raw)
    if prefix != _PREFIX or crc32(raw[:-4]) != check:
        return None
    return queue_id, message_row, receive_count
