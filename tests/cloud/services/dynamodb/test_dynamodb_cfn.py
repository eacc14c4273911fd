"""AWS::DynamoDB::Table: created, updated in place, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import Cloud, StackCall
from pileus.cloud.kernel.resources import Change, ResourceType

Ddb = Callable[..., dict[str, Any]]


@pytest.fixture
def stack(cloud: Cloud) -> StackCall:
    call = cloud.make_call("cloudformation", "CreateStack")
    return StackCall(
        call, "shop-dev", "arn:aws:cloudformation:us-east-1:000000000000:stack/shop-dev/1", "Users"
    )


@pytest.fixture
def kind(cloud: Cloud) -> ResourceType:
    found = cloud.resource_type("AWS::DynamoDB::Table")
    assert found is not None
    return found


def gsi(name: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


def properties(*indexes: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("id", *indexes)],
        **more,
    }
    if indexes:
        found["GlobalSecondaryIndexes"] = [gsi(name) for name in indexes]
    return found


def test_a_table_as_a_service_has_it(stack: StackCall, kind: ResourceType, ddb: Ddb) -> None:
    made = kind.create(
        stack,
        properties(
            "email",
            TableName="users",
            TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            SSESpecification={"SSEEnabled": True},
            DeletionProtectionEnabled="true",
            TableClass="STANDARD_INFREQUENT_ACCESS",
            Tags=[{"Key": "team", "Value": "a"}],
        ),
    )
    assert made.physical_id == "users"
    assert made.attributes["Arn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/users"
    table = ddb("DescribeTable", TableName="users")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    ttl = ddb("DescribeTimeToLive", TableName="users")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    backups = ddb("DescribeContinuousBackups", TableName="users")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = {t["Key"]: t["Value"] for t in ddb("ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"]}
    assert tags["team"] == "a"
    assert tags["aws:cloudformation:logical-id"] == "Users"


def test_a_name_is_made_where_none_is_given(stack: StackCall, kind: ResourceType) -> None:
    assert kind.create(stack, properties()).physical_id.startswith("shop-dev-Users-")


def test_updates_in_place(stack: StackCall, kind: ResourceType, ddb: Ddb) -> None:
    old = properties(
        "aaa", "bbb", TableName="users", TimeToLiveSpecification={"AttributeName": "x", "Enabled": True}
    )
    kind.create(stack, old)
    ddb("PutItem", TableName="users", Item={"id": {"S": "1"}, "aaa": {"S": "p"}, "ccc": {"S": "q"}})
    new = properties(
        "aaa",
        "ccc",
        TableName="users",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": "1", "WriteCapacityUnits": 2},
        TimeToLiveSpecification={"AttributeName": "y", "Enabled": True},
        Tags=[{"Key": "k", "Value": "v"}],
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": "true"},
    )
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    new["GlobalSecondaryIndexes"] = [{**gsi(n), "ProvisionedThroughput": units} for n in ("aaa", "ccc")]
    kind.update(stack, "users", old, new)
    table = ddb("DescribeTable", TableName="users")["Table"]
    assert [i["IndexName"] for i in table["GlobalSecondaryIndexes"]] == ["aaa", "ccc"]
    assert table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 1
    assert {d["AttributeName"] for d in table["AttributeDefinitions"]} == {"id", "aaa", "ccc"}
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    assert ddb("Scan", TableName="users", IndexName="ccc")["Count"] == 1
    assert ddb("DescribeTimeToLive", TableName="users")["TimeToLiveDescription"]["AttributeName"] == "y"
    kind.update(stack, "users", new, properties(TableName="users"))
    table = ddb("DescribeTable", TableName="users")["Table"]
    assert "GlobalSecondaryIndexes" not in table
    assert (
        ddb("DescribeTimeToLive", TableName="users")["TimeToLiveDescription"]["TimeToLiveStatus"]
        == "DISABLED"
    )


def test_a_stream_comes_changes_and_goes(stack: StackCall, kind: ResourceType, ddb: Ddb) -> None:
    plain = properties(TableName="users")
    keys = {**plain, "StreamSpecification": {"StreamViewType": "KEYS_ONLY"}}
    images = {**plain, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}}
    first = kind.create(stack, keys).attributes["StreamArn"]
    second = kind.update(stack, "users", keys, images).attributes["StreamArn"]
    assert second != first
    table = ddb("DescribeTable", TableName="users")["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["LatestStreamArn"] == second
    kind.update(stack, "users", images, plain)
    assert "StreamSpecification" not in ddb("DescribeTable", TableName="users")["Table"]


def test_deleting_twice_is_no_error(stack: StackCall, kind: ResourceType, ddb: Ddb) -> None:
    kind.create(stack, properties(TableName="users"))
    kind.delete(stack, "users", {})
    kind.delete(stack, "users", {})
    assert ddb("ListTables")["TableNames"] == []


@pytest.mark.parametrize("name", ["KeySchema", "TableName", "LocalSecondaryIndexes"])
def test_what_replaces_the_table(kind: ResourceType, name: str) -> None:
    assert kind.properties[name] is Change.REPLACE
