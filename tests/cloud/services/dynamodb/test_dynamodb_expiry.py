"""Time to live: items go when the clock says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud

Ddb = Callable[..., dict[str, Any]]
Make = Callable[..., str]


def running(cloud: Cloud, story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await cloud.start()
        await story()
        await cloud.bus.stop()

    asyncio.run(whole())


@pytest.fixture
def tab(ddb: Ddb, make: Make) -> str:
    name = make("tab", "id:S", gsi={"keys": ("id:S",)})
    ddb(
        "UpdateTimeToLive",
        TableName=name,
        TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
    )
    return name


def put(cloud: Cloud, ddb: Ddb, key: str, seconds: float) -> None:
    until = {"N": str(int(cloud.clock.now() + seconds))}
    ddb("PutItem", TableName="tab", Item={"id": {"S": key}, "until": until})


def left(ddb: Ddb, **more: Any) -> set[str]:
    return {item["id"]["S"] for item in ddb("Scan", TableName="tab", **more)["Items"]}


def test_items_expire_in_their_time(cloud: Cloud, ddb: Ddb, tab: str) -> None:
    put(cloud, ddb, "hour", 3600)
    put(cloud, ddb, "minute", 60)  # earlier than what was planned before
    put(cloud, ddb, "day", 86_400)
    ddb("PutItem", TableName=tab, Item={"id": {"S": "text"}, "until": {"S": "1"}})
    ddb("PutItem", TableName=tab, Item={"id": {"S": "never"}})

    async def story() -> None:
        await cloud.travel(61)
        assert left(ddb) == {"hour", "day", "text", "never"}
        await cloud.travel(3600)
        assert left(ddb) == left(ddb, IndexName="gsi") == {"day", "text", "never"}
        await cloud.travel(86_400)
        assert left(ddb) == {"text", "never"}

    running(cloud, story)
    assert ddb("DescribeTable", TableName=tab)["Table"]["ItemCount"] == 2


def test_an_item_whose_time_was_moved_or_taken_away_stays(cloud: Cloud, ddb: Ddb, tab: str) -> None:
    put(cloud, ddb, "moved", 60)
    put(cloud, ddb, "freed", 60)
    put(cloud, ddb, "moved", 7200)
    ddb(
        "UpdateItem",
        TableName=tab,
        Key={"id": {"S": "freed"}},
        UpdateExpression="REMOVE #u",
        ExpressionAttributeNames={"#u": "until"},
    )

    async def story() -> None:
        await cloud.travel(120)
        assert left(ddb) == {"moved", "freed"}
        await cloud.travel(7200)
        assert left(ddb) == {"freed"}

    running(cloud, story)


def test_an_item_that_comes_expired_is_seen_for_a_while(cloud: Cloud, ddb: Ddb, tab: str) -> None:
    put(cloud, ddb, "past", -10)
    ddb("PutItem", TableName=tab, Item={"id": {"S": "ancient"}, "until": {"N": "1"}})  # over five years: kept

    async def story() -> None:
        await cloud.drain()
        assert left(ddb) == {"past", "ancient"}
        await cloud.travel(61)
        assert left(ddb) == {"ancient"}

    running(cloud, story)


def test_switching_it_on_finds_what_is_there(cloud: Cloud, ddb: Ddb, make: Make) -> None:
    make("tab", "id:S")
    for number in range(1100):
        put(cloud, ddb, str(number), 100)
    specification = {"AttributeName": "until", "Enabled": True}
    ddb("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification)

    async def story() -> None:
        await cloud.travel(50)
        assert ddb("Scan", TableName="tab", Select="COUNT")["Count"] == 1100
        await cloud.travel(51)
        assert ddb("Scan", TableName="tab", Select="COUNT")["Count"] == 0

    running(cloud, story)


def test_switching_it_off_keeps_the_items(cloud: Cloud, ddb: Ddb, tab: str) -> None:
    put(cloud, ddb, "a", 60)
    ddb(
        "UpdateTimeToLive",
        TableName=tab,
        TimeToLiveSpecification={"AttributeName": "until", "Enabled": False},
    )

    async def story() -> None:
        await cloud.travel(120)
        assert left(ddb) == {"a"}

    running(cloud, story)


def test_describe_and_refusals(ddb: Ddb, tab: str) -> None:
    assert ddb("DescribeTimeToLive", TableName=tab)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "until",
    }
    for specification, message in (
        ({"AttributeName": "until", "Enabled": True}, "TimeToLive is already enabled"),
        (
            {"AttributeName": "x", "Enabled": True},
            "TimeToLive is active on a different AttributeName: current AttributeName is until",
        ),
    ):
        with pytest.raises(AwsError) as caught:
            ddb("UpdateTimeToLive", TableName=tab, TimeToLiveSpecification=specification)
        assert caught.value.message == message
    off = {"AttributeName": "until", "Enabled": False}
    ddb("UpdateTimeToLive", TableName=tab, TimeToLiveSpecification=off)
    with pytest.raises(AwsError) as caught:
        ddb("UpdateTimeToLive", TableName=tab, TimeToLiveSpecification=off)
    assert caught.value.message == "TimeToLive is already disabled"
    assert ddb("DescribeTimeToLive", TableName=tab)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "DISABLED"
    }
