"""requirements.txt, as pip documents its format."""

from __future__ import annotations

from pathlib import Path

import pytest

from pileus.package.python.requirements_file import read_requirements
from pileus.service.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("boto3==1.0  # the SDK\n\n# nothing\n", [("boto3==1.0", "boto3")]),
        ("Foo_Bar[x,y]>=1 ; python_version < '3.9'", [("Foo_Bar[x,y]>=1 ; python_version < '3.9'", "foo-bar")]),
        ("a==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\nb", [("a==1   --hash=sha256:00   --hash=sha256:11", "a"), ("b", "b")]),
        ("a @ https://x.org/a-1-py3-none-any.whl", [("a @ https://x.org/a-1-py3-none-any.whl", "a")]),
        ("https://x.org/a-1-py3-none-any.whl", [("https://x.org/a-1-py3-none-any.whl", "")]),
        ("a @ git+https://x.org/a.git@v1", [("a @ git+https://x.org/a.git@v1", "a")]),
        ("-e git+https://x.org/a.git@v1#egg=a", [("a @ git+https://x.org/a.git@v1#egg=a", "a")]),
        ("--index-url https://x.org/simple\n--no-binary=a\na", [("--index-url https://x.org/simple", ""), ("--no-binary=a", ""), ("a", "a")]),
        ("\ufeffa\n", [("a", "a")]),
        ("", []),
    ],
)  # fmt: skip
def test_lines(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(text, "utf-8")
    assert [(line.text, line.name) for line in read_requirements(file)] == expected


def test_included_files_and_constraints(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "more.txt").write_text("b\n-r again.txt\n")
    (tmp_path / "base" / "again.txt").write_text("c\n")
    (tmp_path / "limits.txt").write_text("b<2\n")
    file = tmp_path / "requirements.txt"
    file.write_text("a\n-r base/more.txt\n--constraint=limits.txt\nd\n")
    lines = read_requirements(file)
    assert [line.text for line in lines] == ["a", "b", "c", f"-c {tmp_path / 'limits.txt'}", "d"]
    assert [line.mark.file.name for line in lines][:3] == ["requirements.txt", "more.txt", "again.txt"]
    assert lines[3].local == tmp_path / "limits.txt"


@pytest.mark.parametrize("text", ["-e ./lib", "./lib", "lib @ ./lib", "-e ./lib[fast]", "file:lib"])
def test_local_projects_are_installed_not_linked(tmp_path: Path, text: str) -> None:
    (tmp_path / "lib").mkdir()
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    (line,) = read_requirements(file)
    assert line.local == tmp_path / "lib"
    assert line.text == f"{tmp_path / 'lib'}{'[fast]' if 'fast' in text else ''}"


@pytest.mark.parametrize(
    ("text", "message", "number"),
    [
        ("a\n-r missing.txt\n", "cannot read", 2),
        ("a\n\n-r requirements.txt\n", "includes itself", 3),
        ("-c missing.txt\n", "no such file", 1),
        ("-r https://x.org/r.txt\n", "only files are included", 1),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str, number: int) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        read_requirements(file)
    assert raised.value.mark is not None
    assert (raised.value.mark.file.name, raised.value.mark.line) == ("requirements.txt", number)
