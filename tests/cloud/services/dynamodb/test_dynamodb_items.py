"""Single items and batches: conditions, return values, refusals, capacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError

Ddb = Callable[..., dict[str, Any]]
Make = Callable[..., str]
INVALID = "One or more parameter values were invalid: "
EMPTY_KEY = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"


@pytest.fixture
def tab(make: Make) -> str:
    return make("tab", "id:S", gsi={"keys": ("mail:S", "sk:N"), "keep": ("kept",)})


@pytest.fixture
def ranged(make: Make) -> str:
    return make("ran", "id:S", "sk:N", lsi={"keys": ("id:S", "extra:S"), "local": True})


def refused(ddb: Ddb, operation: str, **request: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        ddb(operation, **request)
    return caught.value


def get(ddb: Ddb, key: str, **more: Any) -> dict[str, Any] | None:
    return ddb("GetItem", TableName="tab", Key={"id": {"S": key}}, **more).get("Item")


def test_put_gives_nothing_back_and_get_what_was_put(ddb: Ddb, tab: str) -> None:
    item = {
        "id": {"S": "a"},
        "n": {"N": "1.50"},
        "set": {"NS": ["3", "1"]},
        "deep": {"M": {"l": {"L": [{"B": "AAE="}, {"NULL": True}]}, "": {"S": ""}}},
    }
    assert ddb("PutItem", TableName=tab, Item=item) == {}
    assert get(ddb, "a") == {**item, "n": {"N": "1.5"}, "set": {"NS": ["1", "3"]}}
    assert get(ddb, "b") is None
    assert get(ddb, "a", ProjectionExpression="n, deep.l[1]") == {
        "n": {"N": "1.5"},
        "deep": {"M": {"l": {"L": [{"NULL": True}]}}},
    }


def test_the_request_is_left_as_it_was(ddb: Ddb, tab: str) -> None:
    item = {"id": {"S": "a"}, "n": {"N": "1.50"}, "set": {"SS": ["b", "a"]}}
    before = repr(item)
    ddb("PutItem", TableName=tab, Item=item)
    assert repr(item) == before


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"x": {"S": "a"}}, INVALID + "Missing the key id in the item"),
        ({"id": {"N": "1"}}, INVALID + "Type mismatch for key id expected: S actual: N"),
        ({"id": {"S": ""}}, EMPTY_KEY + " string value. Key: id"),
        ({"id": {"S": "a"}, "x": {"SS": []}}, INVALID + "An string set  may not be empty"),
        ({"id": {"S": "a"}, "x": {"S": "x" * 409_600}}, "Item size has exceeded the maximum allowed size"),
        (
            {"id": {"S": "x" * 2049}},
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            {"id": {"S": "a"}, "mail": {"N": "1"}, "sk": {"N": "1"}},
            INVALID + "Type mismatch for Index Key mail Expected: S Actual: N IndexName: gsi",
        ),
        (
            {"id": {"S": "a"}, "mail": {"S": ""}, "sk": {"N": "1"}},
            "One or more parameter values are not valid. A value specified for a secondary index key is not"
            " supported. The AttributeValue for a key attribute cannot contain an empty string value."
            " IndexName: gsi, IndexKey: mail",
        ),
    ],
)
def test_put_refused(ddb: Ddb, tab: str, item: dict[str, Any], message: str) -> None:
    error = refused(ddb, "PutItem", TableName=tab, Item=item)
    assert (error.code, error.message) == ("ValidationException", message)
    assert ddb("Scan", TableName=tab)["Count"] == 0


def test_four_hundred_kilobytes_are_taken(ddb: Ddb, tab: str) -> None:
    ddb("PutItem", TableName=tab, Item={"id": {"S": "a"}, "x": {"S": "x" * (409_600 - 4)}})
    error = refused(
        ddb,
        "UpdateItem",
        TableName=tab,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET y = :y",
        ExpressionAttributeValues={":y": {"S": "y"}},
    )
    assert error.message == "Item size to update has exceeded the maximum allowed size"


@pytest.mark.parametrize(
    "key",
    [{}, {"id": {"N": "1"}}, {"x": {"S": "a"}}, {"id": {"S": "a"}, "x": {"S": "b"}}],
)
@pytest.mark.parametrize("operation", ["GetItem", "DeleteItem", "UpdateItem"])
def test_a_key_must_be_the_tables(ddb: Ddb, tab: str, operation: str, key: dict[str, Any]) -> None:
    error = refused(ddb, operation, TableName=tab, Key=key)
    assert error.message == "The provided key element does not match the schema"


def test_conditions(ddb: Ddb, tab: str) -> None:
    put = {"TableName": tab, "Item": {"id": {"S": "a"}, "v": {"N": "1"}}}
    ddb("PutItem", **put, ConditionExpression="attribute_not_exists(id)")
    error = refused(ddb, "PutItem", **put, ConditionExpression="attribute_not_exists(id)")
    assert (error.code, error.message) == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
    assert "Item" not in error.members
    error = refused(
        ddb,
        "DeleteItem",
        TableName=tab,
        Key={"id": {"S": "a"}},
        ConditionExpression="v > :v",
        ExpressionAttributeValues={":v": {"N": "1"}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert error.members["Item"] == put["Item"]
    ddb("DeleteItem", TableName=tab, Key={"id": {"S": "a"}}, ConditionExpression="attribute_exists(id)")
    assert get(ddb, "a") is None


@pytest.mark.parametrize(
    ("wanted", "first", "second"),
    [
        ("NONE", None, None),
        ("ALL_OLD", None, {"id": {"S": "a"}, "n": {"N": "1"}, "s": {"S": "x"}}),
        (
            "ALL_NEW",
            {"id": {"S": "a"}, "n": {"N": "1"}, "s": {"S": "x"}},
            {"id": {"S": "a"}, "n": {"N": "2"}, "s": {"S": "x"}},
        ),
        ("UPDATED_OLD", None, {"n": {"N": "1"}, "s": {"S": "x"}}),
        ("UPDATED_NEW", {"n": {"N": "1"}, "s": {"S": "x"}}, {"n": {"N": "2"}, "s": {"S": "x"}}),
    ],
)
def test_return_values_of_an_update(ddb: Ddb, tab: str, wanted: str, first: Any, second: Any) -> None:
    update = {
        "TableName": tab,
        "Key": {"id": {"S": "a"}},
        "UpdateExpression": "ADD n :one SET s = :x",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":x": {"S": "x"}},
        "ReturnValues": wanted,
    }
    assert ddb("UpdateItem", **update).get("Attributes") == first
    assert ddb("UpdateItem", **update).get("Attributes") == second


def test_updated_new_of_a_nested_place(ddb: Ddb, tab: str) -> None:
    ddb("PutItem", TableName=tab, Item={"id": {"S": "a"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}})
    found = ddb(
        "UpdateItem",
        TableName=tab,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET m.x = m.x + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    assert found["Attributes"] == {"m": {"M": {"x": {"N": "2"}}}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"NULL": True},
            "The update expression attempted to update the secondary index key to unsupported type",
        ),
        (
            {"S": ""},
            "One or more parameter values are not valid. The update expression attempted to update a secondary index"
            " key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty"
            " string value.",
        ),
    ],
)
def test_an_update_may_not_spoil_an_index_key(
    ddb: Ddb, tab: str, value: dict[str, Any], message: str
) -> None:
    update = {"UpdateExpression": "SET mail = :v", "ExpressionAttributeValues": {":v": value}}
    assert refused(ddb, "UpdateItem", TableName=tab, Key={"id": {"S": "a"}}, **update).message == message
    assert get(ddb, "a") is None


def test_an_update_without_expression_makes_the_item(ddb: Ddb, tab: str) -> None:
    ddb("UpdateItem", TableName=tab, Key={"id": {"S": "a"}})
    assert get(ddb, "a") == {"id": {"S": "a"}}


def test_put_and_delete_give_the_old_item_back(ddb: Ddb, tab: str) -> None:
    old = {"id": {"S": "a"}, "v": {"N": "1"}}
    put = {"TableName": tab, "ReturnValues": "ALL_OLD"}
    assert ddb("PutItem", **put, Item=old) == {}
    assert ddb("PutItem", **put, Item={"id": {"S": "a"}}) == {"Attributes": old}
    assert ddb("DeleteItem", **put, Key={"id": {"S": "a"}}) == {"Attributes": {"id": {"S": "a"}}}
    assert ddb("DeleteItem", **put, Key={"id": {"S": "a"}}) == {}


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("PutItem", {"ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        (
            "PutItem",
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "PutItem",
            {"ExpressionAttributeValues": {":a": {"S": "a"}}},
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            "UpdateItem",
            {"ExpressionAttributeValues": {":a": {"S": "a"}}},
            "ExpressionAttributeValues can only be specified when using expressions:"
            " UpdateExpression and ConditionExpression are null",
        ),
        (
            "UpdateItem",
            {"UpdateExpression": "SET id = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}},
            INVALID + "Cannot update attribute id. This attribute is part of the key",
        ),
        (
            "PutItem",
            {"ConditionExpression": "attribute_exists(a)", "Expected": {"a": {"Exists": False}}},
            "Can not use both expression and non-expression parameters in the same request:"
            " Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
    ],
)
def test_parameters_refused(
    ddb: Ddb, tab: str, operation: str, request_: dict[str, Any], message: str
) -> None:
    own = {"Item" if operation == "PutItem" else "Key": {"id": {"S": "a"}}}
    assert refused(ddb, operation, TableName=tab, **own, **request_).message == message


def test_consumed_capacity(ddb: Ddb, tab: str) -> None:
    item = {"id": {"S": "a"}, "mail": {"S": "m"}, "sk": {"N": "1"}, "big": {"S": "x" * 3000}}
    used = ddb("PutItem", TableName=tab, Item=item, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert used == {
        "TableName": "tab",
        "CapacityUnits": 4.0,
        "Table": {"CapacityUnits": 3.0},
        "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 1.0}},
    }
    key = {"TableName": tab, "Key": {"id": {"S": "a"}}, "ReturnConsumedCapacity": "TOTAL"}
    assert ddb("GetItem", **key)["ConsumedCapacity"] == {"TableName": "tab", "CapacityUnits": 0.5}
    assert ddb("GetItem", **key, ConsistentRead=True)["ConsumedCapacity"]["CapacityUnits"] == 1.0
    # what the index does not hold costs nothing there; a moved entry costs two
    update = {**key, "ReturnConsumedCapacity": "INDEXES", "UpdateExpression": "SET extra = :v"}
    used = ddb("UpdateItem", **update, ExpressionAttributeValues={":v": {"S": "v"}})["ConsumedCapacity"]
    assert used["CapacityUnits"] == 3.0
    update = {**key, "ReturnConsumedCapacity": "INDEXES", "UpdateExpression": "SET mail = :v"}
    used = ddb("UpdateItem", **update, ExpressionAttributeValues={":v": {"S": "v"}})["ConsumedCapacity"]
    assert used["GlobalSecondaryIndexes"] == {"gsi": {"CapacityUnits": 2.0}}


def test_item_collection_metrics_of_tables_with_local_indexes(ddb: Ddb, ranged: str, tab: str) -> None:
    item = {"id": {"S": "a"}, "sk": {"N": "1"}}
    found = ddb("PutItem", TableName=ranged, Item=item, ReturnItemCollectionMetrics="SIZE")
    assert found["ItemCollectionMetrics"] == {
        "ItemCollectionKey": {"id": {"S": "a"}},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }
    assert "ItemCollectionMetrics" not in ddb(
        "PutItem", TableName=tab, Item={"id": {"S": "a"}}, ReturnItemCollectionMetrics="SIZE"
    )


# -- batches --------------------------------------------------------------------------------------------------------


def test_batch_write_and_get(ddb: Ddb, tab: str, ranged: str) -> None:
    puts = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(3)]
    other = [{"PutRequest": {"Item": {"id": {"S": "a"}, "sk": {"N": "1"}}}}]
    assert ddb("BatchWriteItem", RequestItems={tab: puts, ranged: other}) == {"UnprocessedItems": {}}
    ddb("BatchWriteItem", RequestItems={tab: [{"DeleteRequest": {"Key": {"id": {"S": "0"}}}}]})
    found = ddb(
        "BatchGetItem",
        RequestItems={
            tab: {"Keys": [{"id": {"S": str(n)}} for n in range(3)]},
            ranged: {"Keys": [{"id": {"S": "a"}, "sk": {"N": "1.0"}}], "ProjectionExpression": "sk"},
        },
        ReturnConsumedCapacity="TOTAL",
    )
    assert found["Responses"] == {tab: [{"id": {"S": "1"}}, {"id": {"S": "2"}}], ranged: [{"sk": {"N": "1"}}]}
    assert found["UnprocessedKeys"] == {}
    assert [used["CapacityUnits"] for used in found["ConsumedCapacity"]] == [1.5, 0.5]


@pytest.mark.parametrize(
    ("operation", "items", "message"),
    [
        (
            "BatchWriteItem",
            [{"PutRequest": {"Item": {"id": {"S": "a"}}}}, {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}],
            "Provided list of item keys contains duplicates",
        ),
        (
            "BatchWriteItem",
            [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(26)],
            "Too many items requested for the BatchWriteItem call",
        ),
        (
            "BatchWriteItem",
            [],
            "The batch write request list for a table cannot be null or empty: tab",
        ),
        (
            "BatchWriteItem",
            [{"PutRequest": {"Item": {"x": {"S": "a"}}}}],
            INVALID + "Missing the key id in the item",
        ),
        (
            "BatchGetItem",
            {"Keys": [{"id": {"S": "a"}}, {"id": {"S": "a"}}]},
            "Provided list of item keys contains duplicates",
        ),
        (
            "BatchGetItem",
            {"Keys": [{"id": {"S": str(n)}} for n in range(101)]},
            "Too many items requested for the BatchGetItem call",
        ),
        (
            "BatchGetItem",
            {"Keys": [{"x": {"S": "a"}}]},
            "The provided key element does not match the schema",
        ),
    ],
)
def test_batches_refused(ddb: Ddb, tab: str, operation: str, items: Any, message: str) -> None:
    assert refused(ddb, operation, RequestItems={tab: items}).message == message
    assert ddb("Scan", TableName=tab)["Count"] == 0


def test_a_batch_of_more_than_sixteen_megabytes_leaves_keys_unprocessed(ddb: Ddb, tab: str) -> None:
    for n in range(45):
        ddb("PutItem", TableName=tab, Item={"id": {"S": str(n)}, "x": {"S": "x" * 400_000}})
    keys = [{"id": {"S": str(n)}} for n in range(45)]
    found = ddb("BatchGetItem", RequestItems={tab: {"Keys": keys}})
    got = [item["id"] for item in found["Responses"][tab]]
    left = [key["id"] for key in found["UnprocessedKeys"][tab]["Keys"]]
    assert got + left == [key["id"] for key in keys]
    assert len(got) == 16 * 1024 * 1024 // 400_003
