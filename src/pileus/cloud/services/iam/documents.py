"""Policy documents: what IAM checks of their grammar before it stores one, in its words.

Sources: the grammar of the IAM JSON policy language (IAM User Guide) and the messages that IAM answers with.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from .errors import MalformedPolicyDocument

_STATEMENT_FIELDS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_SID = re.compile(r"[A-Za-z0-9]*")
_TRUST_ACTIONS = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setcontext",
        "sts:setsourceidentity",
        "sts:tagsession",
        "sts:*",
    }
)


def encoded(document: str) -> str:
    """A document as IAM's answers carry it: percent-encoded (RFC 3986)."""
    return quote(document, safe="")


def size(document: str) -> int:
    """The size that counts against quotas: characters without white space."""
    return len("".join(document.split()))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check_identity_policy(document: str) -> None:
    """A policy for a user, group or role. Raises MalformedPolicyDocument."""
    policy = _parsed(document, "Syntax errors in policy.")
    if policy.get("Version") != "2012-10-17":
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    for statement in _statements(policy):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise MalformedPolicyDocument("Policy document should not specify a principal.")
        _check_actions(statement)
        _check_resources(statement)


def check_trust_policy(document: str) -> None:
    """A role's trust policy. Raises MalformedPolicyDocument."""
    policy = _parsed(document, "This policy contains invalid Json")
    if policy.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for statement in _statements(policy):
        for field in ("Resource", "NotResource"):
            if field in statement:
                raise MalformedPolicyDocument(f"Has prohibited field {field}")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")
        if "Action" not in statement and "NotAction" not in statement:
            raise MalformedPolicyDocument("Missing required field Action")
        for action in as_list(statement.get("Action", [])):
            if str(action).lower() not in _TRUST_ACTIONS:
                raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
        _check_principal(statement.get("Principal", statement.get("NotPrincipal")))


def _parsed(document: str, complaint: str) -> dict[str, Any]:
    try:
        policy = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise MalformedPolicyDocument(complaint) from None
    if not isinstance(policy, dict) or not set(policy) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    return policy


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    statements = as_list(policy.get("Statement", []))
    if not statements:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    seen: set[str] = set()
    for statement in statements:
        if (
            not isinstance(statement, dict)
            or not set(statement) <= _STATEMENT_FIELDS
            or statement.get("Effect") not in ("Allow", "Deny")
            or not isinstance(statement.get("Condition", {}), dict)
        ):
            raise MalformedPolicyDocument("Syntax errors in policy.")
        sid = statement.get("Sid", "")
        if not isinstance(sid, str) or not _SID.fullmatch(sid):
            raise MalformedPolicyDocument(
                f"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
                f"expression [0-9A-Za-z]*. Invalid SID: {sid}"
            )
        if sid and sid in seen:
            raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")
        seen.add(sid)
    return statements


def _check_actions(statement: dict[str, Any]) -> None:
    if ("Action" in statement) == ("NotAction" in statement):
        raise MalformedPolicyDocument(
            "Syntax errors in policy." if "Action" in statement else "Policy statement must contain actions."
        )
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    if not actions:
        raise MalformedPolicyDocument("Policy statement must contain actions.")
    for action in actions:
        if not isinstance(action, str):
            raise MalformedPolicyDocument("Syntax errors in policy.")
        if action != "*" and not _ACTION.fullmatch(action):
            raise MalformedPolicyDocument(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )


def _check_resources(statement: dict[str, Any]) -> None:
    if ("Resource" in statement) == ("NotResource" in statement):
        raise MalformedPolicyDocument(
            "Syntax errors in policy."
            if "Resource" in statement
            else "Policy statement must contain resources."
        )
    resources = as_list(statement.get("Resource", statement.get("NotResource")))
    if not resources:
        raise MalformedPolicyDocument("Policy statement must contain resources.")
    for resource in resources:
        if not isinstance(resource, str):
            raise MalformedPolicyDocument("Syntax errors in policy.")
        if resource != "*" and not (resource.startswith("arn:") and resource.count(":") >= 5):
            raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for kind, names in principal.items():
        if kind not in _PRINCIPAL_KINDS:
            raise MalformedPolicyDocument("Syntax errors in policy.")
        for name in as_list(names):
            if not isinstance(name, str):
                raise MalformedPolicyDocument("Syntax errors in policy.")
            if not _principal_is_well_formed(kind, name):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "{kind.upper()}":"{name}"')


def _principal_is_well_formed(kind: str, name: str) -> bool:
    if kind == "AWS":
        return (
            name == "*"
            or re.fullmatch(r"\d{12}|A[A-Z0-9]{15,127}", name) is not None
            or re.fullmatch(
                r"arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+)", name
            )
            is not None
        )
    if kind == "Service":
        return (
            re.fullmatch(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal|amazon\.com)", name) is not None
        )
    return bool(name)
