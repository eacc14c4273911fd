"""Who may invoke a function (its resource policy), its tags, its reserved concurrency, and the account's limits."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, operation
from .base import Config, LambdaBase
from .errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .invocation import ACCOUNT_CONCURRENCY
from .names import LATEST, FunctionName

Request = Mapping[str, Any]
#: What must stay unreserved for the functions without a reservation.
_UNRESERVED = 100
_LONGEST_POLICY = 20_480
_ACCOUNT_ID = re.compile(r"\d{12}")


class Permissions(LambdaBase):
    @operation("AddPermission")
    def add_permission(self, call: Call, request: Request) -> Config:
        name = self._policy_name(call, request)
        self._check_policy_revision(name, request)
        sid = request["StatementId"]
        if self.store.one(
            "SELECT 1 FROM lambda_permission WHERE account=? AND region=? AND name=? AND qualifier=? AND sid=?",
            (*name.key, name.qualifier, sid),
        ):
            raise ResourceConflictException(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                "the existing statement."
            )
        statement = _statement(name, request)
        self.store.execute(
            "INSERT INTO lambda_permission (account,region,name,qualifier,sid,statement,added) VALUES (?,?,?,?,?,?,?)",
            (*name.key, name.qualifier, sid, orjson.dumps(statement), call.now),
        )
        size = len(self.policy(name) or b"")
        if size > _LONGEST_POLICY:
            raise PolicyLengthExceededException(
                f"The final policy size ({size}) is bigger than the limit ({_LONGEST_POLICY})."
            )
        return {"Statement": orjson.dumps(statement).decode()}

    @operation("RemovePermission")
    def remove_permission(self, call: Call, request: Request) -> Config:
        name = self._policy_name(call, request)
        self._check_policy_revision(name, request)
        removed = self.store.execute(
            "DELETE FROM lambda_permission WHERE account=? AND region=? AND name=? AND qualifier=? AND sid=?",
            (*name.key, name.qualifier, request["StatementId"]),
        )
        if not removed.rowcount:
            raise ResourceNotFoundException(
                f"Statement {request['StatementId']} is not found in resource policy."
            )
        return {}

    @operation("GetPolicy")
    def get_policy(self, call: Call, request: Request) -> Config:
        name = self._policy_name(call, request)
        policy = self.policy(name)
        if policy is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        return {"Policy": policy.decode(), "RevisionId": revision(policy)}

    def policy(self, name: FunctionName) -> bytes | None:
        """The resource policy of a function, version or alias, or None."""
        rows = self.store.all(
            "SELECT statement FROM lambda_permission WHERE account=? AND region=? AND name=? AND qualifier=?"
            " ORDER BY added, sid",
            (*name.key, name.qualifier),
        )
        return policy_document([orjson.loads(row["statement"]) for row in rows])

    def _policy_name(self, call: Call, request: Request) -> FunctionName:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        if name.qualifier == LATEST:
            raise InvalidParameterValueException("We currently do not support adding policies for $LATEST.")
        self.version(name)
        return name

    def _check_policy_revision(self, name: FunctionName, request: Request) -> None:
        wanted = request.get("RevisionId")
        if wanted is not None and wanted != revision(self.policy(name) or b""):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetPolicy API to retrieve the latest Revision Id"
            )

    # -- tags ---------------------------------------------------------------------------------------------------------

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Request) -> Config:
        name, tags = self._tags(call, request)
        self._save_tags(name, {**tags, **request["Tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Request) -> Config:
        name, tags = self._tags(call, request)
        self._save_tags(name, {key: value for key, value in tags.items() if key not in request["TagKeys"]})
        return {}

    @operation("ListTags")
    def list_tags(self, call: Call, request: Request) -> Config:
        return {"Tags": self._tags(call, request)[1]}

    def _tags(self, call: Call, request: Request) -> tuple[FunctionName, dict[str, str]]:
        resource = request["Resource"]
        if ":function:" not in resource:
            raise NotEmulated(f"lambda tags of {resource.split(':')[-2]}")
        name = FunctionName.of(call, resource)
        if name.qualifier:
            raise InvalidParameterValueException("Tags on function aliases and versions are not supported.")
        return name, orjson.loads(self.function_row(name)["tags"])

    def _save_tags(self, name: FunctionName, tags: Mapping[str, str]) -> None:
        if len(tags) > 50:
            raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
        self.store.execute(
            "UPDATE lambda_function SET tags=? WHERE account=? AND region=? AND name=?",
            (orjson.dumps(tags), *name.key),
        )

    # -- concurrency ----------------------------------------------------------------------------------------------------

    @operation("PutFunctionConcurrency")
    def put_function_concurrency(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        wanted = request["ReservedConcurrentExecutions"]
        others = self._reserved(call.account, call.region, name.name)
        if ACCOUNT_CONCURRENCY - others - wanted < _UNRESERVED:
            raise InvalidParameterValueException(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED}]."
            )
        row = self.store.one(
            "SELECT coalesce(sum(wanted),0) FROM lambda_provisioned WHERE account=? AND region=? AND name=?",
            name.key,
        )
        if row is not None and row[0] > wanted:
            raise InvalidParameterValueException(
                f"ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned "
                f"concurrency [{row[0]}]."
            )
        self._reserve(name, wanted)
        return {"ReservedConcurrentExecutions": wanted}

    @operation("GetFunctionConcurrency")
    def get_function_concurrency(self, call: Call, request: Request) -> Config:
        reserved = self.function_row(FunctionName.of(call, request["FunctionName"]).at(""))["reserved"]
        return {"ReservedConcurrentExecutions": reserved}

    @operation("DeleteFunctionConcurrency")
    def delete_function_concurrency(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        self._reserve(name, None)
        return {}

    def _reserve(self, name: FunctionName, wanted: int | None) -> None:
        self.store.execute(
            "UPDATE lambda_function SET reserved=? WHERE account=? AND region=? AND name=?",
            (wanted, *name.key),
        )
        self.changed(name)

    def _reserved(self, account: str, region: str, but: str = "") -> int:
        row = self.store.one(
            "SELECT coalesce(sum(reserved),0) FROM lambda_function WHERE account=? AND region=? AND name<>?",
            (account, region, but),
        )
        return int(row[0]) if row is not None else 0

    @operation("GetAccountSettings")
    def get_account_settings(self, call: Call, request: Request) -> Config:
        count = self.store.one(
            "SELECT count(*) FROM lambda_function WHERE account=? AND region=?", (call.account, call.region)
        )
        size = 0
        for table, column in (("lambda_version", "config"), ("lambda_layer_version", "code")):
            path = "$.CodeSize" if column == "config" else "$.size"
            found = self.store.one(
                f"SELECT coalesce(sum(json_extract(CAST({column} AS TEXT),?)),0) FROM {table}"
                " WHERE account=? AND region=?",
                (path, call.account, call.region),
            )
            size += 0 if found is None else found[0]
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
                "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY
                - self._reserved(call.account, call.region),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": 0 if count is None else count[0]},
        }


def _statement(name: FunctionName, request: Request) -> Config:
    principal = request["Principal"]
    shown: Any
    if principal == "*":
        shown = "*"
    elif _ACCOUNT_ID.fullmatch(principal):
        shown = {"AWS": f"arn:aws:iam::{principal}:root"}
    elif principal.startswith("arn:"):
        shown = {"AWS": principal}
    elif principal.endswith(
        (".amazonaws.com", ".amazonaws.com.cn", ".aws.internal", ".alexa.com", ".amazon.com")
    ):
        shown = {"Service": principal}
    else:
        raise InvalidParameterValueException(
            "The provided principal was invalid. Please check the principal and try again."
        )
    statement: Config = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": shown,
        "Action": request["Action"],
        "Resource": name.qualified_arn,
    }
    conditions: dict[str, dict[str, Any]] = {}
    for member, operator, key in (
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ):
        value = request.get(member)
        if value is not None:
            conditions.setdefault(operator, {})[key] = str(value).lower() if operator == "Bool" else value
    if conditions:
        statement["Condition"] = conditions
    return statement


def policy_document(statements: list[Config]) -> bytes | None:
    if not statements:
        return None
    return orjson.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})


def revision(policy: bytes) -> str:
    """Follows from the policy, so that it changes with it and needs no row of its own."""
    return str(uuid.UUID(bytes=hashlib.sha256(policy).digest()[:16], version=4))
