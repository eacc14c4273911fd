"""Archives: the same to the byte for the same files, readable by others, and never stale."""

import base64
import hashlib
import io
import os
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.compile import compile_service
from pileus.package import EXECUTABLE, Built, FileSource, build_package, plan_package, state
from pileus.package.zips import write_archive
from pileus.service import ConfigErrors, Service

MakeService = Callable[..., Service]
FN: dict[str, Any] = {"handler": "handler.handle"}


def later() -> int:
    """A clock on which no file was touched just now."""
    return time.time_ns() + 60_000_000_000


def build(service: Service, out: Path) -> Built:
    return build_package(plan_package(service, out=out), out, at_ms=1_700_000_000_000, now_ns=later)


FILE_NAMES = st.from_regex(r"[a-zé日 .]{1,5}(/[a-z]{1,3}){0,2}", fullmatch=True).filter(
    lambda path: not any(part in (".", "..") for part in path.split("/"))
)


@given(st.dictionaries(FILE_NAMES, st.tuples(st.binary(max_size=300), st.booleans()), max_size=8))
@settings(max_examples=100, deadline=None)
def test_others_read_what_was_written(files: dict[str, tuple[bytes, bool]]) -> None:
    sources = [
        FileSource.of_bytes(path, data, mode=EXECUTABLE if runs else 0o644)
        for path, (data, runs) in sorted(files.items())
    ]
    output = io.BytesIO()
    written = write_archive(output, sources)
    assert written.size == len(output.getvalue())
    assert written.digests.sha256 == base64.b64encode(hashlib.sha256(output.getvalue()).digest()).decode()
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == {
            path: data for path, (data, _) in files.items()
        }
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == 0o100755 if files[info.filename][1] else 0o100644
            assert info.compress_size <= info.file_size


def test_more_files_than_16_bits_count() -> None:
    output = io.BytesIO()
    write_archive(output, [FileSource.of_bytes(f"{number:05}", b"") for number in range(70_000)])
    with zipfile.ZipFile(output) as archive:
        assert len(archive.infolist()) == 70_000


def test_threads_change_nothing() -> None:
    sources = [FileSource.of_bytes(f"{number}", os.urandom(700_000)) for number in range(6)]
    one, many = io.BytesIO(), io.BytesIO()
    write_archive(many, sources)
    for source in sources:
        assert source.size == 700_000
    write_archive(one, [replace(source, size=0) for source in sources])  # all in one batch
    assert one.getvalue() == many.getvalue()


def test_digests_reach_the_template(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service(
        {"functions": {"f": FN}, "layers": {"lay": {"path": "lay"}}}, {"lay/python/x.py": "x"}
    )
    built = build(service, tmp_path / "out")
    data = (tmp_path / "out" / "packed.zip").read_bytes()
    sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert built.artifacts.service.sha256 == sha256
    layer = hashlib.sha1((tmp_path / "out" / "lay.zip").read_bytes(), usedforsecurity=False).hexdigest()
    assert built.artifacts.layers["lay"].sha1 == layer
    versions = [
        resource["Properties"]
        for resource in compile_service(service, built.artifacts).update_stack["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Version"
    ]
    assert [version["CodeSha256"] for version in versions] == [sha256]


def test_the_same_wherever_and_whenever(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service({"functions": {"f": FN}}, {"b/x.py": "x", "a.py": "y"})
    first = build(service, tmp_path / "one")
    for file in service.directory.rglob("*"):
        os.utime(file, (1, 1))
    second = build(service, tmp_path / "two")
    assert first.artifacts == second.artifacts
    assert (tmp_path / "one" / "packed.zip").read_bytes() == (tmp_path / "two" / "packed.zip").read_bytes()


def test_reuse(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service({"functions": {"f": FN}}, {"a.py": "y" * 100, "b.py": "z" * 100})
    out = tmp_path / "out"
    assert [file.reused for file in build(service, out).files] == [False]
    before = (out / "packed.zip").stat()
    again = build(service, out)
    assert [file.reused for file in again.files] == [True]
    assert (out / "packed.zip").stat().st_ino == before.st_ino
    assert again.explain == build(service, out).explain


def changed(service: Service) -> None:
    file = service.directory / "a.py"
    state = file.stat()
    file.write_text("Y" * 100)  # as long as before, at the same time as before
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def made_executable(service: Service) -> None:
    (service.directory / "a.py").chmod(0o755)


def removed(service: Service) -> None:
    (service.directory / "a.py").unlink()


def added(service: Service) -> None:
    (service.directory / "c.py").write_text("new")


def renamed(service: Service) -> None:
    (service.directory / "a.py").rename(service.directory / "d.py")


def swapped(service: Service) -> None:
    a, b, c = (service.directory / name for name in ("a.py", "b.py", "c"))
    a.rename(c)
    b.rename(a)
    c.rename(b)


@pytest.mark.parametrize("change", [changed, made_executable, removed, added, renamed, swapped])
def test_never_stale(make_service: MakeService, tmp_path: Path, change: Callable[[Service], None]) -> None:
    service = make_service({"functions": {"f": FN}}, {"a.py": "y" * 100, "b.py": "z" * 100})
    out = tmp_path / "out"
    before = build(service, out)
    change(service)
    after = build(service, out)
    fresh = build(service, tmp_path / "fresh")
    assert after.artifacts == fresh.artifacts != before.artifacts
    assert (out / "packed.zip").read_bytes() == (tmp_path / "fresh" / "packed.zip").read_bytes()


def test_files_touched_just_now_are_read_again(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service({"functions": {"f": FN}})
    plan = plan_package(service)
    for _ in range(2):
        built = build_package(plan, tmp_path / "out", at_ms=0)
        assert [file.reused for file in built.files] == [False]


@pytest.mark.parametrize("spoil", [b"", b"PK\5\6" + bytes(18)])
def test_a_spoiled_archive_is_made_again(make_service: MakeService, tmp_path: Path, spoil: bytes) -> None:
    service = make_service({"functions": {"f": FN}})
    wanted = build(service, tmp_path / "out").artifacts
    (tmp_path / "out" / "packed.zip").write_bytes(spoil)
    assert build(service, tmp_path / "out").artifacts == wanted
    with zipfile.ZipFile(tmp_path / "out" / "packed.zip") as archive:
        assert archive.namelist() == ["handler.py"]


def test_spoiled_notes_are_no_notes(make_service: MakeService, tmp_path: Path, own_cache: Path) -> None:
    service = make_service({"functions": {"f": FN}})
    wanted = build(service, tmp_path / "out").artifacts
    (notes,) = (own_cache / "archives").iterdir()
    for spoil in (b"", b"{}", b"[]", b'{"format": 1, "sha256": "x", "entries": [1]}'):
        notes.write_bytes(spoil)
        assert build(service, tmp_path / "out").artifacts == wanted


def test_former_archives_are_replaced_not_written_into(make_service: MakeService, tmp_path: Path) -> None:
    """The output folder may hold hard links."""
    service = make_service({"functions": {"f": FN}})
    build(service, tmp_path / "out")
    os.link(tmp_path / "out" / "packed.zip", tmp_path / "kept.zip")
    before = (tmp_path / "kept.zip").read_bytes()
    added(service)
    build(service, tmp_path / "out")
    assert (tmp_path / "kept.zip").read_bytes() == before


def test_a_file_that_goes_away_meanwhile(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service({"functions": {"f": FN}}, {"a.py": "y"})
    plan = plan_package(service)
    removed(service)
    with pytest.raises(ConfigErrors, match=r"a\.py cannot be packed: No such file"):
        build_package(plan, tmp_path / "out", at_ms=0)
    assert list((tmp_path / "out").iterdir()) == []


def test_explained_by_dependency(make_service: MakeService, tmp_path: Path) -> None:
    files = {
        "src/a/x.py": "x" * 50,
        "src/b.py": "y" * 10,
        "node_modules/@s/p/i.js": "z" * 400,
        "node_modules/q/lib/i.js": "z" * 300,
    }
    built = build(
        make_service({"functions": {"f": FN}, "package": {"patterns": ["!handler.py"]}}, files), tmp_path
    )
    (sizes,) = built.explain.artifacts
    assert [(share.name, share.files, share.unzipped) for share in sizes.shares] == [
        ("node_modules/@s/p", 1, 400),
        ("node_modules/q", 1, 300),
        ("src", 2, 60),
    ]
    assert sizes.unzipped == 760
    assert 0 < sum(share.zipped for share in sizes.shares) < sizes.zipped == built.files[0].size


def test_state(make_service: MakeService, tmp_path: Path) -> None:
    """Observed, but for paths, which are from the folder of the package here."""
    config = {
        "functions": {"f": {**FN, "package": {"individually": True}}, "g": FN, "h": FN},
        "layers": {"lay": {"path": "lay"}},
    }
    service = make_service(config, {"lay/x": "x"})
    built = build(service, tmp_path)
    templates = compile_service(service, built.artifacts)
    content = state(service, templates, built)
    assert content["package"] == {
        "artifactDirectoryName": "serverless/packed/dev/1700000000000-2023-11-14T22:13:20.000Z",
        "artifact": "packed.zip",
    }
    written = content["service"]
    assert written["service"] == "packed"
    assert written["serviceObject"] == {"name": "packed"}
    assert written["provider"]["compiledCloudFormationTemplate"] == templates.update_stack
    assert written["provider"]["coreCloudFormationTemplate"] == templates.create_stack
    assert written["artifact"] == "packed.zip"
    assert written["layers"]["lay"]["package"] == {"artifact": "lay.zip"}
    assert written["functions"]["f"]["package"] == {"individually": True, "artifact": "f.zip"}
    assert written["functions"]["g"]["package"] == {}
    assert {"memory": 1024, "timeout": 6, "runtime": "python3.11", "vpc": {}}.items() <= written["functions"][
        "g"
    ].items()
    assert written["functions"]["g"]["versionLogicalId"] in templates.update_stack["Resources"]


def archive_of_size(size: int) -> bytes:
    """A zip archive whose one file says that it is so large."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("huge/x", b"")
    data = bytearray(output.getvalue())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, size)
    return bytes(data)


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        (
            {"functions": {"f": {**FN, "package": {"artifact": "big.zip"}}}},
            ["the function 'f'", "262144000", "the largest: huge 250.0 MB"],
        ),
        ({"layers": {"l": {"package": {"artifact": "big.zip"}}}}, ["the layer 'l'", "262144000"]),
        (
            {
                "functions": {
                    "f": {**FN, "package": {"artifact": "half.zip"}, "layers": [{"Ref": "LLambdaLayer"}]}
                },
                "layers": {"l": {"package": {"artifact": "rest.zip"}}},
            },
            ["the function 'f'", "with its layers", "huge (layer l)"],
        ),
        (
            {
                "functions": {
                    "f": {
                        **FN,
                        "layers": [f"arn:aws:lambda:us-east-1:123456789012:layer:x:{n}" for n in range(1, 7)],
                    }
                }
            },
            ["6 layers", "allows 5"],
        ),
        (
            {"functions": {"f": {**FN, "environment": {"LONG": "x" * 4000, "MORE": "y" * 90}}}},
            ["environment", "4 KB", "the largest: LONG, MORE"],
        ),
        ({"functions": {"f": {"handler": "x" * 129}}}, ["handler", "129 characters", "128"]),
    ],
)
def test_limits(make_service: MakeService, tmp_path: Path, config: dict[str, Any], facts: list[str]) -> None:
    files = {
        "big.zip": archive_of_size(262_144_001),
        "half.zip": archive_of_size(200_000_000),
        "rest.zip": archive_of_size(62_144_001),
    }
    service = make_service(config, files)
    with pytest.raises(ConfigErrors) as raised:
        build(service, tmp_path / "out")
    text = raised.value.render()
    assert all(fact in text for fact in facts), text
    assert "serverless.yml:1:" in text
    assert not (tmp_path / "out").exists()


def test_within_the_limits(make_service: MakeService, tmp_path: Path) -> None:
    files = {"half.zip": archive_of_size(200_000_000), "rest.zip": archive_of_size(62_144_000)}
    config = {
        "functions": {
            "f": {
                "handler": "x" * 128,
                "package": {"artifact": "half.zip"},
                "layers": [{"Ref": "LLambdaLayer"}, {"Ref": "OtherLambdaLayer"}],
                "environment": {"A": "x" * 4087, "B": {"Ref": "X"}},
            }
        },
        "layers": {"l": {"package": {"artifact": "rest.zip"}}},
    }
    config["functions"]["f"]["environment"]["A"] = "x" * (4096 - len('{"A":"","B":""}'))
    assert build(make_service(config, files), tmp_path / "out").files[0].unzipped == 200_000_000
