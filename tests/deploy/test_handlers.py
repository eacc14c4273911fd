"""Handlers that are not there are told at their place, for Node.js and programs as for Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from pileus.deploy.handlers import missing_handlers
from pileus.service import load_service

YAML = """\
service: shop
provider: {{name: aws, runtime: {runtime}}}
functions:
  one:
    handler: {handler}
"""


def mistakes(folder: Path, runtime: str, handler: str, files: dict[str, str]) -> list[tuple[str, str | None]]:
    (folder / "serverless.yml").write_text(YAML.format(runtime=runtime, handler=handler))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    service = load_service(folder, options={}, environ={}).service
    found = missing_handlers(service)
    assert all(each.path == ("functions", "one", "handler") for each in found)
    assert all(each.mark is not None and each.mark.line == 5 for each in found)
    return [(each.message, each.hint) for each in found]


@pytest.mark.parametrize(
    ("handler", "files"),
    [
        ("src/app.handler", {"src/app.js": "exports.handler = 1"}),
        ("src/app.handler", {"src/app.mjs": "export const handler = 1"}),
        ("app.inside.handler", {"app.cjs": "module.exports = require('./other')"}),
        ("app.handler", {"app.js": "export * from './other.js'"}),
        (
            "app.handler",
            {
                "app.ts": "export const handler = 1",
                "node_modules/esbuild/x": "",
                "node_modules/.bin/esbuild": "",
            },
        ),
        ("pkg.handler", {"node_modules/pkg/index.js": ""}),
    ],
)
def test_handlers_that_are_there(tmp_path: Path, handler: str, files: dict[str, str]) -> None:
    assert mistakes(tmp_path, "nodejs20.x", handler, files) == []


@pytest.mark.parametrize(
    ("handler", "files", "message", "hint"),
    [
        (
            "src/apq.handler",
            {"src/app.js": "exports.handler = 1"},
            "the handler's file src/apq.js does not exist, nor with .mjs, .cjs or .ts",
            "did you mean 'src/app.handler'?",
        ),
        (
            "app.handlr",
            {"app.js": "exports.handler = 1;\nexports.other = 2;"},
            "the handler's module exports no 'handlr'",
            "did you mean 'handler'?",
        ),
        (
            "app.handler",
            {"app.mjs": "export const run = 1;\nexport async function walk() {}"},
            "the handler's module exports no 'handler'",
            "app.mjs exports run, walk",
        ),
        ("app", {"app.js": ""}, "the handler 'app' names no function", "write it as path/to/module.function"),
        (
            "app.handler",
            {"app.ts": "export const handler = 1"},
            "the handler's source app.ts must be built with esbuild, which is not in the project's node_modules",
            "npm install --save-dev esbuild",
        ),
    ],
)
def test_node_handlers_that_are_not(
    tmp_path: Path, handler: str, files: dict[str, str], message: str, hint: str
) -> None:
    ((told, advice),) = mistakes(tmp_path, "nodejs20.x", handler, files)
    assert told == message
    assert advice is not None
    assert hint.strip("?") in advice


def test_programs(tmp_path: Path) -> None:
    ((told, _),) = mistakes(tmp_path, "provided.al2023", "any", {})
    assert told == "the function's program 'bootstrap' is not in the folder of serverless.yml"
    ((told, advice),) = mistakes(tmp_path, "provided.al2023", "any", {"bootstrap": "#!/bin/sh\n"})
    assert (told, advice) == ("the function's program 'bootstrap' can't be executed", "chmod +x bootstrap")
    (tmp_path / "bootstrap").chmod(0o755)
    assert mistakes(tmp_path, "provided.al2023", "any", {}) == []
