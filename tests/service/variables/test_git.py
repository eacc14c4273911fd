"""${git:…} in a repository made for it; the values are those of serverless-plugin-git-variables."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pileus.service import ConfigErrors, load_service
from pileus.service.tree import Json

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")

IDENTITY = ("-c", "user.name=A User", "-c", "user.email=a@example.com")


def environ(folder: Path) -> dict[str, str]:
    """An environment without settings of this machine."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent)}  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(command, cwd=folder, env=environ(folder), check=True, capture_output=True, text=True).stdout.strip()  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "my-repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "feature/x")
    (folder / "kept").write_text("1")
    git(folder, "add", "kept")
    git(folder, "commit", "-q", "-m", "Subject line\n\nA body\nof two lines.")
    git(folder, "config", "user.name", "A User")
    git(folder, "config", "user.email", "a@example.com")
    return folder


def value(folder: Path, name: str, root: Path | None = None) -> Json:
    text = f"service: demo\nprovider: {{name: aws}}\ncustom: {{a: '${{git:{name}}}'}}\n"
    (folder / "serverless.yml").write_text(text)
    return load_service(folder, options={}, environ=environ(root or folder)).service.config["custom"]["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("branch", "feature/x"),
        ("message", "Subject line\n\nA body\nof two lines."),
        ("messageSubject", "Subject line"),
        ("messageBody", "A body\nof two lines."),
        ("user", "A User"),
        ("email", "a@example.com"),
        ("repository", "my-repo"),
        ("isDirty", "false"),
    ],
)
def test_facts(repository: Path, name: str, expected: str) -> None:
    assert value(repository, name) == expected


def test_names_of_a_commit(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    short = git(repository, "rev-parse", "--short", "HEAD")
    assert value(repository, "commit") == commit
    for name in ("sha1", "describe", "describeLight", "tag", "tags"):
        assert value(repository, name) == short
    git(repository, "tag", "light")
    git(repository, "tag", "-a", "v1", "-m", "first")
    assert value(repository, "describe") == "v1"
    assert value(repository, "tags") == "light::v1"
    assert value(repository, "tag") == "light"


def test_a_change_makes_it_dirty(repository: Path) -> None:
    (repository / "kept").write_text("2")
    assert value(repository, "isDirty") == "true"


def test_from_a_folder_of_the_repository(repository: Path) -> None:
    (repository / "deep").mkdir()
    assert value(repository / "deep", "repository", repository) == "my-repo"


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [("branhc", "does not exist", "did you mean 'branch'?"), ("branch", "not a git repository", None)],
)
def test_mistakes(tmp_path: Path, name: str, words: str, hint: str | None) -> None:
    with pytest.raises(ConfigErrors) as caught:
        value(tmp_path, name)
    (error,) = caught.value.errors
    assert words in error.message
    assert error.hint == hint
    assert error.mark is not None and (error.mark.line, error.mark.column) == (3, 13)


def test_without_git(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(
        "service: demo\nprovider: {name: aws}\ncustom: {a: '${git:branch}'}\n"
    )
    with pytest.raises(ConfigErrors, match="needs git"):
        load_service(tmp_path, options={}, environ={"PATH": str(tmp_path)})
