"""Many clients at once, over all kinds of services: every answer is right, and nothing is left of the load."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

from pileus.testing import EmbeddedCloud

from .processes import descendants, until
from .raw import Request, json_call
from .test_any_operation import TRUST
from .test_kills_with_events import _package

CONNECTIONS = 64
ECHO = "def handler(event, context):\n    return {'got': event, 'request': context.aws_request_id}\n"


class Client:
    """One keep-alive connection, whose names and contents are its own."""

    def __init__(self, port: int, name: str) -> None:
        self._port, self._name = port, name
        self.count = 0

    async def __aenter__(self) -> Client:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, request: Request) -> bytes:
        self._writer.write(request.signed())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        assert head[0].split()[1] in ("200", "201", "204"), (head[0], body)
        self.count += 1
        return body

    async def call(self, service: str, target: str, version: str = "1.0", **request: Any) -> Any:
        return json.loads(
            await self.ask(json_call(service, target, json.dumps(request).encode(), version=version))
        )

    async def story(self, turn: int) -> None:
        text = f"{self._name}-{turn}"
        await self._dynamodb(text)
        await self._sqs(text)
        await self._s3(text, 100_000 if turn % 3 == 0 else 1000)
        await self._parameters(text)
        if turn % 4 == 0:
            await self._lambda(text)

    async def _dynamodb(self, text: str) -> None:
        item = {"id": {"S": self._name}, "text": {"S": text}}
        await self.call("dynamodb", "DynamoDB_20120810.PutItem", TableName="table", Item=item)
        found = await self.call(
            "dynamodb", "DynamoDB_20120810.GetItem", TableName="table", Key={"id": {"S": self._name}}
        )
        assert found["Item"] == item

    async def _sqs(self, text: str) -> None:
        url = f"http://127.0.0.1/000000000000/{self._name}"
        sent = await self.call("sqs", "AmazonSQS.SendMessage", QueueUrl=url, MessageBody=text)
        assert sent["MD5OfMessageBody"] == hashlib.md5(text.encode()).hexdigest()
        [message] = (await self.call("sqs", "AmazonSQS.ReceiveMessage", QueueUrl=url))["Messages"]
        assert message["Body"] == text
        handle = message["ReceiptHandle"]
        await self.ask(
            json_call(
                "sqs",
                "AmazonSQS.DeleteMessage",
                json.dumps({"QueueUrl": url, "ReceiptHandle": handle}).encode(),
            )
        )

    async def _s3(self, text: str, size: int) -> None:
        body = (text.encode() * size)[:size]
        await self.ask(Request("s3", "PUT", f"/bucket/{self._name}", body=body))
        assert await self.ask(Request("s3", "GET", f"/bucket/{self._name}")) == body

    async def _parameters(self, text: str) -> None:
        where = {"Name": f"/{self._name}"}
        await self.call(
            "ssm", "AmazonSSM.PutParameter", "1.1", **where, Value=text, Type="String", Overwrite=True
        )
        found = await self.call("ssm", "AmazonSSM.GetParameter", "1.1", **where)
        assert found["Parameter"]["Value"] == text

    async def _lambda(self, text: str) -> None:
        path = "/2015-03-31/functions/echo/invocations"
        answer = json.loads(await self.ask(Request("lambda", "POST", path, body=json.dumps(text).encode())))
        assert answer["got"] == text


def _prepare(aws: EmbeddedCloud) -> None:
    aws.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.client("s3").create_bucket(Bucket="bucket")
    sqs = aws.client("sqs")
    for number in range(CONNECTIONS):
        sqs.create_queue(QueueName=f"c{number}")
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName="echo",
        Role=role,
        Runtime="python3.11",
        Handler="app.handler",
        Code={"ZipFile": _package(ECHO)},
    )
    functions.put_function_concurrency(FunctionName="echo", ReservedConcurrentExecutions=CONNECTIONS)
    functions.invoke(FunctionName="echo", Payload=b"{}")
    for client in (sqs, functions):
        client.close()


async def _load(port: int, turns: int) -> int:
    async def one(number: int) -> int:
        async with Client(port, f"c{number}") as client:
            for turn in range(turns):
                await client.story(turn)
            return client.count

    return sum(await asyncio.gather(*(one(number) for number in range(CONNECTIONS))))


class Footprint:
    """What the process holds now."""

    def __init__(self, aws: EmbeddedCloud) -> None:
        gc.collect()
        self.files = len(list(Path("/proc/self/fd").iterdir()))
        self.threads = threading.active_count()
        self.tasks = aws.within(lambda cloud: len(asyncio.all_tasks()))
        self.connections = aws.within(lambda cloud: len(aws.server._listener.connections.open))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_many_clients_at_once(tmp_path: Path) -> None:
    others = descendants(os.getpid())
    with EmbeddedCloud(state=tmp_path / "state") as aws:
        _prepare(aws)
        port = aws.server._listener.port
        asyncio.run(_load(port, 2))  # models, caches, threads for files, environments
        aws.drain()
        until(lambda: Footprint(aws).connections == 0)
        before = Footprint(aws)
        assert asyncio.run(_load(port, 5)) > CONNECTIONS * 45
        aws.drain()
        until(lambda: Footprint(aws).connections == 0)
        after = Footprint(aws)
        assert after.tasks <= before.tasks
        assert after.threads <= before.threads + 2  # the pool that writes files grows to its bound
        assert after.megabytes < before.megabytes + 30
        aws.client("lambda").delete_function(FunctionName="echo")
        until(lambda: len(descendants(os.getpid()) - others) <= 2)  # the zygote, and what it has ready
        assert Footprint(aws).files <= before.files
        assert aws.client("sqs").list_queues()["QueueUrls"]
    assert descendants(os.getpid()) <= others
