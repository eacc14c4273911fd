"""Streams: a record for each change, in order, for a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud

Ddb = Callable[..., dict[str, Any]]
Streams = Callable[..., dict[str, Any]]
KEY = {"id": {"S": "a"}}


@pytest.fixture
def streams(cloud: Cloud) -> Streams:
    def call(operation: str, /, **request: Any) -> dict[str, Any]:
        return cloud.call("dynamodbstreams", operation, request)

    return call


@pytest.fixture
def make(ddb: Ddb) -> Callable[..., str]:
    def table(view: str = "NEW_AND_OLD_IMAGES") -> str:
        made = ddb(
            "CreateTable",
            TableName="tab",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )["TableDescription"]
        assert made["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": view}
        arn: str = made["LatestStreamArn"]
        assert arn == made["TableArn"] + "/stream/" + made["LatestStreamLabel"]
        return arn

    return table


def iterator(streams: Streams, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> str:
    [shard] = streams("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    request = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind, **more}
    found: str = streams("GetShardIterator", **request)["ShardIterator"]
    return found


def records(streams: Streams, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = streams("GetRecords", ShardIterator=iterator(streams, arn, kind, **more))[
        "Records"
    ]
    return found


def changes(ddb: Ddb) -> None:
    ddb("PutItem", TableName="tab", Item={**KEY, "n": {"N": "1"}})
    ddb("PutItem", TableName="tab", Item={**KEY, "n": {"N": "1.0"}})  # changes nothing: no record
    ddb("UpdateItem", TableName="tab", Key=KEY, UpdateExpression="REMOVE n")
    ddb("DeleteItem", TableName="tab", Key=KEY)
    ddb("DeleteItem", TableName="tab", Key=KEY)


def test_each_change_once_and_in_order(ddb: Ddb, streams: Streams, make: Callable[..., str]) -> None:
    arn = make()
    changes(ddb)
    found = records(streams, arn)
    assert [record["eventName"] for record in found] == ["INSERT", "MODIFY", "REMOVE"]
    images = [(r["dynamodb"].get("OldImage"), r["dynamodb"].get("NewImage")) for r in found]
    whole = {**KEY, "n": {"N": "1"}}
    assert images == [(None, whole), (whole, KEY), (KEY, None)]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in found]
    assert numbers == sorted(numbers, key=int)
    assert all(21 <= len(number) <= 40 for number in numbers)
    assert found[0]["dynamodb"]["Keys"] == KEY
    assert found[0]["dynamodb"]["SizeBytes"] == 3 + 6
    assert found[0]["eventSource"] == "aws:dynamodb"
    assert "userIdentity" not in found[2]


@pytest.mark.parametrize(
    ("view", "members"),
    [
        ("KEYS_ONLY", [set(), set(), set()]),
        ("NEW_IMAGE", [{"NewImage"}, {"NewImage"}, set()]),
        ("OLD_IMAGE", [set(), {"OldImage"}, {"OldImage"}]),
    ],
)
def test_views(
    ddb: Ddb, streams: Streams, make: Callable[..., str], view: str, members: list[set[str]]
) -> None:
    arn = make(view)
    changes(ddb)
    found = [record["dynamodb"] for record in records(streams, arn)]
    assert [set(change) & {"NewImage", "OldImage"} for change in found] == members


def test_iterators(ddb: Ddb, streams: Streams, make: Callable[..., str]) -> None:
    arn = make()
    changes(ddb)
    latest = iterator(streams, arn, "LATEST")
    assert streams("GetRecords", ShardIterator=latest)["Records"] == []
    first, second, third = records(streams, arn)
    number = second["dynamodb"]["SequenceNumber"]
    assert records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=number) == [second, third]
    assert records(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=number) == [third]
    page = streams("GetRecords", ShardIterator=iterator(streams, arn), Limit=2)
    assert page["Records"] == [first, second]
    page = streams("GetRecords", ShardIterator=page["NextShardIterator"], Limit=2)
    assert page["Records"] == [third]
    ddb("PutItem", TableName="tab", Item=KEY)
    [fourth] = streams("GetRecords", ShardIterator=page["NextShardIterator"])["Records"]
    assert streams("GetRecords", ShardIterator=latest)["Records"] == [fourth]


def test_a_cancelled_transaction_leaves_no_record(
    ddb: Ddb, streams: Streams, make: Callable[..., str]
) -> None:
    arn = make()
    with pytest.raises(AwsError):
        ddb(
            "TransactWriteItems",
            TransactItems=[
                {"Put": {"TableName": "tab", "Item": KEY}},
                {"Update": {"TableName": "tab", "Key": {"id": {"S": "b"}}, "UpdateExpression": "SET a = b"}},
            ],
        )
    assert records(streams, arn) == []


def test_what_expired_names_its_cause(
    cloud: Cloud, ddb: Ddb, streams: Streams, make: Callable[..., str]
) -> None:
    arn = make()
    ddb("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification={"AttributeName": "t", "Enabled": True})
    ddb("PutItem", TableName="tab", Item={**KEY, "t": {"N": str(int(cloud.clock.now()) + 60)}})

    async def story() -> None:
        await cloud.start()
        await cloud.travel(100)
        last = records(streams, arn)[-1]
        assert last["eventName"] == "REMOVE"
        assert last["userIdentity"] == {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
        await cloud.bus.stop()

    asyncio.run(story())


def test_records_stay_for_a_day(cloud: Cloud, ddb: Ddb, streams: Streams, make: Callable[..., str]) -> None:
    arn = make()

    async def story() -> None:
        await cloud.start()
        ddb("PutItem", TableName="tab", Item=KEY)
        old = records(streams, arn)[0]["dynamodb"]["SequenceNumber"]
        await cloud.travel(12 * 3600)
        ddb("DeleteItem", TableName="tab", Key=KEY)
        await cloud.travel(12 * 3600 + 1)
        assert [record["eventName"] for record in records(streams, arn)] == ["REMOVE"]
        with pytest.raises(AwsError) as caught:
            records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=old)
        assert caught.value.code == "TrimmedDataAccessException"
        await cloud.travel(12 * 3600)
        assert records(streams, arn) == []
        ddb("PutItem", TableName="tab", Item=KEY)
        assert len(records(streams, arn)) == 1
        await cloud.travel(24 * 3600 + 1)
        assert records(streams, arn) == []
        await cloud.bus.stop()

    asyncio.run(story())


def test_off_and_on_again_is_another_stream(
    cloud: Cloud, ddb: Ddb, streams: Streams, make: Callable[..., str]
) -> None:
    arn = make()
    ddb("PutItem", TableName="tab", Item=KEY)
    ddb("UpdateTable", TableName="tab", StreamSpecification={"StreamEnabled": False})
    table = ddb("DescribeTable", TableName="tab")["Table"]
    assert "StreamSpecification" not in table
    assert table["LatestStreamArn"] == arn
    ddb("DeleteItem", TableName="tab", Key=KEY)
    page = streams("GetRecords", ShardIterator=iterator(streams, arn))
    assert [record["eventName"] for record in page["Records"]] == ["INSERT"]
    assert streams("DescribeStream", StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    cloud.clock.travel(1)
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    ddb("UpdateTable", TableName="tab", StreamSpecification=on)
    listed = [stream["StreamArn"] for stream in streams("ListStreams", TableName="tab")["Streams"]]
    assert listed == [arn, ddb("DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]]

    async def later() -> None:
        await cloud.start()
        await cloud.travel(24 * 3600 + 1)
        assert len(streams("ListStreams")["Streams"]) == 1
        await cloud.bus.stop()

    asyncio.run(later())


def test_streams_opened_in_one_moment_have_names_of_their_own(ddb: Ddb, make: Callable[..., str]) -> None:
    arns = set()
    for _ in range(5):
        arns.add(make())
        ddb("DeleteTable", TableName="tab")
    assert len(arns) == 5


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        (
            {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            "Table already has an enabled stream: TableName: tab",
        ),
        (
            {"StreamEnabled": True},
            "One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true",
        ),
    ],
)
def test_refused(ddb: Ddb, make: Callable[..., str], specification: dict[str, Any], message: str) -> None:
    make()
    with pytest.raises(AwsError) as caught:
        ddb("UpdateTable", TableName="tab", StreamSpecification=specification)
    assert caught.value.message == message


def test_iterators_expire_and_strangers_are_refused(
    cloud: Cloud, streams: Streams, make: Callable[..., str]
) -> None:
    arn = make()
    place = iterator(streams, arn)
    cloud.clock.travel(15 * 60 + 1)
    with pytest.raises(AwsError) as caught:
        streams("GetRecords", ShardIterator=place)
    assert caught.value.code == "ExpiredIteratorException"
    with pytest.raises(AwsError) as caught:
        streams("DescribeStream", StreamArn=arn + "x")
    assert caught.value.code == "ResourceNotFoundException"
    with pytest.raises(AwsError) as caught:
        streams("GetRecords", ShardIterator="nonsense")
    assert caught.value.code == "ValidationException"
