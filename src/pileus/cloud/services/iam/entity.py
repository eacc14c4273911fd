"""What roles, users and groups have in common: a name, a path, a unique id, tags, and a place in the store."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from ...kernel import Call, Row, Service, ValidationError
from .errors import EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from .schema import MIGRATIONS

T = TypeVar("T")

ROLE, USER, GROUP = "role", "user", "group"
_ID_PREFIX = {ROLE: "AROA", USER: "AIDA", GROUP: "AGPA"}
_COLUMNS = "account,kind,name,path,entity_id,created,detail"
_MOST_TAGS = 50


@dataclass(slots=True)
class Entity:
    """detail: the attributes of its kind, by the names of the wire (`Description`, `MaxSessionDuration`, `Tags`, …)."""

    account: str
    kind: str
    name: str
    path: str
    entity_id: str
    created: float
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:{self.kind}{self.path}{self.name}"

    @property
    def tags(self) -> dict[str, str]:
        return self.detail.get("Tags") or {}


class IamBase(Service):
    """The store of IAM."""

    name = "iam"
    migrations = MIGRATIONS

    def entity(self, account: str, kind: str, name: str) -> Entity:
        """Raises NoSuchEntity."""
        row = self.store.one(
            f"SELECT {_COLUMNS} FROM iam_entity WHERE account=? AND kind=? AND key=?",
            (account, kind, name.lower()),
        )
        if row is None:
            raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
        return _entity(row)

    def add_entity(self, call: Call, kind: str, name: str, path: str, detail: dict[str, Any]) -> Entity:
        """Raises EntityAlreadyExists."""
        entity = Entity(
            call.account, kind, name, path, _ID_PREFIX[kind] + self.ids.upper(17), call.now, detail
        )
        inserted = self.store.execute(
            "INSERT OR IGNORE INTO iam_entity (account,kind,key,name,path,entity_id,created,detail)"
            " VALUES (?,?,?,?,?,?,?,?)",
            (
                entity.account,
                kind,
                entity.key,
                name,
                path,
                entity.entity_id,
                entity.created,
                orjson.dumps(detail),
            ),
        )
        if not inserted.rowcount:
            raise EntityAlreadyExists(f"{kind.capitalize()} with name {name} already exists.")
        return entity

    def save_entity(self, entity: Entity) -> None:
        self.store.execute(
            "UPDATE iam_entity SET detail=? WHERE account=? AND kind=? AND key=?",
            (orjson.dumps(entity.detail), entity.account, entity.kind, entity.key),
        )

    def remove_entity(self, entity: Entity) -> None:
        self.store.execute(
            "DELETE FROM iam_entity WHERE account=? AND kind=? AND key=?",
            (entity.account, entity.kind, entity.key),
        )

    def entities(
        self, call: Call, kind: str, request: Mapping[str, Any]
    ) -> tuple[list[Entity], dict[str, Any]]:
        """One page in the order of names, and the members that say whether there are more."""
        size, after = page_of(request)
        prefix = request.get("PathPrefix", "/")
        rows = self.store.all(
            f"SELECT {_COLUMNS} FROM iam_entity WHERE account=? AND kind=? AND key>?"
            " AND substr(path,1,length(?))=? ORDER BY key LIMIT ?",
            (call.account, kind, after, prefix, prefix, size + 1),
        )
        return [_entity(row) for row in rows[:size]], more(rows, size, lambda row: row["name"].lower())


def _entity(row: Row) -> Entity:
    return Entity(
        row["account"],
        row["kind"],
        row["name"],
        row["path"],
        row["entity_id"],
        row["created"],
        orjson.loads(row["detail"]),
    )


def page_of(request: Mapping[str, Any]) -> tuple[int, str]:
    """The size of the page that is asked for, and the key after which it begins."""
    marker = request.get("Marker")
    if not marker:
        return request.get("MaxItems") or 100, ""
    try:
        return request.get("MaxItems") or 100, base64.urlsafe_b64decode(marker.encode()).decode()
    except ValueError:
        raise ValidationError("Invalid Marker.") from None


def more(rows: Sequence[T], size: int, key: Callable[[T], str]) -> dict[str, Any]:
    """IsTruncated and Marker of a page that was read with one row more than its size."""
    if len(rows) <= size:
        return {"IsTruncated": False}
    return {"IsTruncated": True, "Marker": base64.urlsafe_b64encode(key(rows[size - 1]).encode()).decode()}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def merged_tags(tags: Mapping[str, str], added: list[Mapping[str, str]]) -> dict[str, str]:
    """tags with `added`; keys are equal without regard to case. Raises InvalidInput, LimitExceeded."""
    spelling = {key.lower(): key for key in tags}
    result = dict(tags)
    seen: set[str] = set()
    for tag in added:
        key = tag["Key"]
        if key.lower() in seen:
            raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        if re.match(r"(?i)aws:", key):
            raise InvalidInput("aws: prefixed tag key names are not allowed for external use.")
        seen.add(key.lower())
        result.pop(spelling.get(key.lower(), key), None)
        result[key] = tag["Value"]
    if len(result) > _MOST_TAGS:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
    return result


def without_tags(tags: Mapping[str, str], keys: list[str]) -> dict[str, str]:
    gone = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in gone}
