"""`pileus new`: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pileus.cli.main import main
from pileus.deploy.handlers import missing_handlers
from pileus.service import load_service
from pileus.templates import is_service_name, service_files


def test_the_service_carries_its_own_name_and_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", str(tmp_path / "my-shop")])
    out = capsys.readouterr().out
    folder = tmp_path / "my-shop"
    loaded = load_service(folder, options={}, environ={}, validation="error")
    assert loaded.service.name == "my-shop"
    assert missing_handlers(loaded.service) == []
    assert not [
        path for path in folder.rglob("*") if path.is_file() and b"pileus-service" in path.read_bytes()
    ]
    assert f"cd {folder}" in out
    assert "pileus offline" in out


def test_for_machines_the_files_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["new", str(tmp_path / "a" / "b"), "--name", "shop", "--json"])
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["service"]) == ("written", "shop")
    written = sorted(
        str(path.relative_to(tmp_path / "a" / "b")) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert sorted(event["files"]) == written


def test_nothing_that_a_run_leaves_behind_is_written() -> None:
    parts = {part for path, _ in service_files() for part in path.parts}
    assert parts.isdisjoint({"__pycache__", ".pileus", ".venv", ".pytest_cache"})
    assert {".gitignore", "serverless.yml", "requirements.txt", "README.md"} <= parts


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda folder: (folder.mkdir(), (folder / "mine.txt").write_text("mine")), "is not empty"),
        (lambda folder: folder.write_text("mine"), "is a file"),
        (lambda folder: folder.parent.joinpath("shop").symlink_to("/proc/nothing"), "could not write"),
    ],
)
def test_what_is_there_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prepare: object, says: str
) -> None:
    folder = tmp_path / "shop"
    prepare(folder)  # type: ignore[operator]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        main(["new", str(folder)])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("shop", True),
        ("Shop-2", True),
        ("2shop", False),
        ("my_shop", False),
        ("", False),
        ("a" * 41, False),
        ("ä", False),
    ],
)
def test_names(name: str, good: bool) -> None:
    assert is_service_name(name) is good
