"""Event patterns, compiled to predicates over events.

Source: "Creating Amazon EventBridge event patterns" and "Comparison operators" in the EventBridge user guide.
Literals compare as AWS compares them, by their JSON text: 300 does not match 300.0 (but 3.0e2 does match 300.0 here,
because the JSON parser has forgotten the spelling).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from .errors import InvalidEventPattern

Predicate = Callable[[Any], bool]
MISSING: Any = object()
_MAX_WILDCARDS = 20


def compile_pattern(text: str | bytes) -> Predicate:
    """The predicate of a pattern's JSON text. Raises InvalidEventPattern."""
    try:
        pattern = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"Invalid JSON: {error}") from None
    if not isinstance(pattern, dict):
        raise _invalid("Filter is not an object")
    if not pattern:
        raise _invalid("Empty patterns are not allowed")
    return _object(pattern)


def _invalid(reason: str) -> InvalidEventPattern:
    return InvalidEventPattern(f"Event pattern is not valid. Reason: {reason}")


def _object(pattern: Mapping[str, Any]) -> Predicate:
    if not pattern:
        raise _invalid("Empty objects are not allowed")
    parts: list[Predicate] = []
    for key, value in pattern.items():
        if key == "$or" and isinstance(value, list):
            parts.append(_either(value))
        elif isinstance(value, dict):
            parts.append(_field(key, _nested(_object(value))))
        elif isinstance(value, list):
            parts.append(_field(key, _leaf(value)))
        else:
            raise _invalid(f'"{key}" must be an object or an array')
    if len(parts) == 1:
        return parts[0]
    return lambda event: all(part(event) for part in parts)


def _either(alternatives: Sequence[Any]) -> Predicate:
    if len(alternatives) < 2 or not all(isinstance(a, dict) for a in alternatives):
        raise _invalid("$or must be an array of at least two objects")
    parts = [_object(alternative) for alternative in alternatives]
    return lambda event: any(part(event) for part in parts)


def _field(key: str, matches: Predicate) -> Predicate:
    return lambda event: matches(event.get(key, MISSING) if isinstance(event, dict) else MISSING)


def _nested(matches: Predicate) -> Predicate:
    """A pattern inside a field: on an object, on any object of an array, or on nothing (for `exists: false`)."""

    def check(value: Any) -> bool:
        if isinstance(value, list):
            return any(matches(entry) for entry in value if isinstance(entry, dict))
        return matches(value if isinstance(value, dict) else {})

    return check


def _leaf(alternatives: Sequence[Any]) -> Predicate:
    if not alternatives:
        raise _invalid("Empty arrays are not allowed")
    parts = [_alternative(alternative) for alternative in alternatives]
    absent = any(isinstance(a, dict) and a.get("exists") is False for a in alternatives)

    def check(value: Any) -> bool:
        if value is MISSING:
            return absent
        if isinstance(value, dict):
            return False
        if isinstance(value, list):
            # an array matches when one of its values does
            return any(
                part(entry) for part in parts for entry in value if not isinstance(entry, (dict, list))
            )
        return any(part(value) for part in parts)

    return check


def _alternative(alternative: Any) -> Predicate:
    if isinstance(alternative, list):
        raise _invalid("Match value must be String, number, true, false, or null")
    if not isinstance(alternative, dict):
        return _literal(alternative)
    if len(alternative) != 1:
        raise _invalid("Only one key allowed in match expression")
    ((name, operand),) = alternative.items()
    build = _OPERATORS.get(name)
    if build is None:
        raise _invalid(f"Unrecognized match type {name}")
    return build(operand)


def _literal(expected: Any) -> Predicate:
    kind = type(expected)
    return lambda value: type(value) is kind and value == expected


def _text(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise _invalid(f"{name} match pattern must be a string")
    if not operand:
        raise _invalid(f"Null {name} not allowed")
    return operand


def _prefix(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        folded = _ignoring_case("prefix", operand)
        return lambda value: isinstance(value, str) and value.lower().startswith(folded)
    prefix = _text("prefix", operand) if operand != "" else ""
    return lambda value: isinstance(value, str) and value.startswith(prefix)


def _suffix(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        folded = _ignoring_case("suffix", operand)
        return lambda value: isinstance(value, str) and value.lower().endswith(folded)
    suffix = _text("suffix", operand) if operand != "" else ""
    return lambda value: isinstance(value, str) and value.endswith(suffix)


def _ignoring_case(name: str, operand: Mapping[str, Any]) -> str:
    if set(operand) != {"equals-ignore-case"}:
        raise _invalid(f"Unsupported {name} expression")
    return _text(name, operand["equals-ignore-case"]).lower()


def _equals_ignore_case(operand: Any) -> Predicate:
    folded = _text("equals-ignore-case", operand).lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def _wildcard(operand: Any) -> Predicate:
    text = _text("wildcard", operand)
    if "**" in text:
        raise _invalid("Consecutive wildcard characters")
    pattern = ""
    position, wildcards = 0, 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            if position >= len(text) or text[position] not in "*\\":
                raise _invalid("Invalid escape character")
            pattern += re.escape(text[position])
        elif character == "*":
            pattern += ".*?"
            wildcards += 1
        else:
            pattern += re.escape(character)
        position += 1
    if wildcards > _MAX_WILDCARDS:
        raise _invalid(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating sequences"
        )
    compiled = re.compile(pattern, re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _anything_but(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise _invalid("Only one key allowed in anything-but expression")
        ((name, inner),) = operand.items()
        if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise _invalid(f"Unsupported anything-but pattern: {name}")
        build = _OPERATORS[name]
        refused = [build(one) for one in (inner if isinstance(inner, list) else [inner])]
        return lambda value: isinstance(value, str) and not any(matches(value) for matches in refused)
    values = operand if isinstance(operand, list) else [operand]
    if not values or not all(isinstance(v, (str, int, float)) and not isinstance(v, bool) for v in values):
        raise _invalid("Inside anything but list, only strings or numbers are allowed")
    literals = [_literal(value) for value in values]
    return lambda value: not any(matches(value) for matches in literals)


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_LARGEST = 5e9


def _numeric(operand: Any) -> Predicate:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise _invalid("Value of numeric must be an array of one or two comparisons")
    checks: list[tuple[Callable[[float, float], bool], float]] = []
    for operator, bound in zip(operand[::2], operand[1::2], strict=True):
        if operator not in _COMPARE:
            raise _invalid(f"Unrecognized numeric range operator: {operator}")
        if isinstance(bound, bool) or not isinstance(bound, (int, float)):
            raise _invalid("Value of numeric range must be a number")
        if abs(bound) > _LARGEST:
            raise _invalid("Value must be between -5.0E9 and 5.0E9, inclusive")
        checks.append((_COMPARE[operator], bound))
    if len(checks) == 2:
        low, high = operand[0], operand[2]
        if not (low.startswith(">") and high.startswith("<")) or operand[1] >= operand[3]:
            raise _invalid("Bottom must be less than top")
    return lambda value: (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and all(compare(value, bound) for compare, bound in checks)
    )


def _cidr(operand: Any) -> Predicate:
    try:
        network = ipaddress.ip_network(operand, strict=False)
    except ValueError:
        raise _invalid("Malformed CIDR, one '/' required") from None

    def check(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return check


def _exists(operand: Any) -> Predicate:
    if not isinstance(operand, bool):
        raise _invalid("exists match pattern must be either true or false.")
    return lambda value: operand


_OPERATORS: Mapping[str, Callable[[Any], Predicate]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
