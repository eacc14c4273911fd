"""The documents behind the ARNs, and what all groups of operations stand on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from pileus.cloud.kernel import AwsError, Call, Service, Store

from .errors import ListenerNotFound, LoadBalancerNotFound, RuleNotFound, TargetGroupNotFound

if TYPE_CHECKING:
    from .plane import Plane

Document: TypeAlias = dict[str, Any]
Request: TypeAlias = Mapping[str, Any]
Result: TypeAlias = dict[str, Any]
_MOST = 400


class Kind(StrEnum):
    BALANCER = "loadbalancer"
    GROUP = "targetgroup"
    LISTENER = "listener"
    RULE = "listener-rule"


_MISSING: Mapping[Kind, AwsError] = {
    Kind.BALANCER: LoadBalancerNotFound("One or more load balancers not found"),
    Kind.GROUP: TargetGroupNotFound("One or more target groups not found"),
    Kind.LISTENER: ListenerNotFound("One or more listeners not found"),
    Kind.RULE: RuleNotFound("One or more rules not found"),
}


class Items:
    """Documents by ARN. Members beginning with `_` are not shown: `_attributes`, `_tags`, `_targets`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, kind: Kind, arn: str) -> Document | None:
        row = self._store.one("SELECT document FROM elbv2_item WHERE arn=? AND kind=?", (arn, kind))
        return None if row is None else orjson.loads(row[0])

    def get(self, kind: Kind, arn: str) -> Document:
        """Raises the error of the kind (`ListenerNotFound`, …) for an ARN that there is not."""
        found = self.find(kind, arn)
        if found is None:
            missing = _MISSING[kind]
            raise type(missing)(missing.message)
        return found

    def named(self, call: Call, kind: Kind, name: str) -> Document | None:
        row = self._store.one(
            "SELECT document FROM elbv2_item WHERE account=? AND region=? AND kind=? AND name=?",
            (call.account, call.region, kind, name),
        )
        return None if row is None else orjson.loads(row[0])

    def under(self, parent: str) -> list[Document]:
        """The listeners of a load balancer, the rules of a listener."""
        rows = self._store.all("SELECT document FROM elbv2_item WHERE parent=? ORDER BY arn", (parent,))
        return [orjson.loads(row[0]) for row in rows]

    def page(self, call: Call, kind: Kind, request: Request) -> tuple[list[Document], str | None]:
        size = min(int(request.get("PageSize") or _MOST), _MOST)
        rows = self._store.all(
            "SELECT arn,document FROM elbv2_item WHERE account=? AND region=? AND kind=? AND arn>?"
            " ORDER BY arn LIMIT ?",
            (call.account, call.region, kind, request.get("Marker") or "", size + 1),
        )
        found = [orjson.loads(row["document"]) for row in rows[:size]]
        return found, rows[size - 1]["arn"] if len(rows) > size else None

    def put(
        self,
        place: tuple[str, str],
        kind: Kind,
        arn: str,
        document: Document,
        parent: str = "",
        name: str = "",
    ) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO elbv2_item (arn,account,region,kind,parent,name,document) VALUES (?,?,?,?,?,?,?)",
            (arn, *place, kind, parent, name, orjson.dumps(document)),
        )

    def change(self, arn: str, document: Document) -> None:
        self._store.execute("UPDATE elbv2_item SET document=? WHERE arn=?", (orjson.dumps(document), arn))

    def delete(self, arn: str) -> None:
        self._store.execute("DELETE FROM elbv2_item WHERE arn=?", (arn,))


class Operations(Service):
    items: Items
    plane: Plane

    def listed(
        self, call: Call, kind: Kind, arns: Iterable[str] | None, request: Request
    ) -> tuple[list[Document], str | None]:
        """Those that are named, else a page of all."""
        if arns:
            return [self.items.get(kind, arn) for arn in arns], None
        return self.items.page(call, kind, request)


def shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name[:1] != "_" and value is not None}


def attributes_of(document: Document) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in document["_attributes"].items()]


def tags_of(request: Request) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value") or "" for tag in request.get("Tags") or ()}
