"""Metric math, as far as arithmetic goes: `errors / invocations * 100`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

expression := term (('+' | '-') term)*      term := signed (('*' | '/') signed)*
signed := '-' signed | power                power := atom ('^' signed)?
atom := number | id | '(' expression ')'
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from ...kernel import NotEmulated

Series = dict[int, float]
Operand = Series | float
Lookup = Callable[[str], Operand]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/^()])|(\S))")
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


class ExpressionError(Exception):
    """What is wrong with an expression."""


class Expression:
    """names: the ids that it refers to."""

    def __init__(self, text: str) -> None:
        if re.match(r"\s*select\b", text, re.IGNORECASE):
            raise NotEmulated("cloudwatch GetMetricData.Expression: Metrics Insights queries")
        self._tokens = [(m.lastindex or 0, m[m.lastindex or 0]) for m in _TOKEN.finditer(text)]
        self._at = 0
        self.names: list[str] = []
        self._evaluate = self._sum()
        if self._at < len(self._tokens):
            raise self._unexpected()

    def evaluate(self, lookup: Lookup) -> Operand:
        """lookup: gives the series (value by time) of an id."""
        return self._evaluate(lookup)

    def _sum(self) -> Callable[[Lookup], Operand]:
        return self._chain("+-", self._product)

    def _product(self) -> Callable[[Lookup], Operand]:
        return self._chain("*/", self._signed)

    def _chain(
        self, signs: str, part: Callable[[], Callable[[Lookup], Operand]]
    ) -> Callable[[Lookup], Operand]:
        left = part()
        while (sign := self._sign()) and sign in signs:
            self._at += 1
            left = _joined(_OPERATORS[sign], left, part())
        return left

    def _signed(self) -> Callable[[Lookup], Operand]:
        if self._sign() != "-":
            return self._power()
        self._at += 1
        return _joined(_OPERATORS["*"], lambda _: -1.0, self._signed())

    def _power(self) -> Callable[[Lookup], Operand]:
        base = self._atom()
        if self._sign() != "^":
            return base
        self._at += 1
        return _joined(_OPERATORS["^"], base, self._signed())

    def _atom(self) -> Callable[[Lookup], Operand]:
        if self._at >= len(self._tokens):
            raise ExpressionError("it ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == 1:
            number = float(text)
            return lambda _: number
        if kind == 2:
            if self._sign() == "(" or text.isupper():
                raise NotEmulated(f"cloudwatch GetMetricData.Expression: {text}")
            self.names.append(text)
            return lambda lookup: lookup(text)
        if text == "(":
            inner = self._sum()
            if self._sign() != ")":
                raise self._unexpected()
            self._at += 1
            return inner
        self._at -= 1
        raise self._unexpected()

    def _sign(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else (0, "")
        return text if kind == 3 else ""

    def _unexpected(self) -> Exception:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else (0, "the end")
        if kind == 4 and text in "<>=!&|[],'\"":
            return NotEmulated(f"cloudwatch GetMetricData.Expression: {text}")
        return ExpressionError(f"unexpected {text}")


def _joined(
    operation: Callable[[float, float], float],
    left: Callable[[Lookup], Operand],
    right: Callable[[Lookup], Operand],
) -> Callable[[Lookup], Operand]:
    def evaluate(lookup: Lookup) -> Operand:
        return _applied(operation, left(lookup), right(lookup))

    return evaluate


def _applied(operation: Callable[[float, float], float], left: Operand, right: Operand) -> Operand:
    """Time by time; where one side has no data point, or there is no result (x / 0), there is none."""
    if not isinstance(left, dict) and not isinstance(right, dict):
        result = _number(operation, left, right)
        if result is None:
            raise ExpressionError("it has no value")
        return result
    times = left if isinstance(left, dict) else right
    assert isinstance(times, dict)
    found: Series = {}
    for time in times:
        a = left.get(time) if isinstance(left, dict) else left
        b = right.get(time) if isinstance(right, dict) else right
        if a is not None and b is not None and (result := _number(operation, a, b)) is not None:
            found[time] = result
    return found


def _number(operation: Callable[[float, float], float], a: float, b: float) -> float | None:
    try:
        result: Any = operation(a, b)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if isinstance(result, float) else None  # (-8) ^ 0.5 is complex
