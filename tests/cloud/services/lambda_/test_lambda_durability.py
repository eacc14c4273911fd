"""What was answered survives: functions, events under way, and mappings, over a stop and over a kill."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any

from pileus.cloud.kernel import Cloud, Settings
from pileus.cloud.services import REGISTRY

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
#: Hands its event on by a file: there is no endpoint to call in these tests.
RECORDER = """
import json, os
def handler(event, context):
    with open(os.environ["OUT"], "a") as out:
        out.write(json.dumps(event) + "\\n")
"""


def run(work: Coroutine[Any, Any, Any]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(in_time())


async def create(cloud: Cloud, out: Path) -> None:
    role = cloud.call("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST})["Role"][
        "Arn"
    ]
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", RECORDER)
    request = {
        "FunctionName": "f",
        "Role": role,
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Code": {"ZipFile": buffer.getvalue()},
        "Environment": {"Variables": {"OUT": str(out)}},
    }
    await cloud.call_async("lambda", "CreateFunction", request)


def test_events_and_mappings_go_on_after_a_restart(tmp_path: Path) -> None:
    out = tmp_path / "out"

    async def before() -> None:
        cloud = Cloud(REGISTRY, Settings(state=tmp_path / "state"))
        await create(cloud, out)
        arn = cloud.call("sqs", "CreateQueue", {"QueueName": "q"})["QueueUrl"]
        source = "arn:aws:sqs:us-east-1:000000000000:q"
        cloud.call("lambda", "CreateEventSourceMapping", {"FunctionName": "f", "EventSourceArn": source})
        cloud.call("sqs", "SendMessage", {"QueueUrl": arn, "MessageBody": "queued"})
        request = {"FunctionName": "f", "InvocationType": "Event", "Payload": b'{"event": 1}'}
        await cloud.call_async("lambda", "Invoke", request)
        await cloud.stop()  # it was never started: nothing has been handed out

    async def after() -> None:
        cloud = Cloud(REGISTRY, Settings(state=tmp_path / "state"))
        await cloud.start()
        await cloud.drain()
        await cloud.stop()

    run(before())
    assert not out.exists()
    run(after())
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert {"event": 1} in events
    assert [event["Records"][0]["body"] for event in events if "Records" in event] == ["queued"]


def test_a_change_that_is_undone_leaves_nothing_in_memory(tmp_path: Path) -> None:
    class Undo(Exception):
        pass

    async def story() -> None:
        cloud = Cloud(REGISTRY, Settings())
        await create(cloud, tmp_path / "out")
        arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
        await cloud.functions.invoke(arn, b"1")
        try:
            with cloud.store.transaction():
                cloud.call("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Handler": "no.no"})
                raise Undo
        except Undo:
            pass
        assert (await cloud.functions.invoke(arn, b"2")).function_error is None
        await cloud.stop()

    run(story())
    assert (tmp_path / "out").read_text() == "1\n2\n"
