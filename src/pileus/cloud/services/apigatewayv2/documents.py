"""The documents of the control plane: one place (account and region) at a time, and what a stage serves of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from pileus.cloud.documents import Document as Document  # for those who import it from here
from pileus.cloud.documents import DocumentTable
from pileus.cloud.kernel import Store

from .errors import BadRequestException

_MOST = 100


class Kind(StrEnum):
    """INTEGRATION_RESPONSE and ROUTE_RESPONSE have ids of two parts: `integration/response`, `route/response`.

    SNAPSHOT: what a deployment took of an API, under the deployment's id.
    """

    API = "api"
    AUTHORIZER = "authorizer"
    DEPLOYMENT = "deployment"
    DOMAIN = "domain"
    INTEGRATION = "integration"
    INTEGRATION_RESPONSE = "integration-response"
    MAPPING = "mapping"
    MODEL = "model"
    ROUTE = "route"
    ROUTE_RESPONSE = "route-response"
    SNAPSHOT = "snapshot"
    STAGE = "stage"
    VPC_LINK = "vpc-link"


#: What a deployment takes, and an automatically deployed stage reads as it stands: member of the snapshot → kind.
PARTS: Mapping[str, Kind] = {
    "Authorizers": Kind.AUTHORIZER,
    "IntegrationResponses": Kind.INTEGRATION_RESPONSE,
    "Integrations": Kind.INTEGRATION,
    "Models": Kind.MODEL,
    "RouteResponses": Kind.ROUTE_RESPONSE,
    "Routes": Kind.ROUTE,
}


class Documents(DocumentTable[Kind], table="apigatewayv2_item"):
    def by_handle(self, kind: Kind, handle: str, parent: str = "") -> Document | None:
        row = self._store.one(
            "SELECT document FROM apigatewayv2_item"
            " WHERE account=? AND region=? AND kind=? AND parent=? AND handle=?",
            (*self._place, kind, parent, handle),
        )
        return None if row is None else orjson.loads(row[0])

    def page(
        self, kind: Kind, request: Mapping[str, Any], parent: str = "", prefix: str = ""
    ) -> dict[str, Any]:
        """The answer of a Get…s operation: `MaxResults` items after `NextToken`."""
        most = _page_size(request.get("MaxResults"))
        rows = self._rows(kind, parent, request.get("NextToken") or prefix, most + 1, prefix)
        answer: dict[str, Any] = {"Items": [orjson.loads(row["document"]) for row in rows[:most]]}
        if len(rows) > most:
            answer["NextToken"] = rows[most - 1]["id"]
        return answer


def _page_size(text: str | None) -> int:
    if not text:
        return _MOST
    if not text.isdigit() or int(text) < 1:
        raise BadRequestException("Invalid maxResults parameter")
    return min(int(text), 500)


@dataclass(frozen=True, slots=True)
class Served:
    """What a stage serves. snapshot: the members of `PARTS`, and `Api`. stage: its document."""

    account: str
    region: str
    stage: Document
    snapshot: Mapping[str, Any]


def owner(store: Store, api_id: str) -> tuple[str, str] | None:
    """(account, region) of an API, wherever it is; None where there is none."""
    row = store.one("SELECT account,region FROM apigatewayv2_item WHERE kind=? AND id=?", (Kind.API, api_id))
    return None if row is None else (row["account"], row["region"])


def served(store: Store, api_id: str, stage_name: str) -> Served | None:
    """None where there is no such API or stage, or nothing has been deployed to it."""
    place = owner(store, api_id)
    if place is None:
        return None
    documents = Documents(store, *place)
    stage = documents.find(Kind.STAGE, stage_name, api_id)
    if stage is None:
        return None
    if stage["AutoDeploy"]:
        return Served(*place, stage, take_snapshot(documents, api_id))
    snapshot = documents.find(Kind.SNAPSHOT, stage.get("DeploymentId", ""), api_id)
    return None if snapshot is None else Served(*place, stage, snapshot)


def take_snapshot(documents: Documents, api_id: str) -> Document:
    return {
        "Api": documents.find(Kind.API, api_id),
        **{name: documents.all(kind, api_id) for name, kind in PARTS.items()},
    }
