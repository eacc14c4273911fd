"""Filter patterns of CloudWatch Logs: terms (`ERROR -exclude ?either ?or "a phrase" %regex%`) and JSON
(`{ ($.level = "ERROR" && $.status >= 500) || $.user.name = "a*" }`), compiled to a predicate over messages.

Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".
Space-delimited patterns (`[ip, user, ...]`) are not emulated and refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from ...kernel import NotEmulated
from .errors import InvalidParameter

Predicate = Callable[[str], bool]
_JsonPredicate = Callable[[Any], bool]

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)*)%|(\S+))')
_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||!=|>=|<=|=|>|<|\(|\))|(?P<selector>\$(?:\.[\w\-@]+|\[\d+\]|\[['"][^\]]+['"]\])*)"""
    r"""|"(?P<string>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()=!<>&|"]+))"""
)
_MISSING = object()


def compile_pattern(pattern: str) -> Predicate:
    """Raises InvalidParameter for what CloudWatch Logs would not take."""
    text = pattern.strip()
    if not text or text == '" "':
        return lambda message: True
    if text.startswith("{"):
        return _compile_json(text)
    if text.startswith("["):
        raise NotEmulated("space-delimited filter patterns ([a, b, ...]) of logs")
    return _compile_terms(text)


def _compile_terms(text: str) -> Predicate:
    required: list[Predicate] = []
    excluded: list[Predicate] = []
    either: list[Predicate] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            break
        position = match.end()
        sign, phrase, regex, word = match.groups()
        if phrase is None and regex is None and not re.fullmatch(r"[\w.\-]+", word or ""):
            raise InvalidParameter(
                f"Invalid filter pattern: terms with other than letters, digits and _ must be quoted: {word}"
            )
        {"": required, "-": excluded, "?": either}[sign].append(_term(phrase, regex, word))
    return lambda message: (
        all(term(message) for term in required)
        and not any(term(message) for term in excluded)
        and (not either or bool(required) or any(term(message) for term in either))
    )


def _term(phrase: str | None, regex: str | None, word: str | None) -> Predicate:
    if regex is not None:
        try:
            compiled = re.compile(regex)
        except re.error as error:
            raise InvalidParameter(f"Invalid regular expression in filter pattern: {error}") from None
        return lambda message: compiled.search(message) is not None
    needle = phrase.replace('\\"', '"') if phrase is not None else word or ""
    return lambda message: needle in message


def _compile_json(text: str) -> Predicate:
    if not text.endswith("}"):
        raise InvalidParameter("Invalid character(s) in term: a JSON filter pattern ends with }")
    parser = _JsonPattern(text[1:-1])
    condition = parser.parse()

    def matches(message: str) -> bool:
        try:
            document = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return isinstance(document, (dict, list)) and condition(document)

    return matches


class _JsonPattern:
    """Recursive descent over `or := and (|| and)*`, `and := unit (&& unit)*`, `unit := ( or ) | selector op value`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise InvalidParameter(f"Invalid character(s) in term '{text[position:]}'")
            position = match.end()
            kind = match.lastgroup or ""
            self._tokens.append((kind, match.group(kind)))
        self._next = 0

    def parse(self) -> _JsonPredicate:
        condition = self._either()
        if self._next != len(self._tokens):
            raise InvalidParameter("Invalid filter pattern: something follows the condition")
        return condition

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def _either(self) -> _JsonPredicate:
        parts = [self._all()]
        while self._peek() == ("op", "||"):
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda document: any(part(document) for part in parts)

    def _all(self) -> _JsonPredicate:
        parts = [self._unit()]
        while self._peek() == ("op", "&&"):
            self._take()
            parts.append(self._unit())
        return parts[0] if len(parts) == 1 else lambda document: all(part(document) for part in parts)

    def _unit(self) -> _JsonPredicate:
        if self._peek() == ("op", "("):
            self._take()
            condition = self._either()
            if self._take() != ("op", ")"):
                raise InvalidParameter("Invalid filter pattern: a parenthesis is not closed")
            return condition
        kind, selector = self._take()
        if kind != "selector":
            raise InvalidParameter(
                "Invalid filter pattern: a condition begins with a selector such as $.field"
            )
        path = _path(selector)
        kind, operator = self._take()
        if kind == "word" and operator in ("IS", "EXISTS", "NOT"):
            return self._test(path, operator)
        if kind != "op" or operator not in _COMPARE:
            raise InvalidParameter("Invalid filter pattern: an operator is missing")
        return _comparison(path, operator, *self._take())

    def _test(self, path: list[str | int], word: str) -> _JsonPredicate:
        if word == "EXISTS":
            return lambda document: _select(document, path) is not _MISSING
        if word == "NOT":
            if self._take()[1] != "EXISTS":
                raise InvalidParameter("Invalid filter pattern: NOT is followed by EXISTS")
            return lambda document: _select(document, path) is _MISSING
        value = {"TRUE": True, "FALSE": False, "NULL": None}.get(self._take()[1], _MISSING)
        if value is _MISSING:
            raise InvalidParameter("Invalid filter pattern: IS is followed by TRUE, FALSE or NULL")
        return lambda document: _select(document, path) is value


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def _comparison(path: list[str | int], operator: str, kind: str, value: str) -> _JsonPredicate:
    if kind not in ("string", "word"):
        raise InvalidParameter("Invalid filter pattern: a value is missing")
    number = _number(value) if kind == "word" else None
    if number is not None:
        compare = _COMPARE[operator]

        def numeric(document: Any) -> bool:
            found = _select(document, path)
            return isinstance(found, (int, float)) and not isinstance(found, bool) and compare(found, number)

        return numeric
    if operator not in ("=", "!="):
        raise InvalidParameter(f"Invalid filter pattern: {operator} compares numbers")
    pattern = re.compile(".*".join(re.escape(part) for part in value.split("*")), re.DOTALL)
    negated = operator == "!="

    def textual(document: Any) -> bool:
        found = _select(document, path)
        if found is _MISSING or isinstance(found, (dict, list)):
            return False
        text = found if isinstance(found, str) else orjson.dumps(found).decode()
        return (pattern.fullmatch(text) is not None) != negated

    return textual


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _path(selector: str) -> list[str | int]:
    parts: list[str | int] = []
    for name, index, quoted in re.findall(r"""\.([\w\-@]+)|\[(\d+)\]|\[['"]([^\]]+)['"]\]""", selector):
        parts.append(int(index) if index else name or quoted)
    return parts


def _select(document: Any, path: list[str | int]) -> Any:
    for part in path:
        if isinstance(part, int):
            if not isinstance(document, list) or part >= len(document):
                return _MISSING
            document = document[part]
        else:
            if not isinstance(document, dict) or part not in document:
                return _MISSING
            document = document[part]
    return document
