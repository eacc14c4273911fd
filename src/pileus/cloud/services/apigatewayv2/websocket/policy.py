"""The policy that an authorizer returns, for one resource: what `execute-api:Invoke` of $connect says.

Small on purpose: statements with Action and Resource are all that authorizers of WebSocket APIs return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import NotEmulated

_ACTION = "execute-api:invoke"
_KNOWN = frozenset({"Sid", "Effect", "Action", "Resource"})


def decide(document: Any, arn: str) -> bool | None:
    """True where it allows, False where it denies, None where it says nothing.

    Raises ValueError for what is no policy, NotEmulated for elements that are not evaluated here.
    """
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("no statements")
    statements = document["Statement"]
    allowed = None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError("a statement without an effect")
        if unknown := sorted(set(statement) - _KNOWN):
            raise NotEmulated(f"apigatewayv2 authorizer policies of WebSocket APIs with {unknown[0]}")
        actions = [text.lower() for text in _texts(statement.get("Action"))]
        if not _covers(actions, _ACTION) or not _covers(_texts(statement.get("Resource")), arn):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("not a string")
    return items


def _covers(patterns: list[str], text: str) -> bool:
    return any(re.fullmatch(_expression(pattern), text, re.S) for pattern in patterns)


def _expression(pattern: str) -> str:
    return "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
