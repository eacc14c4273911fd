"""`ddb`: DynamoDB's operations on a cloud in the process, as `ddb("GetItem", TableName=…, …)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pileus.cloud.kernel import Cloud

Ddb = Callable[..., dict[str, Any]]


@pytest.fixture
def ddb(cloud: Cloud) -> Ddb:
    def call(operation: str, /, **request: Any) -> dict[str, Any]:
        return cloud.call("dynamodb", operation, request)

    return call


@pytest.fixture
def make(ddb: Ddb) -> Callable[..., str]:
    """Makes a table: `make("tab", "id:S", "at:N", e={"keys": ("mail:S",), "keep": "ALL"}, …)`; local indexes begin
    with the table's own hash key and are given as `local=True`."""

    def table(name: str, *keys: str, **indexes: Mapping[str, Any]) -> str:
        kinds: dict[str, str] = {}

        def schema(specs: tuple[str, ...]) -> list[dict[str, str]]:
            found = []
            for spec, role in zip(specs, ("HASH", "RANGE"), strict=False):
                attribute, _, kind = spec.partition(":")
                kinds[attribute] = kind
                found.append({"AttributeName": attribute, "KeyType": role})
            return found

        request: dict[str, Any] = {
            "TableName": name,
            "KeySchema": schema(keys),
            "BillingMode": "PAY_PER_REQUEST",
        }
        for index_name, index in indexes.items():
            keep = index.get("keep", "ALL")
            projection = (
                {"ProjectionType": keep}
                if isinstance(keep, str)
                else {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(keep)}
            )
            member = "LocalSecondaryIndexes" if index.get("local") else "GlobalSecondaryIndexes"
            request.setdefault(member, []).append(
                {"IndexName": index_name, "KeySchema": schema(index["keys"]), "Projection": projection}
            )
        request["AttributeDefinitions"] = [{"AttributeName": a, "AttributeType": k} for a, k in kinds.items()]
        ddb("CreateTable", **request)
        return name

    return table
