"""What CreateTable and UpdateTable may say of a table, and the definition that is kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pileus.cloud.kernel import NotEmulated

from .errors import LimitExceededException, ValidationException, invalid_value

_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch
_MAX_LOCAL, _MAX_GLOBAL, _MAX_NON_KEY = 5, 20, 100

#: Members that would change how the table behaves; they are refused, not dropped.
_NOT_EMULATED = (
    "ResourcePolicy",
    "VectorIndexes",
    "GlobalTableSourceArn",
    "GlobalTableSettingsReplicationMode",
    "ReplicaUpdates",
    "MultiRegionConsistency",
    "GlobalTableWitnessUpdates",
    "VectorIndexUpdates",
    "DisassociationProtectionEnabled",
)
_KEPT = ("TableClass", "DeletionProtectionEnabled", "OnDemandThroughput", "WarmThroughput")


def check_name(name: str) -> None:
    if not _NAME(name):
        raise ValidationException(
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may"
            " contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
        )


def refuse_not_emulated(operation: str, request: Mapping[str, Any]) -> None:
    for member in _NOT_EMULATED:
        if request.get(member) is not None:
            raise NotEmulated(f"dynamodb {operation}.{member}")


def new_definition(request: Mapping[str, Any]) -> dict[str, Any]:
    """Checks a CreateTable request as DynamoDB does and gives the definition, without the indexes' ids."""
    check_name(request["TableName"])
    refuse_not_emulated("CreateTable", request)
    definition: dict[str, Any] = {
        "AttributeDefinitions": _attributes(request.get("AttributeDefinitions")),
        "KeySchema": request.get("KeySchema"),
        **billing(request),
    }
    if definition["KeySchema"] is None:
        raise invalid_value("KeySchema must be specified")
    kinds = {d["AttributeName"]: d["AttributeType"] for d in definition["AttributeDefinitions"]}
    check_schema(definition["KeySchema"], kinds)
    local = request.get("LocalSecondaryIndexes")
    if local is not None:
        definition["LocalSecondaryIndexes"] = _local_indexes(local, definition["KeySchema"], kinds)
    globals_ = request.get("GlobalSecondaryIndexes")
    if globals_ is not None:
        if not globals_:
            raise invalid_value("List of GlobalSecondaryIndexes is empty")
        if len(globals_) > _MAX_GLOBAL:
            raise invalid_value(f"GlobalSecondaryIndex count exceeds the per-table limit of {_MAX_GLOBAL}")
        definition["GlobalSecondaryIndexes"] = [
            global_index(index, kinds, definition["BillingMode"]) for index in globals_
        ]
    _check_names(definition)
    check_all_used(definition)
    for member in _KEPT:
        if request.get(member) is not None:
            definition[member] = request[member]
    if request.get("SSESpecification"):
        definition["SSESpecification"] = request["SSESpecification"]
    definition["Tags"] = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    return definition


def stream_view(request: Mapping[str, Any]) -> str | None:
    """The view type of the stream that is asked for; None where none is."""
    specification = request.get("StreamSpecification")
    if specification is None:
        return None
    enabled, view = specification["StreamEnabled"], specification.get("StreamViewType")
    if enabled and view is None:
        raise invalid_value("StreamViewType must be specified when StreamEnabled is true")
    if not enabled and view is not None:
        raise invalid_value("StreamViewType can only be specified when StreamEnabled is true")
    return view if enabled else None


def billing(request: Mapping[str, Any]) -> dict[str, Any]:
    mode = request.get("BillingMode", "PROVISIONED")
    throughput = request.get("ProvisionedThroughput")
    if mode == "PROVISIONED":
        if throughput is None:
            raise invalid_value(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
            )
        check_throughput(throughput)
        return {"BillingMode": mode, "ProvisionedThroughput": dict(throughput)}
    if throughput is not None:
        raise invalid_value(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is"
            " PAY_PER_REQUEST"
        )
    return {
        "BillingMode": mode,
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
    }


def check_throughput(throughput: Mapping[str, Any], index: str = "") -> None:
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[member] > 1_000_000_000_000:
            where = f" for index {index}" if index else ""
            raise invalid_value(f"Given value {throughput[member]} for {member} is out of bounds{where}")


def _attributes(definitions: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]]:
    if not definitions:
        raise invalid_value(
            "Some AttributeDefinitions are not valid. AttributeDefinitions must be specified"
            if definitions is None
            else "AttributeDefinitions must not be empty"
        )
    names = [d["AttributeName"] for d in definitions]
    if len(set(names)) != len(names):
        raise ValidationException("Cannot have two attributes with the same name")
    return [dict(d) for d in definitions]


def check_schema(
    schema: Sequence[Mapping[str, str]], kinds: Mapping[str, str], *, of_index: bool = False
) -> None:
    """A key schema: HASH, then perhaps RANGE, both defined attributes."""
    names = [element["AttributeName"] for element in schema]
    if not schema or schema[0]["KeyType"] != "HASH":
        raise ValidationException("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(schema) > 2:
        if of_index:
            raise NotEmulated("dynamodb GlobalSecondaryIndexes.KeySchema with more than two attributes")
        raise ValidationException(
            f"1 validation error detected: Value '{names}' at 'keySchema' failed to satisfy constraint:"
            " Member must have length less than or equal to 2"
        )
    if len(schema) == 2:
        if schema[1]["KeyType"] != "RANGE":
            if of_index:
                raise NotEmulated("dynamodb GlobalSecondaryIndexes.KeySchema with several hash attributes")
            raise ValidationException(
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
            )
        if names[0] == names[1]:
            raise ValidationException(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name"
            )
    missing = [name for name in names if name not in kinds]
    if missing:
        raise invalid_value(
            "Some index key attributes are not defined in AttributeDefinitions."
            f" Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(kinds)}]"
        )


def check_all_used(definition: Mapping[str, Any]) -> None:
    used = {element["AttributeName"] for element in definition["KeySchema"]}
    has_indexes = False
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in definition.get(member, ()):
            has_indexes = True
            used.update(element["AttributeName"] for element in index["KeySchema"])
    names = [d["AttributeName"] for d in definition["AttributeDefinitions"]]
    if set(names) == used:
        return
    if not has_indexes:
        raise invalid_value(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in"
            " AttributeDefinitions"
        )
    keys = [name for name in names if name in used]
    raise invalid_value(
        f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(names)}],"
        f" keys used: [{', '.join(keys)}]"
    )


def _check_names(definition: Mapping[str, Any]) -> None:
    seen: set[str] = set()
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in definition.get(member, ()):
            if index["IndexName"] in seen:
                raise invalid_value(f"Duplicate index name: {index['IndexName']}")
            seen.add(index["IndexName"])


def _local_indexes(
    indexes: Sequence[Mapping[str, Any]], schema: Sequence[Mapping[str, str]], kinds: Mapping[str, str]
) -> list[dict[str, Any]]:
    if not indexes:
        raise invalid_value("List of LocalSecondaryIndexes is empty")
    if len(indexes) > _MAX_LOCAL:
        raise invalid_value(f"Number of LocalSecondaryIndexes exceeds per-table limit of {_MAX_LOCAL}")
    if len(schema) < 2:
        raise invalid_value(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    found = []
    for index in indexes:
        check_name(index["IndexName"])
        check_schema(index["KeySchema"], kinds)
        name, key = index["IndexName"], index["KeySchema"]
        if len(key) < 2:
            raise invalid_value(f"Index KeySchema does not have a range key for index: {name}")
        own, tables = key[0]["AttributeName"], schema[0]["AttributeName"]
        if own != tables:
            raise invalid_value(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index:"
                f" {name}. index hash key: {own}, table hash key: {tables}"
            )
        found.append({"IndexName": name, "KeySchema": key, "Projection": _projection(index)})
    return found


def global_index(index: Mapping[str, Any], kinds: Mapping[str, str], mode: str) -> dict[str, Any]:
    check_name(index["IndexName"])
    check_schema(index["KeySchema"], kinds, of_index=True)
    throughput = index.get("ProvisionedThroughput")
    if mode == "PAY_PER_REQUEST" and throughput is not None:
        raise invalid_value(
            "ProvisionedThroughput should not be specified for index:"
            f" {index['IndexName']} when BillingMode is PAY_PER_REQUEST"
        )
    if mode == "PROVISIONED":
        if throughput is None:
            raise invalid_value(f"ProvisionedThroughput is not specified for index: {index['IndexName']}")
        check_throughput(throughput, index["IndexName"])
    found: dict[str, Any] = {
        "IndexName": index["IndexName"],
        "KeySchema": index["KeySchema"],
        "Projection": _projection(index),
        "ProvisionedThroughput": throughput or {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
    }
    for member in ("OnDemandThroughput", "WarmThroughput"):
        if index.get(member) is not None:
            found[member] = index[member]
    return found


def _projection(index: Mapping[str, Any]) -> dict[str, Any]:
    projection = index.get("Projection") or {}
    kind, names = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind is None:
        raise invalid_value("Unknown ProjectionType: null")
    if kind != "INCLUDE":
        if names is not None:
            raise invalid_value(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
        return {"ProjectionType": kind}
    if not names:
        raise invalid_value("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    if len(names) > _MAX_NON_KEY:
        raise LimitExceededException(f"NonKeyAttributes exceeds the limit of {_MAX_NON_KEY}")
    return {"ProjectionType": kind, "NonKeyAttributes": list(names)}
