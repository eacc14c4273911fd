"""What each format of lock asks for, for a platform: PEP 751, Poetry's and Pipenv's files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pileus.package.python import LambdaPlatform, Settings, find_source
from pileus.package.python.tools import find_uv
from pileus.package.python.wanted import Wanted, wanted
from pileus.service.errors import ConfigErrors

_INTEL = LambdaPlatform("3.12", "x86_64")
_ARM = LambdaPlatform("3.12", "arm64")
_OLD = LambdaPlatform("3.9", "x86_64")


def _wanted(folder: Path, platform: LambdaPlatform = _INTEL, settings: Settings | None = None) -> Wanted:
    settings = settings or Settings()
    source = find_source(folder, settings)
    assert source is not None
    return wanted(source, settings, platform, folder)


def _names(found: Wanted) -> list[str]:
    return [line.split("==")[0].split(" ")[0] for line in found.lines]


_PYLOCK = """
lock-version = "1.0"
requires-python = ">=3.9"
[[packages]]
name = "native"
version = "1.0"
wheels = [
  {url = "https://x.org/native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", hashes = {sha256 = "aa"}},
  {url = "https://x.org/native-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", hashes = {sha256 = "bb"}},
  {url = "https://x.org/native-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", hashes = {sha256 = "cc"}},
  {url = "https://x.org/native-1.0-cp39-cp39-manylinux_2_5_x86_64.manylinux1_x86_64.whl", hashes = {sha256 = "dd"}},
]
[[packages]]
name = "old"
marker = "python_version < '3.12'"
version = "1"
wheels = [{path = "wheels/old-1-py3-none-any.whl", hashes = {sha256 = "ee"}}]
[[packages]]
name = "dev"
marker = "'dev' in dependency_groups or 'fast' in extras"
wheels = [{path = "dev-1-py3-none-any.whl", hashes = {}}]
[[packages]]
name = "source"
version = "1"
index = "https://y.org/simple"
sdist = {name = "source-1.tar.gz", hashes = {sha256 = "ff"}}
[[packages]]
name = "mine"
directory = {path = "lib", editable = true}
[[packages]]
name = "forked"
vcs = {type = "git", url = "https://x.org/f.git", commit-id = "abc", subdirectory = "py"}
"""


@pytest.mark.parametrize(
    ("platform", "native", "old"),
    [(_INTEL, "manylinux_2_28_x86_64.whl --hash=sha256:bb", False),
     (_ARM, "manylinux_2_28_aarch64.whl --hash=sha256:cc", False),
     (_OLD, "manylinux1_x86_64.whl --hash=sha256:dd", True)],
)  # fmt: skip
def test_pylock(tmp_path: Path, platform: LambdaPlatform, native: str, old: bool) -> None:
    (tmp_path / "pylock.toml").write_text(_PYLOCK)
    found = _wanted(tmp_path, platform)
    lines = dict(line.split(" @ ") for line in found.lines)
    assert lines.pop("native").endswith(native)
    expected = {
        "source": "https://y.org/simple/source-1.tar.gz --hash=sha256:ff",
        "mine": (tmp_path / "lib").as_uri(),
        "forked": "git+https://x.org/f.git@abc#subdirectory=py",
    }
    if old:
        expected["old"] = f"{(tmp_path / 'wheels/old-1-py3-none-any.whl').as_uri()} --hash=sha256:ee"
    assert lines == expected
    assert found.locked


def test_pylock_without_a_fitting_wheel(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(_PYLOCK)
    with pytest.raises(ConfigErrors) as raised:
        _wanted(tmp_path, LambdaPlatform("3.9", "arm64"))
    (error,) = raised.value.errors
    assert error.message.startswith(
        "native 1.0 has no wheel for python3.9 on arm64 (glibc 2.26); it has some for"
    )
    with pytest.raises(ConfigErrors, match=r"requires Python >=3\.9"):
        _wanted(tmp_path, LambdaPlatform("3.8"))


@pytest.mark.parametrize(
    ("text", "message"), [('lock-version = "2.0"', "lock-version 2.0"), ("[[packages]]\n", "lock-version"),
                          ("lock-version = ", "cannot read pylock.toml")],
)  # fmt: skip
def test_pylock_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pylock.toml").write_text(text)
    with pytest.raises(ConfigErrors, match=message):
        _wanted(tmp_path)


_POETRY_PROJECT = """
[tool.poetry.dependencies]
python = "^3.9"
boto3 = "^1.0"
extra-user = {version = "*", extras = ["fast"]}
maybe = {version = "*", optional = true}
old-only = {version = "*", python = "<3.10"}
[tool.poetry.group.dev.dependencies]
pytest = "*"
[tool.poetry.group.lambda.dependencies]
powertools = "*"
[build-system]
build-backend = "poetry.core.masonry.api"
"""
_PACKAGES = [
    ("boto3", "1.0", {"botocore": ">=1"}, {}, ["main"], ""),
    ("botocore", "1.2", {"backport": {"version": "*", "markers": "python_version < \"3.10\""}}, {}, ["main"], ""),
    ("backport", "1.0", {}, {}, ["main"], 'python_version < "3.10"'),
    ("extra-user", "1.0", {"quick": {"version": "*", "optional": True, "markers": "extra == \"fast\""}},
     {"fast": ["quick (>=1)"]}, ["main"], ""),
    ("quick", "1.0", {}, {}, ["main"], ""),
    ("maybe", "1.0", {}, {}, ["main"], 'extra == "maybe"'),
    ("old-only", "1.0", {}, {}, ["main"], 'python_version < "3.10"'),
    ("pytest", "8.0", {"pluggy": "*"}, {}, ["dev"], ""),
    ("pluggy", "1.0", {}, {}, ["dev", "lambda"], ""),
    ("powertools", "3.0", {"pluggy": "*"}, {}, ["lambda"], ""),
]  # fmt: skip


def _poetry(folder: Path, *, groups: bool) -> Path:
    """A lock of Poetry 2, whose packages tell their groups, or of Poetry 1."""
    parts = []
    for name, version, needs, extras, members, marker in _PACKAGES:
        optional = "true" if name == "maybe" else "false"
        part = f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = {optional}\npython-versions = ">=3.8"\n'
        part += f'files = [{{file = "{name}.whl", hash = "sha256:{len(parts)}"}}]\n'
        if groups:
            part += f"groups = {json.dumps(members)}\n" + (f"markers = '{marker}'\n" if marker else "")
        part += "".join(
            f"[package.dependencies.{other}]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
            if isinstance(said, dict)
            else f'[package.dependencies]\n{other} = "{said}"\n'
            for other, said in needs.items()
        )
        parts.append(part + (f"[package.extras]\nfast = {json.dumps(extras['fast'])}\n" if extras else ""))
    (folder / "pyproject.toml").write_text(_POETRY_PROJECT)
    (folder / "poetry.lock").write_text("\n".join(parts))
    return folder


@pytest.mark.parametrize("groups", [True, False], ids=["Poetry 2", "Poetry 1"])
@pytest.mark.parametrize(
    ("settings", "platform", "expected"),
    [
        (Settings(), _INTEL, {"boto3", "botocore", "extra-user", "quick"}),
        (Settings(), _OLD, {"boto3", "botocore", "backport", "extra-user", "quick", "old-only"}),
        (Settings(poetry_with_groups=("lambda",)), _INTEL, {"boto3", "botocore", "extra-user", "quick", "powertools", "pluggy"}),
        (Settings(poetry_only_groups=("lambda",)), _INTEL, {"powertools", "pluggy"}),
        (Settings(poetry_with_groups=("lambda", "dev"), poetry_without_groups=("main",)), _INTEL, {"powertools", "pluggy", "pytest"}),
        (Settings(no_deploy=("boto3", "botocore")), _INTEL, {"extra-user", "quick"}),
    ],
)  # fmt: skip
def test_poetry(
    tmp_path: Path, groups: bool, settings: Settings, platform: LambdaPlatform, expected: set[str]
) -> None:
    found = _wanted(_poetry(tmp_path, groups=groups), platform, settings)
    assert set(_names(found)) == expected
    assert found.locked
    for line in found.lines:
        assert "==" in line and "--hash=sha256:" in line


def test_poetry_group_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="no group 'lamda'"):
        _wanted(_poetry(tmp_path, groups=True), settings=Settings(poetry_with_groups=("lamda",)))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            'type = "git"\nurl = "https://x.org/a.git"\nresolved_reference = "abc"',
            "a @ git+https://x.org/a.git@abc",
        ),
        ('type = "directory"\nurl = "lib"', "a @ {folder}/lib"),
        ('type = "url"\nurl = "https://x.org/a.whl"', "a @ https://x.org/a.whl --hash=sha256:0"),
        ('type = "legacy"\nurl = "https://x.org/simple"\nreference = "mine"', "a==1 --hash=sha256:0"),
    ],
)
def test_poetry_sources(tmp_path: Path, source: str, line: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.poetry.dependencies]\na = "*"\n')
    package = '[[package]]\nname = "a"\nversion = "1"\noptional = false\ngroups = ["main"]\nfiles = [{file = "a", hash = "sha256:0"}]\n'
    (tmp_path / "poetry.lock").write_text(f"{package}[package.source]\n{source}\n")
    found = _wanted(tmp_path)
    assert found.lines == (line.format(folder=tmp_path.as_uri()),)
    assert found.indexes == (("https://x.org/simple",) if "legacy" in source else ())


def test_pipenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0p")
    (tmp_path / "Pipfile").write_text('[packages]\nboto3 = "*"\n')
    sources = [{"url": "https://pypi.org/simple"}, {"url": "https://${TOKEN}@x.org/simple"}]
    lock = {
        "_meta": {"sources": sources},
        "default": {
            "boto3": {
                "version": "==1.0",
                "hashes": ["sha256:bb", "sha256:aa"],
                "markers": "python_version >= '3.8'",
            },
            "old": {"version": "==1.0", "markers": "python_version < '3.12'"},
            "forked": {"git": "https://x.org/f.git", "ref": "abc"},
            "mine": {"path": "./lib", "editable": True},
        },
        "develop": {"pytest": {"version": "==8"}},
    }
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    found = _wanted(tmp_path)
    assert found.lines == (
        "boto3==1.0 --hash=sha256:aa --hash=sha256:bb",
        "forked @ git+https://x.org/f.git@abc",
        f"mine @ {(tmp_path / 'lib').as_uri()}",
    )
    assert found.indexes == ("https://t0p@x.org/simple",)
    assert set(found.roots) == {"boto3"}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"default": {"a": {}}}', '{"default": {"a": {"version": "==1", "markers": "?"}}}'],
)
def test_pipenv_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pipfile").write_text("")
    (tmp_path / "Pipfile.lock").write_text(text)
    with pytest.raises(ConfigErrors, match=r"cannot read Pipfile\.lock"):
        _wanted(tmp_path)


def test_uv(shop, customer, tree) -> None:
    """A lock that uv writes, for every platform; its groups and the project itself stay out."""
    shop.wheel("tinya", requires=["tinyb", "tinyw; sys_platform == 'win32'"])
    shop.wheel("tinyb")
    shop.wheel("tinyw")
    shop.wheel("tool")
    shop.wheel("native", tag="cp312-cp312-manylinux_2_28_aarch64", files={"native.so": b"arm"})
    shop.wheel("native", tag="cp312-cp312-manylinux_2_28_x86_64", files={"native.so": b"intel"})
    for path, text in tree("lib").items():
        customer.write(f"lib/{path}", text)
    customer.write(
        "pyproject.toml",
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["tinya", "native", "lib"]\n'
        '[dependency-groups]\ndev = ["tool"]\n[tool.uv.sources]\nlib = {path = "lib"}\n',
    )
    customer.write("requirements.txt", "tool\n")
    locking = [str(find_uv()), "lock", "--python-preference", "only-system", "--quiet"]
    if subprocess.run(locking, cwd=customer.folder, capture_output=True, check=False).returncode:
        project = (
            customer.folder / "pyproject.toml"
        )  # uv locks with an interpreter of the project's version only
        project.write_text(project.read_text().replace(">=3.12", ">=3.11"))
        subprocess.run(locking, cwd=customer.folder, check=True)
    customer.runtime, customer.architecture = "python3.12", "arm64"
    result = customer.dependencies()
    files = {file.path: file.read() for file in result.files}
    assert files["native.so"] == b"arm"
    assert {path for path in files if "/" not in path} == {"tinya.py", "tinyb.py", "native.so", "lib.py"}
    assert {one.name: one.required_by for one in result.distributions} == {
        "lib": ("pyproject.toml",),
        "native": ("pyproject.toml",),
        "tinya": ("pyproject.toml",),
        "tinyb": ("tinya",),
    }
    assert [one.message for one in result.warnings] == ["requirements.txt not used: uv.lock comes first"]
    assert customer.dependencies().kept
    customer.write("lib/lib.py", "BUILT = 2\n")
    assert customer.files()["lib.py"] == b"BUILT = 2\n"


def test_the_newest_glibc_of_amazon_linux_2(shop, customer) -> None:
    """uv has no name for glibc 2.26: what a lock leaves to be chosen is chosen here."""
    file = shop.wheel("native", tag="cp311-cp311-manylinux_2_26_x86_64", files={"native.so": b"new"})
    newer = file.with_name("native-1.0-cp311-cp311-manylinux_2_27_x86_64.whl")
    wheels = ", ".join(f'{{path = "{path}", hashes = {{}}}}' for path in (newer, file))
    package = f'[[packages]]\nname = "native"\nversion = "1.0"\nwheels = [{wheels}]\n'
    customer.write("pylock.toml", f'lock-version = "1.0"\n{package}')
    assert customer.files()["native.so"] == b"new"
