"""What can be wrong with an expression, and which of several wrongs is told."""

from __future__ import annotations

# AWS tells one problem of an expression; these come first.
_RANK = (
    "parens",
    "reserved",
    "function",
    "section",
    "index",
    "depth",
    "name",
    "misuse",
    "value",
    "count",
    "type",
    "path",
    "distinct",
    "overlap",
    "conflict",
)


class InvalidExpression(Exception):
    """message: AWS's words after `Invalid XExpression: `."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Problems:
    """The first problem of each kind."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def note(self, kind: str, message: str) -> None:
        self._found.setdefault(kind, message)

    def raise_first(self) -> None:
        if self._found:
            kind = min(self._found, key=_RANK.index)
            raise InvalidExpression(self._found[kind])
