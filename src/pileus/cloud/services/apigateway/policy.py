"""Policy documents for `execute-api:Invoke`: what an authorizer returns, and an API's resource policy.

Compiled once, evaluated per request: an explicit deny wins, then an allow is needed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pileus.cloud.kernel import NotEmulated

_ACTION = "execute-api:invoke"
_KNOWN = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"}
)


class Decision(Enum):
    ALLOW = "allow"
    DENY = "explicit deny"
    NONE = "implicit deny"


@dataclass(frozen=True, slots=True)
class _Condition:
    key: str
    test: Callable[[str], bool]
    if_exists: bool


@dataclass(frozen=True, slots=True)
class _Statement:
    """principals: whom it is about, None for everybody."""

    allows: bool
    principals: frozenset[str] | None
    resources: re.Pattern[str]
    negated: bool
    conditions: tuple[_Condition, ...]

    def applies(self, resource: str, keys: Mapping[str, str], who: frozenset[str]) -> bool:
        if self.principals is not None and not self.principals & who:
            return False
        if (self.resources.fullmatch(resource) is None) is not self.negated:
            return False
        for condition in self.conditions:
            value = keys.get(condition.key)
            if value is None:
                if condition.if_exists:
                    continue
                return False
            if not condition.test(value):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Policy:
    statements: tuple[_Statement, ...]

    def decide(self, resource: str, keys: Mapping[str, str], who: frozenset[str] = frozenset()) -> Decision:
        """resource: `arn:aws:execute-api:region:account:api/stage/METHOD/path`. keys: condition keys, lower case.

        who: all that a policy may call the caller; nothing for an anonymous one.
        """
        decision = Decision.NONE
        for statement in self.statements:
            if statement.applies(resource, keys, who):
                if not statement.allows:
                    return Decision.DENY
                decision = Decision.ALLOW
        return decision


def parse_policy(document: Any, *, api_arn: str = "") -> Policy:
    """Raises ValueError for what is no policy, NotEmulated for what is not evaluated here.

    api_arn: what `execute-api:/stage/…` of a resource policy stands for (`arn:aws:execute-api:region:account:api`).
    """
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("no statements")
    statements = document["Statement"]
    found = []
    for statement in statements if isinstance(statements, list) else [statements]:
        compiled = _statement(statement, api_arn)
        if compiled is not None:
            found.append(compiled)
    return Policy(tuple(found))


def _statement(statement: Any, api_arn: str) -> _Statement | None:
    """None where the statement's actions never include execute-api:Invoke."""
    if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("a statement without an effect")
    if not _KNOWN.issuperset(statement):
        raise ValueError(f"unknown elements in {sorted(statement)}")
    principals = _principals(statement.get("Principal"))
    if not _covers_invoke(statement):
        return None
    negated = "NotResource" in statement
    resources = _texts(statement.get("NotResource") if negated else statement.get("Resource"))
    if not resources:
        raise ValueError("a statement without resources")
    pattern = re.compile("|".join(wildcard(_expanded(text, api_arn)) for text in resources), re.S)
    conditions = tuple(_conditions(statement.get("Condition") or {}))
    return _Statement(statement["Effect"] == "Allow", principals, pattern, negated, conditions)


def _expanded(resource: str, api_arn: str) -> str:
    if resource.startswith("execute-api:/"):
        return f"{api_arn}{resource.removeprefix('execute-api:')}"
    return resource


def _covers_invoke(statement: Mapping[str, Any]) -> bool:
    if "NotAction" in statement:
        return not any(_matches_invoke(text) for text in _texts(statement["NotAction"]))
    if "Action" not in statement:
        raise ValueError("a statement without actions")
    return any(_matches_invoke(text) for text in _texts(statement["Action"]))


def _matches_invoke(action: str) -> bool:
    return re.fullmatch(wildcard(action.lower()), _ACTION) is not None


def _principals(principal: Any) -> frozenset[str] | None:
    """ARNs and account numbers; None stands for everybody. Services and federated users never call with a signature."""
    if principal is None or principal == "*":
        return None
    if not isinstance(principal, Mapping):
        raise ValueError("not a principal")
    found = [
        text for kind, value in principal.items() for text in _texts(value) if kind == "AWS" or text == "*"
    ]
    return None if "*" in found else frozenset(found)


def names_of(arn: str, account: str) -> frozenset[str]:
    """What policies may call a caller: itself, its role, its account."""
    head, _, rest = arn.partition(":assumed-role/")
    role = f"{head.replace(':sts:', ':iam:')}:role/{rest.rpartition('/')[0]}" if rest else arn
    return frozenset({arn, role, account, f"arn:aws:iam::{account}:root"})


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("not a string")
    return items


def wildcard(text: str) -> str:
    """`*` and `?` of a policy as a regular expression."""
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)


def _conditions(blocks: Any) -> list[_Condition]:
    found = []
    for operator, pairs in blocks.items():
        name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
        for key, wanted in pairs.items():
            found.append(_Condition(key.lower(), _test(name, _values(wanted)), if_exists))
    return found


def _values(wanted: Any) -> list[str]:
    items = wanted if isinstance(wanted, list) else [wanted]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]


def _test(operator: str, wanted: list[str]) -> Callable[[str], bool]:
    if operator in ("StringEquals", "StringNotEquals"):
        members = frozenset(wanted)
        return lambda value: (value in members) is (operator == "StringEquals")
    if operator in ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool"):
        lowered = frozenset(text.lower() for text in wanted)
        return lambda value: (value.lower() in lowered) is ("Not" not in operator)
    if operator in ("StringLike", "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals"):
        pattern = re.compile("|".join(map(wildcard, wanted)), re.S)
        positive = "Not" not in operator
        return lambda value: (pattern.fullmatch(value) is not None) is positive
    if operator in ("IpAddress", "NotIpAddress"):
        networks = [ipaddress.ip_network(text, strict=False) for text in wanted]
        inside = operator == "IpAddress"

        def test(value: str) -> bool:
            try:
                address = ipaddress.ip_address(value)
            except ValueError:
                return False
            return any(address in network for network in networks) is inside

        return test
    raise NotEmulated(f"apigateway policies with the condition {operator}")
