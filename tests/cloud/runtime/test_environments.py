"""Execution environments with real processes: what a function sees, and how it fails."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from pileus.cloud.runtime import EnvironmentFailed

HANDLERS = """
    import json, logging, os, sys, time
    from decimal import Decimal

    def echo(event, context):
        return event

    def context(event, c):
        return {
            "name": c.function_name, "version": c.function_version, "arn": c.invoked_function_arn,
            "memory": c.memory_limit_in_mb, "request": c.aws_request_id, "group": c.log_group_name,
            "stream": c.log_stream_name, "identity": c.identity.cognito_identity_id, "client": c.client_context,
            "left": c.get_remaining_time_in_millis(), "trace": os.environ["_X_AMZN_TRACE_ID"],
        }

    def variables(event, context):
        return dict(os.environ)

    def fails(event, context):
        raise KeyError("x")

    def unserialisable(event, context):
        return {1, 2}

    def decimals(event, context):
        return {"price": Decimal("9.5"), "name": "ä"}

    def exits(event, context):
        os._exit(3)

    def leaves(event, context):
        sys.exit(0)

    def dies(event, context):
        os.kill(os.getpid(), 11)

    def hangs(event, context):
        while True:
            pass

    def eats(event, context):
        held = []
        while True:
            held.append(bytearray(b"x" * 8_000_000))
            time.sleep(0.001)

    def prints(event, context):
        print("to stdout")
        print("to stderr", file=sys.stderr)
        os.system("echo from a child")
        logging.getLogger().warning("one\\ntwo")
        sys.stdout.write("without an end")

    def pid(event, context):
        time.sleep(event.get("sleep", 0))
        return os.getpid()

    def tmp(event, context):
        import tempfile
        return [os.environ["TMPDIR"], tempfile.gettempdir(), os.getcwd(), sys.path[0]]
"""


def line_of(text: str) -> int:
    return 1 + next(number for number, line in enumerate(HANDLERS.splitlines()) if text in line)


@pytest.fixture
def handlers(lab: Any) -> Any:
    lab.write("app.py", HANDLERS)
    return lab


def test_what_a_handler_gets(handlers: Any) -> None:
    async def story() -> None:
        assert (await handlers.invoke("app.echo", '{"a": "ä", "b": [1, 2.5, null]}'.encode())).payload == (
            b'{"a": "\\u00e4", "b": [1, 2.5, null]}'
        )
        found = orjson.loads((await handlers.invoke("app.context", memory=256)).payload)
        assert found.pop("left") in range(8000, 10_001)
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found.pop("stream"))
        assert found == {
            "name": "f",
            "version": "$LATEST",
            "arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "memory": "256",
            "request": "00000000-0000-4000-8000-000000000002",
            "group": "/aws/lambda/f",
            "identity": None,
            "client": None,
            "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        }
        large = orjson.dumps("x" * 5_000_000)
        assert (await handlers.invoke("app.echo", large)).payload == large
        tmpdir, tempdir, cwd, path = orjson.loads((await handlers.invoke("app.tmp")).payload)
        assert tmpdir == tempdir
        assert cwd == path == str(handlers.root)
        await handlers.runtime.stop()
        assert not Path(tmpdir).exists()

    handlers.run(story())


def test_variables(handlers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_SERVER", "secret")

    async def story() -> None:
        own = {"MINE": "1", "AWS_ENDPOINT_URL_S3": "http://elsewhere"}
        found = orjson.loads((await handlers.invoke("app.variables", variables=own, memory=512)).payload)
        expected = {
            **own,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "SECRET",
            "AWS_SESSION_TOKEN": "TOKEN",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": str(handlers.root),
            "_HANDLER": "app.variables",
            "TZ": ":UTC",
        }
        assert {name: found[name] for name in expected} == expected
        assert "OF_THE_SERVER" not in found
        assert not any(name.startswith(("PYTHON", "VIRTUAL_ENV", "PILEUS")) for name in found)

    handlers.run(story())


@pytest.mark.parametrize(
    ("handler", "settings", "document"),
    [
        ("app.fails", {}, {"errorMessage": "'x'", "errorType": "KeyError", "requestId": "{id}"}),
        (
            "app.unserialisable",
            {},
            {
                "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
                "errorType": "Runtime.MarshalError",
                "requestId": "{id}",
            },
        ),
        (
            "app.exits",
            {},
            {
                "errorMessage": "RequestId: {id} Error: Runtime exited with error: exit status 3",
                "errorType": "Runtime.ExitError",
            },
        ),
        (
            "app.leaves",
            {},
            {
                "errorMessage": "RequestId: {id} Error: Runtime exited without providing a reason",
                "errorType": "Runtime.ExitError",
            },
        ),
        (
            "app.dies",
            {},
            {
                "errorMessage": "RequestId: {id} Error: Runtime exited with error: signal: segmentation fault",
                "errorType": "Runtime.ExitError",
            },
        ),
        (
            "app.eats",
            {"memory": 128},
            {
                "errorMessage": "RequestId: {id} Error: Runtime exited with error: signal: killed",
                "errorType": "Runtime.ExitError",
            },
        ),
        (
            "app.hangs",
            {"timeout": 0.2},
            {
                "errorMessage": "RequestId: {id} Error: Task timed out after 0.20 seconds",
                "errorType": "Sandbox.Timedout",
            },
        ),
        (
            "nothing.handler",
            {},
            {
                "errorMessage": "Unable to import module 'nothing': No module named 'nothing'",
                "errorType": "Runtime.ImportModuleError",
                "requestId": "",
            },
        ),
        (
            "app.missing",
            {},
            {
                "errorMessage": "Handler 'missing' missing on module 'app'",
                "errorType": "Runtime.HandlerNotFound",
                "requestId": "",
            },
        ),
        (
            "app",
            {},
            {
                "errorMessage": "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
                "errorType": "Runtime.MalformedHandlerName",
                "requestId": "",
            },
        ),
        (
            "broken.handler",
            {},
            {
                "errorMessage": "Syntax error in module 'broken': '(' was never closed (broken.py, line 2)",
                "errorType": "Runtime.UserCodeSyntaxError",
                "requestId": "",
            },
        ),
        (
            "raises.handler",
            {},
            {"errorMessage": "no table", "errorType": "RuntimeError", "requestId": ""},
        ),
    ],
)
def test_failures(handlers: Any, handler: str, settings: dict[str, Any], document: dict[str, str]) -> None:
    handlers.write("broken.py", "x = 1\ndef handler(\n")
    handlers.write("raises.py", "raise RuntimeError('no table')\n")

    async def story() -> None:
        outcome = await handlers.invoke(handler, **settings)
        assert outcome.error
        found = orjson.loads(outcome.payload)
        found.pop("stackTrace", None)
        assert found == {
            k: v.replace("{id}", "00000000-0000-4000-8000-000000000001") for k, v in document.items()
        }
        again = await handlers.invoke("app.echo", b"1")  # a crash is nobody else's concern
        assert again.payload == b"1"

    handlers.run(story())


def test_stack_trace_is_the_functions_own(handlers: Any) -> None:
    async def story() -> None:
        trace = orjson.loads((await handlers.invoke("app.fails")).payload)["stackTrace"]
        assert len(trace) == 1
        assert trace[0].startswith(
            f'  File "{handlers.root}/app.py", line {line_of("raise KeyError")}, in fails\n    raise KeyError("x")\n'
        )

    handlers.run(story())


def test_responses_are_encoded_as_the_runtime_does(handlers: Any) -> None:
    async def story() -> None:
        assert (await handlers.invoke("app.decimals")).payload == b'{"price": 9.5, "name": "\\u00e4"}'

    handlers.run(story())


def test_log(handlers: Any) -> None:
    async def story() -> None:
        outcome = await handlers.invoke("app.prints")
        lines = [text for _, text in outcome.log]
        assert lines == handlers.lines
        request_id = "00000000-0000-4000-8000-000000000001"
        assert lines[:4] == [
            f"START RequestId: {request_id} Version: $LATEST",
            "to stdout",
            "to stderr",
            "from a child",
        ]
        assert re.fullmatch(
            rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request_id}\tone\ntwo", lines[4]
        )
        assert lines[5] == "without an end"
        assert lines[6] == f"END RequestId: {request_id}"
        assert re.fullmatch(
            rf"REPORT RequestId: {request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
            r"\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms",
            lines[7],
        )
        assert outcome.tail().decode().startswith(f"START RequestId: {request_id}")
        warm = await handlers.invoke("app.prints")
        assert "Init Duration" not in warm.log[-1][1]

    handlers.run(story())


def test_log_in_json(handlers: Any) -> None:
    async def story() -> None:
        outcome = await handlers.invoke("app.prints", log_format="JSON", application_log_level="INFO")
        texts = [text for _, text in outcome.log]
        assert orjson.loads(texts[0])["type"] == "platform.start"
        record = orjson.loads(texts[4])
        assert record.pop("timestamp")
        assert record == {
            "level": "WARNING",
            "message": "one\ntwo",
            "logger": "root",
            "requestId": "00000000-0000-4000-8000-000000000001",
        }
        report = orjson.loads(texts[-1])
        assert report["type"] == "platform.report"
        assert report["record"]["status"] == "success"
        assert report["record"]["metrics"]["memorySizeMB"] == 128

    handlers.run(story())


def test_each_event_has_the_whole_timeout(handlers: Any) -> None:
    """Also where the timer of an earlier one runs out in the middle of it, and a late one is still ended."""

    async def story() -> None:
        pids = set()
        for _ in range(3):
            outcome = await handlers.invoke("app.pid", b'{"sleep":0.25}', timeout=0.4)
            assert not outcome.error
            pids.add(outcome.payload)
        assert len(pids) == 1
        late = await handlers.invoke("app.pid", b'{"sleep":9}', timeout=0.4)
        assert b"Task timed out after 0.40 seconds" in late.payload

    handlers.run(story())


def test_timeout_says_where_it_hung(handlers: Any) -> None:
    async def story() -> None:
        outcome = await handlers.invoke("app.hangs", timeout=0.2)
        lines = [text for _, text in outcome.log]
        assert any(f'File "{handlers.root}/app.py", line ' in line and "in hangs" in line for line in lines)
        assert re.fullmatch(
            r"\S+Z 00000000-0000-4000-8000-000000000001 Task timed out after 0.20 seconds\n?", lines[-3]
        )
        assert "Duration: 200.00 ms\tBilled Duration: " in lines[-1]
        assert lines[-1].endswith("\tStatus: timeout")

    handlers.run(story())


def test_one_event_at_a_time_and_as_many_environments_as_needed(handlers: Any) -> None:
    async def story() -> None:
        first = orjson.loads((await handlers.invoke("app.pid")).payload)
        assert orjson.loads((await handlers.invoke("app.pid")).payload) == first
        three = await asyncio.gather(*(handlers.submit("app.pid", b'{"sleep": 0.3}') for _ in range(3)))
        assert len({outcome.payload for outcome in three}) == 3

    handlers.run(story())


def test_environment_with_old_credentials_is_replaced(handlers: Any) -> None:
    from pileus.cloud.runtime.variables import SessionKeys

    async def story() -> None:
        handlers.keys = SessionKeys(
            "A", "B", "C", expires=time.time() + 5
        )  # less than the function's timeout
        first = (await handlers.invoke("app.pid")).payload
        assert (await handlers.invoke("app.pid")).payload != first

    handlers.run(story())


def test_caller_that_goes_away_leaves_the_environment_whole(handlers: Any) -> None:
    async def story() -> None:
        first = orjson.loads((await handlers.invoke("app.pid")).payload)
        waiting = asyncio.ensure_future(handlers.invoke("app.pid", b'{"sleep": 0.05}'))
        await asyncio.sleep(0)
        waiting.cancel()
        while handlers.runtime.is_busy:  # noqa: ASYNC110 - nothing to wait on: nobody waits for it
            await asyncio.sleep(0.005)
        assert orjson.loads((await handlers.invoke("app.pid")).payload) == first

    handlers.run(story())


@pytest.mark.parametrize("python", ["/no/such/python", "/bin/true"])
def test_interpreter_that_does_not_run(handlers: Any, python: str) -> None:
    async def story() -> None:
        handlers.runtime.hooks.python = python
        with pytest.raises(EnvironmentFailed, match=f"the interpreter {python} "):
            await handlers.invoke("app.echo")

    handlers.run(story())


KILLED = """
    import asyncio, os, sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from conftest import Lab

    lab = Lab(Path({folder!r}))
    lab.write("app.py", '''
    import os, subprocess
    def busy(event, context):
        while True:
            pass
    def spawns(event, context):
        return [os.getpid(), subprocess.Popen(["sleep", "1000"]).pid]
    ''')

    async def main():
        pids = (await lab.invoke("app.spawns")).payload.decode()
        lab.submit("app.busy", timeout=900.0)
        while len(lab.runtime.processes) < 3:
            await asyncio.sleep(0.01)
        print(pids, lab.runtime.processes, flush=True)
        await asyncio.sleep(1000)

    asyncio.run(main())
"""


def test_a_killed_server_leaves_no_process(tmp_path: Path) -> None:
    script = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server, server.stdout:
        pids = [int(found) for found in re.findall(r"\d+", server.stdout.readline())]
        assert len(pids) == 5
        assert all(_runs(pid) for pid in pids)
        server.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 5
        while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
            os.sched_yield()
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
