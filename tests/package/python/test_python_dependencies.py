"""Dependencies as files of an artifact: uv runs as for a user, on wheels that the tests make."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pileus.package.python import LambdaPlatform, find_source, read_settings
from pileus.package.python.cache import Cache
from pileus.package.python.tools import failure
from pileus.service.errors import ConfigErrors

_HERE = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def test_installed_with_what_they_require(shop, customer) -> None:
    shop.wheel("tinya", requires=["tinyb>=1", "tinyw; sys_platform == 'win32'"], scripts=["tinya-cmd"])
    shop.wheel("tinyb", "1.2", files={"tinyb/__init__.py": "B = 1\n", "tinyb/data.json": "{}"})
    customer.write("requirements.txt", "tinya==1.0\n")
    customer.settings = "precompile: false"
    result = customer.dependencies()
    assert [file.path for file in result.files] == [
        "tinya-1.0.dist-info/METADATA",
        "tinya-1.0.dist-info/WHEEL",
        "tinya-1.0.dist-info/entry_points.txt",
        "tinya.py",
        "tinyb-1.2.dist-info/METADATA",
        "tinyb-1.2.dist-info/WHEEL",
        "tinyb/__init__.py",
        "tinyb/data.json",
    ]
    by_name = {one.name: one for one in result.distributions}
    assert by_name["tinya"].required_by == ("requirements.txt",)
    assert by_name["tinyb"].required_by == ("tinya",)
    assert by_name["tinyb"].version == "1.2"
    assert by_name["tinyb"].size == sum(file.size for file in result.files if file.group == "tinyb")
    assert all(file.size == len(file.read()) for file in result.files)
    assert customer.said == [f"Installing the Python dependencies of requirements.txt for {result.platform}"]


def test_markers_and_wheels_are_the_functions_not_this_machines(shop, customer) -> None:
    shop.wheel("old")
    shop.wheel("new")
    shop.wheel("arm")
    shop.wheel("native", tag="cp313-cp313-manylinux_2_28_aarch64", files={"native.so": b"arm"})
    shop.wheel("native", tag="cp313-cp313-manylinux_2_28_x86_64", files={"native.so": b"intel"})
    shop.wheel("native", tag="cp311-cp311-manylinux_2_17_x86_64", files={"native.so": b"old"})
    shop.wheel("wants", requires=["new; python_version >= '3.13'", "old; python_version < '3.13'"])
    customer.write("requirements.txt", "wants\nnative\narm; platform_machine == 'aarch64'\n")
    customer.runtime, customer.architecture = "python3.13", "arm64"
    files = customer.files()
    assert files["native.so"] == b"arm"
    assert "new.py" in files and "arm.py" in files and "old.py" not in files
    customer.runtime, customer.architecture = "python3.11", "x86_64"
    files = customer.files()
    assert files["native.so"] == b"old"
    assert "old.py" in files and "arm.py" not in files and "new.py" not in files


def test_a_second_run_starts_no_process(shop, customer, monkeypatch) -> None:
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    first = customer.dependencies()

    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", never)
    monkeypatch.setattr(subprocess, "Popen", never)
    second = customer.dependencies()
    assert second.kept and not first.kept
    assert second.files == first.files
    assert second.distributions == first.distributions
    assert second.key == first.key
    assert len(customer.said) == 1


@pytest.mark.parametrize(
    "change",
    [
        "requirements.txt",
        "more.txt",
        "limits.txt",
        "lib/lib.py",
        "settings",
        "runtime",
        "architecture",
        "index",
    ],
)
def test_what_decides_the_result_makes_another_entry(shop, customer, tree, monkeypatch, change: str) -> None:
    shop.wheel("tinya")
    shop.wheel("tinyb")
    for path, text in tree("lib").items():
        customer.write(f"lib/{path}", text)
    for path, text in {
        "requirements.txt": "tinya\n-r more.txt\n-c limits.txt\n-e ./lib\n",
        "more.txt": "",
        "limits.txt": "",
    }.items():
        customer.write(path, text)
    before = customer.dependencies()
    match change:
        case "settings":
            customer.settings = "noDeploy: [tinyb]"
        case "runtime":
            customer.runtime = "python3.12"
        case "architecture":
            customer.architecture = "arm64"
        case "index":
            monkeypatch.setenv("UV_FIND_LINKS", str(customer.folder))
        case "lib/lib.py":
            customer.write(change, "BUILT = 'again'\n")
        case _:
            file = customer.folder / change
            file.write_text(file.read_text() + "tinyb<3\n")
    after = customer.dependencies()
    assert not after.kept
    assert after.key != before.key


@pytest.mark.parametrize(
    "path", ["pyproject.toml", "lib/__pycache__/x.pyc", "lib/lib.egg-info/x", "handler.py"]
)
def test_what_does_not_decide_it_makes_none(shop, customer, tree, path: str) -> None:
    for name, text in tree("lib").items():
        customer.write(f"lib/{name}", text)
    customer.write("requirements.txt", "./lib\n")
    customer.dependencies()
    customer.write(path, "[tool.ruff]\nline-length = 100\n")
    assert customer.dependencies().kept


def test_equal_bytes_on_another_machine(shop, customer, tmp_path, monkeypatch) -> None:
    customer.settings = "precompile: true"
    shop.wheel(
        "tinya",
        files={
            f"tinya/m{n}.py": f"NAMES = {{'a', 'b', 'tinya{n}'}}\ndef f(self, name): return name in {{'x', 'y'}}\n"
            for n in range(20)
        },
    )
    customer.write("requirements.txt", "tinya\n")
    first = customer.files()
    for name in ("service", "uv", "cache"):
        (tmp_path / name).rename(tmp_path / f"old-{name}")
    monkeypatch.setenv("PILEUS_CACHE_DIR", str(tmp_path / "elsewhere" / "cache"))
    customer.folder = tmp_path / "another place"
    customer.write("requirements.txt", "tinya\n")
    assert customer.files() == first
    assert not any(str(tmp_path).encode() in data for data in first.values())


def test_bytecode_is_of_the_unchecked_kind_and_names_lambdas_paths(shop, customer) -> None:
    customer.settings = "precompile: true"
    shop.wheel(
        "tinya", files={"tinya/__init__.py": "def f(): pass\n", "tinya/template.py": "{{ no python }}\n  x\n"}
    )
    customer.write("requirements.txt", "tinya\n")
    customer.runtime = _HERE
    tag = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
    files = customer.files()
    compiled = files[f"tinya/__pycache__/__init__.{tag}.pyc"]
    assert int.from_bytes(compiled[4:8], "little") == 0b01  # PEP 552: hash-based, never checked
    assert marshal.loads(compiled[16:]).co_filename == "/var/task/tinya/__init__.py"
    assert f"tinya/__pycache__/template.{tag}.pyc" not in files
    pyc = {file.path: file for file in customer.dependencies(prefix="/opt/python").files}
    compiled = pyc[f"tinya/__pycache__/__init__.{tag}.pyc"].read()
    assert marshal.loads(compiled[16:]).co_filename == "/opt/python/tinya/__init__.py"
    assert pyc[f"tinya/__pycache__/__init__.{tag}.pyc"].group == "tinya"


def test_no_bytecode_without_the_runtimes_interpreter(shop, customer) -> None:
    customer.settings = "precompile: true"
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    customer.runtime = "python3.99"
    result = customer.dependencies()
    assert not any(file.path.endswith(".pyc") for file in result.files)
    assert result.notes == ("no .pyc: python3.99 is not on this machine to compile them",)


def test_no_deploy_leaves_out_whoever_wants_it(shop, customer) -> None:
    shop.wheel("boto3", requires=["botocore"])
    shop.wheel("botocore")
    shop.wheel("tinya", requires=["boto3"])
    customer.write("requirements.txt", "boto3\ntinya\n")
    assert {"boto3.py", "botocore.py", "tinya.py"} <= set(customer.paths())
    customer.settings = "noDeploy: [boto3, Botocore], precompile: false"
    assert customer.paths() == ["tinya-1.0.dist-info/METADATA", "tinya-1.0.dist-info/WHEEL", "tinya.py"]


@pytest.mark.parametrize(
    ("settings", "left_out", "kept"),
    [
        ("slim: true", {"tinya/tests/test_x.py", "tinya/old.pyc"}, {"tinya/docs/a.md", "tinya-1.0.dist-info/METADATA"}),
        ("slim: true, slimPatterns: ['**/*.md']", {"tinya/docs/a.md", "tinya/tests/test_x.py"}, {"tinya/__init__.py"}),
        ("slim: true, slimPatterns: ['**/docs']", {"tinya/docs/a.md"}, {"tinya/__init__.py"}),
        ("slim: true, slimPatterns: ['**/*.md'], slimPatternsAppendDefaults: false", {"tinya/docs/a.md"}, {"tinya/tests/test_x.py"}),
        ("slim: false", set(), {"tinya/docs/a.md", "tinya/tests/test_x.py"}),
    ],
)  # fmt: skip
def test_slim(shop, customer, settings: str, left_out: set[str], kept: set[str]) -> None:
    names = ["__init__.py", "docs/a.md", "tests/test_x.py", "old.pyc"]
    shop.wheel("tinya", files={f"tinya/{name}": "" for name in names})
    customer.write("requirements.txt", "tinya\n")
    customer.settings = settings
    paths = set(customer.paths())
    assert not left_out & paths
    assert kept <= paths
    assert settings == "slim: false" or not any(path.endswith(".pyc") for path in paths)


@pytest.mark.skipif(shutil.which("strip") is None, reason="no binutils here")
def test_libraries_are_stripped_unless_that_breaks_them(shop, customer) -> None:
    real = Path(shutil.which("strip") or "").resolve().read_bytes()  # some ELF file of this machine
    shop.wheel("tinya", files={"tinya/real.so": real, "tinya/none.so": b"not a library"})
    customer.write("requirements.txt", "tinya\n")
    customer.settings = "slim: true"
    result = customer.dependencies()
    files = {file.path: file.read() for file in result.files}
    assert files["tinya/real.so"][:4] == b"\x7fELF"
    assert files["tinya/none.so"] == b"not a library"
    assert "`strip` cannot handle none.so: left as the wheel has it" in result.notes
    customer.settings = "slim: true, strip: false"
    assert customer.dependencies().notes == ()


def test_a_local_project_is_built_and_copied(shop, customer, tree) -> None:
    for path, text in tree("lib").items():
        customer.write(f"lib/{path}", text)
    customer.write("requirements.txt", "-e ./lib\n")
    files = customer.files()
    assert files["lib.py"] == b"BUILT = True\n"
    assert not any(path.endswith((".pth", "direct_url.json")) for path in files)


def test_source_alone_is_built_when_it_is_pure(shop, customer) -> None:
    shop.sdist("pure")
    shop.wheel("tinya", requires=["pure"])
    customer.write("requirements.txt", "tinya\n")
    assert customer.files()["pure.py"] == b"BUILT = True\n"


def test_what_builds_for_this_machine_only_is_refused(shop, customer) -> None:
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    shop.sdist("native", tag=f"{tag}-{tag}-linux_x86_64")
    customer.runtime = _HERE
    customer.write("requirements.txt", "# first\nnative\n")
    with pytest.raises(ConfigErrors) as raised:
        customer.dependencies()
    (error,) = raised.value.errors
    assert "native 1.0 has no wheel for python" in error.message
    assert error.mark == (customer.folder / "requirements.txt", 2, 1)


@pytest.mark.parametrize(
    ("tag", "runtime", "hint"),
    [
        ("cp311-cp311-manylinux_2_28_x86_64", "python3.11", "native 0.9 has one"),
        ("cp311-cp311-manylinux_2_17_aarch64", "python3.11", "native 0.9 has one"),
        ("cp312-cp312-manylinux_2_28_aarch64", "python3.12", "it has one for arm64"),
        ("py3-none-manylinux_2_28_x86_64", "python3.10", "from python3.12 on"),
        ("py3-none-win_amd64", "python3.12", "vendor"),
    ],
)
def test_no_fitting_wheel(shop, customer, tag: str, runtime: str, hint: str) -> None:
    shop.wheel("native", "1.0", tag=tag)
    shop.wheel("native", "0.9", tag="cp311-cp311-manylinux_2_17_x86_64")
    customer.runtime = runtime
    customer.write("requirements.txt", "# the native one\nnative==1.0\n")
    with pytest.raises(ConfigErrors) as raised:
        customer.dependencies()
    (error,) = raised.value.errors
    platform = LambdaPlatform.of(runtime, "x86_64")
    assert error.message.startswith(f"native 1.0 has no wheel for {platform}")
    assert hint in (error.hint or "")
    assert error.mark == (customer.folder / "requirements.txt", 2, 1)
    assert not list((customer.folder.parent / "cache" / "python").glob(".making-*"))


def test_who_wants_what_has_no_wheel_is_told(shop, customer) -> None:
    shop.wheel("native", tag="cp311-cp311-win_amd64")
    shop.wheel("tinya", requires=["native"])
    customer.write("requirements.txt", "tinya\n")
    with pytest.raises(
        ConfigErrors, match=r"tinya==1.0 depends on native|versions of tinya depend on native"
    ):
        customer.dependencies()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nowhere==1", "nowhere"),
        ("tinya==", "Expected|Unexpected|invalid|parse"),
        ("tinya==1.0 --hash=sha256:" + "0" * 64, "[Hh]ash mismatch"),
        ("tinya --hash=sha256:" + "0" * 64, "pinned"),
        ("./missing", "does not exist"),
    ],
)
def test_what_cannot_be_installed(shop, customer, line: str, message: str) -> None:
    shop.wheel("tinya")
    customer.write("requirements.txt", f"{line}\n")
    with pytest.raises(ConfigErrors, match=message) as raised:
        customer.dependencies()
    assert raised.value.errors[0].mark is not None


def test_credentials_are_not_shown() -> None:
    said = "error: cannot reach https://user:secret@x.org/simple and http://token@y.org"
    shown = failure(subprocess.CompletedProcess(["uv"], 2, "", said))
    assert shown == "error: cannot reach https://***@x.org/simple and http://***@y.org"


def test_what_a_kill_left_is_no_entry(shop, customer, tmp_path) -> None:
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    key = customer.dependencies().key
    root = tmp_path / "cache" / "python"
    shutil.copytree(root / key, root / ".making-killed")
    (root / ".making-killed" / "index.json").unlink()
    (root / key / "index.json").unlink()  # as if somebody had deleted half of it
    again = customer.dependencies()
    assert not again.kept
    assert "tinya.py" in [file.path for file in again.files]
    assert customer.dependencies().kept


_PACKAGE = """
import sys
from pathlib import Path
from pileus.package.python import LambdaPlatform, python_dependencies, read_settings
from pileus.service.loader import load_service
service = load_service(Path(sys.argv[1]), options={}, environ={}, validation="off").service
result = python_dependencies(service, None, LambdaPlatform("3.11"), read_settings(service))
print(result.key, sum(len(file.read()) for file in result.files))
"""


def test_several_processes_at_once(shop, customer, tmp_path) -> None:
    for number in range(10):
        shop.wheel(f"tiny{number}")
    customer.write("requirements.txt", "".join(f"tiny{number}\n" for number in range(10)))
    customer.service()
    command = [sys.executable, "-c", _PACKAGE, str(customer.folder)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {process.communicate(timeout=60)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    (only,) = said
    key, size = only.split()
    assert int(size) > 0
    root = tmp_path / "cache" / "python"
    assert [path.name for path in root.iterdir() if not path.name.startswith(".")] == [key]


@pytest.mark.parametrize("setting", ["useStaticCache: false", "invalidateCaches: true"])
def test_a_cache_that_is_not_wanted(shop, customer, setting: str) -> None:
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    customer.settings = setting
    assert not customer.dependencies().kept
    assert not customer.dependencies().kept


def test_only_so_many_entries_are_kept(shop, customer, tmp_path) -> None:
    customer.settings = f"staticCacheMaxVersions: 2, cacheLocation: {tmp_path / 'mine'}"
    for number in range(4):
        shop.wheel(f"tiny{number}")
        customer.write("requirements.txt", f"tiny{number}\n")
        last = customer.dependencies().key
    root = tmp_path / "mine" / "pileus" / "python"
    assert len([path for path in root.iterdir() if not path.name.startswith(".")]) == 2
    assert Cache(root).find(last) is not None


def test_a_cache_that_cannot_be_written(shop, customer, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    customer.settings = f"cacheLocation: {tmp_path / 'file'}"
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    with pytest.raises(ConfigErrors, match="cannot write") as raised:
        customer.dependencies()
    assert "PILEUS_CACHE_DIR" in (raised.value.errors[0].hint or "")


def test_an_empty_file(shop, customer) -> None:
    customer.write("requirements.txt", "# nothing yet\n")
    assert customer.dependencies().files == ()


def test_a_project_without_a_lock(shop, customer) -> None:
    shop.wheel("tinya")
    customer.write("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["tinya"]\n')
    result = customer.dependencies()
    assert "tinya.py" in [file.path for file in result.files]
    assert "no lock" in result.warnings[0].message
    assert result.distributions[0].required_by == ("pyproject.toml",)


def test_pip_where_there_is_no_uv(shop, customer, monkeypatch) -> None:
    monkeypatch.setattr("pileus.package.python.installer.find_uv", lambda: None)
    monkeypatch.setattr("pileus.package.python.bytecode.find_uv", lambda: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop.folder))
    shop.wheel("native", tag="cp312-cp312-manylinux_2_28_aarch64", files={"native.so": b"arm"})
    customer.write("requirements.txt", "native\n")
    customer.runtime, customer.architecture = "python3.12", "arm64"
    assert customer.files()["native.so"] == b"arm"
    customer.write("requirements.txt", "nowhere\n")
    with pytest.raises(ConfigErrors, match="pip cannot install"):
        customer.dependencies()


def test_the_network(customer, tmp_path, monkeypatch) -> None:
    """With PyPI's own wheels, where PyPI can be reached."""
    monkeypatch.setenv("PILEUS_CACHE_DIR", str(tmp_path / "cache"))
    customer.write("requirements.txt", "MarkupSafe==3.0.2\n")
    customer.runtime, customer.architecture = "python3.12", "arm64"
    try:
        result = customer.dependencies()
    except ConfigErrors as error:
        unreachable = ("error sending request", "Failed to fetch", "client error (Connect)", "dns error")
        if any(words in str(error) for words in unreachable):
            pytest.skip("PyPI cannot be reached")
        raise
    library = next(file for file in result.files if file.path.endswith(".so"))
    assert library.path == "markupsafe/_speedups.cpython-312-aarch64-linux-gnu.so"
    assert library.read()[18:20] == b"\xb7\x00"  # ELF's e_machine of AArch64
    assert find_source(customer.folder, read_settings(customer.service())) == result.source
    assert not zipfile.is_zipfile(str(library.content))


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
@pytest.mark.parametrize("pinned", [True, False])
def test_git(shop, customer, tree, tmp_path, pinned: bool) -> None:
    repository = tmp_path / "forked"
    repository.mkdir()
    for path, text in tree("forked").items():
        (repository / path).write_text(text)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    )
    at = commit.stdout.strip() if pinned else "main"
    customer.write("requirements.txt", f"-e git+{repository.as_uri()}@{at}#egg=forked\n")
    result = customer.dependencies()
    assert {file.path: file.read() for file in result.files}["forked.py"] == b"BUILT = True\n"
    assert [one.message for one in result.warnings] == (
        []
        if pinned
        else ["forked follows main, which moves: another machine may get another commit; name a commit"]
    )


def test_killed_while_installing(shop, customer, tmp_path) -> None:
    for number in range(30):
        shop.wheel(f"tiny{number}")
    customer.write("requirements.txt", "".join(f"tiny{number}\n" for number in range(30)))
    customer.service()
    root = tmp_path / "cache" / "python"
    command = [sys.executable, "-c", _PACKAGE, str(customer.folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        while killed.poll() is None and not list(root.glob(".making-*")):
            pass
        killed.kill()
    assert killed.returncode == -9
    assert list(root.glob(".making-*"))  # it died in the middle
    result = customer.dependencies()
    assert not result.kept
    assert len(result.distributions) == 30


@pytest.mark.parametrize("place", ["uv.toml", "service/uv.toml", "service/pyproject.toml", "environment"])
def test_pips_indexes_count_where_uv_has_none(shop, customer, tmp_path, monkeypatch, place: str) -> None:
    monkeypatch.delenv("UV_CONFIG_FILE")
    (tmp_path / "uv.toml").unlink()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{shop.folder} {tmp_path / 'missing'}")
    shop.wheel("tinya")
    customer.write("requirements.txt", "tinya\n")
    assert "tinya.py" in customer.paths()
    other = tmp_path / "other"
    other.mkdir()
    settings = f'no-index = true\nfind-links = ["{other}"]\n'
    if place == "environment":
        monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "mine.toml"))
        (tmp_path / "mine.toml").write_text(settings)
    else:
        (tmp_path / place).write_text(("[tool.uv]\n" if "pyproject" in place else "") + settings)
    with pytest.raises(ConfigErrors, match="tinya was not found"):
        customer.dependencies()
