"""The policy that a Lambda authorizer returns: an explicit deny wins, then an allow is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pileus.cloud.kernel import NotEmulated


@dataclass(frozen=True, slots=True)
class Policy:
    """Patterns of the resources that may be invoked, and of those that may not."""

    allowed: tuple[re.Pattern[str], ...]
    denied: tuple[re.Pattern[str], ...]

    def allows(self, arn: str) -> bool:
        """arn: `arn:aws:execute-api:region:account:api/stage/METHOD/path`."""
        if any(pattern.fullmatch(arn) for pattern in self.denied):
            return False
        return any(pattern.fullmatch(arn) for pattern in self.allowed)


def parse_policy(document: Any) -> Policy:
    """Raises ValueError for what is no policy, NotEmulated for elements that are not evaluated here."""
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("no statements")
    statements = document["Statement"]
    sides: dict[str, list[re.Pattern[str]]] = {"Allow": [], "Deny": []}
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or statement.get("Effect") not in sides:
            raise ValueError("a statement without an effect")
        for name in ("Condition", "NotAction", "NotResource"):
            if statement.get(name):
                raise NotEmulated(f"apigatewayv2 policies of authorizers with {name}")
        actions, resources = _texts(statement, "Action"), _texts(statement, "Resource")
        if any(_pattern(action.lower()).fullmatch("execute-api:invoke") for action in actions):
            sides[statement["Effect"]] += [_pattern(resource) for resource in resources]
    return Policy(tuple(sides["Allow"]), tuple(sides["Deny"]))


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    value = statement.get(name)
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str)]
    if not texts or len(texts) != len(items):
        raise ValueError(f"a statement without {name}")
    return texts


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in text), re.S)
