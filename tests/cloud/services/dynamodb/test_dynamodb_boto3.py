"""DynamoDB through the real client, over HTTP: wire forms, errors as boto3 raises them, waiters, paginators."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud


@pytest.fixture(scope="module")
def client(shared_aws: EmbeddedCloud) -> Any:
    return shared_aws.client("dynamodb")


@pytest.fixture
def table(client: Any, request: pytest.FixtureRequest) -> Any:
    name = request.node.name.replace("[", "-").replace("]", "")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": n, "AttributeType": t} for n, t in (("id", "S"), ("sk", "N"), ("mail", "S"))
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "EmailIndex",
                "KeySchema": [{"AttributeName": "mail", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0, "MaxAttempts": 1})
    return name


def test_every_type_comes_back(client: Any, table: str) -> None:
    item = {
        "id": {"S": "ä€😀"},
        "sk": {"N": "-1.5"},
        "b": {"B": b"\x00\xff"},
        "bs": {"BS": [b"a", b"b"]},
        "m": {"M": {"l": {"L": [{"BOOL": True}, {"NULL": True}, {"B": b"x"}]}}},
        "ns": {"NS": ["1", "2.5"]},
    }
    client.put_item(TableName=table, Item=item)
    key = {"id": item["id"], "sk": item["sk"]}
    assert client.get_item(TableName=table, Key=key)["Item"] == item
    assert client.get_item(TableName=table, Key=key, ProjectionExpression="b")["Item"] == {"b": item["b"]}
    assert "Item" not in client.get_item(TableName=table, Key={**key, "sk": {"N": "0"}})
    [found] = client.scan(TableName=table)["Items"]
    assert found == item


def test_errors_as_the_client_raises_them(client: Any, table: str) -> None:
    item = {"id": {"S": "a"}, "sk": {"N": "1"}}
    client.put_item(TableName=table, Item=item)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        client.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Item"] == item
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="nowhere", Key=item)
    with pytest.raises(ClientError) as refused:
        client.get_item(TableName=table, Key={"id": {"S": "a"}})
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The provided key element does not match the schema",
    }
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {**item, "sk": {"N": "2"}}}},
                {
                    "Delete": {
                        "TableName": table,
                        "Key": item,
                        "ConditionExpression": "attribute_exists(nothing_here)",
                    }
                },
            ]
        )
    codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert client.scan(TableName=table, Select="COUNT")["Count"] == 1


def test_the_resource_interface(shared_aws: EmbeddedCloud, client: Any, table: str) -> None:
    users = boto3.resource(
        "dynamodb",
        endpoint_url=shared_aws.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).Table(table)
    with users.batch_writer() as batch:
        for number in range(60):
            batch.put_item({"id": "u", "sk": number, "mail": f"{number % 2}@x", "price": Decimal("1.10")})
    found = users.query(
        KeyConditionExpression=Key("id").eq("u") & Key("sk").between(10, 19),
        FilterExpression=Attr("price").gt(1) & Attr("mail").is_in(["0@x"]),
    )
    assert [item["sk"] for item in found["Items"]] == [10, 12, 14, 16, 18]
    found = users.query(IndexName="EmailIndex", KeyConditionExpression=Key("mail").eq("1@x"), Limit=50)
    assert found["Count"] == 30
    updated = users.update_item(
        Key={"id": "u", "sk": 1},
        UpdateExpression="SET price = price + :p",
        ExpressionAttributeValues={":p": Decimal("0.01")},
        ReturnValues="ALL_NEW",
    )
    assert updated["Attributes"]["price"] == Decimal("1.11")
    pages = client.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": 7})
    assert sum(page["Count"] for page in pages) == 60
    users.delete()
    client.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 0, "MaxAttempts": 1})


def test_streams_through_their_own_client(shared_aws: EmbeddedCloud, client: Any, table: str) -> None:
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    made = client.update_table(TableName=table, StreamSpecification=specification)["TableDescription"]
    item = {"id": {"S": "a"}, "sk": {"N": "1"}, "b": {"B": b"\x00\xff"}}
    client.put_item(TableName=table, Item=item)
    streams = shared_aws.client("dynamodbstreams")
    [listed] = streams.list_streams(TableName=table)["Streams"]
    arn = listed["StreamArn"]
    assert arn == made["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    [record] = streams.get_records(ShardIterator=place["ShardIterator"])["Records"]
    assert record["dynamodb"]["NewImage"] == item
    with pytest.raises(streams.exceptions.ResourceNotFoundException):
        streams.describe_stream(StreamArn=arn + "x")
