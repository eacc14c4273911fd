"""Plain data → YAML 1.2 text, quoted and folded as js-yaml does, for `pileus print`: what was compared with the output of
`serverless print` yesterday stays the same text today.

Strings that another reader could take for something else (`yes`, `012`, `12:30`, dates) are quoted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_WIDTH = 80
_NARROWEST = 40
_STEP = "  "
_LONGEST_KEY = 1024

#: What a plain scalar may begin with, end with, and have inside.
_PLAIN = re.compile(r"(?![-?:,\[\]{}#&*!|=>'\"%@`\s])(?:(?!: |:$| #).)+(?<![\s:])")
#: Plain scalars that are no strings, here or for a reader of YAML 1.1.
_TAKEN = re.compile(
    r"""
    ~ | null | Null | NULL | true | True | TRUE | false | False | FALSE | <<
  | [yYnN] | [yY]es | YES | [oO]n | ON | [nN]o | NO | [oO]ff | OFF
  | [-+]? (?: 0b[01]+ | 0x[0-9a-fA-F]+ | 0o[0-7]+ | [0-9]+ (?:\.[0-9]*)? (?:[eE][-+]?[0-9]+)? )
  | [-+]? \.[0-9]+ (?:[eE][-+]?[0-9]+)?
  | [-+]? \.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
  | [-+]? [0-9_]+ (?::[0-9_]+)+ (?:\.[0-9_]*)?
  | [0-9]{4}-[0-9]{2}-[0-9]{2}
  | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?:[Tt]|[ \t]+) [0-9]{1,2}:[0-9]{2}:[0-9]{2} (?:\.[0-9]*)?
    (?: [ \t]* (?: Z | [-+][0-9]{1,2} (?::[0-9]{2})? ) )?
    """,
    re.VERBOSE,
)
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r",
    "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip


@cache
def _unprintable() -> re.Pattern[str]:
    """What may stand in double quotes only. Compiled for the first text that is not plain ASCII."""
    return re.compile(
        "[^\\n\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    )


def _is_printable(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or not _unprintable().search(text)


def yaml_text(value: Any) -> str:
    """YAML of dicts with string keys, lists, strings, numbers, booleans and None; ends with a line break."""
    if isinstance(value, dict) and value:
        return "\n".join(_mapping(value, 0)) + "\n"
    if isinstance(value, list) and value:
        return "\n".join(_sequence(value, 0)) + "\n"
    return _scalar(value, 0) + "\n"


def _mapping(value: dict[str, Any], level: int) -> Iterator[str]:
    """Its lines. The first one is not indented: it may follow a dash."""
    indent = ""
    for key, item in value.items():
        name = _key(key)
        if len(name) > _LONGEST_KEY:
            yield f"{indent}? {name}"
            indent = _STEP * level
            name = ""
        if isinstance(item, (dict, list)) and item:
            yield f"{indent}{name}:"
            lines = _mapping(item, level + 1) if isinstance(item, dict) else _sequence(item, level + 1)
            yield _STEP * (level + 1) + next(lines)
            yield from lines
        else:
            yield f"{indent}{name}: {_scalar(item, level + 1)}"
        indent = _STEP * level


def _sequence(value: list[Any], level: int) -> Iterator[str]:
    indent = ""
    for item in value:
        if isinstance(item, (dict, list)) and item:
            lines = _mapping(item, level + 1) if isinstance(item, dict) else _sequence(item, level + 1)
            yield f"{indent}- {next(lines)}"
            yield from lines
        else:
            yield f"{indent}- {_scalar(item, level + 1)}"
        indent = _STEP * level


def _key(key: str) -> str:
    return _double(key) if "\n" in key or not _is_printable(key) else _single_line(key)


def _scalar(value: Any, level: int) -> str:
    """level: of the lines that a text of several lines is written on."""
    if isinstance(value, str):
        return _string(value, max(level, 1))
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    whole = float(value).is_integer()
    if whole and abs(value) < 1e21:
        return str(int(value))
    mantissa, found, exponent = repr(float(value)).partition("e")
    if not found:
        return mantissa
    if not whole and "." not in mantissa:
        mantissa += "."
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _string(text: str, level: int) -> str:
    if not _is_printable(text):
        return _double(text)
    width = max(_NARROWEST, _WIDTH - len(_STEP) * level)
    if any(len(line) > width and line[0] != " " for line in text.split("\n")):
        return _block(">", text, "\n".join(_folded(text, width)), level)
    return _block("|", text, text, level) if "\n" in text else _single_line(text)


def _single_line(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _TAKEN.fullmatch(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    escaped = (_ESCAPES.get(char) or (char if _is_printable(char) else _code(char)) for char in text)
    return '"' + "".join(escaped) + '"'


def _code(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _block(style: str, text: str, written: str, level: int) -> str:
    """A block scalar. written: its lines, folded or not."""
    first = text.lstrip("\n")[:1]
    indicator = str(len(_STEP)) if first == " " else ""
    chomping = "-" if not text.endswith("\n") else "+" if text == "\n" or text.endswith("\n\n") else ""
    lines = written.removesuffix("\n").split("\n")
    indent = _STEP * level
    return "\n".join([style + indicator + chomping, *(indent + line if line else "" for line in lines)])


def _folded(text: str, width: int) -> Iterator[str]:
    """The lines of a folded scalar. A break of the text between two lines of it costs an empty line more, except beside
    lines that begin with a space: those are kept as they are."""
    kept = text[:1] in (" ", "\n")
    for number, line in enumerate(text.split("\n")):
        spaced = line.startswith(" ")
        if number and line and not kept and not spaced:
            yield ""
        yield from _wrapped(line, width)
        if line or not number:
            kept = spaced or (kept and not line)


def _wrapped(line: str, width: int) -> Iterator[str]:
    """A line broken at single spaces, so that each part but an unbreakable one fits the width."""
    if line[:1] == " ":
        yield line
        return
    start = best = 0
    for found in re.finditer(r" (?=[^ ])", line):
        if found.start() - start > width:
            cut = best if best > start else found.start()
            yield line[start:cut]
            start = cut + 1
        best = found.start()
    if len(line) - start > width and best > start:
        yield line[start:best]
        start = best + 1
    yield line[start:]
