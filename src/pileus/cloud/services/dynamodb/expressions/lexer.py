"""Expressions as tokens, each with its place in the text: syntax errors quote the text around a token."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<name>\#[A-Za-z0-9_]+)
  | (?P<value>:[A-Za-z0-9_]+)
  | (?P<number>[0-9]+)
  | (?P<sign><>|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
END = "end"


class Token(NamedTuple):
    """kind: word, name (`#x`), value (`:x`), number, sign or end. upper: the text in upper case."""

    kind: str
    text: str
    upper: str
    start: int
    stop: int


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, the last of kind `end`. A character that belongs to no token is a sign: no rule of the
    grammar takes it, so the parser reports it in its place."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None or kind == "space":
            continue
        piece = match.group()
        found.append(Token(kind, piece, piece.upper(), match.start(), match.end()))
    found.append(Token(END, "<EOF>", "<EOF>", len(text), len(text)))
    return found
