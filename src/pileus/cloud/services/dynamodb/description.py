"""`TableDescription`: a table as DescribeTable and its kin show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .table import Table

Sizes = Callable[[int], tuple[int, int]]


def describe(table: Table, sizes: Sizes, *, status: str = "", index_status: str = "") -> dict[str, Any]:
    """sizes: (items, bytes) by the id of the table or an index. status, index_status: other than the kept ones."""
    kept = table.definition
    items, size = sizes(table.id)
    on_demand = kept["BillingMode"] == "PAY_PER_REQUEST"
    result: dict[str, Any] = {
        "AttributeDefinitions": kept["AttributeDefinitions"],
        "TableName": table.name,
        "KeySchema": kept["KeySchema"],
        "TableStatus": status or _status(kept),
        "CreationDateTime": table.created,
        "ProvisionedThroughput": _throughput(kept),
        "TableSizeBytes": size,
        "ItemCount": items,
        "TableArn": table.arn,
        "TableId": kept["TableId"],
        "DeletionProtectionEnabled": kept.get("DeletionProtectionEnabled", False),
        "WarmThroughput": _warm(kept, on_demand),
    }
    if on_demand or "LastUpdateToPayPerRequestDateTime" in kept:
        summary = {"BillingMode": kept["BillingMode"]}
        if "LastUpdateToPayPerRequestDateTime" in kept:
            summary["LastUpdateToPayPerRequestDateTime"] = kept["LastUpdateToPayPerRequestDateTime"]
        result["BillingModeSummary"] = summary
    if "OnDemandThroughput" in kept:
        result["OnDemandThroughput"] = kept["OnDemandThroughput"]
    if "TableClass" in kept:
        result["TableClassSummary"] = {"TableClass": kept["TableClass"]}
    stream = kept.get("Stream")
    if stream is not None:
        result["LatestStreamLabel"] = stream["Label"]
        result["LatestStreamArn"] = f"{table.arn}/stream/{stream['Label']}"
        if not stream["Ended"]:
            result["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["View"]}
    sse = _encryption(table)
    if sse is not None:
        result["SSEDescription"] = sse
    result.update(_indexes(table, sizes, index_status))
    return result


def _status(kept: Mapping[str, Any]) -> str:
    filling = any(i.get("IndexStatus") == "CREATING" for i in kept.get("GlobalSecondaryIndexes", ()))
    return "UPDATING" if filling else "ACTIVE"


def _throughput(kept: Mapping[str, Any]) -> dict[str, Any]:
    given = kept["ProvisionedThroughput"]
    return {
        "NumberOfDecreasesToday": kept.get("Decreases", 0),
        "ReadCapacityUnits": given["ReadCapacityUnits"],
        "WriteCapacityUnits": given["WriteCapacityUnits"],
    }


def _warm(kept: Mapping[str, Any], on_demand: bool) -> dict[str, Any]:
    given = kept.get("WarmThroughput") or {}
    own = kept["ProvisionedThroughput"]
    reads = 12_000 if on_demand else own["ReadCapacityUnits"]
    writes = 4_000 if on_demand else own["WriteCapacityUnits"]
    return {
        "ReadUnitsPerSecond": given.get("ReadUnitsPerSecond", reads),
        "WriteUnitsPerSecond": given.get("WriteUnitsPerSecond", writes),
        "Status": "ACTIVE",
    }


def _encryption(table: Table) -> dict[str, Any] | None:
    given = table.definition.get("SSESpecification") or {}
    if not given.get("Enabled"):
        return None
    key = given.get("KMSMasterKeyId") or "alias/aws/dynamodb"
    if not key.startswith("arn:"):
        kind = "" if key.startswith("alias/") else "key/"
        key = f"arn:aws:kms:{table.region}:{table.account}:{kind}{key}"
    return {"Status": "ENABLED", "SSEType": given.get("SSEType", "KMS"), "KMSMasterKeyArn": key}


def _indexes(table: Table, sizes: Sizes, index_status: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    on_demand = table.definition["BillingMode"] == "PAY_PER_REQUEST"
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in table.definition.get(member, ()):
            items, size = sizes(index["Id"])
            shown: dict[str, Any] = {
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
                "IndexSizeBytes": size,
                "ItemCount": items,
                "IndexArn": f"{table.arn}/index/{index['IndexName']}",
            }
            if member[0] == "G":
                status = index.get("IndexStatus", "ACTIVE")
                shown["IndexStatus"] = index_status or status
                if status == "CREATING" and not index_status:
                    shown["Backfilling"] = True
                shown["ProvisionedThroughput"] = _throughput(index)
                shown["WarmThroughput"] = _warm(index, on_demand)
                if "OnDemandThroughput" in index:
                    shown["OnDemandThroughput"] = index["OnDemandThroughput"]
            found.setdefault(member, []).append(shown)
    return found
