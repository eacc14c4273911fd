"""Braces in patterns: `{a,b}` as a pattern for each, `{1..3}` as its values."""

import re

_MOST_IN_A_RANGE = 10_000


def expanded(pattern: str, *, ranges: bool) -> list[str]:
    """A pattern for each alternative in braces, and for each value of a range where `ranges`."""
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        text = waiting.pop(0)
        found = _first_braces(text, ranges=ranges)
        if found is None or len(done) + len(waiting) > _MOST_IN_A_RANGE:
            done.append(text)
            continue
        start, end, options = found
        waiting[:0] = [text[:start] + option + text[end:] for option in options]
    return done


def _first_braces(text: str, *, ranges: bool) -> tuple[int, int, list[str]] | None:
    index = 0
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        end = closing(text, index) if text[index] == "{" and text[index - 1 : index] != "$" else 0
        if end:
            inner = text[index + 1 : end]
            options = _options(inner)
            ends = inner.split("..")
            if len(options) > 1:
                if not ranges and text[end + 1 : end + 2] == "+":
                    return index, end + 2, [f"+({'|'.join(options)})"]
                return index, end + 1, [] if ".." in inner else options
            if ranges and len(ends) in (2, 3) and (values := _range(ends)):
                return index, end + 1, values
        index += 1
    return None


def _options(inner: str) -> list[str]:
    """What stands between the commas outside inner braces and parentheses."""
    options, depth, start, index = [], 0, 0, 0
    while index < len(inner):
        char = inner[index]
        if char == "\\":
            index += 1
        elif char in "{(":
            depth += 1
        elif char in "})":
            depth -= 1
        elif char == "," and not depth:
            options.append(inner[start:index])
            start = index + 1
        index += 1
    return [*options, inner[start:]]


def closing(text: str, opening: int) -> int:
    """Where the parenthesis or brace at `opening` is closed; 0 when it never is."""
    shut = {"(": ")", "{": "}"}[text[opening]]
    depth, index = 0, opening
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif char == text[opening]:
            depth += 1
        elif char == shut:
            depth -= 1
            if not depth:
                return index
        index += 1
    return 0


def _range(ends: list[str]) -> list[str]:
    """`1..10`, `a..e`, `01..10..3`, counted either way."""
    low, high, step = ends[0], ends[1], ends[2] if len(ends) == 3 else "1"
    if not re.fullmatch(r"-?\d+", step):
        return []
    stride = abs(int(step)) or 1
    if re.fullmatch(r"-?\d+", low) and re.fullmatch(r"-?\d+", high):
        first, last = int(low), int(high)
        padded = any(len(end.lstrip("-")) > 1 and end.lstrip("-")[0] == "0" for end in (low, high))
        width = max(len(low), len(high)) if padded else 0
        numbers = range(first, last + 1, stride) if first <= last else range(first, last - 1, -stride)
        return [f"{number:0{width}d}" for number in numbers[:_MOST_IN_A_RANGE]]
    if len(low) == len(high) == 1:
        first, last = ord(low), ord(high)
        codes = range(first, last + 1, stride) if first <= last else range(first, last - 1, -stride)
        return [chr(code) for code in codes]
    return []
