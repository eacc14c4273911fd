"""What a command says when the user's input is wrong: what, where, and what to do. Exit code 2, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .ui import Ui

if TYPE_CHECKING:
    from ..service import ConfigError


class UserError(Exception):
    """A mistake in what the user gave.

    message: what is wrong. hint: what to do. mistakes: what is wrong in the user's files, with the places.
    """

    def __init__(self, message: str, *, hint: str = "", mistakes: Sequence[ConfigError] = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.mistakes = message, hint, tuple(mistakes)


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Around what reads a service: its mistakes end the command."""
    from ..service import ConfigErrors

    try:
        yield
    except ConfigErrors as error:
        raise UserError("", mistakes=error.errors) from None


def warn(warnings: Sequence[ConfigError]) -> None:
    """Tells people what is doubtful; it ends nothing."""
    if warnings:
        from ..service import render

        Ui.stderr().problem(render(warnings, Path.cwd(), kind="warning") + "\n")


def report(error: UserError, *, json: bool = False) -> int:
    """Prints it, to stderr for people and to stdout for machines. Returns the exit code."""
    if json:
        Ui.stdout(json=True).event("error", **facts(error))
    else:
        show(Ui.stderr(), error)
    return 2


def show(ui: Ui, error: UserError) -> None:
    """For people: mistakes at their places, then what came of them."""
    if error.mistakes:
        from ..service import render

        ui.problem(render(error.mistakes, Path.cwd()))
    if error.message:
        if error.mistakes:
            ui.line()
        ui.error(error.message)
    if error.hint:
        ui.hint(error.hint)


def facts(error: UserError) -> dict[str, Any]:
    """For machines. errors: one object for each mistake; file, line and column where it is in a file."""
    said = {
        "message": error.message or str(error.mistakes[0]),
        "errors": [_fact(each) for each in error.mistakes],
    }
    return {**said, "hint": error.hint} if error.hint else said


def _fact(mistake: ConfigError) -> dict[str, Any]:
    fact: dict[str, Any] = {"message": mistake.message}
    if mistake.mark is not None:
        fact.update(file=str(mistake.mark.file), line=mistake.mark.line, column=mistake.mark.column)
    if mistake.path:
        fact["path"] = ".".join(map(str, mistake.path))
    if mistake.hint:
        fact["hint"] = mistake.hint
    return fact


def warning_facts(mistakes: Sequence[ConfigError]) -> list[dict[str, Any]]:
    return [_fact(each) for each in mistakes]
