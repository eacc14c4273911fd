"""Who beside its own account may use a layer version: its resource policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, operation
from .base import Config
from .errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .layers import LayerName, Layers, layer_name
from .permissions import policy_document, revision

Request = Mapping[str, Any]
_KEY = "account=? AND region=? AND name=? AND number=?"
_ACCOUNT = re.compile(r"(?:arn:aws[a-zA-Z-]*:iam::)?(\d{12})(?::root)?")


class LayerPermissions(Layers):
    @operation("AddLayerVersionPermission")
    def add_layer_version_permission(self, call: Call, request: Request) -> Config:
        layer, number = self._policy_layer(call, request)
        self._check_layer_revision(layer, number, request)
        sid, principal = request["StatementId"], request["Principal"]
        account = _ACCOUNT.fullmatch(principal)
        if principal != "*" and account is None:
            raise InvalidParameterValueException(
                "The provided principal was invalid. Please check the principal and try again."
            )
        statement: Config = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": "*" if account is None else {"AWS": f"arn:aws:iam::{account[1]}:root"},
            "Action": request["Action"],
            "Resource": f"{layer.arn}:{number}",
        }
        if organization := request.get("OrganizationId"):
            if account is not None:
                raise InvalidParameterValueException(
                    "OrganizationId can only be specified with a principal of '*'."
                )
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        inserted = self.store.execute(
            "INSERT OR IGNORE INTO lambda_layer_permission (account,region,name,number,sid,statement,added)"
            " VALUES (?,?,?,?,?,?,?)",
            (*layer, number, sid, orjson.dumps(statement), call.now),
        )
        if not inserted.rowcount:
            raise ResourceConflictException(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                "the existing statement."
            )
        return {
            "Statement": orjson.dumps(statement).decode(),
            "RevisionId": revision(self._layer_policy(layer, number) or b""),
        }

    @operation("RemoveLayerVersionPermission")
    def remove_layer_version_permission(self, call: Call, request: Request) -> Config:
        layer, number = self._policy_layer(call, request)
        self._check_layer_revision(layer, number, request)
        removed = self.store.execute(
            f"DELETE FROM lambda_layer_permission WHERE {_KEY} AND sid=?",
            (*layer, number, request["StatementId"]),
        )
        if not removed.rowcount:
            raise ResourceNotFoundException(
                f"Statement {request['StatementId']} is not found in resource policy."
            )
        return {}

    @operation("GetLayerVersionPolicy")
    def get_layer_version_policy(self, call: Call, request: Request) -> Config:
        layer, number = self._policy_layer(call, request)
        policy = self._layer_policy(layer, number)
        if policy is None:
            raise ResourceNotFoundException("No policy is associated with the given resource.")
        return {"Policy": policy.decode(), "RevisionId": revision(policy)}

    def is_shared(self, layer: LayerName, number: int, account: str) -> bool:
        """See Layers. An organisation's condition is not met: there are no organisations."""
        wanted = {"AWS": f"arn:aws:iam::{account}:root"}
        return any(
            statement["Principal"] in ("*", wanted) and "Condition" not in statement
            for statement in self._layer_statements(layer, number)
        )

    def _layer_statements(self, layer: LayerName, number: int) -> list[Config]:
        rows = self.store.all(
            f"SELECT statement FROM lambda_layer_permission WHERE {_KEY} ORDER BY added, sid",
            (*layer, number),
        )
        return [orjson.loads(row["statement"]) for row in rows]

    def _layer_policy(self, layer: LayerName, number: int) -> bytes | None:
        return policy_document(self._layer_statements(layer, number))

    def _policy_layer(self, call: Call, request: Request) -> tuple[LayerName, int]:
        layer = layer_name(call, request["LayerName"])
        self._layer_version(call, layer, request["VersionNumber"])
        return layer, request["VersionNumber"]

    def _check_layer_revision(self, layer: LayerName, number: int, request: Request) -> None:
        wanted = request.get("RevisionId")
        if wanted is not None and wanted != revision(self._layer_policy(layer, number) or b""):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetLayerVersionPolicy API to retrieve the latest Revision Id"
            )
