"""Provided runtimes (a program named `bootstrap`), and sources that are built before Node can run them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pileus.cloud import interpreters
from pileus.cloud.runtime import EnvironmentFailed
from pileus.cloud.runtime.bundles import FOLDER, Recipe

BOOTSTRAP = f"""#!{sys.executable} -S
import http.client, json, os, sys
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, **headers):
    api.request(method, "/2018-06-01/runtime/" + path, body, headers)
    answer = api.getresponse()
    return answer, answer.read()
while True:
    head, event = call("GET", "invocation/next")
    place = "invocation/" + head.headers["Lambda-Runtime-Aws-Request-Id"]
    told = json.loads(event)
    print("got", told)
    if told == "fail":
        call("POST", place + "/error", json.dumps({{"errorType": "Mine", "errorMessage": "no"}}))
    elif told == "stream":
        api.putrequest("POST", "/2018-06-01/runtime/" + place + "/response")
        api.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        api.putheader("Transfer-Encoding", "chunked")
        api.endheaders()
        api.send(b"3\\r\\none\\r\\n3\\r\\ntwo\\r\\n0\\r\\n\\r\\n")
        api.getresponse().read()
    elif told == "extensions":
        api.request("POST", "/2020-01-01/extension/register", "{{}}")
        answer = api.getresponse()
        call("POST", place + "/response", json.dumps([answer.status, answer.read().decode()]))
    elif told == "variables":
        call("POST", place + "/response", json.dumps(dict(os.environ, cwd=os.getcwd())))
    else:
        call("POST", place + "/response", event)
"""


@pytest.fixture
def provided(lab: Any) -> Any:
    (lab.root / "bootstrap").write_text(BOOTSTRAP)
    (lab.root / "bootstrap").chmod(0o755)
    plain = lab.spec
    lab.spec = lambda handler, **settings: replace(plain(handler, **settings), runtime="provided.al2023")
    return lab


def test_a_program_speaks_the_runtime_api(provided: Any) -> None:
    async def story() -> None:
        for _ in range(2):
            assert (await provided.invoke("any", b'{"a": 1}')).payload == b'{"a": 1}'
        failed = await provided.invoke("any", b'"fail"')
        assert failed.error
        assert orjson.loads(failed.payload) == {"errorType": "Mine", "errorMessage": "no"}
        assert (await provided.invoke("any", b'"stream"')).payload == b"onetwo"
        found = orjson.loads((await provided.invoke("any", b'"variables"')).payload)
        assert found["cwd"] == found["LAMBDA_TASK_ROOT"] == str(provided.root)
        assert found["_HANDLER"] == "any"
        assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_provided.al2023"
        status, text = orjson.loads((await provided.invoke("any", b'"extensions"')).payload)
        assert (status, "NotEmulated" in text) == (501, True)

    provided.run(story())


def test_what_a_layer_brings(provided: Any, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    for name in ("bin/tool", "extensions/watcher", "lib/x.so"):
        (layer / name).parent.mkdir(parents=True, exist_ok=True)
        (layer / name).write_text("")

    async def story() -> None:
        found = orjson.loads((await provided.invoke("any", b'"variables"', layers=(layer,))).payload)
        assert found["PATH"].endswith(f":{layer}/bin")
        assert found["LD_LIBRARY_PATH"] == f"{layer}/lib"

    provided.run(story())
    assert provided.notes == ["the extension 'watcher' of a layer of f is not started here"]


def test_a_new_bootstrap_is_taken(provided: Any) -> None:
    async def story() -> None:
        assert (await provided.invoke("any", b"1", reload=True)).payload == b"1"
        (provided.root / "bootstrap").write_text(
            BOOTSTRAP.replace("else:\n", "else:\n        event = b'2'\n")
        )
        assert (await provided.invoke("any", b"1", reload=True)).payload == b"2"

    provided.run(story())


@pytest.mark.parametrize(
    ("mode", "says"), [(None, "Couldn't find valid bootstrap"), (0o644, "permission denied: chmod")]
)
def test_no_bootstrap(provided: Any, mode: int | None, says: str) -> None:
    file = provided.root / "bootstrap"
    if mode is None:
        file.unlink()
    else:
        file.chmod(mode)

    async def story() -> None:
        with pytest.raises(EnvironmentFailed, match=says):
            await provided.invoke("any")

    provided.run(story())


def test_a_program_that_can_not_start(provided: Any) -> None:
    (provided.root / "bootstrap").write_text("#!/nowhere/at/all\n")

    async def story() -> None:
        found = orjson.loads((await provided.invoke("any")).payload)
        assert found["errorMessage"] == "Error: Runtime exited with error: exit status 127"

    provided.run(story())


# -- sources that are built; a program stands in for esbuild ---------------------------------------------------------

ESBUILD = f"""#!{sys.executable} -S
import json, os, sys
options = dict(each[2:].split("=", 1) for each in sys.argv[1:] if each.startswith("--") and "=" in each)
name, source = next(each for each in sys.argv[1:] if not each.startswith("--")).split("=", 1)
lib = os.path.join(os.path.dirname(source), "lib.ts")
if "BROKEN" in open(lib).read():
    sys.exit("X [ERROR] Unexpected end of file")
end = ".mjs" if "--format=esm" in sys.argv else ".js"
file = os.path.join(options["outdir"], name + end)
os.makedirs(os.path.dirname(file), exist_ok=True)
export = "export const h" if end == ".mjs" else "exports.h"
open(file, "w").write(export + " = async () => " + json.dumps([open(lib).read(), *sys.argv[2:]]) + ";")
inputs = [os.path.normpath(source), os.path.normpath(lib), "node_modules/x/index.js"]
json.dump({{"inputs": dict.fromkeys(inputs, {{}}), "outputs": {{}}}}, open(options["metafile"], "w"))
"""


@pytest.fixture
def typescript(lab: Any) -> Any:
    if shutil.which("node") is None:
        pytest.skip("Node.js is not on this machine")
    binaries = lab.root / "node_modules" / ".bin"
    binaries.mkdir(parents=True)
    (lab.root / "node_modules" / "esbuild").mkdir()
    (binaries / "esbuild").write_text(ESBUILD)
    (binaries / "esbuild").chmod(0o755)
    (lab.root / "src").mkdir()
    (lab.root / "src" / "app.ts").write_text("-")
    (lab.root / "src" / "lib.ts").write_text("one")
    plain = lab.spec
    lab.spec = lambda handler, **settings: replace(
        plain(handler, memory=256, reload=True, **settings), runtime="nodejs20.x"
    )
    return lab


@pytest.mark.parametrize(("kind", "form"), [("commonjs", "--format=cjs"), ("module", "--format=esm")])
def test_a_source_is_built_and_built_again(typescript: Any, kind: str, form: str) -> None:
    (typescript.root / "package.json").write_text(json.dumps({"type": kind}))
    lib = typescript.root / "src" / "lib.ts"

    async def story() -> None:
        first = orjson.loads((await typescript.invoke("src/app.h")).payload)
        assert first[0] == "one"
        assert {form, "--bundle", "--platform=node", "--packages=external", "--sourcemap"} <= set(first)
        lib.write_text("BROKEN")
        failed = orjson.loads((await typescript.invoke("src/app.h")).payload)
        assert failed["errorType"] == "Runtime.UserCodeSyntaxError"
        assert "Unexpected end of file" in failed["errorMessage"]
        lib.write_text("three")
        assert orjson.loads((await typescript.invoke("src/app.h")).payload)[0] == "three"

    typescript.run(story())
    assert not (typescript.root / FOLDER).exists()


def test_the_recipe_of_a_plugin_wins(typescript: Any) -> None:
    async def story() -> None:
        recipe = Recipe("src/app.ts", ("--bundle", "--minify", "--format=cjs"), "main")
        typescript.runtime.bundles.recipes[str(typescript.root), "main.h"] = recipe
        first = orjson.loads((await typescript.invoke("main.h")).payload)
        assert "--minify" in first
        pids = await asyncio.gather(*(typescript.submit("main.h") for _ in range(4)))
        assert {each.payload for each in pids} == {(await typescript.invoke("main.h")).payload}

    typescript.run(story())


def test_no_esbuild(typescript: Any) -> None:
    shutil.rmtree(typescript.root / "node_modules")

    async def story() -> None:
        with pytest.raises(EnvironmentFailed, match=r"src/app\.ts must be built with esbuild"):
            await typescript.invoke("src/app.h")

    typescript.run(story())


# -- which interpreter -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "runtime", "chosen"),
    [
        (["bin/node", "bin/node18"], "nodejs18.x", "bin/node18"),
        (["bin/node", "bin/node18"], "nodejs20.x", "bin/node"),
        (
            ["bin/node", ".nvm/versions/node/v20.9.0/bin/node", ".nvm/versions/node/v20.19.1/bin/node"],
            "nodejs20.x",
            ".nvm/versions/node/v20.19.1/bin/node",
        ),
        (["bin/node", ".nvm/versions/node/v2.9.0/bin/node"], "nodejs20.x", "bin/node"),
        (["bin/nodejs"], "nodejs22.x", "bin/nodejs"),
        (
            [".local/share/fnm/node-versions/v22.1.0/installation/bin/node"],
            "nodejs22.x",
            ".local/share/fnm/node-versions/v22.1.0/installation/bin/node",
        ),
        ([], "nodejs22.x", None),
    ],
)
def test_which_node(tmp_path: Path, there: list[str], runtime: str, chosen: str | None) -> None:
    _programs(tmp_path, there)
    found = interpreters.choose_node(runtime, {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)})
    assert found == (str(tmp_path / chosen) if chosen else None)


@pytest.mark.parametrize(
    ("there", "runtime", "chosen"),
    [
        (["bin/python3.99"], "python3.99", "bin/python3.99"),
        (["bin/python3.99", "code/.venv/bin/python"], "python3.99", "code/.venv/bin/python"),
        ([".pyenv/versions/3.99.2/bin/python"], "python3.99", ".pyenv/versions/3.99.2/bin/python"),
        (["bin/python3.99"], "python3.98", None),
        (["bin/python3.99"], "nodejs20.x", None),
    ],
)
def test_which_python(tmp_path: Path, there: list[str], runtime: str, chosen: str | None) -> None:
    _programs(tmp_path, there)
    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    found = interpreters.choose(tmp_path / "code", environ=environ, runtime=runtime)
    assert found == (str(tmp_path / chosen) if chosen else sys.executable)


def _programs(root: Path, names: list[str]) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
        os.chmod(root / name, 0o755)  # noqa: PTH101
