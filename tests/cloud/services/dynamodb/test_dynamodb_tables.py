"""Tables: what may be created, how it is described, updated, listed and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud, NotEmulated

Ddb = Callable[..., dict[str, Any]]
INVALID = "One or more parameter values were invalid: "

ID = {"AttributeName": "id", "AttributeType": "S"}
AT = {"AttributeName": "sk", "AttributeType": "N"}
HASH = {"AttributeName": "id", "KeyType": "HASH"}
RANGE = {"AttributeName": "sk", "KeyType": "RANGE"}
ALL = {"ProjectionType": "ALL"}
BASE: dict[str, Any] = {
    "TableName": "tab",
    "AttributeDefinitions": [ID],
    "KeySchema": [HASH],
    "BillingMode": "PAY_PER_REQUEST",
}
GSI = {"IndexName": "gsi", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": ALL}
LSI = {"IndexName": "lsi", "KeySchema": [HASH, RANGE], "Projection": ALL}


def refused(ddb: Ddb, operation: str, **request: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        ddb(operation, **request)
    return caught.value


def test_create_and_describe(ddb: Ddb) -> None:
    made = ddb("CreateTable", **BASE, Tags=[{"Key": "a", "Value": "b"}])["TableDescription"]
    assert made["TableStatus"] == "CREATING"
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": 0,
        "WriteCapacityUnits": 0,
    }
    assert (table["ItemCount"], table["TableSizeBytes"]) == (0, 0)
    assert table["DeletionProtectionEnabled"] is False
    assert ddb("ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == [{"Key": "a", "Value": "b"}]


def test_provisioned(ddb: Ddb) -> None:
    units = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    request = {**BASE, "BillingMode": "PROVISIONED", "ProvisionedThroughput": units}
    table = ddb("CreateTable", **request)["TableDescription"]
    assert table["ProvisionedThroughput"] == {**units, "NumberOfDecreasesToday": 0}
    assert "BillingModeSummary" not in table


def test_counts(ddb: Ddb, make: Callable[..., str]) -> None:
    make("tab", "id:S", gsi={"keys": ("mail:S",), "keep": "KEYS_ONLY"})
    ddb("PutItem", TableName="tab", Item={"id": {"S": "ab"}, "mail": {"S": "x"}, "more": {"S": "12345"}})
    ddb("PutItem", TableName="tab", Item={"id": {"S": "cd"}})

    def counts() -> tuple[int, int, int, int]:
        table = ddb("DescribeTable", TableName="tab")["Table"]
        [index] = table["GlobalSecondaryIndexes"]
        return table["ItemCount"], table["TableSizeBytes"], index["ItemCount"], index["IndexSizeBytes"]

    assert counts() == (2, 4 + 5 + 9 + 4, 1, 9)
    ddb("PutItem", TableName="tab", Item={"id": {"S": "ab"}, "mail": {"S": "xyz"}})
    assert counts() == (2, 4 + 7 + 4, 1, 11)
    update = {"TableName": "tab", "Key": {"id": {"S": "ab"}}, "UpdateExpression": "REMOVE mail"}
    ddb("UpdateItem", **update)
    assert counts() == (2, 8, 0, 0)
    ddb("DeleteItem", TableName="tab", Key={"id": {"S": "ab"}})
    assert counts() == (1, 4, 0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"TableName": "ab"},
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain"
            " only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
        ),
        (
            {"AttributeDefinitions": [ID, AT]},
            INVALID
            + "Number of attributes in KeySchema does not exactly match number of attributes defined in"
            " AttributeDefinitions",
        ),
        (
            {"KeySchema": [HASH, RANGE]},
            INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys: [id, sk],"
            " AttributeDefinitions: [id]",
        ),
        (
            {"KeySchema": [{**HASH, "KeyType": "RANGE"}]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"KeySchema": [HASH, {**RANGE, "KeyType": "HASH"}], "AttributeDefinitions": [ID, AT]},
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            {"KeySchema": [HASH, {**HASH, "KeyType": "RANGE"}]},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {"BillingMode": "PROVISIONED"},
            INVALID
            + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            INVALID
            + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        ({"GlobalSecondaryIndexes": []}, INVALID + "List of GlobalSecondaryIndexes is empty"),
        ({"LocalSecondaryIndexes": []}, INVALID + "List of LocalSecondaryIndexes is empty"),
        (
            {"LocalSecondaryIndexes": [LSI], "AttributeDefinitions": [ID, AT]},
            INVALID
            + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ),
        (
            {
                "KeySchema": [HASH, RANGE],
                "AttributeDefinitions": [ID, AT],
                "LocalSecondaryIndexes": [{**LSI, "KeySchema": [HASH]}],
            },
            INVALID + "Index KeySchema does not have a range key for index: lsi",
        ),
        (
            {
                "KeySchema": [HASH, RANGE],
                "AttributeDefinitions": [ID, AT],
                "LocalSecondaryIndexes": [
                    {**LSI, "KeySchema": [{**RANGE, "KeyType": "HASH"}, {**HASH, "KeyType": "RANGE"}]}
                ],
            },
            INVALID
            + "Index KeySchema does not have the same leading hash key as table KeySchema for index: lsi."
            " index hash key: sk, table hash key: id",
        ),
        (
            {"AttributeDefinitions": [ID, AT], "GlobalSecondaryIndexes": [GSI, GSI]},
            INVALID + "Duplicate index name: gsi",
        ),
        (
            {"AttributeDefinitions": [ID, AT], "GlobalSecondaryIndexes": [{**GSI, "Projection": {}}]},
            INVALID + "Unknown ProjectionType: null",
        ),
        (
            {
                "AttributeDefinitions": [ID, AT],
                "GlobalSecondaryIndexes": [{**GSI, "Projection": {**ALL, "NonKeyAttributes": ["x"]}}],
            },
            INVALID + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            {
                "AttributeDefinitions": [ID, AT],
                "GlobalSecondaryIndexes": [{**GSI, "Projection": {"ProjectionType": "INCLUDE"}}],
            },
            INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            {
                "AttributeDefinitions": [ID, AT, {"AttributeName": "x", "AttributeType": "S"}],
                "GlobalSecondaryIndexes": [GSI],
            },
            INVALID
            + "Some AttributeDefinitions are not used. AttributeDefinitions: [id, sk, x], keys used: [id, sk]",
        ),
    ],
)
def test_create_refused(ddb: Ddb, change: dict[str, Any], message: str) -> None:
    error = refused(ddb, "CreateTable", **{**BASE, **change})
    assert (error.code, error.message) == ("ValidationException", message)
    assert ddb("ListTables")["TableNames"] == []


def test_create_twice(ddb: Ddb) -> None:
    ddb("CreateTable", **BASE)
    error = refused(ddb, "CreateTable", **BASE)
    assert (error.code, error.message) == ("ResourceInUseException", "Table already exists: tab")


def test_accounts_and_regions_do_not_meet(cloud: Cloud) -> None:
    cloud.call("dynamodb", "CreateTable", BASE)
    cloud.call("dynamodb", "CreateTable", BASE, region="eu-west-1")
    cloud.call("dynamodb", "CreateTable", BASE, account="111111111111")
    cloud.call("dynamodb", "PutItem", {"TableName": "tab", "Item": {"id": {"S": "a"}}})
    for place in ({"region": "eu-west-1"}, {"account": "111111111111"}):
        assert cloud.call("dynamodb", "Scan", {"TableName": "tab"}, **place)["Count"] == 0
    assert cloud.call("dynamodb", "Scan", {"TableName": "tab"})["Count"] == 1


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("DescribeTable", "Requested resource not found: Table: nope not found"),
        ("DeleteTable", "Requested resource not found: Table: nope not found"),
        ("Scan", "Requested resource not found"),
    ],
)
def test_no_such_table(ddb: Ddb, operation: str, message: str) -> None:
    error = refused(ddb, operation, TableName="nope")
    assert (error.code, error.message) == ("ResourceNotFoundException", message)


def test_a_table_is_known_by_its_arn(ddb: Ddb) -> None:
    arn = ddb("CreateTable", **BASE)["TableDescription"]["TableArn"]
    ddb("PutItem", TableName=arn, Item={"id": {"S": "a"}})
    assert ddb("GetItem", TableName=arn, Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}


def test_list_in_pages(ddb: Ddb) -> None:
    for name in ("ccc", "aaa", "bbb"):
        ddb("CreateTable", **{**BASE, "TableName": name})
    page = ddb("ListTables", Limit=2)
    assert (page["TableNames"], page["LastEvaluatedTableName"]) == (["aaa", "bbb"], "bbb")
    page = ddb("ListTables", Limit=2, ExclusiveStartTableName="bbb")
    assert (page["TableNames"], page["LastEvaluatedTableName"]) == (["ccc"], None)


def test_deletion_protection(ddb: Ddb) -> None:
    ddb("CreateTable", **BASE, DeletionProtectionEnabled=True)
    assert refused(ddb, "DeleteTable", TableName="tab").message == (
        "Resource cannot be deleted as it is currently protected against deletion."
        " Disable deletion protection first."
    )
    ddb("UpdateTable", TableName="tab", DeletionProtectionEnabled=False)
    assert ddb("DeleteTable", TableName="tab")["TableDescription"]["TableStatus"] == "DELETING"


def test_a_table_made_anew_is_empty_and_nothing_is_left(
    cloud: Cloud, ddb: Ddb, make: Callable[..., str]
) -> None:
    async def story() -> None:
        await cloud.start()
        make("tab", "id:S", gsi={"keys": ("id:S",)})
        for number in range(1200):
            ddb("PutItem", TableName="tab", Item={"id": {"S": str(number)}})
        ddb("DeleteTable", TableName="tab")
        make("tab", "id:S", gsi={"keys": ("id:S",)})
        ddb("PutItem", TableName="tab", Item={"id": {"S": "new"}})
        await cloud.drain()
        await cloud.bus.stop()

    asyncio.run(story())
    assert [i["id"]["S"] for i in ddb("Scan", TableName="tab")["Items"]] == ["new"]
    for table in ("item", "entry"):
        assert cloud.store.one(f"SELECT count(*) FROM dynamodb_{table}")[0] == 1  # type: ignore[index]


# -- updates --------------------------------------------------------------------------------------------------------


def test_an_index_is_added_filled_and_removed(ddb: Ddb, make: Callable[..., str]) -> None:
    make("tab", "id:S")
    for number in range(5):
        ddb("PutItem", TableName="tab", Item={"id": {"S": str(number)}, "sk": {"N": "7"}})
    ddb("PutItem", TableName="tab", Item={"id": {"S": "odd"}, "sk": {"S": "a string, so not in the index"}})
    made = ddb(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[ID, AT],
        GlobalSecondaryIndexUpdates=[{"Create": GSI}],
    )["TableDescription"]
    assert made["TableStatus"] == "UPDATING"
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    query = {"KeyConditionExpression": "sk = :v", "ExpressionAttributeValues": {":v": {"N": "7"}}}
    assert ddb("Query", TableName="tab", IndexName="gsi", **query)["Count"] == 5
    ddb("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}])
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert "GlobalSecondaryIndexes" not in table
    assert table["AttributeDefinitions"] == [ID]
    error = refused(ddb, "Query", TableName="tab", IndexName="gsi", **query)
    assert error.message == "The table does not have the specified index: gsi"


def test_the_index_of_a_large_table_fills_in_the_background(
    cloud: Cloud, ddb: Ddb, make: Callable[..., str]
) -> None:
    make("tab", "id:S")
    for number in range(1100):
        ddb("PutItem", TableName="tab", Item={"id": {"S": str(number)}, "sk": {"N": "7"}})
    update = {"AttributeDefinitions": [ID, AT], "GlobalSecondaryIndexUpdates": [{"Create": GSI}]}
    ddb("UpdateTable", TableName="tab", **update)
    query = {"KeyConditionExpression": "sk = :v", "ExpressionAttributeValues": {":v": {"N": "7"}}}
    error = refused(ddb, "Query", TableName="tab", IndexName="gsi", **query)
    assert error.message == "Cannot read from backfilling global secondary index: gsi"
    assert ddb("DescribeTable", TableName="tab")["Table"]["TableStatus"] == "UPDATING"
    for number in range(0, 1100, 7):  # meanwhile items change
        ddb("PutItem", TableName="tab", Item={"id": {"S": str(number)}, "sk": {"N": "8"}})
    ddb("DeleteItem", TableName="tab", Key={"id": {"S": "1"}})

    async def fill() -> None:
        await cloud.start()
        await cloud.drain()
        await cloud.bus.stop()

    asyncio.run(fill())
    [index] = ddb("DescribeTable", TableName="tab")["Table"]["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"]) == ("ACTIVE", 1099)
    assert ddb("Query", TableName="tab", IndexName="gsi", **query)["Count"] == 1100 - 158 - 1


def test_billing_changes(ddb: Ddb) -> None:
    ddb("CreateTable", **BASE)
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2}
    ddb("UpdateTable", TableName="tab", BillingMode="PROVISIONED", ProvisionedThroughput=units)
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    error = refused(ddb, "UpdateTable", TableName="tab", ProvisionedThroughput=units)
    assert error.message.startswith("The provisioned throughput for the table will not change.")
    ddb("UpdateTable", TableName="tab", BillingMode="PAY_PER_REQUEST")
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {},
            INVALID
            + "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or"
            " SSESpecification or ReplicaUpdates is required",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "nope"}}]},
            "Requested resource not found",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{}]},
            INVALID + "One of GlobalSecondaryIndexUpdate.Update, Create or Delete must be specified",
        ),
    ],
)
def test_update_refused(ddb: Ddb, request_: dict[str, Any], message: str) -> None:
    ddb("CreateTable", **BASE)
    assert refused(ddb, "UpdateTable", TableName="tab", **request_).message == message


def test_what_is_not_emulated_is_said(ddb: Ddb) -> None:
    with pytest.raises(NotEmulated):
        ddb("CreateTable", **BASE, GlobalTableSourceArn="arn:aws:dynamodb:us-east-1:000000000000:table/x")
    assert ddb("ListTables")["TableNames"] == []


# -- tags and recovery ----------------------------------------------------------------------------------------------


def test_tags(ddb: Ddb) -> None:
    arn = ddb("CreateTable", **BASE)["TableDescription"]["TableArn"]
    ddb("TagResource", ResourceArn=arn, Tags=[{"Key": f"k{n:02}", "Value": str(n)} for n in range(12)])
    ddb("TagResource", ResourceArn=arn, Tags=[{"Key": "k00", "Value": "new"}])
    page = ddb("ListTagsOfResource", ResourceArn=arn)
    assert page["Tags"][0] == {"Key": "k00", "Value": "new"}
    assert len(page["Tags"]) == 10
    assert len(ddb("ListTagsOfResource", ResourceArn=arn, NextToken=page["NextToken"])["Tags"]) == 2
    ddb("UntagResource", ResourceArn=arn, TagKeys=[f"k{n:02}" for n in range(11)])
    assert ddb("ListTagsOfResource", ResourceArn=arn)["Tags"] == [{"Key": "k11", "Value": "11"}]
    error = refused(ddb, "TagResource", ResourceArn=arn + "x", Tags=[{"Key": "a", "Value": "b"}])
    assert error.message == f"Requested resource not found: ResourcArn: {arn}x not found"


def test_continuous_backups_are_a_flag(ddb: Ddb) -> None:
    ddb("CreateTable", **BASE)
    shown = ddb("DescribeContinuousBackups", TableName="tab")["ContinuousBackupsDescription"]
    assert shown["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    ddb(
        "UpdateContinuousBackups",
        TableName="tab",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    shown = ddb("DescribeContinuousBackups", TableName="tab")["ContinuousBackupsDescription"]
    assert shown["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert shown["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 35
    error = refused(ddb, "DescribeContinuousBackups", TableName="nope")
    assert (error.code, error.message) == ("TableNotFoundException", "Table not found: nope")


def test_a_rolled_back_change_of_a_table_is_forgotten(cloud: Cloud, ddb: Ddb) -> None:
    ddb("CreateTable", **BASE)
    with pytest.raises(RuntimeError), cloud.store.transaction():
        ddb("UpdateTable", TableName="tab", DeletionProtectionEnabled=True)
        ddb("DeleteItem", TableName="tab", Key={"id": {"S": "a"}})
        raise RuntimeError
    assert ddb("DescribeTable", TableName="tab")["Table"]["DeletionProtectionEnabled"] is False
