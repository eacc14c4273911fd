"""What a command says when the user's input is wrong: what, where, and what to do. Exit code 2, never a traceback."""

from __future__ import annotations

from .ui import Ui


class UserError(Exception):
    """A mistake in what the user gave.

    message: what is wrong. hint: what to do. detail: an excerpt, ready to print.
    """

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.detail = message, hint, detail


def report(error: UserError) -> int:
    ui = Ui.stderr()
    if error.detail:
        ui.line(error.detail.rstrip("\n"))
    else:
        ui.error(error.message)
    if error.hint:
        ui.hint(error.hint)
    return 2
