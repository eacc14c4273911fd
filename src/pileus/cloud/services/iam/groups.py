"""Groups of users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, operation
from .attached import Attached
from .entity import GROUP, USER, Entity, more, page_of
from .errors import DeleteConflict
from .users import user_wire

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Groups(Attached):
    @operation("CreateGroup")
    def create_group(self, call: Call, request: Request) -> Answer:
        return {
            "Group": _wire(self.add_entity(call, GROUP, request["GroupName"], request.get("Path", "/"), {}))
        }

    @operation("GetGroup")
    def get_group(self, call: Call, request: Request) -> Answer:
        group = self.entity(call.account, GROUP, request["GroupName"])
        size, after = page_of(request)
        rows = self.store.all(
            "SELECT user_key FROM iam_membership WHERE account=? AND group_key=? AND user_key>?"
            " ORDER BY user_key LIMIT ?",
            (call.account, group.key, after, size + 1),
        )
        users = [
            user_wire(self.entity(call.account, USER, row["user_key"]), listed=True) for row in rows[:size]
        ]
        return {"Group": _wire(group), "Users": users, **more(rows, size, lambda row: row["user_key"])}

    @operation("ListGroups")
    def list_groups(self, call: Call, request: Request) -> Answer:
        groups, rest = self.entities(call, GROUP, request)
        return {"Groups": [_wire(group) for group in groups], **rest}

    @operation("ListGroupsForUser")
    def list_groups_for_user(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        size, after = page_of(request)
        rows = self.store.all(
            "SELECT group_key FROM iam_membership WHERE account=? AND user_key=? AND group_key>?"
            " ORDER BY group_key LIMIT ?",
            (call.account, user.key, after, size + 1),
        )
        groups = [_wire(self.entity(call.account, GROUP, row["group_key"])) for row in rows[:size]]
        return {"Groups": groups, **more(rows, size, lambda row: row["group_key"])}

    @operation("DeleteGroup")
    def delete_group(self, call: Call, request: Request) -> Answer:
        group = self.entity(call.account, GROUP, request["GroupName"])
        if self.store.one(
            "SELECT 1 FROM iam_membership WHERE account=? AND group_key=?", (call.account, group.key)
        ):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        self.refuse_if_in_use(group)
        self.remove_entity(group)
        return {}

    @operation("AddUserToGroup")
    def add_user_to_group(self, call: Call, request: Request) -> Answer:
        group = self.entity(call.account, GROUP, request["GroupName"])
        user = self.entity(call.account, USER, request["UserName"])
        self.store.execute(
            "INSERT OR IGNORE INTO iam_membership (account,group_key,user_key) VALUES (?,?,?)",
            (call.account, group.key, user.key),
        )
        return {}

    @operation("RemoveUserFromGroup")
    def remove_user_from_group(self, call: Call, request: Request) -> Answer:
        group = self.entity(call.account, GROUP, request["GroupName"])
        user = self.entity(call.account, USER, request["UserName"])
        self.store.execute(
            "DELETE FROM iam_membership WHERE account=? AND group_key=? AND user_key=?",
            (call.account, group.key, user.key),
        )
        return {}


def _wire(group: Entity) -> dict[str, Any]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.entity_id,
        "Arn": group.arn,
        "CreateDate": group.created,
    }
