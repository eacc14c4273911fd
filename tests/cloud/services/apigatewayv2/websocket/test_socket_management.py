"""apigatewaymanagementapi with real boto3, at every address; and how connections end by the clock and with the server."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable
from typing import Any

import pytest

Tell = Callable[[Any], None]


async def one(world: Any) -> tuple[Any, str]:
    """A connected client and its id."""
    world.route("$connect")
    world.route("$disconnect")
    world.route("$default")
    world.deploy()
    client = await world.connect(User_Agent="me/1")
    return client, world.functions.contexts("CONNECT")[0]["connectionId"]


def test_a_backend_sends_looks_and_ends(tell: Tell) -> None:
    async def story(world: Any) -> None:
        client, name = await one(world)
        port = world.server._listener.port
        for endpoint in (
            f"http://127.0.0.1:{world.port}",
            f"http://localhost:{world.port}/dev",
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{port}/_aws/execute-api/{world.id}/dev",
        ):
            await world.manage(
                "post_to_connection", endpoint=endpoint, ConnectionId=name, Data=endpoint.encode()
            )
            assert await client.receive() == endpoint
        found = await world.manage("get_connection", ConnectionId=name)
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "me/1"}
        assert found["ConnectedAt"] <= found["LastActiveAt"]
        gone = await world.manage("delete_connection", ConnectionId=name)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert await client.closed() == (1000, "Connection Closed Normally")
        await world.settle()
        (end,) = world.functions.contexts("DISCONNECT")
        assert (end["disconnectStatusCode"], end["disconnectReason"]) == (1000, "Connection Closed Normally")
        for operation in ("get_connection", "delete_connection"):
            assert await world.manage(operation, ConnectionId=name) == ("GoneException", 410)
        posted = await world.manage("post_to_connection", ConnectionId=name, Data=b"x")
        assert posted == ("GoneException", 410)

    tell(story)


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("grüezi".encode(), "grüezi"),
        (b"\xff\x00", b"\xff\x00"),
        (b"x" * 131072, "x" * 131072),
        (b"x" * 131073, ("PayloadTooLargeException", 413)),
    ],
    ids=["text", "binary", "most", "more"],
)
def test_what_is_sent(tell: Tell, data: bytes, seen: Any) -> None:
    async def story(world: Any) -> None:
        client, name = await one(world)
        answer = await world.manage("post_to_connection", ConnectionId=name, Data=data)
        if isinstance(seen, tuple):
            assert answer == seen
        else:
            assert await client.receive() == seen

    tell(story)


def test_a_client_that_reads_nothing(tell: Tell) -> None:
    async def story(world: Any) -> None:
        client, name = await one(world)
        client.writer.transport.pause_reading()
        socket = world.cloud.service("apigatewaymanagementapi").plane.clients[name].socket
        while socket.unsent <= 1024 * 1024:
            socket.send("x" * 100_000)
            await asyncio.sleep(0)
        answer = await world.manage("post_to_connection", ConnectionId=name, Data=b"x")
        assert answer == ("LimitExceededException", 429)

    tell(story)


def test_nobody_can_be_reached_before_connect_has_answered(tell: Tell) -> None:
    async def story(world: Any) -> None:
        async def connect(event: dict[str, Any]) -> Any:
            if event["requestContext"]["eventType"] == "CONNECT":
                name = event["requestContext"]["connectionId"]
                seen.append(await world.manage("post_to_connection", ConnectionId=name, Data=b"early"))
            return {"statusCode": 200}

        seen: list[Any] = []
        world.functions.handlers["f"] = connect
        await one(world)
        assert seen == [("GoneException", 410)]

    tell(story)


def test_signatures_are_checked(tell: Tell) -> None:
    def fetch(port: int, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/@connections/abc%3D", b"x", headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    async def story(world: Any) -> None:
        scope = "test/20260101/us-east-1/execute-api/aws4_request"
        wrong = {
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00",
        }
        for port in (world.port, world.server._listener.port):
            assert (await asyncio.to_thread(fetch, port, {}))[0] == 403
            assert (await asyncio.to_thread(fetch, port, wrong))[0] == 403

    tell(story)


@pytest.mark.parametrize(
    ("busy", "seconds", "ends"),
    [(False, 560, False), (False, 600, True), (True, 7100, False), (True, 7200, True)],
)
def test_ten_idle_minutes_and_two_hours(tell: Tell, busy: bool, seconds: int, ends: bool) -> None:
    # the clock runs on while the test does: what is not to end has a minute to spare
    async def story(world: Any) -> None:
        client, name = await one(world)
        left = seconds
        while busy and left > 500:
            await world.cloud.travel(500)
            await world.manage("post_to_connection", ConnectionId=name, Data=b"still")
            assert await client.receive() == "still"
            left -= 500
        await world.cloud.travel(left)
        await world.settle()
        found = [c["disconnectStatusCode"] for c in world.functions.contexts("DISCONNECT")]
        assert found == ([1001] if ends else [])
        if ends:
            assert await client.closed() == (1001, "Going away")

    tell(story)


def test_disconnect_runs_when_the_server_stops(tell: Tell) -> None:
    async def story(world: Any) -> None:
        async def leave(event: dict[str, Any]) -> Any:
            if event["requestContext"]["eventType"] == "DISCONNECT":
                made = await asyncio.to_thread(_list_queues, world.server.url)
                seen.append((event["requestContext"]["disconnectStatusCode"], made))
            return {"statusCode": 200}

        seen: list[Any] = []
        world.functions.handlers["f"] = leave
        client, _ = await one(world)
        for listener in (*world.server._sites, world.server._listener):
            await listener.connections.close_sockets(5.0)
        assert seen == [(1001, 200)]
        assert await client.closed() == (1001, "Going away")

    tell(story)


def _list_queues(url: str) -> int:
    import urllib.request

    with urllib.request.urlopen(f"{url}/_pileus/health", timeout=5) as answer:
        return int(answer.status)


def test_two_hundred_clients_hear_of_one_another(tell: Tell) -> None:
    async def story(world: Any) -> None:
        world.route("$connect")
        world.route("$default")
        world.route("$disconnect")
        world.deploy()
        clients = await asyncio.gather(*(world.connect() for _ in range(200)))
        plane = world.cloud.service("apigatewaymanagementapi").plane
        assert len(plane.clients) == 200
        for client in list(plane.clients.values()):
            client.socket.send("all")
        assert [await client.receive() for client in clients] == ["all"] * 200
        for index, client in enumerate(clients):
            if index % 2:
                client.writer.transport.abort()  # in the middle of its message
            else:
                await client.close()
        await world.functions.heard(200, "DISCONNECT")
        assert plane.clients == {}
        codes = {context["disconnectStatusCode"] for context in world.functions.contexts("DISCONNECT")}
        assert codes == {1000, 1006}

    tell(story)


def test_a_client_that_goes_during_its_handshake(tell: Tell) -> None:
    async def story(world: Any) -> None:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def connect(event: dict[str, Any]) -> Any:
            entered.set()
            await leave.wait()
            return {"statusCode": 200}

        world.functions.handlers["c"] = connect
        world.route("$connect", "c")
        world.route("$disconnect", "d")
        world.deploy()
        joining = asyncio.create_task(world.connect())
        await entered.wait()
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        for connection in list(world.site.connections.open):
            connection.abort()
        await asyncio.sleep(0)
        leave.set()
        await world.functions.heard(1, "DISCONNECT")
        (end,) = world.functions.contexts("DISCONNECT")
        assert end["disconnectStatusCode"] == 1006
        assert world.cloud.service("apigatewaymanagementapi").plane.clients == {}

    tell(story)
