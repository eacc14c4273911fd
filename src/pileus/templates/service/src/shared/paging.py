"""Pages of a table: `limit` items and an opaque token to go on from.

The token is the id of the last item, the key that DynamoDB continues a scan from. It is not secret and not signed: who
forges one reads another page of a list that they may read anyway.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from src.shared.errors import Invalid

DEFAULT_LIMIT = 25
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
    limit: int = DEFAULT_LIMIT
    after: str | None = None

    @classmethod
    def of(cls, query: dict[str, str], *, default: int = DEFAULT_LIMIT, maximum: int = MAX_LIMIT) -> "PageRequest":
        """Reads `limit` and `nextToken` of a query string."""
        limit = query.get("limit", str(default))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= maximum):
            raise Invalid(f"limit must be a whole number from 1 to {maximum}", field="limit")
        token = query.get("nextToken")
        return cls(int(limit), _decode(token) if token else None)


def scan_page(table: Any, page: PageRequest, **options: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Scans until the page is full or the table is at its end; a filter may have thinned out what one call returns."""
    items: list[dict[str, Any]] = []
    start = {"ExclusiveStartKey": {"id": page.after}} if page.after else {}
    while True:
        answer = table.scan(Limit=page.limit - len(items), **start, **options)
        items += answer["Items"]
        last = answer.get("LastEvaluatedKey")
        if last is None or len(items) == page.limit:
            return items, _encode(last["id"]) if last else None
        start = {"ExclusiveStartKey": last}


def query_all(table: Any, **options: Any) -> Any:
    """All items of a query, page by page as they are taken."""
    start: dict[str, Any] = {}
    while True:
        answer = table.query(**options, **start)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _encode(item_id: str) -> str:
    return base64.urlsafe_b64encode(item_id.encode()).decode().rstrip("=")


def _decode(token: str) -> str:
    try:
        after = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        after = ""
    if not 0 < len(after) <= 512:
        raise Invalid("nextToken is not one that this list gave out", field="nextToken")
    return after
