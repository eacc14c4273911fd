"""A folder of output takes its place in one step, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pileus.deploy.output_folder import NotReplaceable, check_replaceable, replacing, sweep

OURS = ("*.zip", "state.json")


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_takes_its_place(tmp_path: Path, there: bool) -> None:
    out = tmp_path / "deep" / "out"
    if there:
        write(out, a_zip="old", b_zip="old")
    with replacing(out) as made:
        for kept in made.iterdir():
            kept.unlink()
        (made / "a.zip").write_text("new")
        assert content(out) == {"a.zip": "old", "b.zip": "old"} if there else not out.exists()
    assert content(out) == {"a.zip": "new"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_former_files_can_be_kept(tmp_path: Path) -> None:
    out = write(tmp_path / "out", a_zip="old")
    number = (out / "a.zip").stat().st_ino
    with replacing(out) as made:
        assert content(made) == {"a.zip": "old"}
    assert (out / "a.zip").stat().st_ino == number


def test_after_a_failure_all_is_as_it_was(tmp_path: Path) -> None:
    out = write(tmp_path / "out", a_zip="old")
    with pytest.raises(KeyboardInterrupt), replacing(out) as made:
        (made / "a.zip").unlink()
        (made / "a.zip").write_text("half")
        raise KeyboardInterrupt
    assert content(out) == {"a.zip": "old"}
    assert list(tmp_path.iterdir()) == [out]


def test_without_an_exchange_in_one_step_it_takes_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "other")
    out = write(tmp_path / "out", a_zip="old")
    with replacing(out) as made:
        (made / "b.zip").write_text("new")
    assert content(out) == {"a.zip": "old", "b.zip": "new"}
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    out = write(tmp_path / "out", a_zip="old")
    script = (
        "import sys; from pathlib import Path; from pileus.deploy.output_folder import replacing\n"
        "with replacing(Path(sys.argv[1])) as made:\n"
        "    (made / 'new.zip').write_text('half'); print(flush=True); input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        sweep(out)
        (left,) = set(tmp_path.iterdir()) - {out}
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert content(out) == {"a.zip": "old"}
    assert left.is_dir()
    sweep(out)
    assert list(tmp_path.iterdir()) == [out]


def test_what_belongs_to_others_is_no_leftover(tmp_path: Path) -> None:
    mine = write(tmp_path / f".out.{os.getpid()}.new", a_zip="mine")
    other = write(tmp_path / ".out.notes.newer", a_zip="theirs")
    sweep(tmp_path / "out")
    assert mine.exists() and other.exists()


REPLACEABLE = [
    ({}, None),
    ({"a_zip": "", "state_json": ""}, None),
    ({"a_zip": "", "notes_txt": ""}, "notes.txt"),
]


@pytest.mark.parametrize(("files", "foreign"), REPLACEABLE)
def test_what_may_be_replaced(tmp_path: Path, files: dict[str, str], foreign: str | None) -> None:
    out = write(tmp_path / "out", **files)
    if foreign is None:
        check_replaceable(out, OURS)
        return
    with pytest.raises(NotReplaceable) as caught:
        check_replaceable(out, OURS)
    assert (caught.value.folder, caught.value.found) == (out, foreign)


def test_a_folder_inside_and_a_file_in_its_place_are_not_replaced(tmp_path: Path) -> None:
    write(tmp_path / "out" / "x.zip")
    (tmp_path / "file").write_text("")
    for name in ("out", "file"):
        with pytest.raises(NotReplaceable):
            check_replaceable(tmp_path / name, OURS)
    check_replaceable(tmp_path / "absent", OURS)
