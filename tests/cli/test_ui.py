"""Terminal output: tables, colours, JSON lines, and readers that go away."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pileus.cli.failure import UserError, show
from pileus.cli.ui import Ui
from pileus.service import ConfigError, Mark


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Ui:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Ui(Terminal())


def said(ui: Ui) -> str:
    assert isinstance(ui.stream, io.StringIO)
    return ui.stream.getvalue()


ROWS = [["GET", "/users/{id}", "getUser", "authorizer auth"], ["DELETE", "/users", "clear", ""]]


def test_columns_are_aligned() -> None:
    ui = Ui(io.StringIO())
    ui.table(ROWS)
    assert said(ui) == (
        "  GET     /users/{id}  getUser  authorizer auth\n"
        "  DELETE  /users       clear\n"
    )  # fmt: skip


def test_a_cell_that_would_leave_the_screen_goes_to_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ui = on_terminal(monkeypatch, 34)
    ui.table(ROWS)
    assert said(ui) == (
        "  GET     /users/{id}  getUser\n"
        "          authorizer auth\n"
        "  DELETE  /users       clear\n"
    )  # fmt: skip


def test_texts_are_wrapped_beside_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    ui = on_terminal(monkeypatch, 40)
    ui.paragraphs([("S3", "2 Bucket, BucketPolicy, and more than fits"), ("SQS", "Queue")])
    assert said(ui) == "  S3   2 Bucket, BucketPolicy, and more\n       than fits\n  SQS  Queue\n"


def test_json_has_events_only() -> None:
    ui = Ui(io.StringIO(), json=True)
    ui.line("for people")
    ui.table(ROWS)
    ui.paragraphs([("a", "b")])
    ui.event("ready", url="http://x", path=Path("/tmp"))
    assert [json.loads(line) for line in said(ui).splitlines()] == [
        {"event": "ready", "url": "http://x", "path": "/tmp"}
    ]


def test_colours_mark_the_words_of_a_problem_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    ui = on_terminal(monkeypatch, 80)
    ui.problem("serverless.yml:1:1: error: no error: here\n  1 | error: x\n  hint: look\nfile: warning: w")
    assert said(ui).split("\n")[:4] == [
        "serverless.yml:1:1: \x1b[31;1merror\x1b[0m: no error: here",
        "  1 | error: x",
        "  \x1b[36mhint\x1b[0m: look",
        "file: \x1b[33;1mwarning\x1b[0m: w",
    ]


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Ui(Terminal()).style("x", "red") == "x"


def test_an_empty_no_color_means_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")  # https://no-color.org: "when present and not an empty string"
    assert Ui(Terminal()).style("x", "red") == "\x1b[31mx\x1b[0m"


def test_gathered_lines_are_written_at_once() -> None:
    ui, later = Ui(io.StringIO()), list[Callable[[], None]]()
    ui.gather(lambda seconds, action: later.append(action))
    ui.line("one")
    ui.line("two")
    assert (said(ui), len(later)) == ("", 1)
    later[0]()
    assert said(ui) == "one\ntwo\n"


def test_a_reader_that_goes_away_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    ui = Ui(Gone())
    ui.line("one")
    ui.line("two")
    ui.stream.close()


def test_a_mistake_is_shown_with_its_excerpt_and_what_came_of_it(tmp_path: Path) -> None:
    file = tmp_path / "serverless.yml"
    file.write_text("service: x\nfunctions: y\n")
    mistake = ConfigError("not so", path=("functions",), mark=Mark(file, 2, 12), hint="otherwise")
    ui = Ui(io.StringIO())
    show(ui, UserError("the stack is gone.", hint="try again.", mistakes=[mistake]))
    assert said(ui) == (
        f"{file}:2:12: error: not so (at functions)\n"
        "  2 | functions: y\n"
        "    |            ^\n"
        "  hint: otherwise\n"
        "\n"
        "error: the stack is gone.\n"
        "  hint: try again.\n"
    )
