"""A request's expressions: compiled once for each text and names, then bound to the request's values.

`Expressions` is the cache, one in the service. `Bound` is one request's (or one transaction action's) use of it: it
checks names and values as AWS does, gives the compiled programs, and at the end complains of what was not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ValidationException
from .expressions.checks import Checker, ValueCheck
from .expressions.condition import Test, compile_condition
from .expressions.keys import KeyTest, key_tests
from .expressions.parser import Parser
from .expressions.problems import InvalidExpression
from .expressions.projection import Project, compile_projection
from .expressions.tree import Action, And, Between, Comparison, Function, In, Node, Not, Or, Path
from .expressions.update import Step, compile_update
from .values import AttributeValue, take

_CAPACITY = 2000
_NAME_KEY = re.compile(r"#[A-Za-z0-9_]+").fullmatch
_VALUE_KEY = re.compile(r":[A-Za-z0-9_]+").fullmatch


@dataclass(frozen=True, slots=True)
class Compiled:
    """program: what runs. names, values: the placeholders used. attributes: the top-level attributes named."""

    program: Any
    names: frozenset[str]
    values: frozenset[str]
    checks: tuple[ValueCheck, ...]
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class UpdateProgram:
    steps: tuple[Step, ...]
    returned: Project  # the updated places, for UPDATED_OLD and UPDATED_NEW
    changed: frozenset[str]


class Expressions:
    """Compiled expressions, the most recent few thousand."""

    def __init__(self) -> None:
        self._known: dict[Any, Compiled] = {}

    def get(self, kind: str, text: str, names: Mapping[str, str] | None) -> Compiled:
        """kind: condition, keys, projection or update. Raises InvalidExpression."""
        key = (kind, text, tuple(names.items()) if names else None)
        found = self._known.get(key)
        if found is None:
            found = _COMPILERS[kind](Parser(text, names or {}))
            if len(self._known) >= _CAPACITY:
                self._known.clear()
            self._known[key] = found
        return found


def _compiled(parser: Parser, checker: Checker, program: Any, attributes: frozenset[str]) -> Compiled:
    return Compiled(
        program,
        frozenset(parser.names_used),
        frozenset(parser.values_used),
        tuple(checker.checks),
        attributes,
    )


def _condition(parser: Parser) -> Compiled:
    node = parser.condition()
    checker = Checker(parser.problems)
    checker.condition(node)
    parser.problems.raise_first()
    return _compiled(parser, checker, compile_condition(node), attributes_of(node))


def _keys(parser: Parser) -> Compiled:
    node = parser.condition()
    checker = Checker(parser.problems)
    checker.condition(node)
    parser.problems.raise_first()
    return _compiled(parser, checker, key_tests(node), attributes_of(node))


def _projection(parser: Parser) -> Compiled:
    paths = parser.projection()
    checker = Checker(parser.problems)
    checker.disjoint(list(paths))
    parser.problems.raise_first()
    return _compiled(parser, checker, compile_projection(paths), frozenset(str(p.parts[0]) for p in paths))


def _update(parser: Parser) -> Compiled:
    actions = parser.update()
    checker = Checker(parser.problems)
    checker.update(actions)
    parser.problems.raise_first()
    return _compiled(parser, checker, update_program(actions), frozenset())


def update_program(actions: tuple[Action, ...]) -> UpdateProgram:
    return UpdateProgram(
        compile_update(actions),
        compile_projection([action.path for action in actions]),
        frozenset(str(action.path.parts[0]) for action in actions),
    )


_COMPILERS: dict[str, Callable[[Parser], Compiled]] = {
    "condition": _condition,
    "keys": _keys,
    "projection": _projection,
    "update": _update,
}


def attributes_of(node: Node | None) -> frozenset[str]:
    """The top-level attributes that a condition names."""
    if isinstance(node, Path):
        return frozenset((str(node.parts[0]),))
    below: tuple[Node, ...] = ()
    if isinstance(node, (And, Or, Comparison)):
        below = (node.left, node.right)
    elif isinstance(node, Not):
        below = (node.operand,)
    elif isinstance(node, Between):
        below = (node.operand, node.lower, node.upper)
    elif isinstance(node, In):
        below = (node.operand, *node.candidates)
    elif isinstance(node, Function):
        below = node.arguments
    return frozenset().union(*map(attributes_of, below)) if below else frozenset()


class Bound:
    """The expressions of one request.

    parameters: the request's expression parameters in the order in which AWS parses them; takes_values: those whose
    absence AWS names when values are given all the same.
    """

    __slots__ = ("_cache", "_compiled", "_names", "_request", "values")

    def __init__(
        self,
        cache: Expressions,
        request: Mapping[str, Any],
        parameters: tuple[str, ...],
        takes_values: tuple[str, ...] = (),
    ) -> None:
        self._cache = cache
        self._request = request
        self._names: Mapping[str, str] | None = request.get("ExpressionAttributeNames")
        self._compiled: list[Compiled] = []
        self.values: dict[str, AttributeValue] = {}
        values = request.get("ExpressionAttributeValues")
        if self._names is not None:
            self._check_names(self._names, parameters)
        if values is not None:
            self._take_values(values, takes_values)

    def _check_names(self, names: Mapping[str, str], parameters: tuple[str, ...]) -> None:
        if not any(self._request.get(parameter) is not None for parameter in parameters):
            raise ValidationException("ExpressionAttributeNames can only be specified when using expressions")
        if not names:
            raise ValidationException("ExpressionAttributeNames must not be empty")
        for key, name in names.items():
            if not _NAME_KEY(key):
                raise ValidationException(
                    f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{key}"'
                )
            if not name or len(name) > 65535:
                raise ValidationException(
                    f"ExpressionAttributeNames contains invalid value: Attribute name must not be empty for key {key}"
                )

    def _take_values(self, values: Mapping[str, Any], parameters: tuple[str, ...]) -> None:
        if not any(self._request.get(parameter) is not None for parameter in parameters):
            are = "are" if len(parameters) > 1 else "is"
            raise ValidationException(
                "ExpressionAttributeValues can only be specified when using expressions:"
                f" {' and '.join(parameters)} {are} null"
            )
        if not values:
            raise ValidationException("ExpressionAttributeValues must not be empty")
        for key, value in values.items():
            if not _VALUE_KEY(key):
                raise ValidationException(
                    f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{key}"'
                )
            try:
                self.values[key] = take(value)[0]
            except ValidationException as error:
                raise ValidationException(
                    f"ExpressionAttributeValues contains invalid value: {error.message} for key {key}"
                ) from None

    def _get(self, kind: str, parameter: str) -> Compiled | None:
        text = self._request.get(parameter)
        if text is None:
            return None
        try:
            compiled = self._cache.get(kind, text, self._names)
            if not compiled.values <= self.values.keys():
                missing = min(compiled.values - self.values.keys(), key=text.find)
                raise InvalidExpression(
                    f"An expression attribute value used in expression is not defined; attribute value: {missing}"
                )
            for check in compiled.checks:
                check(self.values)
        except InvalidExpression as error:
            raise ValidationException(f"Invalid {parameter}: {error.message}") from None
        self._compiled.append(compiled)
        return compiled

    def condition(self, parameter: str = "ConditionExpression") -> Test | None:
        found = self._get("condition", parameter)
        return None if found is None else found.program

    def filter(self) -> tuple[Test, frozenset[str]] | None:
        """The filter, and the attributes that it names."""
        found = self._get("condition", "FilterExpression")
        return None if found is None else (found.program, found.attributes)

    def update(self) -> UpdateProgram | None:
        found = self._get("update", "UpdateExpression")
        return None if found is None else found.program

    def projection(self) -> tuple[Project, frozenset[str]] | None:
        """The projection, and the top-level attributes that it takes."""
        found = self._get("projection", "ProjectionExpression")
        return None if found is None else (found.program, found.attributes)

    def keys(self) -> dict[str, KeyTest] | None:
        found = self._get("keys", "KeyConditionExpression")
        return None if found is None else found.program

    def finish(self) -> None:
        """Refuses names and values that no expression used."""
        if self._names:
            self._unused("Names", self._names, [c.names for c in self._compiled])
        if self.values:
            self._unused("Values", self.values, [c.values for c in self._compiled])

    def _unused(self, what: str, given: Mapping[str, Any], used: list[frozenset[str]]) -> None:
        left = [key for key in given if not any(key in keys for keys in used)]
        if left:
            raise ValidationException(
                f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{', '.join(left)}}}"
            )
