"""Log lines that may carry metrics: found cheaply, parsed, and handed to CloudWatch, which knows the format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

#: What every line in the Embedded Metric Format contains.
MARK = '"_aws"'


def documents(messages: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON objects among the lines. What a runtime writes before one (time, request id) is no part of it."""
    found = []
    for message in messages:
        try:
            document = orjson.loads(message[message.find("{") :])
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found
