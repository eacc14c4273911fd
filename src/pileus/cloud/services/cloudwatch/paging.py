"""Tokens of pages: where the last one ended."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from typing import Any

import orjson


def token(place: Sequence[Any]) -> str:
    return urlsafe_b64encode(orjson.dumps(list(place))).decode()


def read(text: str) -> list[Any] | None:
    """The place, or None where the token is none of ours."""
    try:
        place = orjson.loads(urlsafe_b64decode(text.encode()))
    except (Error, ValueError):
        return None
    return place if isinstance(place, list) else None
