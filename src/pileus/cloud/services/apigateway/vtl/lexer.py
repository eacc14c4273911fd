"""The scanner: where in the source the parser is, and the lexical pieces of the language."""

from __future__ import annotations

import re
from re import Pattern


class TemplateSyntaxError(Exception):
    """A template that is not VTL. line: 1-based."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"{what} at line {line}")
        self.line = line


IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
PLAIN_TEXT = re.compile(r"[^$#\\]+")
DIRECTIVE = re.compile(r"#(?:([a-z]+)|\{([a-z]+)\})")
MACRO_NAME = re.compile(r"#macro\s*\(\s*([A-Za-z_][A-Za-z0-9_-]*)")
MACRO_USE = re.compile(r"#([A-Za-z_][A-Za-z0-9_-]*)\s*\(")
LINE_COMMENT = re.compile(r"##[^\n]*\n?")
BLOCK_COMMENT = re.compile(r"#\*.*?\*#", re.S)
UNPARSED = re.compile(r"#\[\[(.*?)\]\]#", re.S)
SPACE = re.compile(r"[ \t\r\n]*")
END_OF_LINE = re.compile(r"[ \t]*\r?\n")
NUMBER = re.compile(r"\d+(?:\.\d+(?:[eE][+-]?\d+)?)?")
OPERATOR = re.compile(r"\|\||&&|==|!=|<=|>=|[<>+\-*/%!]|\b(?:or|and|not|eq|ne|lt|gt|le|ge)\b")

_WORDS = {
    "or": "||",
    "and": "&&",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
}


class Scanner:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.source)

    def peek(self, text: str) -> bool:
        return self.source.startswith(text, self.position)

    def take(self, text: str) -> bool:
        if self.source.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    def match(self, pattern: Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.source, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def skip_space(self) -> None:
        self.match(SPACE)

    def expect(self, text: str) -> None:
        self.skip_space()
        if not self.take(text):
            near = self.source[self.position : self.position + 20] or "the end"
            raise self.error(f"expected {text!r} before {near!r}")

    def operator(self) -> str | None:
        """The operator here, in its symbol form, without taking it."""
        self.skip_space()
        found = OPERATOR.match(self.source, self.position)
        return None if found is None else _WORDS.get(found[0], found[0])

    def take_operator(self) -> None:
        self.match(OPERATOR)

    def error(self, what: str) -> TemplateSyntaxError:
        return TemplateSyntaxError(what, self.source.count("\n", 0, self.position) + 1)
