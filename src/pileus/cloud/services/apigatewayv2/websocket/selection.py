"""Route selection: which route key a message asks for.

Source: "Route selection expressions" in the developer guide: `$request.body.action`, `${request.body.a.b}`, several of
them with text between. A message that is no JSON object, or lacks what is asked for, goes to `$default`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from pileus.cloud.kernel import NotEmulated

_NAME = r"[A-Za-z0-9_-]+"
_VARIABLE = re.compile(rf"\$\{{\s*request\.body((?:\.{_NAME})+)\s*\}}|\$request\.body((?:\.{_NAME})+)")

#: Gives the key, or None where the message does not say one.
Selector = Callable[[str], str | None]


def compile_selection(expression: str) -> Selector:
    """Raises NotEmulated for an expression of another kind."""
    pieces: list[str | tuple[str, ...]] = []
    at = 0
    for found in _VARIABLE.finditer(expression):
        pieces.append(expression[at : found.start()])
        pieces.append(tuple((found[1] or found[2])[1:].split(".")))
        at = found.end()
    pieces.append(expression[at:])
    if any(isinstance(piece, str) and "$" in piece for piece in pieces) or at == 0:
        raise NotEmulated(f"apigatewayv2 route selection expressions such as {expression}")

    def select(body: str) -> str | None:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        values = [piece if isinstance(piece, str) else _value(document, piece) for piece in pieces]
        return None if None in values else "".join(value or "" for value in values)

    return select


def _value(document: Any, path: tuple[str, ...]) -> str | None:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    if isinstance(document, str):
        return document
    if document is None or isinstance(document, dict | list):
        return None
    return orjson.dumps(document).decode()
