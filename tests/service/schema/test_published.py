"""The schema for editors: it is draft 7, names and describes everything, and takes what people write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pileus.service import document
from pileus.service.schema.published import published_schema

ROOT = Path(__file__).parents[4] / "shared" / "golden" / "cases"
SCHEMA = published_schema()
VALIDATOR = jsonschema_rs.Draft7Validator(SCHEMA)
HEAD: dict[str, Any] = {"service": "shop", "provider": {"name": "aws", "runtime": "python3.11"}}


def function(**settings: Any) -> dict[str, Any]:
    return {**HEAD, "functions": {"f": {"handler": "h.f", **settings}}}


def test_it_is_a_draft_7_schema() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert jsonschema_rs.meta.is_valid(SCHEMA)
    json.dumps(SCHEMA)


def test_every_reference_leads_somewhere() -> None:
    references = {node["$ref"] for node in _nodes(SCHEMA) if "$ref" in node}
    assert {reference.removeprefix("#/definitions/") for reference in references} <= SCHEMA[
        "definitions"
    ].keys()


def test_every_setting_has_a_title_and_a_description() -> None:
    for name, setting in _settings(SCHEMA):
        if name == "Ref" or name.startswith("Fn::"):
            continue
        assert setting.get("title"), name
        assert setting.get("description"), name


def test_no_word_of_the_validator_alone_is_left() -> None:
    own = {"message", "ignoreCase", "unknown", "unknownHint"}
    for node in _nodes(SCHEMA):
        if "type" in node or "anyOf" in node:
            assert not own & node.keys(), node


@pytest.mark.parametrize(
    "config",
    [
        HEAD,
        {**HEAD, "provider": "aws"},
        function(memorySize="${self:custom.memory}", timeout=10),
        function(environment={"A": 1, "B": True, "C": {"Ref": "X"}, "D": None}),
        function(dependsOn="Other", vpc="${file(vpc.yml)}"),
        function(events=[{"http": "GET /x"}, {"schedule": "rate(1 day)"}, {"sqs": {"arn": {"Ref": "Q"}}}]),
        {**HEAD, "functions": [{"a": {"handler": "h.f"}}, "${file(more.yml)}"]},
        {**HEAD, "resources": [{"Resources": {}}, "${file(table.yml)}"]},
        {**HEAD, "provider": {"name": "aws", "endpointType": "Regional"}},
    ],
)
def test_what_people_write_is_fine(config: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(config)] == []


@pytest.mark.parametrize(
    "config",
    [
        {"service": "shop"},
        {**HEAD, "servce": 1},
        function(memorysize=128),
        function(memorySize=64),
        function(events=[{"htp": "GET /x"}]),
        function(snapStart={"on": True}),
        {**HEAD, "provider": {"name": "aws", "endpointType": "global"}},
        {**HEAD, "provider": {"name": "aws", "apiGateway": {"apiKeySource": "HEADER"}}},
    ],
)
def test_mistakes_are_found(config: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(config)


#: Its mode is `off`, and a quoted number, which is coerced, is not what an editor should let pass.
_LOOSE = "203-config-validation-off"


@pytest.mark.parametrize(
    "case",
    sorted(ROOT.iterdir())
    if ROOT.is_dir()
    else [pytest.param(ROOT, marks=pytest.mark.skip("no golden data"))],
    ids=lambda case: case.name,
)
def test_golden_files_are_judged_as_the_framework_judges_them(case: Path) -> None:
    warnings = case / "expected" / "warnings.txt"
    warned = case.name == _LOOSE or (warnings.exists() and warnings.read_text().strip() != "")
    assert VALIDATOR.is_valid(document.read(case / "serverless.yml").value) != warned


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from _nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _nodes(inner)


def _settings(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for inner in _nodes(node):
        if isinstance(inner.get("properties"), dict) and inner.get("type") == "object":
            yield from inner["properties"].items()
