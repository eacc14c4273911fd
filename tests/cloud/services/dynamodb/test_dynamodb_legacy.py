"""The parameters of before there were expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError

Ddb = Callable[..., dict[str, Any]]
Make = Callable[..., str]
INVALID = "One or more parameter values were invalid: "
KEY = {"id": {"S": "a"}, "sk": {"N": "1"}}


@pytest.fixture
def tab(ddb: Ddb, make: Make) -> str:
    name = make("tab", "id:S", "sk:N")
    for number in range(5):
        item = {"id": {"S": "a"}, "sk": {"N": str(number)}, "text": {"S": f"t{number}"}, "set": {"SS": ["x"]}}
        ddb("PutItem", TableName=name, Item=item)
    return name


def one(operator: str, *values: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


def N(number: int) -> dict[str, str]:
    return {"N": str(number)}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (one("EQ", N(2)), [2]),
        (one("LT", N(2)), [0, 1]),
        (one("LE", N(2)), [0, 1, 2]),
        (one("GT", N(2)), [3, 4]),
        (one("GE", N(2)), [2, 3, 4]),
        (one("BETWEEN", N(1), N(3)), [1, 2, 3]),
    ],
)
def test_key_conditions(ddb: Ddb, tab: str, condition: Any, expected: list[int]) -> None:
    found = ddb("Query", TableName=tab, KeyConditions={"id": one("EQ", {"S": "a"}), "sk": condition})
    assert [int(item["sk"]["N"]) for item in found["Items"]] == expected


@pytest.mark.parametrize(
    ("conditions", "operator", "expected"),
    [
        ({"text": one("EQ", {"S": "t1"})}, None, [1]),
        ({"text": one("NE", {"S": "t1"})}, None, [0, 2, 3, 4]),
        ({"text": one("IN", {"S": "t1"}, {"S": "t3"})}, None, [1, 3]),
        ({"text": one("BEGINS_WITH", {"S": "t"}), "sk": one("GT", N(3))}, None, [4]),
        ({"text": one("EQ", {"S": "t0"}), "sk": one("GT", N(3))}, "OR", [0, 4]),
        ({"set": one("CONTAINS", {"S": "x"}), "sk": one("LT", N(1))}, None, [0]),
        ({"set": one("NOT_CONTAINS", {"S": "x"})}, None, []),
        ({"gone": one("NULL")}, None, [0, 1, 2, 3, 4]),
        ({"gone": one("NOT_NULL")}, None, []),
    ],
)
def test_scan_filters(ddb: Ddb, tab: str, conditions: Any, operator: str | None, expected: list[int]) -> None:
    more = {} if operator is None else {"ConditionalOperator": operator}
    found = ddb("Scan", TableName=tab, ScanFilter=conditions, AttributesToGet=["sk"], **more)
    assert sorted(int(item["sk"]["N"]) for item in found["Items"]) == expected


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ({"text": {"Value": {"S": "t1"}}}, True),
        ({"text": {"Value": {"S": "t2"}}}, False),
        ({"text": {"Exists": False}}, False),
        ({"gone": {"Exists": False}}, True),
        ({"text": {"Exists": True, "Value": {"S": "t1"}}}, True),
        ({"text": one("BEGINS_WITH", {"S": "t"})}, True),
        ({"text": {"ComparisonOperator": "EQ", "Value": {"S": "t1"}}}, True),
    ],
)
def test_expected(ddb: Ddb, tab: str, expected: Any, holds: bool) -> None:
    if holds:
        ddb("DeleteItem", TableName=tab, Key=KEY, Expected=expected)
        return
    with pytest.raises(AwsError) as caught:
        ddb("DeleteItem", TableName=tab, Key=KEY, Expected=expected)
    assert caught.value.code == "ConditionalCheckFailedException"


def test_attribute_updates(ddb: Ddb, tab: str) -> None:
    found = ddb(
        "UpdateItem",
        TableName=tab,
        Key=KEY,
        AttributeUpdates={
            "text": {"Value": {"S": "new"}},
            "n": {"Action": "ADD", "Value": N(3)},
            "set": {"Action": "ADD", "Value": {"SS": ["y"]}},
            "gone": {"Action": "DELETE"},
        },
        ReturnValues="ALL_NEW",
    )
    assert found["Attributes"] == {**KEY, "text": {"S": "new"}, "n": N(3), "set": {"SS": ["x", "y"]}}
    updates = {"set": {"Action": "DELETE", "Value": {"SS": ["x", "y"]}}}
    found = ddb("UpdateItem", TableName=tab, Key=KEY, AttributeUpdates=updates, ReturnValues="ALL_NEW")
    assert "set" not in found["Attributes"]


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "UpdateItem",
            {"Key": KEY, "AttributeUpdates": {"x": {"Action": "PUT"}}},
            INVALID + "Only DELETE action is allowed when no attribute value is specified",
        ),
        (
            "UpdateItem",
            {"Key": KEY, "AttributeUpdates": {"x": {"Action": "ADD", "Value": {"S": "a"}}}},
            INVALID + "ADD action is not supported for the type S",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"x": {}}},
            INVALID + "Value must be provided when Exists is null for Attribute: x",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"x": {"Exists": False, "Value": N(1)}}},
            INVALID + "Value cannot be used when Exists is false for Attribute: x",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "ConditionalOperator": "OR"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"x": {"Exists": False}}, "ConditionalOperator": "OR"},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
        (
            "Scan",
            {"ScanFilter": {"x": one("EQ")}},
            INVALID + "Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            "Scan",
            {"ScanFilter": {"x": one("LT", {"SS": ["a"]})}},
            INVALID + "ComparisonOperator LT is not valid for SS AttributeValue type",
        ),
        (
            "Query",
            {"KeyConditions": {"id": one("NE", {"S": "a"})}},
            "Attempted conditional constraint is not an indexable operation",
        ),
        (
            "Query",
            {"KeyConditions": {"id": one("EQ", {"S": "a"})}, "QueryFilter": {"sk": one("EQ", N(1))}},
            "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
        ),
    ],
)
def test_refused(ddb: Ddb, tab: str, operation: str, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError) as caught:
        ddb(operation, TableName=tab, **request_)
    assert caught.value.message == message
