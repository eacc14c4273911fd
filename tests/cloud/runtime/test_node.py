"""Functions for Node.js, with real processes: what a handler gets, how it answers, and how it fails."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pileus.cloud.kernel import StreamFailed
from pileus.cloud.runtime import EnvironmentFailed, Event

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not on this machine")

HANDLERS = """
exports.echo = async (event) => event;
exports.context = async (event, c) => ({
  name: c.functionName, version: c.functionVersion, arn: c.invokedFunctionArn, memory: c.memoryLimitInMB,
  request: c.awsRequestId, group: c.logGroupName, stream: c.logStreamName, identity: c.identity, client: c.clientContext,
  left: c.getRemainingTimeInMillis(), waits: c.callbackWaitsForEmptyEventLoop, trace: process.env._X_AMZN_TRACE_ID,
});
exports.variables = async () => process.env;
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, "late"), 5); };
exports.waits = (event, context, callback) => {
  callback(null, "first");
  setTimeout(() => console.log("the loop was waited for"), 20);
};
exports.waitsNot = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 60000);
  callback(null, "at once");
};
exports.succeeds = (event, context) => { setTimeout(() => {}, 60000); context.succeed("old"); };
exports.nothing = () => { setTimeout(() => {}, 1); return "ignored"; };
exports.isUndefined = async () => {};
exports.fails = async () => { class Mine extends Error { name = "Mine"; } throw new Mine("100% wrong"); };
exports.callsBackError = (event, context, callback) => callback(new TypeError("no"));
exports.throwsText = async () => { throw "text"; };
exports.cyclic = async () => { const a = {}; a.a = a; return a; };
exports.exits = async () => process.exit(3);
exports.leaves = async () => process.exit(0);
exports.dies = async () => process.kill(process.pid, "SIGSEGV");
exports.hangs = async () => { for (;;); };
exports.never = () => new Promise(() => {});
exports.waitsForEver = () => new Promise(() => setInterval(() => {}, 1000));
exports.rejects = async () => { Promise.reject(new RangeError("aside")); await new Promise((r) => setTimeout(r, 1000)); };
exports.throwsAside = async () => { setTimeout(() => { throw new RangeError("aside"); }); await new Promise((r) => setTimeout(r, 1000)); };
exports.eats = async () => { const held = []; for (;;) { held.push(Buffer.alloc(8e6, 1)); await new Promise((r) => setTimeout(r, 1)); } };
exports.logs = async () => {
  console.log("one %d", 1, { a: [1] });
  console.warn("two\\nlines");
  console.error(new Error("three"));
  console.debug("four");
  process.stdout.write("bare\\n");
};
exports.floods = async () => { for (let i = 0; i < 20000; i++) console.log("x".repeat(200)); return "done"; };
exports.spawns = async () => require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" }).pid;
exports.notAFunction = 1;
exports.deep = { inside: { handler: async () => "deep" } };
exports.pid = async (event) => { await new Promise((r) => setTimeout(r, event.sleep ?? 0)); return process.pid; };
exports.where = async () => [process.cwd(), process.env.TMPDIR, require("node:os").tmpdir(), typeof awslambda];
exports.streams = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  stream.write("a");
  await new Promise((r) => setTimeout(r, 5));
  stream.end("b");
});
exports.breaks = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/plain");
  stream.write("begun");
  await new Promise((r) => setTimeout(r, 5));
  throw new Error("in the middle");
});
exports.failsFirst = awslambda.streamifyResponse(async () => { throw new Error("too early"); });
exports.large = awslambda.streamifyResponse(async (event, stream) => {
  for (let i = 0; i < 160; i++) if (!stream.write(Buffer.alloc(65536, 97))) await new Promise((r) => stream.once("drain", r));
  stream.end();
});
"""
ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def node(lab: Any) -> Any:
    lab.write("app.js", HANDLERS)
    plain = lab.spec

    def spec(handler: str, runtime: str = "nodejs20.x", **settings: Any) -> Any:
        found = plain(handler, **{"memory": 256, **settings})
        return replace(found, runtime=runtime, revision=f"{runtime} {found.revision}")

    lab.spec = spec
    return lab


@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [
        ("app.echo", {"a": "ä", "b": [1, 2.5, None]}, {"a": "ä", "b": [1, 2.5, None]}),
        ("app.callback", 1, "late"),
        ("app.waits", 1, "first"),
        ("app.waitsNot", 1, "at once"),
        ("app.succeeds", 1, "old"),
        ("app.nothing", 1, None),
        ("app.isUndefined", 1, None),
        ("app.deep.inside.handler", 1, "deep"),
    ],
)
def test_how_a_handler_answers(node: Any, handler: str, event: Any, answer: Any) -> None:
    async def story() -> None:
        for _ in range(2):  # cold and warm
            outcome = await node.invoke(handler, orjson.dumps(event))
            assert not outcome.error
            assert orjson.loads(outcome.payload) == answer

    node.run(story())
    assert ("waits" not in handler or "Not" in handler) or any(
        "was waited for" in line for line in node.lines
    )


def test_the_context(node: Any) -> None:
    async def story() -> None:
        found = orjson.loads((await node.invoke("app.context")).payload)
        assert found.pop("left") in range(8000, 10_001)
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found.pop("stream"))
        assert found == {
            "name": "f",
            "version": "$LATEST",
            "arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "memory": "256",
            "request": ID,
            "group": "/aws/lambda/f",
            "waits": True,
            "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        }
        cwd, tmpdir, ostmp, kind = orjson.loads((await node.invoke("app.where")).payload)
        assert (cwd, tmpdir, kind) == (str(node.root), ostmp, "object")
        await node.runtime.stop()
        assert not Path(tmpdir).exists()

    node.run(story())


def test_variables(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_SERVER", "secret")

    async def story() -> None:
        own = {"MINE": "1", "NODE_OPTIONS": "--no-deprecation"}
        found = orjson.loads((await node.invoke("app.variables", variables=own)).payload)
        expected = {
            **own,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "LAMBDA_TASK_ROOT": str(node.root),
            "_HANDLER": "app.variables",
        }
        assert {name: found[name] for name in expected} == expected
        assert "OF_THE_SERVER" not in found
        assert not any(name.startswith(("PYTHON", "VIRTUAL_ENV", "PILEUS")) for name in found)

    node.run(story())


EXIT = f"RequestId: {ID} Error: Runtime exited"


@pytest.mark.parametrize(
    ("handler", "settings", "kind", "message"),
    [
        ("app.fails", {}, "Mine", "100% wrong"),
        ("app.callsBackError", {}, "TypeError", "no"),
        ("app.throwsText", {}, "string", "text"),
        ("app.cyclic", {}, "Runtime.JSONStringifyError", "Unable to stringify response body"),
        ("app.exits", {}, "Runtime.ExitError", f"{EXIT} with error: exit status 3"),
        ("app.leaves", {}, "Runtime.ExitError", f"{EXIT} without providing a reason"),
        ("app.dies", {}, "Runtime.ExitError", f"{EXIT} with error: signal: segmentation fault"),
        ("app.eats", {"memory": 128}, "Runtime.ExitError", f"{EXIT} with error: signal: killed"),
        (
            "app.hangs",
            {"timeout": 0.3},
            "Sandbox.Timedout",
            f"RequestId: {ID} Error: Task timed out after 0.30 seconds",
        ),
        (
            "app.waitsForEver",
            {"timeout": 0.3},
            "Sandbox.Timedout",
            f"RequestId: {ID} Error: Task timed out after 0.30 seconds",
        ),
        (
            "app.never",
            {},
            "Runtime.NodeJsExit",
            "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise "
            "that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes",
        ),
        ("app.rejects", {}, "Runtime.UnhandledPromiseRejection", "RangeError: aside"),
        ("app.throwsAside", {}, "RangeError", "aside"),
        (
            "nothing.handler",
            {},
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'nothing'\nRequire stack:\n- /var/runtime/index.mjs",
        ),
        ("app.missing", {}, "Runtime.HandlerNotFound", "app.missing is undefined or not exported"),
        ("app.notAFunction", {}, "Runtime.HandlerNotFound", "app.notAFunction is not a function"),
        ("app", {}, "Runtime.MalformedHandlerName", "Bad handler"),
        (
            "../app.echo",
            {},
            "Runtime.MalformedHandlerName",
            "'../app.echo' is not a valid handler name. Use absolute paths when specifying root directories in handler names.",
        ),
        ("broken.handler", {}, "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token ')'"),
        ("raises.handler", {}, "Error", "no table"),
        ("esm.handler", {}, "Error", None),
        ("app.failsFirst", {}, "Error", "too early"),
    ],
)
def test_failures(node: Any, handler: str, settings: dict[str, Any], kind: str, message: str | None) -> None:
    node.write("broken.js", "exports.handler = async ( => {};\n".replace("( =>", ") =>"))
    node.write("raises.js", "throw new Error('no table');\n")
    node.write("esm.mjs", "import 'not-installed';\nexport const handler = async () => 1;\n")

    async def story() -> None:
        outcome = await node.invoke(handler, **settings)
        found = orjson.loads(outcome.payload)
        assert outcome.error
        assert found["errorType"] == kind
        if message is not None:
            assert found["errorMessage"] == message
        else:
            assert found["errorMessage"].startswith("Cannot find package 'not-installed' imported from ")
        assert (await node.invoke("app.echo", b"1")).payload == b"1"  # a crash is nobody else's concern

    node.run(story())


def test_a_trace_is_the_functions_own(node: Any) -> None:
    async def story() -> None:
        trace = orjson.loads((await node.invoke("app.fails")).payload)["trace"]
        line = 1 + next(n for n, text in enumerate(HANDLERS.splitlines()) if "class Mine" in text)
        assert trace[0] == "Mine: 100% wrong"
        assert f"({node.root}/app.js:{line}:" in trace[1]
        assert len(trace) == 2

    node.run(story())


def test_an_sdk_that_is_not_installed_is_told_once(node: Any) -> None:
    node.write("sdk.js", "require('@aws-sdk/client-s3');\n")

    async def story() -> None:
        for _ in range(2):
            found = orjson.loads((await node.invoke("sdk.handler")).payload)
            assert found["errorType"] == "Runtime.ImportModuleError"

    node.run(story())
    assert [note for note in node.notes if "npm install --save-dev @aws-sdk/client-s3" in note] == [
        note for note in node.notes if "AWS SDK" in note
    ]
    assert len([note for note in node.notes if "AWS SDK" in note]) == 1


STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_log(node: Any) -> None:
    async def story() -> None:
        lines = [text for _, text in (await node.invoke("app.logs")).log]
        assert lines[0] == f"START RequestId: {ID} Version: $LATEST"
        assert re.fullmatch(rf"{STAMP}\t{ID}\tINFO\tone 1 \{{ a: \[ 1 \] \}}", lines[1])
        assert re.fullmatch(rf"{STAMP}\t{ID}\tWARN\ttwo\nlines", lines[2])
        assert re.match(rf"{STAMP}\t{ID}\tERROR\tError: three\n    at ", lines[3])
        assert re.fullmatch(rf"{STAMP}\t{ID}\tDEBUG\tfour", lines[4])
        assert lines[5] == "bare"
        assert "Init Duration" in lines[7]
        failed = [text for _, text in (await node.invoke("app.fails")).log]
        assert re.search(
            r'\tERROR\tInvoke Error \t\{"errorType":"Mine","errorMessage":"100% wrong"', failed[1]
        )

    node.run(story())


def test_log_in_json(node: Any) -> None:
    async def story() -> None:
        outcome = await node.invoke("app.logs", log_format="JSON", application_log_level="INFO")
        lines = [orjson.loads(text) for _, text in outcome.log if text.startswith("{") and '"level"' in text]
        assert [(line["level"], line["requestId"]) for line in lines] == [
            ("INFO", ID),
            ("WARN", ID),
            ("ERROR", ID),
        ]
        assert lines[1]["message"] == "two\nlines"
        assert lines[2]["message"]["errorMessage"] == "three"

    node.run(story())


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"a.mjs": "export const h = async () => 'yes'"}, "a.h"),
        ({"a.cjs": "exports.h = async () => 'yes'"}, "a.h"),
        ({"a.js": "export const h = async () => 'yes'", "package.json": '{"type": "module"}'}, "a.h"),
        ({"a.js": "exports.h = async () => 'yes'", "package.json": "{}"}, "a.h"),
        ({"src/a.mjs": "const t = await Promise.resolve('yes'); export const h = async () => t"}, "src/a.h"),
        ({"node_modules/pkg/index.js": "exports.h = async () => 'yes'"}, "pkg.h"),
        ({"a.js": "exports.h = async () => 'yes'", "a.mjs": "export const h = async () => 'no'"}, "a.h"),
    ],
)
def test_kinds_of_modules(node: Any, files: dict[str, str], handler: str) -> None:
    for name, text in files.items():
        (node.root / name).parent.mkdir(parents=True, exist_ok=True)
        (node.root / name).write_text(text)

    async def story() -> None:
        assert (await node.invoke(handler)).payload == b'"yes"'

    node.run(story())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lib.js", "module.exports = {n};"),
        ("value.json", "{n}"),
        ("text.txt", "{n}"),
        ("lib.mjs", "export default {n};"),
    ],
)
def test_a_saved_file_is_new_code(node: Any, name: str, text: str) -> None:
    read = {
        "lib.js": "exports.h = async () => require('./lib')",
        "value.json": "const v = require('./value.json'); exports.h = async () => v",
        "text.txt": "const v = Number(require('fs').readFileSync(__dirname + '/text.txt')); exports.h = async () => v",
        "lib.mjs": "exports.h = async () => (await import('./lib.mjs')).default",
    }
    node.write("main.js", read[name])

    async def story() -> None:
        for number in range(1, 4):
            (node.root / name).write_text(text.replace("{n}", str(number) * number))
            assert (await node.invoke("main.h", reload=True)).payload.decode() == str(number) * number

    node.run(story())


def test_an_environment_is_kept_and_replaced(node: Any) -> None:
    async def story() -> None:
        first = (await node.invoke("app.pid")).payload
        assert (await node.invoke("app.pid")).payload == first
        held = [node.submit("app.pid", b'{"sleep": 600}') for _ in range(3)]
        assert len({(await each).payload for each in held}) == 3

    node.run(story())


def test_a_stream(node: Any) -> None:
    async def streamed(handler: str) -> Any:
        event = Event(ID, b"{}", "arn", "Root=1-1-1", streams=True)
        return await node.runtime.submit(node.spec(handler), event)

    async def story() -> None:
        outcome = await streamed("app.streams")
        assert outcome.content_type == "application/vnd.awslambda.http-integration-response"
        assert b"".join([chunk async for chunk in outcome.chunks]) == b'{"statusCode":201}' + bytes(8) + b"ab"
        assert not outcome.error
        broken = await streamed("app.breaks")
        assert broken.content_type == "text/plain"
        found = b""
        with pytest.raises(StreamFailed) as caught:
            async for chunk in broken.chunks:
                found += chunk
        assert found == b"begun"
        assert caught.value.kind == "Error"
        assert orjson.loads(caught.value.document)["errorMessage"] == "in the middle"
        early = await streamed("app.failsFirst")
        assert early.chunks is None
        assert orjson.loads(early.payload)["errorMessage"] == "too early"
        large = await streamed("app.large")
        await asyncio.sleep(0)  # the function has to wait for us; nothing is lost by that
        assert sum([len(chunk) async for chunk in large.chunks]) == 160 * 65536
        left = await streamed("app.large")
        await (
            left.chunks.aclose()
        )  # the client went away: the function goes on, and the environment is free again
        assert (await node.invoke("app.echo", b"1")).payload == b"1"

    node.run(story())


def test_a_stream_in_one_piece(node: Any) -> None:
    async def story() -> None:
        outcome = await node.invoke("app.streams")
        assert outcome.payload == b'{"statusCode":201}' + bytes(8) + b"ab"
        found = orjson.loads((await node.invoke("app.large")).payload)
        assert found["errorType"] == "Function.ResponseSizeTooLarge"

    node.run(story())


def test_large_events_and_floods(node: Any) -> None:
    async def story() -> None:
        large = orjson.dumps("x" * 5_000_000)
        assert (await node.invoke("app.echo", large)).payload == large
        assert (await node.invoke("app.floods")).payload == b'"done"'

    node.run(story())
    assert sum(line.endswith("x" * 200) for line in node.lines) == 20_000


def test_nothing_is_left_behind(node: Any) -> None:
    async def story() -> list[int]:
        found = [orjson.loads((await node.invoke("app.spawns")).payload)]
        await asyncio.gather(*(node.submit("app.pid", b'{"sleep": 20}') for _ in range(8)))
        return found + list(node.runtime.processes)

    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    pids = node.run(story())
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
    assert len(pids) > 2
    deadline = time.monotonic() + 5  # they are killed, which takes the kernel a moment
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        os.sched_yield()
    assert [pid for pid in pids if _runs(pid)] == []


def test_many_at_once(node: Any) -> None:
    async def story() -> None:
        outcomes = await asyncio.gather(*(node.submit("app.pid", b'{"sleep": 5}') for _ in range(200)))
        assert not any(outcome.error for outcome in outcomes)
        # an environment that gets free takes what waits: there are far fewer than events
        assert len({outcome.payload for outcome in outcomes}) < 100

    node.run(story())


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_runtime_that_has_no_interpreter_is_told(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.delenv("NVM_DIR", raising=False)

    async def story() -> None:
        with pytest.raises(EnvironmentFailed, match=r"nodejs20\.x functions need Node\.js"):
            await node.invoke("app.echo")
        with pytest.raises(EnvironmentFailed, match=r"ruby3\.3 functions can't run here"):
            await node.invoke("app.echo", runtime="ruby3.3")

    node.run(story())


def test_callbacks_are_gone_from_node_24(node: Any) -> None:
    async def story() -> None:
        found = orjson.loads((await node.invoke("app.callback", runtime="nodejs24.x")).payload)
        assert found["errorType"] == "Runtime.CallbackHandlerDeprecated"
        assert (await node.invoke("app.echo", b"1", runtime="nodejs24.x")).payload == b"1"

    node.run(story())
    assert all("functions run on Node.js" in note for note in node.notes)
