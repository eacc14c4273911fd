"""Which file is followed, when several are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pileus.package.python import Kind, Settings, find_source
from pileus.service.errors import ConfigErrors

_PROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = ["a"]\n'
_POETRY = '[tool.poetry.dependencies]\na = "^1"\n[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'


def _folder(tmp_path: Path, names: str, project: str = _PROJECT) -> Path:
    for name in names.split():
        (tmp_path / name).write_text(project if name == "pyproject.toml" else "")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "project", "expected"),
    [
        ("pyproject.toml uv.lock pylock.toml requirements.txt", _PROJECT, Kind.UV),
        ("pyproject.toml pylock.toml requirements.txt", _PROJECT, Kind.PYLOCK),
        ("pyproject.toml poetry.lock requirements.txt", _POETRY, Kind.POETRY),
        ("pyproject.toml poetry.lock requirements.txt", _PROJECT, Kind.REQUIREMENTS),
        ("Pipfile Pipfile.lock requirements.txt", "", Kind.PIPENV),
        ("Pipfile.lock requirements.txt", "", Kind.REQUIREMENTS),
        ("requirements.txt pyproject.toml", _PROJECT, Kind.REQUIREMENTS),
        ("pyproject.toml", _PROJECT, Kind.PROJECT),
        ("uv.lock requirements.txt", "", Kind.REQUIREMENTS),
    ],
)
def test_order(tmp_path: Path, names: str, project: str, expected: Kind) -> None:
    source = find_source(_folder(tmp_path, names, project), Settings())
    assert source is not None
    assert source.kind is expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(use_uv=False), Kind.POETRY),
        (Settings(use_uv=False, use_poetry=False), Kind.PIPENV),
        (Settings(use_uv=False, use_poetry=False, use_pipenv=False), Kind.REQUIREMENTS),
        (Settings(file_named=True, use_poetry=False, use_pipenv=False), Kind.REQUIREMENTS),
    ],
)
def test_settings_pass_locks_over(tmp_path: Path, settings: Settings, expected: Kind) -> None:
    _folder(tmp_path, "pyproject.toml uv.lock poetry.lock Pipfile Pipfile.lock requirements.txt", _POETRY)
    source = find_source(tmp_path, settings)
    assert source is not None
    assert source.kind is expected


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    source = find_source(_folder(tmp_path, "pyproject.toml uv.lock requirements.txt"), Settings())
    assert source is not None
    assert source.warnings == ("requirements.txt not used: uv.lock comes first",)


def test_without_a_lock_is_said(tmp_path: Path) -> None:
    source = find_source(_folder(tmp_path, "pyproject.toml"), Settings())
    assert source is not None
    assert "no lock" in source.warnings[0]


def test_nothing_to_install(tmp_path: Path) -> None:
    assert find_source(tmp_path, Settings()) is None


def test_the_lock_of_a_workspace(tmp_path: Path) -> None:
    _folder(tmp_path, "uv.lock pyproject.toml", "[tool.uv.workspace]\nmembers = ['services/*']\n")
    member = tmp_path / "services" / "api"
    member.mkdir(parents=True)
    (member / "pyproject.toml").write_text(_PROJECT)
    source = find_source(member, Settings())
    assert source is not None
    assert source.file == tmp_path / "uv.lock"


@pytest.mark.parametrize(
    ("names", "project", "settings", "remedy"),
    [
        ("pyproject.toml requirements.txt", _POETRY, Settings(require_poetry_lock_file=True), "poetry lock"),
        ("pyproject.toml", _POETRY, Settings(), "poetry lock"),
        ("Pipfile", "", Settings(), "pipenv lock"),
    ],
)
def test_a_missing_lock(tmp_path: Path, names: str, project: str, settings: Settings, remedy: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        find_source(_folder(tmp_path, names, project), settings)
    assert remedy in (raised.value.errors[0].hint or "")


def test_toml_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = \n")
    with pytest.raises(ConfigErrors) as raised:
        find_source(tmp_path, Settings())
    mark = raised.value.errors[0].mark
    assert mark is not None and mark.line == 2
