"""Lists in pages: the marker is the key of the last row, so that each page costs the same."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...kernel import Row, Store
from .errors import InvalidParameterValueException

Value = str | int | float | bytes | None


def page(
    store: Store,
    sql: str,
    parameters: Sequence[Value],
    key: tuple[str, ...],
    request: Mapping[str, Any],
    *,
    default: int,
    names: tuple[str, ...] = (),
) -> tuple[list[Row], str | None]:
    """sql: a SELECT with a WHERE, without ORDER BY. key: the columns that order the rows uniquely. request: with
    Marker and MaxItems. names: what the SELECT calls these columns, where they are expressions. Returns the rows and the next marker, or None."""
    limit = min(request.get("MaxItems") or default, default)
    columns = ",".join(key)
    arguments = list(parameters)
    if (marker := request.get("Marker")) is not None:
        sql += f" AND ({columns}) > ({','.join('?' * len(key))})"
        arguments += _decoded(marker, len(key))
    rows = store.all(f"{sql} ORDER BY {columns} LIMIT {limit + 1}", arguments)
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, base64.b64encode(orjson.dumps([rows[-1][column] for column in names or key])).decode()


def _decoded(marker: str, length: int) -> list[Value]:
    try:
        values = orjson.loads(base64.b64decode(marker))
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) != length:
        raise InvalidParameterValueException("Invalid Marker")
    return values
