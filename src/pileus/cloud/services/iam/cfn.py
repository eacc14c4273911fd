"""The CloudFormation types of IAM, made of the same operations that clients call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ...kernel import REPLACE, UPDATE, Created, ResourceType, StackCall
from .errors import NoSuchEntity

Properties = Mapping[str, Any]


def _json(document: Any) -> str:
    return document if isinstance(document, str) else orjson.dumps(document).decode()


def _tags(stack: StackCall, properties: Properties) -> list[dict[str, str]]:
    """The resource's tags over the stack's."""
    own = {str(tag["Key"]): str(tag["Value"]) for tag in properties.get("Tags") or []}
    return [{"Key": key, "Value": value} for key, value in {**stack.tags, **own}.items()]


class _Carrier:
    """Policies of one role, user or group, by operation names such as `PutRolePolicy`."""

    def __init__(self, stack: StackCall, kind: str, name: str) -> None:
        self.stack, self.kind, self.name = stack, kind, {f"{kind}Name": name}

    def put(self, policy: str, document: Any) -> None:
        request = {**self.name, "PolicyName": policy, "PolicyDocument": _json(document)}
        self.stack.invoke("iam", f"Put{self.kind}Policy", request)

    def drop(self, policy: str) -> None:
        """Also where the policy, or who carried it, is gone."""
        try:
            self.stack.invoke("iam", f"Delete{self.kind}Policy", {**self.name, "PolicyName": policy})
        except NoSuchEntity:
            return

    def attach(self, arn: str) -> None:
        self.stack.invoke("iam", f"Attach{self.kind}Policy", {**self.name, "PolicyArn": arn})

    def detach(self, arn: str) -> None:
        try:
            self.stack.invoke("iam", f"Detach{self.kind}Policy", {**self.name, "PolicyArn": arn})
        except NoSuchEntity:
            return

    def set_policies(self, old: Properties, new: Properties) -> None:
        """From what one set of properties says to what another says."""
        before = {policy["PolicyName"]: policy for policy in old.get("Policies") or []}
        after = {policy["PolicyName"]: policy for policy in new.get("Policies") or []}
        for name in before.keys() - after.keys():
            self.drop(name)
        for name, policy in after.items():
            if before.get(name) != policy:
                self.put(name, policy["PolicyDocument"])
        attached = old.get("ManagedPolicyArns") or []
        wanted = new.get("ManagedPolicyArns") or []
        for arn in _without(attached, wanted):
            self.detach(arn)
        for arn in _without(wanted, attached):
            self.attach(arn)

    def set_tags(self, old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
        keys = {tag["Key"] for tag in new}
        gone = [tag["Key"] for tag in old if tag["Key"] not in keys]
        if gone:
            self.stack.invoke("iam", f"Untag{self.kind}", {**self.name, "TagKeys": gone})
        if new and new != old:
            self.stack.invoke("iam", f"Tag{self.kind}", {**self.name, "Tags": new})

    def set_boundary(self, old: Properties, new: Properties) -> None:
        if old.get("PermissionsBoundary") == new.get("PermissionsBoundary"):
            return
        if new.get("PermissionsBoundary"):
            request = {**self.name, "PermissionsBoundary": new["PermissionsBoundary"]}
            self.stack.invoke("iam", f"Put{self.kind}PermissionsBoundary", request)
        else:
            self.stack.invoke("iam", f"Delete{self.kind}PermissionsBoundary", self.name)


def _without(items: Iterable[str], others: Iterable[str]) -> list[str]:
    skipped = set(others)
    return [item for item in dict.fromkeys(items) if item not in skipped]


class Role(ResourceType):
    type_name = "AWS::IAM::Role"
    properties = {
        "AssumeRolePolicyDocument": UPDATE,
        "Description": UPDATE,
        "ManagedPolicyArns": UPDATE,
        "MaxSessionDuration": UPDATE,
        "Path": REPLACE,
        "PermissionsBoundary": UPDATE,
        "Policies": UPDATE,
        "RoleName": REPLACE,
        "Tags": UPDATE,
    }
    required = ("AssumeRolePolicyDocument",)
    attributes = ("Arn", "RoleId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = {
            "RoleName": properties.get("RoleName") or stack.generated_name(64),
            "AssumeRolePolicyDocument": _json(properties["AssumeRolePolicyDocument"]),
            "Tags": _tags(stack, properties),
        }
        for name in ("Description", "Path", "PermissionsBoundary"):
            if name in properties:
                request[name] = properties[name]
        if "MaxSessionDuration" in properties:
            request["MaxSessionDuration"] = int(properties["MaxSessionDuration"])
        role = stack.invoke("iam", "CreateRole", request)["Role"]
        _Carrier(stack, "Role", role["RoleName"]).set_policies({}, properties)
        return Created(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            document = _json(new["AssumeRolePolicyDocument"])
            stack.invoke(
                "iam", "UpdateAssumeRolePolicy", {"RoleName": physical_id, "PolicyDocument": document}
            )
        stack.invoke(
            "iam",
            "UpdateRole",
            {
                "RoleName": physical_id,
                "Description": new.get("Description", ""),
                "MaxSessionDuration": int(new.get("MaxSessionDuration", 3600)),
            },
        )
        carrier = _Carrier(stack, "Role", physical_id)
        carrier.set_policies(old, new)
        carrier.set_boundary(old, new)
        current = stack.invoke("iam", "ListRoleTags", {"RoleName": physical_id})["Tags"]
        carrier.set_tags(current, _tags(stack, new))
        role = stack.invoke("iam", "GetRole", {"RoleName": physical_id})["Role"]
        return Created(physical_id, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        _Carrier(stack, "Role", physical_id).set_policies(properties, {})
        try:
            stack.invoke("iam", "DeleteRole", {"RoleName": physical_id})
        except NoSuchEntity:
            return


_CARRIERS = (("Role", "Roles"), ("User", "Users"), ("Group", "Groups"))


class Policy(ResourceType):
    """An inline policy put on any number of roles, users and groups."""

    type_name = "AWS::IAM::Policy"
    properties = {
        "Groups": UPDATE,
        "PolicyDocument": UPDATE,
        "PolicyName": UPDATE,
        "Roles": UPDATE,
        "Users": UPDATE,
    }
    required = ("PolicyDocument", "PolicyName")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        for kind, member in _CARRIERS:
            for name in properties.get(member) or []:
                _Carrier(stack, kind, name).put(properties["PolicyName"], properties["PolicyDocument"])
        name = stack.generated_name(64)
        return Created(name, {"Id": name})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        for kind, member in _CARRIERS:
            kept = [] if old["PolicyName"] != new["PolicyName"] else new.get(member) or []
            for name in _without(old.get(member) or [], kept):
                _Carrier(stack, kind, name).drop(old["PolicyName"])
            for name in new.get(member) or []:
                _Carrier(stack, kind, name).put(new["PolicyName"], new["PolicyDocument"])
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        for kind, member in _CARRIERS:
            for name in properties.get(member) or []:
                _Carrier(stack, kind, name).drop(properties["PolicyName"])


class RolePolicy(ResourceType):
    type_name = "AWS::IAM::RolePolicy"
    properties = {"PolicyDocument": UPDATE, "PolicyName": REPLACE, "RoleName": REPLACE}
    required = ("PolicyName", "RoleName")
    kind = "Role"

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name, policy = properties[f"{self.kind}Name"], properties["PolicyName"]
        _Carrier(stack, self.kind, name).put(policy, properties.get("PolicyDocument", {}))
        return Created(f"{policy}|{name}")

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return self.create(stack, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        _Carrier(stack, self.kind, properties[f"{self.kind}Name"]).drop(properties["PolicyName"])


class UserPolicy(RolePolicy):
    type_name = "AWS::IAM::UserPolicy"
    properties = {"PolicyDocument": UPDATE, "PolicyName": REPLACE, "UserName": REPLACE}
    required = ("PolicyName", "UserName")
    kind = "User"


class ManagedPolicy(ResourceType):
    type_name = "AWS::IAM::ManagedPolicy"
    properties = {
        "Description": REPLACE,
        "Groups": UPDATE,
        "ManagedPolicyName": REPLACE,
        "Path": REPLACE,
        "PolicyDocument": UPDATE,
        "Roles": UPDATE,
        "Users": UPDATE,
    }
    required = ("PolicyDocument",)
    attributes = ("PolicyArn", "PolicyId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = {
            "PolicyName": properties.get("ManagedPolicyName") or stack.generated_name(128),
            "PolicyDocument": _json(properties["PolicyDocument"]),
        }
        for name in ("Description", "Path"):
            if name in properties:
                request[name] = properties[name]
        policy = stack.invoke("iam", "CreatePolicy", request)["Policy"]
        self._attach(stack, policy["Arn"], {}, properties)
        return Created(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        if old["PolicyDocument"] != new["PolicyDocument"]:
            self._make_room(stack, physical_id)
            document = {"PolicyDocument": _json(new["PolicyDocument"]), "SetAsDefault": True}
            stack.invoke("iam", "CreatePolicyVersion", {"PolicyArn": physical_id, **document})
        self._attach(stack, physical_id, old, new)
        policy = stack.invoke("iam", "GetPolicy", {"PolicyArn": physical_id})["Policy"]
        return Created(physical_id, {"PolicyArn": physical_id, "PolicyId": policy["PolicyId"]})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        self._attach(stack, physical_id, properties, {})
        try:
            for version in stack.invoke("iam", "ListPolicyVersions", {"PolicyArn": physical_id})["Versions"]:
                if not version["IsDefaultVersion"]:
                    self._drop_version(stack, physical_id, version["VersionId"])
            stack.invoke("iam", "DeletePolicy", {"PolicyArn": physical_id})
        except NoSuchEntity:
            return

    def _make_room(self, stack: StackCall, arn: str) -> None:
        """A policy holds five versions: the oldest that is not in force goes."""
        versions = stack.invoke("iam", "ListPolicyVersions", {"PolicyArn": arn})["Versions"]
        spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        if len(versions) >= 5:
            self._drop_version(stack, arn, spare[-1])

    def _drop_version(self, stack: StackCall, arn: str, version: str) -> None:
        stack.invoke("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version})

    def _attach(self, stack: StackCall, arn: str, old: Properties, new: Properties) -> None:
        for kind, member in _CARRIERS:
            before, after = old.get(member) or [], new.get(member) or []
            for name in _without(before, after):
                _Carrier(stack, kind, name).detach(arn)
            for name in _without(after, before):
                _Carrier(stack, kind, name).attach(arn)


class User(ResourceType):
    type_name = "AWS::IAM::User"
    properties = {
        "Groups": UPDATE,
        "ManagedPolicyArns": UPDATE,
        "Path": UPDATE,
        "PermissionsBoundary": UPDATE,
        "Policies": UPDATE,
        "Tags": UPDATE,
        "UserName": REPLACE,
    }
    attributes = ("Arn",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = {
            "UserName": properties.get("UserName") or stack.generated_name(64),
            "Tags": _tags(stack, properties),
        }
        for name in ("Path", "PermissionsBoundary"):
            if name in properties:
                request[name] = properties[name]
        user = stack.invoke("iam", "CreateUser", request)["User"]
        _Carrier(stack, "User", user["UserName"]).set_policies({}, properties)
        self._join(stack, user["UserName"], {}, properties)
        return Created(user["UserName"], {"Arn": user["Arn"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        name = {"UserName": physical_id}
        if old.get("Path") != new.get("Path"):
            stack.invoke("iam", "UpdateUser", {**name, "NewPath": new.get("Path", "/")})
        carrier = _Carrier(stack, "User", physical_id)
        carrier.set_policies(old, new)
        carrier.set_boundary(old, new)
        carrier.set_tags(stack.invoke("iam", "ListUserTags", name)["Tags"], _tags(stack, new))
        self._join(stack, physical_id, old, new)
        return Created(physical_id, {"Arn": stack.invoke("iam", "GetUser", name)["User"]["Arn"]})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            self._join(stack, physical_id, properties, {})
            _Carrier(stack, "User", physical_id).set_policies(properties, {})
            stack.invoke("iam", "DeleteUser", {"UserName": physical_id})
        except NoSuchEntity:
            return

    def _join(self, stack: StackCall, user: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Groups") or [], new.get("Groups") or []
        for group in _without(before, after):
            stack.invoke("iam", "RemoveUserFromGroup", {"GroupName": group, "UserName": user})
        for group in _without(after, before):
            stack.invoke("iam", "AddUserToGroup", {"GroupName": group, "UserName": user})


class Group(ResourceType):
    type_name = "AWS::IAM::Group"
    properties = {"GroupName": REPLACE, "ManagedPolicyArns": UPDATE, "Path": REPLACE, "Policies": UPDATE}
    attributes = ("Arn",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("GroupName") or stack.generated_name(128)
        request = {"GroupName": name, "Path": properties.get("Path", "/")}
        group = stack.invoke("iam", "CreateGroup", request)["Group"]
        _Carrier(stack, "Group", name).set_policies({}, properties)
        return Created(name, {"Arn": group["Arn"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        _Carrier(stack, "Group", physical_id).set_policies(old, new)
        group = stack.invoke("iam", "GetGroup", {"GroupName": physical_id})["Group"]
        return Created(physical_id, {"Arn": group["Arn"]})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        _Carrier(stack, "Group", physical_id).set_policies(properties, {})
        try:
            stack.invoke("iam", "DeleteGroup", {"GroupName": physical_id})
        except NoSuchEntity:
            return


class AccessKey(ResourceType):
    type_name = "AWS::IAM::AccessKey"
    properties = {"Serial": REPLACE, "Status": UPDATE, "UserName": REPLACE}
    required = ("UserName",)
    attributes = ("SecretAccessKey",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        user = {"UserName": properties["UserName"]}
        key = stack.invoke("iam", "CreateAccessKey", user)["AccessKey"]
        if properties.get("Status", "Active") != "Active":
            self._set_status(stack, key["AccessKeyId"], properties)
        return Created(key["AccessKeyId"], {"SecretAccessKey": key["SecretAccessKey"]})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        """The secret is shown once, at creation: attributes stay what they were."""
        self._set_status(stack, physical_id, new)
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        request = {"UserName": properties["UserName"], "AccessKeyId": physical_id}
        try:
            stack.invoke("iam", "DeleteAccessKey", request)
        except NoSuchEntity:
            return

    def _set_status(self, stack: StackCall, key_id: str, properties: Properties) -> None:
        request = {"AccessKeyId": key_id, "Status": properties.get("Status", "Active")}
        stack.invoke("iam", "UpdateAccessKey", {"UserName": properties["UserName"], **request})
