"""Managed policies: those of the account, with up to five versions, and those of AWS (managed.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, operation
from .attached import Attached
from .documents import check_identity_policy, encoded, size
from .entity import GROUP, ROLE, USER, merged_tags, more, page_of, tag_list, without_tags
from .errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from .managed import PREFIX, ManagedPolicy, aws_managed

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LONGEST = 6144
_VERSIONS = 5


class Policies(Attached):
    @operation("CreatePolicy")
    def create_policy(self, call: Call, request: Request) -> Answer:
        name, path = request["PolicyName"], request.get("Path", "/")
        document = _document(request["PolicyDocument"])
        arn = f"arn:aws:iam::{call.account}:policy{path}{name}"
        inserted = self.store.execute(
            "INSERT OR IGNORE INTO iam_policy (account,arn,key,name,path,policy_id,description,default_version,"
            "last_version,created,updated,tags) VALUES (?,?,?,?,?,?,?,1,1,?,?,?)",
            (
                call.account,
                arn,
                name.lower(),
                name,
                path,
                "ANPA" + self.ids.upper(17),
                request.get("Description"),
                call.now,
                call.now,
                orjson.dumps(merged_tags({}, request.get("Tags", []))),
            ),
        )
        if not inserted.rowcount:
            raise EntityAlreadyExists(
                f"A policy called {name} already exists. Duplicate names are not allowed."
            )
        self._add_version(call, arn, 1, document)
        return {"Policy": self._wire(call, self._policy(call, arn))}

    @operation("GetPolicy")
    def get_policy(self, call: Call, request: Request) -> Answer:
        return {"Policy": self._wire(call, self._policy(call, request["PolicyArn"]), full=True)}

    @operation("ListPolicies")
    def list_policies(self, call: Call, request: Request) -> Answer:
        """Those of the account in the order of names, then AWS's own, where the scope asks for them."""
        page, after = page_of(request)
        scope, prefix = request.get("Scope", "All"), request.get("PathPrefix", "/")
        rows: list[Row | ManagedPolicy] = []
        if scope != "AWS" and not after.startswith("arn:"):
            rows += self.store.all(
                "SELECT * FROM iam_policy WHERE account=? AND key>? AND substr(path,1,length(?))=?"
                " ORDER BY key LIMIT ?",
                (call.account, after, prefix, prefix, page + 1),
            )
        if scope != "Local":
            rows += [
                policy
                for arn, policy in sorted(aws_managed().items())
                if policy.path.startswith(prefix) and (arn > after or not after.startswith("arn:"))
            ]
        wires = [self._wire(call, row) for row in rows[: page + 1]]
        rest = more(rows, page, _key)
        if request.get("OnlyAttached"):
            wires = [wire for wire in wires if wire["AttachmentCount"]]
        return {"Policies": wires[:page], **rest}

    @operation("DeletePolicy")
    def delete_policy(self, call: Call, request: Request) -> Answer:
        arn = request["PolicyArn"]
        self._own_policy(call, arn)
        where = (call.account, arn)
        if self.store.one("SELECT 1 FROM iam_attachment WHERE account=? AND arn=?", where):
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        versions = self.store.one("SELECT count(*) FROM iam_policy_version WHERE account=? AND arn=?", where)
        if versions is not None and versions[0] > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the"
                " policy's versions. The default version is deleted with the policy."
            )
        self.store.execute("DELETE FROM iam_policy_version WHERE account=? AND arn=?", where)
        self.store.execute("DELETE FROM iam_policy WHERE account=? AND arn=?", where)
        return {}

    @operation("CreatePolicyVersion")
    def create_policy_version(self, call: Call, request: Request) -> Answer:
        arn = request["PolicyArn"]
        policy = self._own_policy(call, arn)
        document = _document(request["PolicyDocument"])
        held = self.store.one(
            "SELECT count(*) FROM iam_policy_version WHERE account=? AND arn=?", (call.account, arn)
        )
        if held is not None and held[0] >= _VERSIONS:
            raise LimitExceeded(
                f"A managed policy can have up to {_VERSIONS} versions. Before you create a new version, you"
                " must delete an existing version."
            )
        version = policy["last_version"] + 1
        self._add_version(call, arn, version, document)
        default = version if request.get("SetAsDefault") else policy["default_version"]
        self.store.execute(
            "UPDATE iam_policy SET last_version=?, default_version=?, updated=? WHERE account=? AND arn=?",
            (version, default, call.now, call.account, arn),
        )
        return {
            "PolicyVersion": {
                "VersionId": f"v{version}",
                "IsDefaultVersion": default == version,
                "CreateDate": call.now,
            }
        }

    @operation("GetPolicyVersion")
    def get_policy_version(self, call: Call, request: Request) -> Answer:
        arn, version = request["PolicyArn"], request["VersionId"]
        policy = self._policy(call, arn)
        if isinstance(policy, ManagedPolicy):
            if version != "v1":
                raise NoSuchEntity(f"Policy {arn} version {version} does not exist or is not attachable.")
            return {"PolicyVersion": _aws_version(policy) | {"Document": encoded(policy.document)}}
        row = self._version(call, arn, version)
        return {"PolicyVersion": _version_wire(row, policy) | {"Document": encoded(row["document"])}}

    @operation("ListPolicyVersions")
    def list_policy_versions(self, call: Call, request: Request) -> Answer:
        policy = self._policy(call, request["PolicyArn"])
        if isinstance(policy, ManagedPolicy):
            return {"Versions": [_aws_version(policy)], "IsTruncated": False}
        rows = self.store.all(
            "SELECT version,created FROM iam_policy_version WHERE account=? AND arn=? ORDER BY version DESC",
            (call.account, policy["arn"]),
        )
        return {"Versions": [_version_wire(row, policy) for row in rows], "IsTruncated": False}

    @operation("DeletePolicyVersion")
    def delete_policy_version(self, call: Call, request: Request) -> Answer:
        arn = request["PolicyArn"]
        policy = self._own_policy(call, arn)
        row = self._version(call, arn, request["VersionId"])
        if row["version"] == policy["default_version"]:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        self.store.execute(
            "DELETE FROM iam_policy_version WHERE account=? AND arn=? AND version=?",
            (call.account, arn, row["version"]),
        )
        return {}

    @operation("SetDefaultPolicyVersion")
    def set_default_policy_version(self, call: Call, request: Request) -> Answer:
        arn = request["PolicyArn"]
        self._own_policy(call, arn)
        row = self._version(call, arn, request["VersionId"])
        self.store.execute(
            "UPDATE iam_policy SET default_version=?, updated=? WHERE account=? AND arn=?",
            (row["version"], call.now, call.account, arn),
        )
        return {}

    @operation("ListEntitiesForPolicy")
    def list_entities_for_policy(self, call: Call, request: Request) -> Answer:
        arn = request["PolicyArn"]
        self._policy(call, arn)
        wanted = {"Role": ROLE, "User": USER, "Group": GROUP}.get(request.get("EntityFilter", ""))
        size_, after = page_of(request)
        kind_after, _, key_after = after.partition("/")
        rows = self.store.all(
            "SELECT a.kind,a.key,e.name,e.entity_id FROM iam_attachment a JOIN iam_entity e"
            " ON e.account=a.account AND e.kind=a.kind AND e.key=a.key"
            " WHERE a.account=? AND a.arn=? AND (a.kind,a.key)>(?,?) AND (? IS NULL OR a.kind=?)"
            " ORDER BY a.kind,a.key LIMIT ?",
            (call.account, arn, kind_after, key_after, wanted, wanted, size_ + 1),
        )
        result: Answer = {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": []}
        for row in rows[:size_]:
            kind = row["kind"].capitalize()
            result[f"Policy{kind}s"].append({f"{kind}Name": row["name"], f"{kind}Id": row["entity_id"]})
        return result | more(rows, size_, lambda row: f"{row['kind']}/{row['key']}")

    @operation("TagPolicy")
    def tag_policy(self, call: Call, request: Request) -> Answer:
        policy = self._own_policy(call, request["PolicyArn"])
        return self._set_tags(policy, merged_tags(orjson.loads(policy["tags"]), request["Tags"]))

    @operation("UntagPolicy")
    def untag_policy(self, call: Call, request: Request) -> Answer:
        policy = self._own_policy(call, request["PolicyArn"])
        return self._set_tags(policy, without_tags(orjson.loads(policy["tags"]), request["TagKeys"]))

    @operation("ListPolicyTags")
    def list_policy_tags(self, call: Call, request: Request) -> Answer:
        policy = self._own_policy(call, request["PolicyArn"])
        return {"Tags": tag_list(orjson.loads(policy["tags"])), "IsTruncated": False}

    # -- the store --------------------------------------------------------------------------------------------------

    def _policy(self, call: Call, arn: str) -> Row | ManagedPolicy:
        if arn.startswith(PREFIX):
            policy = aws_managed().get(arn)
            if policy is None:
                raise NotEmulated(f"iam the AWS managed policy {arn}")
            return policy
        return self._own_policy(call, arn)

    def _own_policy(self, call: Call, arn: str) -> Row:
        row = self.store.one("SELECT * FROM iam_policy WHERE account=? AND arn=?", (call.account, arn))
        if row is None:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return row

    def _add_version(self, call: Call, arn: str, version: int, document: str) -> None:
        self.store.execute(
            "INSERT INTO iam_policy_version (account,arn,version,document,created) VALUES (?,?,?,?,?)",
            (call.account, arn, version, document, call.now),
        )

    def _version(self, call: Call, arn: str, version_id: str) -> Row:
        number = int(version_id[1:]) if version_id[1:].isdecimal() else 0
        row = self.store.one(
            "SELECT version,document,created FROM iam_policy_version WHERE account=? AND arn=? AND version=?",
            (call.account, arn, number),
        )
        if row is None:
            raise NoSuchEntity(f"Policy {arn} version {version_id} does not exist or is not attachable.")
        return row

    def _set_tags(self, policy: Row, tags: dict[str, str]) -> Answer:
        self.store.execute(
            "UPDATE iam_policy SET tags=? WHERE account=? AND arn=?",
            (orjson.dumps(tags), policy["account"], policy["arn"]),
        )
        return {}

    def _wire(self, call: Call, policy: Row | ManagedPolicy, *, full: bool = False) -> Answer:
        arn = policy.arn if isinstance(policy, ManagedPolicy) else policy["arn"]
        count = self.store.one(
            "SELECT count(*) FROM iam_attachment WHERE account=? AND arn=?", (call.account, arn)
        )
        uses = {"Arn": arn, "AttachmentCount": count[0] if count else 0, "IsAttachable": True}
        if isinstance(policy, ManagedPolicy):
            return uses | {
                "PolicyName": policy.name,
                "PolicyId": policy.policy_id,
                "Path": policy.path,
                "DefaultVersionId": "v1",
                "CreateDate": 0.0,
                "UpdateDate": 0.0,
            }
        tags = orjson.loads(policy["tags"])
        return uses | {
            "PolicyName": policy["name"],
            "PolicyId": policy["policy_id"],
            "Path": policy["path"],
            "DefaultVersionId": f"v{policy['default_version']}",
            "Description": policy["description"] if full else None,
            "CreateDate": policy["created"],
            "UpdateDate": policy["updated"],
            "Tags": tag_list(tags) if full else None,
        }


def _key(policy: Row | ManagedPolicy) -> str:
    return policy.arn if isinstance(policy, ManagedPolicy) else str(policy["key"])


def _document(document: str) -> str:
    check_identity_policy(document)
    if size(document) > _LONGEST:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {_LONGEST}")
    return document


def _version_wire(row: Row, policy: Row) -> Answer:
    return {
        "VersionId": f"v{row['version']}",
        "IsDefaultVersion": row["version"] == policy["default_version"],
        "CreateDate": row["created"],
    }


def _aws_version(policy: ManagedPolicy) -> Answer:
    return {"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": 0.0}
