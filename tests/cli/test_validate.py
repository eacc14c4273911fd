"""`pileus validate`: everything that is wrong or doubtful, in one go, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pileus.cli.main import main

SERVICE = """\
service: small
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.run
"""

CASES = [
    # (what is added, the mode, messages of errors, messages of warnings)
    ("", "error", [], []),
    ("    memorysize: 3\n", "warn", [], ["unknown property 'memorysize'"]),
    ("    memorysize: 3\n", "off", [], ["unknown property 'memorysize'"]),
    ("    memorysize: 3\n", "error", ["unknown property 'memorysize'"], []),
    ("    destinations: {onSuccess: nobody}\n", "warn", ["nobody"], []),
    ("    memorysize: 3\n    destinations: {onSuccess: nobody}\n", "error", ["memorysize", "nobody"], []),
    ("    package: {artifact: nope.zip}\n", "warn", ["nope.zip"], []),
    ("    package: {artifact: nope.zip}\n    destinations: {onSuccess: nobody}\n", "warn", ["nope.zip", "nobody"], []),
    ("    environment: {A: '${env:NOT_SET_ANYWHERE}', B: '${opt:nothing}'}\n", "warn", ["NOT_SET_ANYWHERE", "nothing"], []),
    ("  other: {handler: nowhere.run}\n", "warn", [], ["the handler's file nowhere.py does not exist"]),
    ("  other: {handler: handler.nothing}\n", "error", [], ["defines no 'nothing'"]),
    ("    memorySize: [\n", "warn", ["not valid YAML"], []),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "handler.py").write_text("def run(event, context):\n    return {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        main(["validate", "--json", *options])
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("added", "mode", "errors", "warnings"), CASES)
def test_what_is_told(
    folder: Path,
    added: str,
    mode: str,
    errors: list[str],
    warnings: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "serverless.yml").write_text(SERVICE + added + f"configValidationMode: {mode}\n")
    before = sorted(folder.rglob("*"))
    code, event = validate(capsys)
    assert (code, event["event"], event["valid"]) == (2 if errors else 0, "validated", not errors)
    for found, wanted in ((event["errors"], errors), (event["warnings"], warnings)):
        assert len(found) == len(wanted)
        for words in wanted:
            assert any(words in each["message"] for each in found)
        assert all(each["file"] == str(folder / "serverless.yml") and each["line"] for each in found)
    assert sorted(folder.rglob("*")) == before


def test_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "serverless.yml").write_text(SERVICE)
    main(["validate"])
    assert capsys.readouterr() == ("small is valid\n", "")
    (folder / "serverless.yml").write_text(SERVICE + "    memorysize: 3\n")
    main(["validate"])
    out, err = capsys.readouterr()
    assert out == "small is valid, with 1 to look at\n"
    assert "serverless.yml:8:5: warning: unknown property 'memorysize'" in err
    (folder / "serverless.yml").write_text(
        SERVICE + "    memorysize: 3\n    destinations: {onSuccess: nobody}\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["validate"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "serverless.yml:8:5: warning:" in err
    assert "serverless.yml:9:" in err
    assert err.endswith("error: 1 mistake: the service can't be deployed like this.\n")


def test_without_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    code, event = validate(capsys)
    assert code == 2
    assert "there is no serverless.yml" in event["errors"][0]["message"]
