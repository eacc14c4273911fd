"""Whom a role's trust policy lets in.

Principals and actions of the trust policy are matched, and its `sts:ExternalId` conditions; other conditions belong to
the evaluation of policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Principal

_EXTERNAL_ID_OPERATORS = ("StringEquals", "StringLike", "ForAnyValue:StringEquals")


def trusts(
    document: Mapping[str, Any], principal: Principal, account: str, external_id: str | None = None
) -> bool:
    """Whether `principal` may assume the role of `account` that has this trust policy.

    The root user is let in where its account is trusted. AWS refuses root ("Roles may not be assumed by root
    accounts."); here root is whoever has not made a user yet.
    """
    allowed = False
    for statement in _list(document.get("Statement")):
        if not _applies(statement, principal, account, external_id):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed


def _applies(
    statement: Mapping[str, Any], principal: Principal, account: str, external_id: str | None
) -> bool:
    actions = {str(action).lower() for action in _list(statement.get("Action"))}
    if not actions & {"sts:assumerole", "sts:*", "*"}:
        return False
    if not _names(statement.get("Principal"), principal):
        return False
    return _external_id_holds(statement.get("Condition") or {}, external_id)


def _names(principals: Any, principal: Principal) -> bool:
    if principals == "*":
        return True
    if not isinstance(principals, Mapping):
        return False
    if principal.kind == "service":
        return principal.arn in _list(principals.get("Service"))
    root = f"arn:aws:iam::{principal.account}:root"
    own = {"*", principal.arn, _role_of(principal), principal.account, root}
    return any(name in own or _without_path(name) in own for name in _list(principals.get("AWS")))


def _role_of(principal: Principal) -> str:
    """The role's ARN (without path) of a session: `…:sts::1:assumed-role/R/s` → `…:iam::1:role/R`."""
    head, _, rest = principal.arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.rpartition('/')[0]}" if rest else principal.arn


def _without_path(arn: str) -> str:
    """A session's ARN does not tell its role's path."""
    head, slash, rest = arn.partition(":role/")
    return f"{head}{slash}{rest.rpartition('/')[2]}"


def _external_id_holds(conditions: Mapping[str, Any], external_id: str | None) -> bool:
    for operator in _EXTERNAL_ID_OPERATORS:
        for key, values in (conditions.get(operator) or {}).items():
            if key.lower() == "sts:externalid" and external_id not in _list(values):
                return False
    return True


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
