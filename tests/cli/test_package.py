"""`pileus package`: what is written, all of it or nothing, and what is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pileus.cli.main import main
from pileus.deploy.project import Project

SERVICE = """\
service: small
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.run
  other:
    handler: handler.run
    package: {individually: true, patterns: ['!notes.txt']}
"""
WRITTEN = {
    "cloudformation-template-create-stack.json",
    "cloudformation-template-update-stack.json",
    "other.zip",
    "serverless-state.json",
    "small.zip",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "handler.py").write_text("def run(event, context):\n    return {}\n")
    (folder / "notes.txt").write_text("x" * 5000)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def package(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    main(["package", "--json", *options])
    event: dict[str, Any] = json.loads(capsys.readouterr().out)
    return event


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["package", *options])
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    return err


@pytest.mark.parametrize(
    ("options", "out"),
    [([], ".serverless"), (["-p", "out"], "out"), (["--package=deep/er/out"], "deep/er/out"), (["-p", "../out"], "../out")],
)  # fmt: skip
def test_everything_is_in_one_folder(
    folder: Path, options: list[str], out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["package", *options])
    assert names(folder / out) == WRITTEN
    assert names(folder) - {"serverless.yml", "handler.py", "notes.txt"} <= {Path(out).parts[0]}
    text = capsys.readouterr().out
    assert text.startswith("small  stage dev, region us-east-1\n  small.zip")
    assert f"Packaged into {out}" in text
    state = json.loads((folder / out / "serverless-state.json").read_text())
    assert state["service"]["service"] == "small"


def test_archives_have_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = package(capsys)
    assert event["event"] == "packaged"
    assert event["folder"] == str(folder / ".serverless")
    assert [(each["file"], each["kind"], each["key"]) for each in event["artifacts"]] == [
        ("small.zip", "service", ""),
        ("other.zip", "function", "other"),
    ]
    with zipfile.ZipFile(folder / ".serverless/other.zip") as archive:
        assert archive.namelist() == ["handler.py"]


def test_again_it_gives_the_same_archives_and_leaves_nothing_of_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package(capsys)
    before = {name: (folder / ".serverless" / name).read_bytes() for name in ("small.zip", "other.zip")}
    (folder / ".serverless/stale.zip").write_text("of another time")
    package(capsys)
    assert {name: (folder / ".serverless" / name).read_bytes() for name in before} == before
    assert names(folder / ".serverless") == WRITTEN


def test_the_templates_differ_by_stage_and_parameters(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package(capsys, "--stage", "prod", "--region", "eu-west-1")
    template = json.loads((folder / ".serverless/cloudformation-template-update-stack.json").read_text())
    assert template["Resources"]["HelloLambdaFunction"]["Properties"]["FunctionName"] == "small-prod-hello"


def test_an_artifact_of_the_users_own_stays_where_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(folder / "own.zip", "w") as archive:
        archive.writestr("handler.py", "")
    (folder / "serverless.yml").write_text(SERVICE.replace("individually: true", "artifact: own.zip"))
    event = package(capsys)
    assert [each["file"] for each in event["artifacts"]] == ["small.zip", "own.zip"]
    assert names(folder / ".serverless") == WRITTEN - {"other.zip"}
    assert (folder / "own.zip").exists()


def test_minified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(capsys, "--minify-template")
    text = (folder / ".serverless/cloudformation-template-update-stack.json").read_text()
    assert "\n" not in text
    assert "HelloLambdaFunction" in json.loads(text)["Resources"]


def test_explain_tells_where_the_size_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    event = package(capsys, "--explain")
    (small, _) = event["artifacts"]
    assert sum(share["unzipped"] for share in small["shares"]) == small["unzipped"]
    main(["package", "--explain"])
    assert "zipped  unzipped  files" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "found"), [(".", "handler.py"), ("mine", "notes.txt"), ("handler.py", "handler.py")]
)
def test_a_folder_with_other_things_is_left_alone(
    folder: Path, out: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine").mkdir()
    (folder / "mine/notes.txt").write_text("mine")
    before = sorted(folder.rglob("*"))
    said = refused(capsys, "--package", out)
    assert found in said and "would be lost" in said
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("handler: handler.run\n  other", "hndler: x\n  other", "serverless.yml:6:3: error:"),
        ("package: {", "package: {artifact: nope.zip, ", "nope.zip"),
        ("python3.11", "${env:NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE"),
    ],
)
def test_a_mistake_leaves_the_former_package(
    folder: Path, before: str, after: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    package(capsys)
    kept = {path: path.read_bytes() for path in (folder / ".serverless").iterdir()}
    (folder / "serverless.yml").write_text(SERVICE.replace(before, after, 1))
    assert says in refused(capsys)
    assert {path: path.read_bytes() for path in (folder / ".serverless").iterdir()} == kept
    assert names(folder) == {".serverless", "serverless.yml", "handler.py", "notes.txt"}


def test_a_failure_at_the_very_end_leaves_the_former_package(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package(capsys)
    kept = {path: path.read_bytes() for path in (folder / ".serverless").iterdir()}

    def compile_fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Project, "compile", compile_fails)
    with pytest.raises(SystemExit) as ended:
        main(["package"])
    assert ended.value.code == 130
    assert {path: path.read_bytes() for path in (folder / ".serverless").iterdir()} == kept
    assert names(folder) == {".serverless", "serverless.yml", "handler.py", "notes.txt"}


def test_a_kill_in_between_leaves_nothing_half_and_the_next_run_tidies_up(folder: Path) -> None:
    script = (
        "import os, signal\nfrom pileus.cli.main import main\nfrom pileus.deploy.project import Project\n"
        "Project.compile = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nmain(['package'])"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=folder, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / ".serverless").exists()
    main(["package"])
    assert names(folder) == {".serverless", "serverless.yml", "handler.py", "notes.txt"}
    with zipfile.ZipFile(folder / ".serverless/small.zip") as archive:
        assert archive.namelist() == ["handler.py", "notes.txt"]


def test_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert "can't write to /proc/nothing/out" in refused(capsys, "--package", "/proc/nothing/out")


def test_functions_that_no_esbuild_could_bundle_are_packaged_as_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = SERVICE.replace("python3.11", "nodejs20.x") + "plugins: [serverless-esbuild]\n"
    (folder / "serverless.yml").write_text(service)
    (folder / "handler.js").write_text("exports.run = async () => ({})\n")
    main(["package"])
    assert "warning: there is neither package.json nor node_modules" in capsys.readouterr().err
    with zipfile.ZipFile(folder / ".serverless/other.zip") as archive:
        assert "handler.js" in archive.namelist()
