"""Query and Scan: key conditions, order, pages, filters, projections, segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError

Ddb = Callable[..., dict[str, Any]]
Make = Callable[..., str]
INVALID = "One or more parameter values were invalid: "


@pytest.fixture
def tab(ddb: Ddb, make: Make) -> str:
    name = make(
        "tab",
        "id:S",
        "sk:N",
        gsi={"keys": ("kind:S", "grade:S"), "keep": "KEYS_ONLY"},
        lsi={"keys": ("id:S", "grade:S"), "keep": ("more",), "local": True},
        flat={"keys": ("kind:S",), "keep": "ALL"},
    )
    for hash_key in ("a", "b"):
        for number in range(-2, 8):
            ddb(
                "PutItem",
                TableName=name,
                Item={
                    "id": {"S": hash_key},
                    "sk": {"N": str(number * 10)},
                    "kind": {"S": "even" if number % 2 == 0 else "odd"},
                    "grade": {"S": chr(ord("m") - number)},
                    "more": {"N": str(number)},
                    "rest": {"S": "x"},
                },
            )
    return name


def query(ddb: Ddb, text: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {f":{k}": v for k, v in values.items()}
    return ddb("Query", TableName="tab", KeyConditionExpression=text, ExpressionAttributeValues=given, **more)


def sks(result: dict[str, Any]) -> list[int]:
    return [int(item["sk"]["N"]) for item in result["Items"]]


A = {"a": {"S": "a"}}


def N(value: int) -> dict[str, str]:
    return {"N": str(value)}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("id = :a", {}, [-20, -10, 0, 10, 20, 30, 40, 50, 60, 70]),
        ("id = :a AND sk = :x", {"x": N(10)}, [10]),
        ("sk = :x and :a = id", {"x": N(10)}, [10]),
        ("id = :a AND sk < :x", {"x": N(0)}, [-20, -10]),
        ("id = :a AND sk <= :x", {"x": N(0)}, [-20, -10, 0]),
        ("id = :a AND sk > :x", {"x": N(50)}, [60, 70]),
        ("id = :a AND sk >= :x", {"x": N(50)}, [50, 60, 70]),
        ("id = :a AND :x > sk", {"x": N(0)}, [-20, -10]),
        ("id = :a AND sk BETWEEN :x AND :y", {"x": N(-10), "y": N(10)}, [-10, 0, 10]),
        ("(id = :a) AND (sk BETWEEN :x AND :y)", {"x": N(1), "y": N(9)}, []),
        ("id = :nobody", {"nobody": {"S": "z"}}, []),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_key_conditions(
    ddb: Ddb, tab: str, text: str, values: dict[str, Any], expected: list[int], forward: bool
) -> None:
    given = values if "nobody" in values else {**A, **values}
    found = query(ddb, text, given, ScanIndexForward=forward)
    assert sks(found) == (expected if forward else expected[::-1])
    assert found["Count"] == found["ScannedCount"] == len(expected)
    assert "LastEvaluatedKey" not in found


def test_begins_with(ddb: Ddb, make: Make) -> None:
    make("txt", "id:S", "k:S")
    for key in ("a", "ab", "abc", "ac", "b", "a\U0010ffff"):
        ddb("PutItem", TableName="txt", Item={"id": {"S": "x"}, "k": {"S": key}})
    for prefix, expected in (
        ("a", ["a", "ab", "abc", "ac", "a\U0010ffff"]),
        ("ab", ["ab", "abc"]),
        ("a\U0010ffff", ["a\U0010ffff"]),
        ("c", []),
    ):
        found = ddb(
            "Query",
            TableName="txt",
            KeyConditionExpression="id = :i AND begins_with(k, :p)",
            ExpressionAttributeValues={":i": {"S": "x"}, ":p": {"S": prefix}},
        )
        assert [item["k"]["S"] for item in found["Items"]] == expected


@pytest.mark.parametrize("limit", [1, 3, 10, 11])
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("index", [None, "gsi", "flat"])
def test_pages_give_each_item_once(ddb: Ddb, tab: str, limit: int, forward: bool, index: str | None) -> None:
    text, values = ("id = :a", A) if index is None else ("kind = :k", {"k": {"S": "even"}})
    more: dict[str, Any] = {"ScanIndexForward": forward}
    if index is not None:
        more["IndexName"] = index
    whole = query(ddb, text, values, **more)["Items"]
    assert len(whole) == 10
    found: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        page = query(ddb, text, values, Limit=limit, **more, **start)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == whole


def test_a_page_that_ends_with_the_last_item_still_has_a_last_key(ddb: Ddb, tab: str) -> None:
    page = query(ddb, "id = :a", A, Limit=10)
    assert page["LastEvaluatedKey"] == {"id": {"S": "a"}, "sk": {"N": "70"}}
    page = query(ddb, "id = :a", A, Limit=10, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (page["Items"], page["Count"]) == ([], 0)
    assert "LastEvaluatedKey" not in page


def test_the_last_key_of_an_index_has_both_keys(ddb: Ddb, tab: str) -> None:
    page = query(ddb, "kind = :k", {"k": {"S": "odd"}}, IndexName="gsi", Limit=1)
    assert set(page["LastEvaluatedKey"]) == {"kind", "grade", "id", "sk"}


def test_pages_end_at_a_megabyte(ddb: Ddb, make: Make) -> None:
    make("big", "id:S", "sk:N")
    for number in range(8):
        ddb("PutItem", TableName="big", Item={"id": {"S": "a"}, "sk": N(number), "x": {"S": "x" * 299_980}})
    request = {
        "TableName": "big",
        "KeyConditionExpression": "id = :a",
        "ExpressionAttributeValues": {":a": {"S": "a"}},
    }
    page = ddb("Query", **request, FilterExpression="attribute_not_exists(x)", ReturnConsumedCapacity="TOTAL")
    assert (page["Count"], page["ScannedCount"]) == (0, 4)
    assert page["LastEvaluatedKey"]["sk"] == N(3)
    assert page["ConsumedCapacity"]["CapacityUnits"] == 146.5
    assert ddb("Scan", TableName="big", Select="COUNT")["Count"] == 4


def test_filters_come_after_the_limit(ddb: Ddb, tab: str) -> None:
    found = query(ddb, "id = :a", {**A, "m": N(0)}, FilterExpression="more > :m", Limit=4)
    assert (sks(found), found["Count"], found["ScannedCount"]) == ([10], 1, 4)


def test_projections_of_indexes(ddb: Ddb, tab: str) -> None:
    [item] = query(
        ddb, "kind = :k AND grade = :r", {"k": {"S": "even"}, "r": {"S": "m"}}, IndexName="gsi", Limit=1
    )["Items"]
    assert set(item) == {"id", "sk", "kind", "grade"}
    [item] = query(ddb, "id = :a AND grade = :r", {**A, "r": {"S": "m"}}, IndexName="lsi")["Items"]
    assert set(item) == {"id", "sk", "grade", "more"}
    # a local index fetches from the table what it does not hold, a global one can't
    more = {"IndexName": "lsi", "Select": "ALL_ATTRIBUTES"}
    [item] = query(ddb, "id = :a AND grade = :r", {**A, "r": {"S": "m"}}, **more)["Items"]
    assert set(item) == {"id", "sk", "kind", "grade", "more", "rest"}
    more = {"IndexName": "lsi", "ProjectionExpression": "rest"}
    assert query(ddb, "id = :a AND grade = :r", {**A, "r": {"S": "m"}}, **more)["Items"] == [
        {"rest": {"S": "x"}}
    ]


def test_counting(ddb: Ddb, tab: str) -> None:
    found = query(ddb, "id = :a", A, Select="COUNT")
    assert found == {"Count": 10, "ScannedCount": 10}


@pytest.mark.parametrize(
    ("text", "values", "more", "message"),
    [
        ("sk = :x", {"x": N(1)}, {}, "Query condition missed key schema element: id"),
        ("id > :a", A, {}, "Query key condition not supported"),
        (
            "id = :a AND rest = :a",
            A,
            {},
            "Query condition missed key schema element: sk",
        ),
        ("id = :a OR sk = :x", {**A, "x": N(1)}, {}, "Invalid operator used in KeyConditionExpression: OR"),
        (
            "id = :a AND NOT sk = :x",
            {**A, "x": N(1)},
            {},
            "Invalid operator used in KeyConditionExpression: NOT",
        ),
        ("id = :a AND sk <> :x", {**A, "x": N(1)}, {}, "Invalid operator used in KeyConditionExpression: <>"),
        (
            "id = :a AND sk IN (:x)",
            {**A, "x": N(1)},
            {},
            "Invalid operator used in KeyConditionExpression: IN",
        ),
        (
            "id = :a AND attribute_exists(sk)",
            A,
            {},
            "Invalid operator used in KeyConditionExpression: attribute_exists",
        ),
        (
            "id = :a AND id = :a",
            A,
            {},
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "id.x = :a",
            A,
            {},
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "size(id) = :a",
            A,
            {},
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
        ),
        ("id = :a", {"a": N(1)}, {}, INVALID + "Condition parameter type does not match schema type"),
        (
            "id = :a AND begins_with(sk, :a)",
            A,
            {},
            INVALID + "Condition parameter type does not match schema type",
        ),
        ("id = :a", A, {"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            "kind = :a",
            A,
            {"IndexName": "gsi", "ConsistentRead": True},
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            "kind = :a",
            A,
            {"IndexName": "gsi", "Select": "ALL_ATTRIBUTES"},
            INVALID
            + "Select type ALL_ATTRIBUTES is not supported for global secondary index gsi because its projection type"
            " is not ALL",
        ),
        (
            "kind = :a",
            A,
            {"IndexName": "gsi", "ProjectionExpression": "rest"},
            INVALID + "Global secondary index gsi does not project [rest]",
        ),
        (
            "id = :a",
            A,
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
        (
            "id = :a",
            A,
            {"Select": "COUNT", "ProjectionExpression": "rest"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            "id = :a",
            A,
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            "id = :a",
            A,
            {"FilterExpression": "attribute_exists(sk)"},
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
        ),
        (
            "id = :a",
            A,
            {"ExclusiveStartKey": {"id": {"S": "a"}}},
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
        (
            "id = :a",
            A,
            {"ExclusiveStartKey": {"id": {"S": "b"}, "sk": N(1)}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            "id = :a AND sk > :x",
            {**A, "x": N(10)},
            {"ExclusiveStartKey": {"id": {"S": "a"}, "sk": N(5)}},
            "The provided starting key does not match the range key predicate",
        ),
        (
            "kind = :a",
            A,
            {"IndexName": "gsi", "ExclusiveStartKey": {"id": {"S": "a"}, "sk": N(1)}},
            "The provided starting key is invalid",
        ),
    ],
)
def test_refused(ddb: Ddb, tab: str, text: str, values: Any, more: Any, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        query(ddb, text, values, **more)
    assert (caught.value.code, caught.value.message) == ("ValidationException", message)


def test_a_query_needs_a_key_condition(ddb: Ddb, tab: str) -> None:
    with pytest.raises(AwsError) as caught:
        ddb("Query", TableName=tab)
    assert caught.value.message == (
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
    )


# -- scans ----------------------------------------------------------------------------------------------------------


def keys(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["id"]["S"], item["sk"]["N"]) for item in result["Items"]]


@pytest.mark.parametrize("index", [None, "gsi", "lsi"])
@pytest.mark.parametrize("limit", [1, 7, 20])
def test_scans_in_pages(ddb: Ddb, tab: str, index: str | None, limit: int) -> None:
    more: dict[str, Any] = {} if index is None else {"IndexName": index}
    found: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        page = ddb("Scan", TableName=tab, Limit=limit, **more, **start)
        found += keys(page)
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert len(found) == 20
    assert len(set(found)) == 20


@pytest.mark.parametrize("total", [1, 2, 3, 8])
def test_segments_split_the_table(ddb: Ddb, make: Make, total: int) -> None:
    make("wide", "id:S")
    for number in range(60):
        ddb("PutItem", TableName="wide", Item={"id": {"S": str(number)}})
    found: list[str] = []
    for segment in range(total):
        start: dict[str, Any] = {}
        while True:
            page = ddb("Scan", TableName="wide", Segment=segment, TotalSegments=total, Limit=7, **start)
            found += [item["id"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(found, key=int) == [str(number) for number in range(60)]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"Segment": 0},
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is"
            " present",
        ),
        (
            {"TotalSegments": 2},
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is"
            " present",
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments:"
            " Segment: 2 is not less than TotalSegments: 2",
        ),
        (
            {"ExpressionAttributeValues": {":a": {"S": "a"}}},
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
        ),
    ],
)
def test_scan_refused(ddb: Ddb, tab: str, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError) as caught:
        ddb("Scan", TableName=tab, **request_)
    assert caught.value.message == message


def test_a_scan_filters_on_anything(ddb: Ddb, tab: str) -> None:
    found = ddb(
        "Scan",
        TableName=tab,
        FilterExpression="id = :b AND sk BETWEEN :x AND :y",
        ExpressionAttributeValues={":b": {"S": "b"}, ":x": N(10), ":y": N(20)},
    )
    assert keys(found) == [("b", "10"), ("b", "20")]
    assert (found["Count"], found["ScannedCount"]) == (2, 20)
