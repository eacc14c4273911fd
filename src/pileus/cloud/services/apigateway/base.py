"""What all groups of operations stand on: an API's documents, and how the data plane learns of changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import Call, Service

from .documents import Document, Documents, Kind
from .errors import NotFoundException

if TYPE_CHECKING:
    from .dataplane.plane import DataPlane

Request = Mapping[str, Any]
Result = dict[str, Any]


class Operations(Service):
    plane: DataPlane

    def documents(self, call: Call) -> Documents:
        return Documents.of(call)

    def api(self, call: Call, api_id: str) -> Document:
        """Raises NotFoundException for one that there is not in this account and region."""
        found = Documents.of(call).find(Kind.API, api_id)
        if found is None:
            raise NotFoundException(f"Invalid API identifier specified {call.account}:{api_id}")
        return found

    def child(self, call: Call, kind: Kind, api_id: str, item_id: str, missing: str) -> Document:
        """A document under an API; `missing` is what AWS says where there is none."""
        documents = Documents.of(call)
        found = documents.find(kind, item_id, api_id)
        if found is None:
            self.api(call, api_id)
            raise NotFoundException(missing)
        return found


def listed(items: list[Document], position: str | None) -> Result:
    return {"items": items, "position": position} if position else {"items": items}
