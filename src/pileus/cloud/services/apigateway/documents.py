"""The documents of the control plane: get, put, delete and page, one place (account and region) at a time."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import orjson

from pileus.cloud.documents import Document as Document  # for those who import it from here
from pileus.cloud.documents import DocumentTable

from .errors import BadRequestException


class Kind(StrEnum):
    ACCOUNT = "account"
    API = "api"
    API_KEY = "apikey"
    AUTHORIZER = "authorizer"
    DEPLOYMENT = "deployment"
    GATEWAY_RESPONSE = "gateway-response"
    MODEL = "model"
    RESOURCE = "resource"
    SNAPSHOT = "snapshot"
    STAGE = "stage"
    USAGE_PLAN = "usageplan"
    USAGE_PLAN_KEY = "usageplan-key"
    VALIDATOR = "validator"


class Documents(DocumentTable[Kind], table="apigateway_item"):
    def by_handle(self, kind: Kind, handle: str) -> list[Document]:
        rows = self._store.all(
            "SELECT document FROM apigateway_item WHERE account=? AND region=? AND kind=? AND handle=?",
            (*self._place, kind, handle),
        )
        return [orjson.loads(row[0]) for row in rows]

    def page(
        self,
        kind: Kind,
        request: Mapping[str, Any],
        parent: str = "",
        *,
        default: int = 25,
        keep: Callable[[Document], bool] | None = None,
    ) -> tuple[list[Document], str | None]:
        """The documents after `request["position"]`, `request["limit"]` of them at most, and the next position."""
        limit = request.get("limit", default)
        if not 1 <= limit <= 500:
            limit = default if limit < 1 else 500
        after = _from_position(request.get("position"))
        found: list[Document] = []
        last = after
        while True:
            rows = self._rows(kind, parent, after, limit + 1)
            for row in rows:
                document = orjson.loads(row["document"])
                if keep is not None and not keep(document):
                    continue
                if len(found) == limit:
                    return found, _to_position(last)
                found.append(document)
                last = row["id"]
            if len(rows) <= limit:
                return found, None
            after = rows[-1]["id"]


def _to_position(item_id: str) -> str:
    return urlsafe_b64encode(item_id.encode()).decode()


def _from_position(position: str | None) -> str:
    if not position:
        return ""
    try:
        return urlsafe_b64decode(position.encode()).decode()
    except ValueError:
        raise BadRequestException("Invalid position parameter") from None


def bare(document: Mapping[str, Any], *without: str) -> Document:
    """A copy without members that are None and those named."""
    return {key: value for key, value in document.items() if value is not None and key not in without}
