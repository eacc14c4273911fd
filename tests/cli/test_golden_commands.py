"""The golden cases through the commands, as their compare.py calls them, but in this process."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from pileus.cli.main import main

sys.path.insert(0, str(Path(__file__).parents[1] / "compile"))
from golden import ROOT, cases, comparison

UPDATE, CREATE = "cloudformation-template-update-stack.json", "cloudformation-template-create-stack.json"


def run(case: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    for name in [*os.environ]:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    env = case / "env"
    for line in env.read_text().splitlines() if env.exists() else ():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    opts = case / "opts"
    monkeypatch.chdir(case)
    main([*arguments, *shlex.split(opts.read_text() if opts.exists() else "")])


@pytest.mark.parametrize("name", cases("cases"))
def test_print_is_equal(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compare, case = comparison(), ROOT / "cases" / name
    run(case, monkeypatch, "print", "--format", "yaml")
    got = capsys.readouterr().out
    want = (case / "print.yml").read_text()
    assert compare.norm_string(got).rstrip() == compare.norm_string(want).rstrip()


@pytest.mark.parametrize("name", cases("cases"))
def test_package_is_equal(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare, case, out = comparison(), ROOT / "cases" / name, tmp_path / "out"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run(case, monkeypatch, "package", "--package", str(out))
    create = out / CREATE
    assert compare.compare_case(case, out / UPDATE, create if create.exists() else None) == []
    assert create.exists() == (case / "expected" / "create-stack.json").exists()


@pytest.mark.parametrize("name", cases("errors"))
def test_errors_agree(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same verdict; a mistake is told with its place, or with the option that is wrong; and nothing is written."""
    case, out, code = ROOT / "errors" / name, tmp_path / "out", 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        run(case, monkeypatch, "package", "--package", str(out))
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code == (2 if int((case / "exit").read_text()) else 0)
    said = capsys.readouterr().err
    if code:
        assert re.search(r"^[\w.]+:\d+:\d+: error: |No such option '--", said, re.MULTILINE), said
        assert not re.search(r"^error: ", said, re.MULTILINE) or "option" in said
        assert not out.exists()
