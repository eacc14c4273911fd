"""The demo's own promises: its exit code is the story's, and nothing of it runs on, however it ends."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "demo.py"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The tool with a story of no steps, in a folder of the test's own, with ports that are free."""
    spec = importlib.util.spec_from_file_location("pileus_demo", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "pileus_demo", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "build" / "demo" / "shop")
    monkeypatch.setattr(module, "STEPS", [])
    monkeypatch.setattr(module, "_free", lambda port: 0)
    monkeypatch.setattr(sys, "argv", ["demo.py", "--exit"])
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    return module


def told(demo: Any, *steps: Callable[[Any], str | None]) -> tuple[int, list[Any]]:
    """(exit code, servers that were started) of a demo with these steps."""
    servers = []

    def first(story: Any) -> None:
        servers.append(story.server)

    demo.STEPS[:] = [("the server is there", first), *((step.__name__, step) for step in steps)]
    return demo.main(), servers


def ends(demo: Any, server: Any) -> None:
    assert server.process.poll() is not None
    assert demo.still_alive([server.process.pid]) == []


def test_a_story_that_holds(demo: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def holds(story: Any) -> str:
        return "a remark"

    code, (server,) = told(demo, holds)
    out = capsys.readouterr().out
    assert code == 0
    assert "✓ holds" in out
    assert "    a remark" in out
    assert out.endswith("✓ stopped with Ctrl-C, no process left over\nEvery step held.\n")
    ends(demo, server)


def test_a_step_that_does_not_hold(demo: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(story: Any) -> None:
        demo.expect(1, 2, "the number")

    def later(story: Any) -> None:
        raise AssertionError

    code, (server,) = told(demo, breaks, later)
    out = capsys.readouterr().out
    assert code == 1
    assert "✗ breaks\n  StepFailed: the number: expected 2, got 1" in out
    assert "The last lines of pileus offline:" in out
    assert "later" not in out
    assert out.endswith("The demo failed.\n")
    ends(demo, server)


@pytest.mark.parametrize("leave_running", [True, False])
def test_an_interrupt(demo: Any, monkeypatch: pytest.MonkeyPatch, leave_running: bool) -> None:
    if leave_running:
        monkeypatch.setattr(sys, "argv", ["demo.py"])

    def interrupted(story: Any) -> None:
        raise KeyboardInterrupt

    code, (server,) = told(demo, interrupted)
    assert code == 130
    ends(demo, server)


def test_a_server_that_dies_while_it_is_left_running(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["demo.py"])

    def killed(story: Any) -> None:
        story.server.process.kill()

    code, (server,) = told(demo, killed)
    assert code != 0
    ends(demo, server)


def test_a_service_that_does_not_start(
    demo: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    real = demo.subprocess.run

    def without_a_service(command: list[str], **options: Any) -> Any:
        real(command, **options)
        (demo.FOLDER / "serverless.yml").unlink()

    monkeypatch.setattr(demo.subprocess, "run", without_a_service)
    assert demo.main() == 1
    assert "there is no serverless.yml" in capsys.readouterr().out
