"""What was answered is there after a restart: items, indexes, tables' settings, expiry, streams."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pileus.cloud.kernel import Clock, Cloud, Settings
from pileus.cloud.services import REGISTRY

START = 1_700_000_000.0
TABLE: dict[str, Any] = {
    "TableName": "tab",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("id", "mail")],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "gsi",
            "KeySchema": [{"AttributeName": "mail", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
}


@contextmanager
def opened(state: Path, at: float) -> Iterator[Cloud]:
    cloud = Cloud(REGISTRY, Settings(state=state), clock=Clock(start=at))
    yield cloud
    cloud.store.close()


def test_restart(tmp_path: Path) -> None:
    item = {"id": {"S": "a"}, "mail": {"S": "m"}, "until": {"N": str(int(START) + 3600)}}
    query = {
        "TableName": "tab",
        "IndexName": "gsi",
        "KeyConditionExpression": "mail = :m",
        "ExpressionAttributeValues": {":m": {"S": "m"}},
    }
    with opened(tmp_path, START) as cloud:
        cloud.call("dynamodb", "CreateTable", TABLE)
        specification = {"AttributeName": "until", "Enabled": True}
        request = {"TableName": "tab", "TimeToLiveSpecification": specification}
        cloud.call("dynamodb", "UpdateTimeToLive", request)
        cloud.call("dynamodb", "PutItem", {"TableName": "tab", "Item": item})
        described = cloud.call("dynamodb", "DescribeTable", {"TableName": "tab"})
    with opened(tmp_path, START + 60) as cloud:
        assert cloud.call("dynamodb", "DescribeTable", {"TableName": "tab"}) == described
        assert cloud.call("dynamodb", "Query", query)["Items"] == [item]

        async def story() -> None:
            await cloud.start()
            await cloud.travel(3600)
            await cloud.bus.stop()

        asyncio.run(story())
        assert cloud.call("dynamodb", "Query", query)["Count"] == 0
        assert cloud.call("dynamodb", "Scan", {"TableName": "tab"})["Count"] == 0
        [stream] = cloud.call("dynamodbstreams", "ListStreams", {})["Streams"]
        described = cloud.call("dynamodbstreams", "DescribeStream", {"StreamArn": stream["StreamArn"]})
        [shard] = described["StreamDescription"]["Shards"]
        place = {
            "StreamArn": stream["StreamArn"],
            "ShardId": shard["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        }
        found = cloud.call("dynamodbstreams", "GetShardIterator", place)
        records = cloud.call("dynamodbstreams", "GetRecords", found)["Records"]
        assert [record["eventName"] for record in records] == ["INSERT", "REMOVE"]
