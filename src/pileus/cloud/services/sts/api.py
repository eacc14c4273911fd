"""STS: temporary credentials and the identity behind a key.

Session policies, tags and the source identity are kept with the session, for whoever evaluates policies.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from ...kernel import (
    Arn,
    AwsError,
    Call,
    Credential,
    NotEmulated,
    Principal,
    Service,
    ValidationError,
    operation,
)
from .errors import AccessDenied, MalformedPolicyDocument
from .schema import MIGRATIONS
from .trust import trusts

Request = Mapping[str, Any]
Answer = dict[str, Any]

_SHORTEST, _LONGEST = 900, 43200
_LONGEST_SESSION_TOKEN = 129600
_CHAINED = 3600
_KEEP_EXPIRED = 86400.0
_MOST_CACHED = 4096


class Sts(Service):
    """AWS Security Token Service."""

    name = "sts"
    migrations = MIGRATIONS

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._credentials: dict[str, Credential] = {}

    @operation("GetCallerIdentity")
    def get_caller_identity(self, call: Call, request: Request) -> Answer:
        principal = call.principal
        return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}

    @operation("GetAccessKeyInfo")
    def get_access_key_info(self, call: Call, request: Request) -> Answer:
        """The account is written into the key id itself."""
        try:
            number = int.from_bytes(base64.b32decode(request["AccessKeyId"][4:20]), "big")
        except ValueError:
            raise ValidationError("Invalid AccessKeyId.") from None
        return {"Account": f"{(number >> 39) & (1 << 40) - 1:012d}"}

    @operation("AssumeRole")
    def assume_role(self, call: Call, request: Request) -> Answer:
        for member in ("SerialNumber", "TokenCode", "ProvidedContexts"):
            if request.get(member):
                raise NotEmulated(f"sts AssumeRole.{member}")
        role = self._trusting_role(call, request)
        seconds = request.get("DurationSeconds", 3600)
        _check_duration(seconds, _LONGEST)
        if seconds > role["MaxSessionDuration"]:
            raise ValidationError(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        if seconds > _CHAINED and call.principal.kind == "role":
            raise ValidationError(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role"
                " chaining."
            )
        account, session = Arn.parse(role["Arn"]).account, request["RoleSessionName"]
        principal = Principal(
            "role",
            account,
            f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/{session}",
            f"{role['RoleId']}:{session}",
        )
        detail = {
            "Role": role["Arn"],
            "Policy": _session_policy(request.get("Policy")),
            "PolicyArns": request.get("PolicyArns"),
            "Tags": request.get("Tags"),
            "TransitiveTagKeys": request.get("TransitiveTagKeys"),
            "SourceIdentity": request.get("SourceIdentity"),
        }
        return {
            "Credentials": self._open(call, principal, seconds, detail),
            "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
            "SourceIdentity": request.get("SourceIdentity"),
        }

    @operation("GetSessionToken")
    def get_session_token(self, call: Call, request: Request) -> Answer:
        for member in ("SerialNumber", "TokenCode"):
            if request.get(member):
                raise NotEmulated(f"sts GetSessionToken.{member}")
        if call.principal.kind not in ("root", "user"):
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        seconds = request.get("DurationSeconds", 43200)
        _check_duration(seconds, _LONGEST_SESSION_TOKEN)
        if call.principal.kind == "root":
            seconds = min(seconds, _CHAINED)  # "the duration for root is at most one hour", says the model
        return {"Credentials": self._open(call, call.principal, seconds, {})}

    def credential(self, access_key_id: str) -> Credential | None:
        """What a session's key stands for, also after it expired (kernel/identity.py: CredentialSource)."""
        found = self._credentials.get(access_key_id)
        if found is not None:
            return found
        row = self.store.one("SELECT * FROM sts_session WHERE access_key_id=?", (access_key_id,))
        if row is None:
            return None
        principal = Principal(row["kind"], row["account"], row["arn"], row["user_id"], access_key_id)
        credential = Credential(access_key_id, row["secret"], principal, row["token"], row["expires"])
        if not self.store.in_transaction:  # what might still be rolled back is not remembered
            if len(self._credentials) >= _MOST_CACHED:
                self._credentials.clear()
            self._credentials[access_key_id] = credential
        return credential

    def session(self, access_key_id: str) -> dict[str, Any] | None:
        """What was asked for with AssumeRole: `Role`, `Policy`, `PolicyArns`, `Tags`, `SourceIdentity`."""
        row = self.store.one("SELECT detail FROM sts_session WHERE access_key_id=?", (access_key_id,))
        return None if row is None else orjson.loads(row["detail"])

    # -- inside -----------------------------------------------------------------------------------------------------

    def _trusting_role(self, call: Call, request: Request) -> dict[str, Any]:
        """The role, if its trust policy lets the caller in; AWS does not tell a missing role from a closed one."""
        arn = request["RoleArn"]
        match = re.fullmatch(r"arn:aws:iam::(\d{12}):role/(.+/)?([\w+=,.@-]+)", arn)
        if match is None:
            raise ValidationError(f"{arn} is invalid")
        denied = AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )
        try:
            role: dict[str, Any] = self.cloud.call(
                "iam", "GetRole", {"RoleName": match[3]}, within=call, account=match[1]
            )["Role"]
        except AwsError as error:
            if error.code != "NoSuchEntity":
                raise
            raise denied from None
        document = orjson.loads(unquote(role["AssumeRolePolicyDocument"]))
        if role["Arn"] != arn or not trusts(document, call.principal, match[1], request.get("ExternalId")):
            raise denied
        return role

    def _open(self, call: Call, principal: Principal, seconds: int, detail: dict[str, Any]) -> Answer:
        self.store.execute("DELETE FROM sts_session WHERE expires<?", (call.now - _KEEP_EXPIRED,))
        number = (1 << 79) | (int(principal.account) << 39) | int(self.ids.hex(9), 16)
        key_id = "ASIA" + base64.b32encode(number.to_bytes(10, "big")).decode()
        secret = self.ids.secret(40)
        token = base64.b64encode(b"IQoJ" + self.ids.secret(252).encode()).decode()
        expires = float(int(call.now) + seconds)
        self.store.execute(
            "INSERT INTO sts_session (access_key_id,account,secret,token,kind,arn,user_id,expires,detail)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (
                key_id,
                principal.account,
                secret,
                token,
                principal.kind,
                principal.arn,
                principal.user_id,
                expires,
                orjson.dumps(detail),
            ),
        )
        return {
            "AccessKeyId": key_id,
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": expires,
        }


def _check_duration(seconds: int, longest: int) -> None:
    if _SHORTEST <= seconds <= longest:
        return
    word, limit = ("less", longest) if seconds > longest else ("greater", _SHORTEST)
    raise ValidationError(
        f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint:"
        f" Member must have value {word} than or equal to {limit}"
    )


def _session_policy(document: str | None) -> str | None:
    if document is not None:
        try:
            orjson.loads(document)
        except orjson.JSONDecodeError:
            raise MalformedPolicyDocument("This policy contains invalid Json") from None
    return document
