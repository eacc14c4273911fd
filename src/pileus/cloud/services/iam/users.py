"""Users and their access keys, the long-lived credentials of the gateway."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ...kernel import Call, Credential, Ids, Principal, Row, operation
from .attached import Attached
from .entity import USER, Entity, merged_tags, more, page_of, tag_list, without_tags
from .errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from .roles import boundary_wire

Request = Mapping[str, Any]
Answer = dict[str, Any]

_KEYS_PER_USER = 2


class Users(Attached):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._credentials: dict[str, Credential] = {}

    @operation("CreateUser")
    def create_user(self, call: Call, request: Request) -> Answer:
        detail = {
            "PermissionsBoundary": self.boundary(call, request.get("PermissionsBoundary")),
            "Tags": merged_tags({}, request.get("Tags", [])),
        }
        return {
            "User": user_wire(
                self.add_entity(call, USER, request["UserName"], request.get("Path", "/"), detail)
            )
        }

    @operation("GetUser")
    def get_user(self, call: Call, request: Request) -> Answer:
        name = request.get("UserName")
        if name is None and call.principal.kind == "root":
            root = {"Path": "/", "UserId": call.account, "Arn": call.principal.arn, "CreateDate": 0.0}
            return {"User": root}
        return {"User": user_wire(self.entity(call.account, USER, name or _caller(call)))}

    @operation("ListUsers")
    def list_users(self, call: Call, request: Request) -> Answer:
        users, rest = self.entities(call, USER, request)
        return {"Users": [user_wire(user, listed=True) for user in users], **rest}

    @operation("UpdateUser")
    def update_user(self, call: Call, request: Request) -> Answer:
        """Renames and moves; what hangs from the old name follows."""
        user = self.entity(call.account, USER, request["UserName"])
        name = request.get("NewUserName", user.name)
        taken = "SELECT 1 FROM iam_entity WHERE account=? AND kind=? AND key=?"
        if name.lower() != user.key and self.store.one(taken, (call.account, USER, name.lower())):
            raise EntityAlreadyExists(f"User with name {name} already exists.")
        self.store.execute(
            "UPDATE iam_entity SET key=?, name=?, path=? WHERE account=? AND kind=? AND key=?",
            (name.lower(), name, request.get("NewPath", user.path), call.account, USER, user.key),
        )
        for table in ("iam_inline", "iam_attachment"):
            self.store.execute(
                f"UPDATE {table} SET key=? WHERE account=? AND kind=? AND key=?",
                (name.lower(), call.account, USER, user.key),
            )
        for table in ("iam_membership", "iam_access_key"):
            self.store.execute(
                f"UPDATE {table} SET user_key=? WHERE account=? AND user_key=?",
                (name.lower(), call.account, user.key),
            )
        self._forget()
        return {}

    @operation("DeleteUser")
    def delete_user(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        where = (call.account, user.key)
        if self.store.one("SELECT 1 FROM iam_access_key WHERE account=? AND user_key=?", where):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        if self.store.one("SELECT 1 FROM iam_membership WHERE account=? AND user_key=?", where):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        self.refuse_if_in_use(user)
        self.remove_entity(user)
        return {}

    @operation("TagUser")
    def tag_user(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        user.detail["Tags"] = merged_tags(user.tags, request["Tags"])
        self.save_entity(user)
        return {}

    @operation("UntagUser")
    def untag_user(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        user.detail["Tags"] = without_tags(user.tags, request["TagKeys"])
        self.save_entity(user)
        return {}

    @operation("ListUserTags")
    def list_user_tags(self, call: Call, request: Request) -> Answer:
        tags = self.entity(call.account, USER, request["UserName"]).tags
        return {"Tags": tag_list(tags), "IsTruncated": False}

    @operation("PutUserPermissionsBoundary")
    def put_user_permissions_boundary(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        user.detail["PermissionsBoundary"] = self.boundary(call, request["PermissionsBoundary"])
        self.save_entity(user)
        return {}

    @operation("DeleteUserPermissionsBoundary")
    def delete_user_permissions_boundary(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request["UserName"])
        user.detail["PermissionsBoundary"] = None
        self.save_entity(user)
        return {}

    # -- access keys ------------------------------------------------------------------------------------------------

    @operation("CreateAccessKey")
    def create_access_key(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request.get("UserName") or _caller(call))
        row = self.store.one(
            "SELECT count(*) FROM iam_access_key WHERE account=? AND user_key=?", (call.account, user.key)
        )
        if row is not None and row[0] >= _KEYS_PER_USER:
            raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}")
        key_id, secret = access_key_id("AKIA", call.account, self.ids), self.ids.secret(40)
        self.store.execute(
            "INSERT INTO iam_access_key (access_key_id,account,user_key,secret,status,created)"
            " VALUES (?,?,?,?,'Active',?)",
            (key_id, call.account, user.key, secret, call.now),
        )
        key = {"UserName": user.name, "AccessKeyId": key_id, "Status": "Active", "SecretAccessKey": secret}
        return {"AccessKey": key | {"CreateDate": call.now}}

    @operation("ListAccessKeys")
    def list_access_keys(self, call: Call, request: Request) -> Answer:
        user = self.entity(call.account, USER, request.get("UserName") or _caller(call))
        size, after = page_of(request)
        rows = self.store.all(
            "SELECT access_key_id,status,created FROM iam_access_key WHERE account=? AND user_key=?"
            " AND access_key_id>? ORDER BY access_key_id LIMIT ?",
            (call.account, user.key, after, size + 1),
        )
        keys = [
            {
                "UserName": user.name,
                "AccessKeyId": row["access_key_id"],
                "Status": row["status"],
                "CreateDate": row["created"],
            }
            for row in rows[:size]
        ]
        return {"AccessKeyMetadata": keys, **more(rows, size, lambda row: row["access_key_id"])}

    @operation("UpdateAccessKey")
    def update_access_key(self, call: Call, request: Request) -> Answer:
        row = self._access_key(call, request)
        self.store.execute(
            "UPDATE iam_access_key SET status=? WHERE access_key_id=?",
            (request["Status"], row["access_key_id"]),
        )
        self._forget()
        return {}

    @operation("DeleteAccessKey")
    def delete_access_key(self, call: Call, request: Request) -> Answer:
        row = self._access_key(call, request)
        self.store.execute("DELETE FROM iam_access_key WHERE access_key_id=?", (row["access_key_id"],))
        self._forget()
        return {}

    def _access_key(self, call: Call, request: Request) -> Row:
        key_id = request["AccessKeyId"]
        row = self.store.one(
            "SELECT access_key_id,account,user_key FROM iam_access_key WHERE access_key_id=?", (key_id,)
        )
        user = self.entity(call.account, USER, request["UserName"]) if "UserName" in request else None
        if row is None or row["account"] != call.account or (user and row["user_key"] != user.key):
            raise NoSuchEntity(f"The Access Key with id {key_id} cannot be found.")
        return row

    def credential(self, access_key_id: str) -> Credential | None:
        """What a long-lived key stands for (kernel/identity.py: CredentialSource)."""
        found = self._credentials.get(access_key_id)
        if found is not None:
            return found
        row = self.store.one(
            "SELECT k.secret,k.status,k.account,e.name,e.path,e.entity_id FROM iam_access_key k"
            " JOIN iam_entity e ON e.account=k.account AND e.kind='user' AND e.key=k.user_key"
            " WHERE k.access_key_id=?",
            (access_key_id,),
        )
        if row is None:
            return None
        arn = f"arn:aws:iam::{row['account']}:user{row['path']}{row['name']}"
        principal = Principal("user", row["account"], arn, row["entity_id"], access_key_id)
        credential = Credential(access_key_id, row["secret"], principal, active=row["status"] == "Active")
        if not self.store.in_transaction:  # what might still be rolled back is not remembered
            self._credentials[access_key_id] = credential
        return credential

    def _forget(self) -> None:
        self._credentials.clear()
        self.store.after_commit(self._credentials.clear)


def user_wire(user: Entity, *, listed: bool = False) -> dict[str, Any]:
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.entity_id,
        "Arn": user.arn,
        "CreateDate": user.created,
        "PermissionsBoundary": None if listed else boundary_wire(user),
        "Tags": tag_list(user.tags) if user.tags and not listed else None,
    }


def _caller(call: Call) -> str:
    if call.principal.kind != "user":
        raise NoSuchEntity("The user with name None cannot be found.")
    return call.principal.arn.rpartition("/")[2]


def access_key_id(prefix: str, account: str, ids: Ids) -> str:
    """Twenty characters: prefix, then base32 of ten bytes in which bits 1 to 40 are the account's number.

    That is how AWS makes them, so tools that read the account out of a key do so here too.
    """
    number = (1 << 79) | (int(account) << 39) | int(ids.hex(9), 16)
    return prefix + base64.b32encode(number.to_bytes(10, "big")).decode()
