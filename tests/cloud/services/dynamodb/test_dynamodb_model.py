"""Random operations beside a model of a few lines: the table, its indexes and its counts must agree with it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.cloud.kernel import AwsError, Cloud, Settings
from pileus.cloud.services import REGISTRY
from pileus.cloud.services.dynamodb.values import item_size

TABLE = {
    "TableName": "tab",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": n, "AttributeType": t}
        for n, t in (("id", "S"), ("sk", "N"), ("g", "S"), ("r", "N"))
    ],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "all",
            "KeySchema": [
                {"AttributeName": "g", "KeyType": "HASH"},
                {"AttributeName": "r", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "keys",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ],
}

ids = st.sampled_from(["a", "b"])
sorts = st.integers(-2, 2)
groups = st.none() | st.sampled_from(["x", "y"])
ranks = st.none() | st.integers(-3, 3)
puts = st.tuples(st.just("put"), ids, sorts, groups, ranks)
updates = st.tuples(st.just("update"), ids, sorts, groups, ranks)
deletes = st.tuples(st.just("delete"), ids, sorts, st.none(), st.none())
conditional = st.tuples(st.just("create"), ids, sorts, groups, ranks)
Step = tuple[str, str, int, str | None, int | None]


def attributes(group: str | None, rank: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if group is not None:
        found["g"] = {"S": group}
    if rank is not None:
        found["r"] = {"N": str(rank)}
    return found


def run(cloud: Cloud, model: dict[tuple[str, int], dict[str, Any]], step: Step) -> None:
    kind, key, sort, group, rank = step
    place = {"id": {"S": key}, "sk": {"N": str(sort)}}
    if kind in ("put", "create"):
        item = {**place, **attributes(group, rank)}
        request: dict[str, Any] = {"TableName": "tab", "Item": item}
        if kind == "create":
            request["ConditionExpression"] = "attribute_not_exists(id)"
            if (key, sort) in model:
                try:
                    cloud.call("dynamodb", "PutItem", request)
                except AwsError as error:
                    assert error.code == "ConditionalCheckFailedException"
                    return
                raise AssertionError("the item is there, but the condition held")
        cloud.call("dynamodb", "PutItem", request)
        model[key, sort] = item
    elif kind == "delete":
        cloud.call("dynamodb", "DeleteItem", {"TableName": "tab", "Key": place})
        model.pop((key, sort), None)
    else:
        update(cloud, model, place, group, rank)


def update(
    cloud: Cloud,
    model: dict[tuple[str, int], dict[str, Any]],
    place: dict[str, Any],
    group: str | None,
    rank: int | None,
) -> None:
    given = attributes(group, rank)
    sets = [f"{name} = :{name}" for name in given]
    removes = [name for name in ("g", "r") if name not in given]
    text = ("SET " + ", ".join(sets) if sets else "") + (" REMOVE " + ", ".join(removes) if removes else "")
    request: dict[str, Any] = {"TableName": "tab", "Key": place, "UpdateExpression": text}
    if given:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in given.items()}
    cloud.call("dynamodb", "UpdateItem", request)
    model[place["id"]["S"], int(place["sk"]["N"])] = {**place, **given}


@settings(max_examples=40, deadline=None)
@given(st.lists(puts | updates | deletes | conditional, max_size=40))
def test_table_and_indexes_agree_with_the_model(steps: list[Step]) -> None:
    cloud = Cloud(REGISTRY, Settings())
    try:
        cloud.call("dynamodb", "CreateTable", TABLE)
        model: dict[tuple[str, int], dict[str, Any]] = {}
        for step in steps:
            run(cloud, model, step)
        check(cloud, model)
    finally:
        cloud.store.close()


def check(cloud: Cloud, model: dict[tuple[str, int], dict[str, Any]]) -> None:
    for key in ("a", "b"):
        found = query(cloud, None, "id", key)
        assert found == [model[k] for k in sorted(model) if k[0] == key]
    for group in ("x", "y"):
        there = [item for item in model.values() if item.get("g") == {"S": group}]
        ranked = [item for item in there if "r" in item]
        found = query(cloud, "all", "g", group)
        assert [int(item["r"]["N"]) for item in found] == sorted(int(item["r"]["N"]) for item in ranked)
        assert same(found, ranked)
        names = ("id", "sk", "g")
        assert same(query(cloud, "keys", "g", group), [{n: item[n] for n in names} for item in there])
    table = cloud.call("dynamodb", "DescribeTable", {"TableName": "tab"})["Table"]
    assert table["ItemCount"] == len(model)
    assert table["TableSizeBytes"] == sum(map(item_size, model.values()))
    both, keys = table["GlobalSecondaryIndexes"]
    ranked = [item for item in model.values() if "g" in item and "r" in item]
    assert (both["ItemCount"], both["IndexSizeBytes"]) == (len(ranked), sum(map(item_size, ranked)))
    assert keys["ItemCount"] == sum("g" in item for item in model.values())


def query(cloud: Cloud, index: str | None, name: str, value: str) -> list[dict[str, Any]]:
    request: dict[str, Any] = {
        "TableName": "tab",
        "KeyConditionExpression": f"{name} = :v",
        "ExpressionAttributeValues": {":v": {"S": value}},
    }
    if index is not None:
        request["IndexName"] = index
    items: list[dict[str, Any]] = cloud.call("dynamodb", "Query", request)["Items"]
    return items


def same(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> bool:
    return sorted(map(shown, left)) == sorted(map(shown, right))


def shown(item: dict[str, Any]) -> str:
    return repr(sorted((name, repr(value)) for name, value in item.items()))
