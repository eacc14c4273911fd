"""What identities carry: inline policies, and attachments of managed ones. The same for roles, users and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, NotEmulated, operation
from .documents import check_identity_policy, encoded, size
from .entity import GROUP, ROLE, USER, Entity, IamBase, more, page_of
from .errors import DeleteConflict, LimitExceeded, NoSuchEntity
from .managed import PREFIX, aws_managed

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: Quotas of IAM: characters of all inline policies together, and managed policies attached.
_INLINE_QUOTA = {ROLE: 10240, USER: 2048, GROUP: 5120}
_ATTACHED_QUOTA = 10


class Attached(IamBase):
    @operation("PutRolePolicy")
    def put_role_policy(self, call: Call, request: Request) -> Answer:
        return self._put(call, ROLE, request["RoleName"], request)

    @operation("PutUserPolicy")
    def put_user_policy(self, call: Call, request: Request) -> Answer:
        return self._put(call, USER, request["UserName"], request)

    @operation("PutGroupPolicy")
    def put_group_policy(self, call: Call, request: Request) -> Answer:
        return self._put(call, GROUP, request["GroupName"], request)

    @operation("GetRolePolicy")
    def get_role_policy(self, call: Call, request: Request) -> Answer:
        return {"RoleName": request["RoleName"], **self._get(call, ROLE, request["RoleName"], request)}

    @operation("GetUserPolicy")
    def get_user_policy(self, call: Call, request: Request) -> Answer:
        return {"UserName": request["UserName"], **self._get(call, USER, request["UserName"], request)}

    @operation("GetGroupPolicy")
    def get_group_policy(self, call: Call, request: Request) -> Answer:
        return {"GroupName": request["GroupName"], **self._get(call, GROUP, request["GroupName"], request)}

    @operation("DeleteRolePolicy")
    def delete_role_policy(self, call: Call, request: Request) -> Answer:
        return self._delete(call, ROLE, request["RoleName"], request)

    @operation("DeleteUserPolicy")
    def delete_user_policy(self, call: Call, request: Request) -> Answer:
        return self._delete(call, USER, request["UserName"], request)

    @operation("DeleteGroupPolicy")
    def delete_group_policy(self, call: Call, request: Request) -> Answer:
        return self._delete(call, GROUP, request["GroupName"], request)

    @operation("ListRolePolicies")
    def list_role_policies(self, call: Call, request: Request) -> Answer:
        return self._list(call, ROLE, request["RoleName"], request)

    @operation("ListUserPolicies")
    def list_user_policies(self, call: Call, request: Request) -> Answer:
        return self._list(call, USER, request["UserName"], request)

    @operation("ListGroupPolicies")
    def list_group_policies(self, call: Call, request: Request) -> Answer:
        return self._list(call, GROUP, request["GroupName"], request)

    @operation("AttachRolePolicy")
    def attach_role_policy(self, call: Call, request: Request) -> Answer:
        return self._attach(call, ROLE, request["RoleName"], request["PolicyArn"])

    @operation("AttachUserPolicy")
    def attach_user_policy(self, call: Call, request: Request) -> Answer:
        return self._attach(call, USER, request["UserName"], request["PolicyArn"])

    @operation("AttachGroupPolicy")
    def attach_group_policy(self, call: Call, request: Request) -> Answer:
        return self._attach(call, GROUP, request["GroupName"], request["PolicyArn"])

    @operation("DetachRolePolicy")
    def detach_role_policy(self, call: Call, request: Request) -> Answer:
        return self._detach(call, ROLE, request["RoleName"], request["PolicyArn"])

    @operation("DetachUserPolicy")
    def detach_user_policy(self, call: Call, request: Request) -> Answer:
        return self._detach(call, USER, request["UserName"], request["PolicyArn"])

    @operation("DetachGroupPolicy")
    def detach_group_policy(self, call: Call, request: Request) -> Answer:
        return self._detach(call, GROUP, request["GroupName"], request["PolicyArn"])

    @operation("ListAttachedRolePolicies")
    def list_attached_role_policies(self, call: Call, request: Request) -> Answer:
        return self._list_attached(call, ROLE, request["RoleName"], request)

    @operation("ListAttachedUserPolicies")
    def list_attached_user_policies(self, call: Call, request: Request) -> Answer:
        return self._list_attached(call, USER, request["UserName"], request)

    @operation("ListAttachedGroupPolicies")
    def list_attached_group_policies(self, call: Call, request: Request) -> Answer:
        return self._list_attached(call, GROUP, request["GroupName"], request)

    # -- inline -----------------------------------------------------------------------------------------------------

    def _put(self, call: Call, kind: str, name: str, request: Request) -> Answer:
        entity = self.entity(call.account, kind, name)
        check_identity_policy(request["PolicyDocument"])
        self.store.execute(
            "INSERT OR REPLACE INTO iam_inline (account,kind,key,policy,document) VALUES (?,?,?,?,?)",
            (call.account, kind, entity.key, request["PolicyName"], request["PolicyDocument"]),
        )
        rows = self.store.all(
            "SELECT document FROM iam_inline WHERE account=? AND kind=? AND key=?",
            (call.account, kind, entity.key),
        )
        quota = _INLINE_QUOTA[kind]
        if sum(size(row["document"]) for row in rows) > quota:
            raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {kind} {entity.name}")
        return {}

    def _get(self, call: Call, kind: str, name: str, request: Request) -> Answer:
        entity = self.entity(call.account, kind, name)
        row = self.store.one(
            "SELECT policy,document FROM iam_inline WHERE account=? AND kind=? AND key=? AND policy=?",
            (call.account, kind, entity.key, request["PolicyName"]),
        )
        if row is None:
            raise NoSuchEntity(f"The {kind} policy with name {request['PolicyName']} cannot be found.")
        return {"PolicyName": row["policy"], "PolicyDocument": encoded(row["document"])}

    def _delete(self, call: Call, kind: str, name: str, request: Request) -> Answer:
        entity = self.entity(call.account, kind, name)
        gone = self.store.execute(
            "DELETE FROM iam_inline WHERE account=? AND kind=? AND key=? AND policy=?",
            (call.account, kind, entity.key, request["PolicyName"]),
        )
        if not gone.rowcount:
            raise NoSuchEntity(f"The {kind} policy with name {request['PolicyName']} cannot be found.")
        return {}

    def _list(self, call: Call, kind: str, name: str, request: Request) -> Answer:
        entity = self.entity(call.account, kind, name)
        size_, after = page_of(request)
        rows = self.store.all(
            "SELECT policy FROM iam_inline WHERE account=? AND kind=? AND key=? AND policy>?"
            " ORDER BY policy LIMIT ?",
            (call.account, kind, entity.key, after, size_ + 1),
        )
        names = [row["policy"] for row in rows[:size_]]
        return {"PolicyNames": names, **more(rows, size_, lambda row: row["policy"])}

    # -- managed ----------------------------------------------------------------------------------------------------

    def _attach(self, call: Call, kind: str, name: str, arn: str) -> Answer:
        entity = self.entity(call.account, kind, name)
        self.refuse_unknown_policy(call, arn, f"Policy {arn} does not exist or is not attachable.")
        self.store.execute(
            "INSERT OR IGNORE INTO iam_attachment (account,kind,key,arn) VALUES (?,?,?,?)",
            (call.account, kind, entity.key, arn),
        )
        row = self.store.one(
            "SELECT count(*) FROM iam_attachment WHERE account=? AND kind=? AND key=?",
            (call.account, kind, entity.key),
        )
        if row is not None and row[0] > _ATTACHED_QUOTA:
            raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: {_ATTACHED_QUOTA}")
        return {}

    def _detach(self, call: Call, kind: str, name: str, arn: str) -> Answer:
        entity = self.entity(call.account, kind, name)
        gone = self.store.execute(
            "DELETE FROM iam_attachment WHERE account=? AND kind=? AND key=? AND arn=?",
            (call.account, kind, entity.key, arn),
        )
        if not gone.rowcount:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return {}

    def _list_attached(self, call: Call, kind: str, name: str, request: Request) -> Answer:
        entity = self.entity(call.account, kind, name)
        size_, after = page_of(request)
        rows = self.store.all(
            "SELECT arn FROM iam_attachment WHERE account=? AND kind=? AND key=? AND arn>? ORDER BY arn LIMIT ?",
            (call.account, kind, entity.key, after, size_ + 1),
        )
        attached = [
            {"PolicyName": row["arn"].rpartition("/")[2], "PolicyArn": row["arn"]} for row in rows[:size_]
        ]
        return {"AttachedPolicies": attached, **more(rows, size_, lambda row: row["arn"])}

    def refuse_unknown_policy(self, call: Call, arn: str, words: str) -> None:
        """Raises NoSuchEntity(words); NotEmulated for a policy of AWS's own that we have no document of."""
        if arn.startswith(PREFIX):
            if arn not in aws_managed():
                raise NotEmulated(f"iam the AWS managed policy {arn}")
            return
        if self.store.one("SELECT 1 FROM iam_policy WHERE account=? AND arn=?", (call.account, arn)) is None:
            raise NoSuchEntity(words)

    def boundary(self, call: Call, arn: str | None) -> str | None:
        """A permissions boundary as it is stored."""
        if arn is not None:
            self.refuse_unknown_policy(call, arn, f"Scope ARN: {arn} does not exist or is not attachable.")
        return arn

    def refuse_if_in_use(self, entity: Entity) -> None:
        """Raises DeleteConflict while policies are attached or inline ones are left."""
        where = (entity.account, entity.kind, entity.key)
        if self.store.one("SELECT 1 FROM iam_attachment WHERE account=? AND kind=? AND key=?", where):
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if self.store.one("SELECT 1 FROM iam_inline WHERE account=? AND kind=? AND key=?", where):
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
