"""Roles: who may assume them, and how long a session of theirs lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, ValidationError, operation
from .attached import Attached
from .documents import check_trust_policy, encoded, size
from .entity import ROLE, Entity, merged_tags, tag_list, without_tags
from .errors import LimitExceeded

_LONGEST_TRUST_POLICY = 2048
_SESSION = range(3600, 43201)


class Roles(Attached):
    @operation("CreateRole")
    def create_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        detail = {
            "AssumeRolePolicyDocument": _trust_policy(request["AssumeRolePolicyDocument"]),
            "Description": request.get("Description"),
            "MaxSessionDuration": _session_duration(request.get("MaxSessionDuration", 3600)),
            "PermissionsBoundary": self.boundary(call, request.get("PermissionsBoundary")),
            "Tags": merged_tags({}, request.get("Tags", [])),
        }
        role = self.add_entity(call, ROLE, request["RoleName"], request.get("Path", "/"), detail)
        return {"Role": _wire(role)}

    @operation("GetRole")
    def get_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Role": _wire(self.entity(call.account, ROLE, request["RoleName"])) | {"RoleLastUsed": {}}}

    @operation("ListRoles")
    def list_roles(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        roles, rest = self.entities(call, ROLE, request)
        return {"Roles": [_wire(role, listed=True) for role in roles], **rest}

    @operation("UpdateRole")
    def update_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        if "Description" in request:
            role.detail["Description"] = request["Description"]
        if "MaxSessionDuration" in request:
            role.detail["MaxSessionDuration"] = _session_duration(request["MaxSessionDuration"])
        self.save_entity(role)
        return {}

    @operation("UpdateRoleDescription")
    def update_role_description(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["Description"] = request["Description"]
        self.save_entity(role)
        return {"Role": _wire(role)}

    @operation("UpdateAssumeRolePolicy")
    def update_assume_role_policy(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["AssumeRolePolicyDocument"] = _trust_policy(request["PolicyDocument"])
        self.save_entity(role)
        return {}

    @operation("DeleteRole")
    def delete_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        self.refuse_if_in_use(role)
        self.remove_entity(role)
        return {}

    @operation("ListInstanceProfilesForRole")
    def list_instance_profiles_for_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        """None, ever: instance profiles cannot be made here. Terraform asks before it deletes a role."""
        self.entity(call.account, ROLE, request["RoleName"])
        return {"InstanceProfiles": [], "IsTruncated": False}

    @operation("TagRole")
    def tag_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["Tags"] = merged_tags(role.tags, request["Tags"])
        self.save_entity(role)
        return {}

    @operation("UntagRole")
    def untag_role(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["Tags"] = without_tags(role.tags, request["TagKeys"])
        self.save_entity(role)
        return {}

    @operation("ListRoleTags")
    def list_role_tags(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        tags = self.entity(call.account, ROLE, request["RoleName"]).tags
        return {"Tags": tag_list(tags), "IsTruncated": False}

    @operation("PutRolePermissionsBoundary")
    def put_role_permissions_boundary(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["PermissionsBoundary"] = self.boundary(call, request["PermissionsBoundary"])
        self.save_entity(role)
        return {}

    @operation("DeleteRolePermissionsBoundary")
    def delete_role_permissions_boundary(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        role = self.entity(call.account, ROLE, request["RoleName"])
        role.detail["PermissionsBoundary"] = None
        self.save_entity(role)
        return {}


def boundary_wire(entity: Entity) -> dict[str, str] | None:
    arn = entity.detail.get("PermissionsBoundary")
    return arn and {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _wire(role: Entity, *, listed: bool = False) -> dict[str, Any]:
    """Lists leave out tags and the boundary, as the service model's documentation says."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.entity_id,
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encoded(role.detail["AssumeRolePolicyDocument"]),
        "Description": role.detail["Description"],
        "MaxSessionDuration": role.detail["MaxSessionDuration"],
        "PermissionsBoundary": None if listed else boundary_wire(role),
        "Tags": tag_list(role.tags) if role.tags and not listed else None,
    }


def _trust_policy(document: str) -> str:
    check_trust_policy(document)
    if size(document) > _LONGEST_TRUST_POLICY:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {_LONGEST_TRUST_POLICY}")
    return document


def _session_duration(seconds: int) -> int:
    if seconds not in _SESSION:
        limit, word = (43200, "less") if seconds > 43200 else (3600, "greater")
        raise ValidationError(
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy"
            f" constraint: Member must have value {word} than or equal to {limit}"
        )
    return seconds
