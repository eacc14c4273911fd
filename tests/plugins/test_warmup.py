"""serverless-plugin-warmup: what the warmer is told, and when there is none. Its templates are in
test_observed_plugins."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pileus.package import ArtifactPlan, Kind, PackagePlan, Target
from pileus.service import ConfigErrors

YAML = """
service: shop
plugins: [serverless-plugin-warmup]
provider: {name: aws, runtime: python3.12, region: eu-west-1}
custom: {warmup: %s}
functions:
  one: {handler: h.h, warmup: %s}
  two: {handler: h.h}
"""


def sources(service: Any) -> dict[str, str]:
    artifacts = tuple(
        ArtifactPlan(Target(Kind.FUNCTION, key), f"{key}.zip", (key,)) for key in service.functions
    )
    plan = service.extensions.packaged(PackagePlan(service, artifacts), print)
    return {file.path: file.read().decode() for artifact in plan.artifacts for file in artifact.files}


def warmed(text: str) -> list[dict[str, Any]]:
    found = re.search(r"const warmer = (\{.*?\n\});", text, re.DOTALL)
    assert found is not None
    functions: list[dict[str, Any]] = json.loads(found[1])["functions"]
    return functions


@pytest.mark.parametrize(
    ("warmer", "own", "stage", "expected"),
    [
        ("{enabled: true}", "{}", "dev", {"one": 1, "two": 1}),
        ("{enabled: true, concurrency: 3}", "{w: {concurrency: 5}}", "dev", {"one": 5, "two": 3}),
        ("{enabled: true}", "{w: {enabled: false}}", "dev", {"two": 1}),
        ("{enabled: false}", "{w: {enabled: prod}}", "prod", {"one": 1}),
        ("{enabled: [dev, prod]}", "{w: {enabled: [test]}}", "dev", {"two": 1}),
    ],
)
def test_which_functions_are_warmed(
    load: Any, warmer: str, own: str, stage: str, expected: dict[str, int]
) -> None:
    service = load(YAML % (f"{{w: {warmer}}}", own), stage=stage).service
    [text] = sources(service).values()
    assert {each["name"].rpartition("-")[2]: each["concurrency"] for each in warmed(text)} == expected


@pytest.mark.parametrize(
    ("warmer", "payload", "context"),
    [
        ("{enabled: true}", '{"source":"serverless-plugin-warmup"}', '{"source":"serverless-plugin-warmup"}'),
        ("{enabled: true, payload: {a: 1}}", '{"a":1}', '{"a":1}'),
        ("{enabled: true, payload: {a: 1}, clientContext: {b: c}}", '{"a":1}', '{"b":"c"}'),
        ("{enabled: true, clientContext: false}", '{"source":"serverless-plugin-warmup"}', None),
        ("{enabled: true, payload: '[1]', payloadRaw: true}", "[1]", "[1]"),
    ],
)
def test_what_functions_are_sent(load: Any, warmer: str, payload: str, context: str | None) -> None:
    [text] = sources(load(YAML % (f"{{w: {warmer}}}", "{}")).service).values()
    assert {(each["payload"], each["context"]) for each in warmed(text)} == {(payload, context)}


def test_the_program_lies_where_the_handler_says(load: Any) -> None:
    service = load(YAML % ("{w: {enabled: true, folderName: .mine}}", "{}")).service
    assert service.functions["warmUpPluginW"].get("handler") == ".mine/w/index.warmUp"
    assert list(sources(service)) == [".mine/w/index.mjs"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_program_is_javascript(load: Any, tmp_path: Path) -> None:
    [text] = sources(
        load(YAML % ('{w: {enabled: true, payload: {a: "`${x}</script>"}}}', "{}")).service
    ).values()
    (tmp_path / "index.mjs").write_text(text)
    done = subprocess.run(["node", "--check", str(tmp_path / "index.mjs")], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("purpose", ["offline", "print"])
def test_there_is_no_warmer_where_it_makes_no_sense(load: Any, purpose: str) -> None:
    loaded = load(YAML % ("{w: {enabled: true}}", "{}"), purpose=purpose)
    assert list(loaded.service.functions) == ["one", "two"]
    told = [each.message for each in loaded.warnings]
    assert told == (
        ["the warmer 'w' does not run here: environments stay warm between requests"]
        if purpose == "offline"
        else []
    )


def test_a_warmer_must_be_declared(load: Any) -> None:
    with pytest.raises(ConfigErrors, match=r"is to be warmed by 'other', which custom\.warmup does not have"):
        load(YAML % ("{w: {enabled: true}}", "{other: {enabled: true}}"))


def test_unknown_settings_are_told(load: Any) -> None:
    loaded = load(YAML % ("{w: {enabled: true, concurency: 2}}", "{w: {memorySize: 1}}"))
    assert [each.message for each in loaded.warnings] == [
        "unknown property 'concurency'",
        "unknown property 'memorySize'",
    ]
