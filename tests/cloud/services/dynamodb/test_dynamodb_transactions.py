"""Transactions: all or nothing, a reason for each action, tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud

Ddb = Callable[..., dict[str, Any]]
Make = Callable[..., str]


@pytest.fixture
def tab(ddb: Ddb, make: Make) -> str:
    name = make("tab", "id:S", gsi={"keys": ("mail:S",)})
    ddb("PutItem", TableName=name, Item={"id": {"S": "there"}, "n": {"N": "1"}})
    return name


def put(key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "tab", "Item": {"id": {"S": key}}, **more}}


def act(kind: str, key: str, **more: Any) -> dict[str, Any]:
    return {kind: {"TableName": "tab", "Key": {"id": {"S": key}}, **more}}


def cancelled(ddb: Ddb, *actions: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(AwsError) as caught:
        ddb("TransactWriteItems", TransactItems=list(actions))
    error = caught.value
    assert error.code == "TransactionCanceledException"
    reasons: list[dict[str, Any]] = error.members["CancellationReasons"]
    codes = ", ".join(reason["Code"] for reason in reasons)
    assert error.message == (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return reasons


def all_ids(ddb: Ddb) -> set[str]:
    return {item["id"]["S"] for item in ddb("Scan", TableName="tab")["Items"]}


def test_all_kinds_together(ddb: Ddb, tab: str) -> None:
    ddb("PutItem", TableName=tab, Item={"id": {"S": "old"}})
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    actions = [
        put("new", ConditionExpression="attribute_not_exists(id)"),
        act("Update", "there", **add),
        act("Delete", "old"),
        act("ConditionCheck", "nobody", ConditionExpression="attribute_not_exists(id)"),
    ]
    assert ddb("TransactWriteItems", TransactItems=actions) == {}
    assert all_ids(ddb) == {"new", "there"}
    assert ddb("GetItem", TableName=tab, Key={"id": {"S": "there"}})["Item"]["n"] == {"N": "2"}


def test_one_failed_condition_undoes_all(ddb: Ddb, tab: str) -> None:
    reasons = cancelled(
        ddb,
        put("new"),
        put(
            "there",
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        ),
        act("Delete", "nobody", ConditionExpression="attribute_exists(id)"),
    )
    assert reasons == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"id": {"S": "there"}, "n": {"N": "1"}},
        },
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]
    assert all_ids(ddb) == {"there"}


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            {"Put": {"TableName": "tab", "Item": {"x": {"S": "a"}}}},
            "One or more parameter values were invalid: Missing the key id in the item",
        ),
        (
            {"Delete": {"TableName": "tab", "Key": {"x": {"S": "a"}}}},
            "The provided key element does not match the schema",
        ),
        (
            {"Put": {"TableName": "tab", "Item": {"id": {"S": "a"}, "mail": {"N": "1"}}}},
            "One or more parameter values were invalid: Type mismatch for Index Key mail Expected: S Actual: N"
            " IndexName: gsi",
        ),
        (
            act("Update", "there", UpdateExpression="SET x = nobody"),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
    ],
)
def test_what_the_table_refuses_is_a_reason(ddb: Ddb, tab: str, action: dict[str, Any], message: str) -> None:
    reasons = cancelled(ddb, put("new"), action)
    assert reasons == [{"Code": "None"}, {"Code": "ValidationError", "Message": message}]
    assert all_ids(ddb) == {"there"}


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (
            [put("a"), act("Delete", "a")],
            "Transaction request cannot include multiple operations on one item",
        ),
        ([{}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        (
            [{**put("a"), **act("Delete", "b")}],
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            [put("a", ConditionExpression="status = :v")],
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: status",
        ),
    ],
)
def test_refused_as_a_whole(ddb: Ddb, tab: str, actions: Any, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        ddb("TransactWriteItems", TransactItems=actions)
    assert (caught.value.code, caught.value.message) == ("ValidationException", message)


def test_a_token_makes_it_once(cloud: Cloud, ddb: Ddb, tab: str) -> None:
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    request = {"TransactItems": [act("Update", "there", **add)], "ClientRequestToken": "t"}

    def number() -> str:
        text: str = ddb("GetItem", TableName=tab, Key={"id": {"S": "there"}})["Item"]["n"]["N"]
        return text

    ddb("TransactWriteItems", **request)
    ddb("TransactWriteItems", **request)
    assert number() == "2"
    with pytest.raises(AwsError) as caught:
        ddb("TransactWriteItems", **{**request, "TransactItems": [act("Delete", "there")]})
    assert caught.value.code == "IdempotentParameterMismatchException"
    cloud.clock.travel(601)
    ddb("TransactWriteItems", **request)
    assert number() == "3"


def test_a_cancelled_transaction_does_not_use_up_its_token(ddb: Ddb, tab: str) -> None:
    request = {
        "TransactItems": [act("Delete", "late", ConditionExpression="attribute_exists(id)")],
        "ClientRequestToken": "t",
    }
    with pytest.raises(AwsError):
        ddb("TransactWriteItems", **request)
    ddb("PutItem", TableName=tab, Item={"id": {"S": "late"}})
    ddb("TransactWriteItems", **request)
    assert all_ids(ddb) == {"there"}


def test_get_together(ddb: Ddb, tab: str) -> None:
    found = ddb(
        "TransactGetItems",
        TransactItems=[act("Get", "there", ProjectionExpression="n"), act("Get", "nobody")],
        ReturnConsumedCapacity="TOTAL",
    )
    assert found["Responses"] == [{"Item": {"n": {"N": "1"}}}, {}]
    assert found["ConsumedCapacity"] == [{"TableName": "tab", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}]


def test_get_with_a_wrong_key_is_cancelled(ddb: Ddb, tab: str) -> None:
    with pytest.raises(AwsError) as caught:
        ddb(
            "TransactGetItems",
            TransactItems=[act("Get", "there"), {"Get": {"TableName": tab, "Key": {"x": {"S": "a"}}}}],
        )
    assert [r["Code"] for r in caught.value.members["CancellationReasons"]] == ["None", "ValidationError"]


def test_capacity_is_twice_that_of_single_writes(ddb: Ddb, tab: str) -> None:
    found = ddb("TransactWriteItems", TransactItems=[put("a"), put("b")], ReturnConsumedCapacity="TOTAL")
    assert found["ConsumedCapacity"] == [
        {"TableName": "tab", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}
    ]
