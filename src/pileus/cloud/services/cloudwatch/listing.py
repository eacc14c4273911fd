"""ListMetrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...kernel import Call, NotEmulated, operation
from . import paging
from .datum import dimensions_of
from .errors import InvalidParameterValue

if TYPE_CHECKING:
    from ...kernel import Store

_PAGE = 500
#: Metrics that had no data for two weeks are not listed; with RecentlyActive, three hours.
_LISTED = 14 * 86_400
_RECENT = 3 * 3600


class Listing:
    """Mixed into the service."""

    if TYPE_CHECKING:
        store: Store

    @operation("ListMetrics")
    def list_metrics(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("IncludeLinkedAccounts"):
            raise NotEmulated("cloudwatch ListMetrics.IncludeLinkedAccounts")
        if request.get("OwningAccount", call.account) != call.account:
            raise NotEmulated("cloudwatch ListMetrics.OwningAccount")
        since = call.now - (_RECENT if request.get("RecentlyActive") else _LISTED)
        clauses = ["account=?", "region=?", "active>=?"]
        parameters: list[str | float] = [call.account, call.region, since]
        order = {"namespace": "", "name": "", "dimensions": ""}
        if token := request.get("NextToken"):
            order = dict(zip(order, _place(token), strict=True))
        for column, name in (("namespace", "Namespace"), ("name", "MetricName")):
            if (wanted := request.get(name)) is not None:
                clauses.append(f"{column}=?")
                parameters.append(wanted)
                del order[column]
        columns = ",".join(order)
        clauses.append(f"({columns})>({','.join('?' * len(order))})")
        parameters += order.values()
        tables, which = _with_dimensions(call, request.get("Dimensions") or ())
        if tables:
            clauses.append("id=metric_id")
        rows = self.store.all(
            f"SELECT namespace,name,dimensions FROM {tables} cloudwatch_metric WHERE {' AND '.join(clauses)}"
            f" ORDER BY {columns} LIMIT ?",
            (*which, *parameters, _PAGE + 1),
        )
        page = rows[:_PAGE]
        return {
            "Metrics": [
                {
                    "Namespace": row["namespace"],
                    "MetricName": row["name"],
                    "Dimensions": dimensions_of(row["dimensions"]),
                }
                for row in page
            ],
            "NextToken": paging.token([*page[-1]]) if len(rows) > _PAGE else None,
        }


def _with_dimensions(call: Call, filters: Sequence[Mapping[str, str]]) -> tuple[str, list[str]]:
    """What to join so that only metrics with these dimensions are looked at (CROSS JOIN: in this order)."""
    ids, parameters = [], []
    for dimension in filters:
        text = "SELECT metric_id FROM cloudwatch_dimension WHERE account=? AND region=? AND name=?"
        parameters += [call.account, call.region, dimension["Name"]]
        if (value := dimension.get("Value")) is not None:
            text += " AND value=?"
            parameters.append(value)
        ids.append(text)
    if not ids:
        return "", []
    return f"({' INTERSECT '.join(ids)}) AS filtered CROSS JOIN", parameters


def _place(token: str) -> list[str]:
    place = paging.read(token)
    if place is None or len(place) != 3 or not all(isinstance(part, str) for part in place):
        raise InvalidParameterValue("The value for parameter NextToken is invalid.")
    return place
