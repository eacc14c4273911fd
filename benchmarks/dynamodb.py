"""DynamoDB: items of about 200 bytes in a table with partition and sort key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .clouds import Case, measure
from .figures import Row
from .run import Run

_TABLE = "bench"
_ORDERS = 200  # of each customer, so that a page of ten is a page
_CUSTOMERS = 5
WANTED = {"moto": 8.0, "ministack": 2.0}


def _key(number: int) -> dict[str, Any]:
    return {"customer": {"S": f"customer-{number % _CUSTOMERS}"}, "id": {"S": f"order-{number:06d}"}}


def _item(number: int) -> dict[str, Any]:
    return {
        **_key(number),
        "total": {"N": f"{number}.95"},
        "state": {"S": "paid"},
        "lines": {"L": [{"M": {"sku": {"S": "A-1"}, "count": {"N": "2"}}}, {"M": {"sku": {"S": "B-7"}}}]},
        "note": {"S": "n" * 80},
        "express": {"BOOL": True},
    }


def _table(client: Any) -> Mapping[str, str]:
    if _TABLE in client.list_tables()["TableNames"]:
        return {}
    client.create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "id", "KeyType": "RANGE"},
        ],
    )
    client.get_waiter("table_exists").wait(TableName=_TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    for number in range(_CUSTOMERS * _ORDERS):
        client.put_item(TableName=_TABLE, Item=_item(number))
    return {}


def _set_up_put(client: Any) -> Mapping[str, str]:
    _table(client)
    client.put_item(TableName=_TABLE, Item=_item(7))
    assert client.get_item(TableName=_TABLE, Key=_key(7))["Item"] == _item(7)
    return {}


def _set_up_get(client: Any) -> Mapping[str, str]:
    _table(client)
    assert client.get_item(TableName=_TABLE, Key=_key(11), ConsistentRead=True)["Item"] == _item(11)
    return {}


def _update(client: Any, _: Mapping[str, str], number: int) -> Any:
    return client.update_item(
        TableName=_TABLE,
        Key=_key(number % (_CUSTOMERS * _ORDERS)),
        UpdateExpression="SET #s = :s ADD seen :one",
        ConditionExpression="attribute_exists(customer)",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": "sent"}, ":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )


def _set_up_update(client: Any) -> Mapping[str, str]:
    _table(client)
    client.put_item(TableName=_TABLE, Item=_item(3))
    assert _update(client, {}, 3)["Attributes"] == {"state": {"S": "sent"}, "seen": {"N": "1"}}
    return {}


def _query(client: Any, _: Mapping[str, str], number: int) -> Any:
    return client.query(
        TableName=_TABLE,
        KeyConditionExpression="customer = :c AND id >= :from",
        ExpressionAttributeValues={
            ":c": {"S": f"customer-{number % _CUSTOMERS}"},
            ":from": {"S": f"order-{number % (_ORDERS * _CUSTOMERS // 2):06d}"},
        },
        Limit=10,
    )


def _set_up_query(client: Any) -> Mapping[str, str]:
    _table(client)
    page = _query(client, {}, 100)
    assert page["Count"] == 10 and "LastEvaluatedKey" in page
    ids = [item["id"]["S"] for item in page["Items"]]
    assert ids == [f"order-{100 + 5 * i:06d}" for i in range(10)], ids
    return {}


CASES = (
    Case(
        "PutItem",
        _set_up_put,
        lambda client, _, i: client.put_item(TableName=_TABLE, Item=_item(i)),
    ),
    Case(
        "GetItem",
        _set_up_get,
        lambda client, _, i: client.get_item(TableName=_TABLE, Key=_key(i % (_CUSTOMERS * _ORDERS))),
    ),
    Case("UpdateItem", _set_up_update, _update),
    Case("Query of 10 items", _set_up_query, _query),
)


def run(run: Run) -> list[Row]:
    return measure(run, "dynamodb", "dynamodb", CASES, WANTED)
