"""What a function is called with: --event, --data, --path, or what is piped in, in this order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pileus.cli.failure import UserError
from pileus.cli.invocation import Given


def given(**values: Any) -> Given:
    return Given(**{"data": None, "path": None, "raw": False, "event": None, "context": None, "context_path": None} | values)  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "event.json").write_text('{"from": "json"}')
    (tmp_path / "event.yml").write_text("from: yaml\n")
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "bad.yml").write_text("a: [")
    return tmp_path


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    monkeypatch.setattr("sys.stdin", os.fdopen(reading))


TABLE = [
    ({}, "", {}),
    ({"data": '{"a": 1}'}, "", {"a": 1}),
    ({"data": "not json"}, "", "not json"),
    ({"data": '{"a": 1}', "raw": True}, "", '{"a": 1}'),
    ({"data": "5"}, "", 5),
    ({"path": "event.json"}, "", {"from": "json"}),
    ({"path": "event.yml"}, "", {"from": "yaml"}),
    ({}, '{"from": "stdin"}', {"from": "stdin"}),
    ({"raw": True}, '{"from": "stdin"}', '{"from": "stdin"}'),
    ({"data": "1"}, '{"from": "stdin"}', 1),
    ({"path": "event.json", "data": "1"}, "", 1),
]


@pytest.mark.parametrize(("options", "piped", "expected"), TABLE)
def test_the_event(
    options: dict[str, Any], piped: str, expected: Any, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, piped)
    assert given(**options).payload("us-east-1") == expected


@pytest.mark.parametrize(
    ("options", "piped", "body"),
    [
        ({"data": '{"a": 1}'}, "", '{"a": 1}'),
        ({"path": "event.json"}, "", '{"from": "json"}'),
        ({}, "piped", "piped"),
        ({}, "", '{"hello":"world"}'),
    ],
)
def test_an_event_of_aws_carries_the_data(
    options: dict[str, Any], piped: str, body: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, piped)
    assert given(event="sqs", **options).payload("us-east-1")["Records"][0]["body"] == body


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"context": '{"custom": {"a": 1}}'}, {"custom": {"a": 1}}),
        ({"context_path": "event.yml"}, {"from": "yaml"}),
    ],
)
def test_the_client_context(options: dict[str, Any], expected: Any, files: Path) -> None:
    assert given(**options).client_context() == expected


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("absent.json", "absent.json can't be read"),
        ("bad.json", "bad.json is not valid JSON"),
        ("bad.yml", "bad.yml is not valid YAML"),
    ],
)
def test_files_that_are_none(path: str, says: str, files: Path) -> None:
    with pytest.raises(UserError, match=says):
        given(path=path).payload("us-east-1")
