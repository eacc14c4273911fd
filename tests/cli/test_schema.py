"""`pileus schema`: a JSON Schema that editors can use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pileus.cli.main import main
from pileus.service import load_service
from pileus.templates import write_service

SERVICE = {
    "service": "small",
    "provider": {"name": "aws"},
    "functions": {"hello": {"handler": "handler.run"}},
}


@pytest.fixture
def schema(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(["schema"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_says_which_kind_of_schema_it_is(schema: dict[str, Any]) -> None:
    assert "json-schema.org" in schema["$schema"]


def test_it_takes_the_reference_service(schema: dict[str, Any], tmp_path: Path) -> None:
    write_service(tmp_path / "shop", "shop")
    config = load_service(tmp_path / "shop", options={}, environ={}).service.config
    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(config)] == []


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"service": "1 small"}, False),
        ({"provider": {"name": "aws", "memorySize": []}}, False),
        ({"functions": {"hello": {"handler": "a.b", "memorysize": 3}}}, False),
        ({"functions": {"hello": {"handler": "a.b", "timeout": "${param:timeout}"}}}, True),
    ],
)
def test_it_tells_good_from_bad(schema: dict[str, Any], change: dict[str, Any], good: bool) -> None:
    assert jsonschema_rs.validator_for(schema).is_valid({**SERVICE, **change}) is good
