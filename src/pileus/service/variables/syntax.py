"""The grammar of a variable: `${type(params):address, fallback}`.

A text is a variable only when a word follows `${` and then `(` or `:` (one: `${AWS::Region}` is CloudFormation's).
Anything else in `${}` stays text. `\\${` is an escaped, literal `${`. Params, addresses and fallbacks may hold
variables in turn.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from pileus.service import scalars
from pileus.service.tree import Json

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?=\(|:(?!:))")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class VariableSyntaxError(ValueError):
    """What is wrong with a variable; the message is complete."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A fallback written out: a quoted text, number, true, false or null."""

    value: Json


@dataclass(frozen=True, slots=True)
class Source:
    """`type(params):address`; params and address are templates, the address None where there is no colon."""

    type: str
    params: tuple["Template", ...] | None
    address: "Template | None"


@dataclass(frozen=True, slots=True)
class Variable:
    """Sources to be asked in order until one has a value. `text` is the whole `${...}` as written."""

    sources: tuple["Source | Literal", ...]
    text: str


#: A text with variables in it; texts and variables in turn.
Template: TypeAlias = tuple["str | Variable", ...]


def parse(text: str) -> Template:
    """Split a text into literal pieces and variables; one str piece when there is no variable at all."""
    reader = _Reader(text)
    return reader.template(closing="")


def has_variable(template: Template) -> bool:
    return any(isinstance(part, Variable) for part in template)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def template(self, closing: str) -> Template:
        """Up to one of the closing characters (not consumed), or to the end of the text when there are none."""
        text = self.text
        parts: list[str | Variable] = []
        literal: list[str] = []
        while self.at < len(text):
            char = text[self.at]
            if char in closing:
                break
            if char == "\\" and self.at + 1 < len(text):
                run = len(text) - len(text[self.at :].lstrip("\\")) - self.at
                if text.startswith("${", self.at + run):
                    literal.append("\\" * (run // 2))
                    self.at += run
                    if run % 2:
                        literal.append("${")
                        self.at += 2
                    continue
                literal.append("\\" * run)
                self.at += run
                continue
            if char == "$" and text.startswith("$${", self.at) and _TYPE.match(text, self.at + 3):
                self.at += 1  # `$${` swallows one `$`
                continue
            if char == "$" and text.startswith("${", self.at):
                variable = self.variable()
                if variable is not None:
                    if literal:
                        parts.append("".join(literal))
                        literal = []
                    parts.append(variable)
                    continue
            literal.append(char)
            self.at += 1
        if literal or not parts:
            parts.append("".join(literal))
        return tuple(parts)

    def variable(self) -> Variable | None:
        """The variable at `${`, or None (and nothing consumed) when these are not a variable's first characters."""
        start = self.at
        if not _TYPE.match(self.text, start + 2):
            return None
        self.at = start + 2
        sources: list[Source | Literal] = [self.source(start)]
        while True:
            self.space()
            char = self.peek(start)
            self.at += 1
            if char == "}":
                return Variable(tuple(sources), self.text[start : self.at])
            if char != ",":
                raise self.wrong(f"unexpected '{char}'", start)
            self.space()
            sources.append(self.fallback(start))

    def source(self, start: int) -> Source:
        match = _TYPE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        params: tuple[Template, ...] | None = None
        address: Template | None = None
        if self.peek(start) == "(":
            self.at += 1
            params = self.params(start)
        if self.peek(start) == ":":
            self.at += 1
            address = self.word(",}", start)
        return Source(match.group(), params, address)

    def params(self, start: int) -> tuple[Template, ...]:
        params: list[Template] = []
        while True:
            self.space()
            params.append(self.word(",)", start))
            self.space()
            char = self.peek(start)
            self.at += 1
            if char == ")":
                return tuple(param for param in params if param != ("",))

    def word(self, closing: str, start: int) -> Template:
        """A quoted text, or a template up to a closing character without the blanks around it."""
        self.space()
        if self.peek(start) in "'\"":
            quoted = self.quoted(start)
            self.space()
            if self.peek(start) not in closing:
                raise self.wrong(f"unexpected '{self.peek(start)}' after a quoted text", start)
            return (quoted,)
        parts = self.template(closing)
        self.peek(start)
        if isinstance(parts[-1], str):
            parts = (*parts[:-1], parts[-1].rstrip())
        return parts if parts != () else ("",)

    def fallback(self, start: int) -> Source | Literal:
        char = self.peek(start)
        if char in "'\"":
            return Literal(self.quoted(start))
        if char == "$" and (variable := self.variable()) is not None:
            raise self.wrong(
                f"a fallback stands without its own brackets: {variable.text[2:-1]}, not {variable.text},",
                start,
            )
        if _TYPE.match(self.text, self.at):
            return self.source(start)
        end = self.at
        while end < len(self.text) and self.text[end] not in ",}":
            end += 1
        word = self.text[self.at : end].strip()
        if word in _WORDS:
            self.at = end
            return Literal(_WORDS[word])
        if _NUMBER.match(word):
            self.at = end
            return Literal(scalars.number(float(word) if not word.lstrip("-").isdigit() else int(word)))
        if not word:
            raise self.wrong("a fallback is missing after the comma", start)
        raise self.wrong(
            f"the fallback {word} is neither a variable nor a literal; quote it: '{word}'", start
        )

    def quoted(self, start: int) -> str:
        quote = self.text[self.at]
        self.at += 1
        out: list[str] = []
        while (char := self.peek(start)) != quote:
            self.at += 1
            if char == "\\":
                char = self.peek(start)
                self.at += 1
                # An escaped dollar sign stays one: what a quoted text holds may be a variable again.
                char = "\\$" if char == "$" else _ESCAPES.get(char, char)
            out.append(char)
        self.at += 1
        return "".join(out)

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def peek(self, start: int) -> str:
        if self.at >= len(self.text):
            raise self.wrong("the closing bracket } is missing", start)
        return self.text[self.at]

    def wrong(self, what: str, start: int) -> VariableSyntaxError:
        return VariableSyntaxError(f"{what} in {self.text[start : start + 60]}")
