"""What makes a well-formed expression wrong all the same: functions in the wrong place, operands of the wrong kind.

`Checker` looks at a tree once and notes what is wrong whatever the values are. What depends on the values' types
becomes a list of checks that run for each request, before any item is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..values import TYPES, AttributeValue, shown, sortable
from .problems import InvalidExpression, Problems
from .tree import (
    Action,
    And,
    Arithmetic,
    Between,
    Comparison,
    Function,
    In,
    Literal,
    Node,
    Not,
    Or,
    Path,
    Value,
)

Values = Mapping[str, AttributeValue]
ValueCheck = Callable[[Values], None]

_CONDITION_FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
_OPERAND_FUNCTIONS = {"size": 1}
_UPDATE_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}
_COUNTS = {**_CONDITION_FUNCTIONS, **_OPERAND_FUNCTIONS, **_UPDATE_FUNCTIONS}
_NEED_PATH = frozenset({"attribute_exists", "attribute_not_exists", "attribute_type", "if_not_exists"})
_ORDERED = frozenset({"S", "N", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
_LONG_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "L": "LIST",
    "M": "MAP",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
}
_MAX_OPERATORS = 300
_MAX_CANDIDATES = 100


class Checker:
    """problems: where to note. checks: grows by what has to be asked of the values."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._operators = 0
        self.checks: list[ValueCheck] = []

    # -- conditions -------------------------------------------------------------------------------------------------

    def condition(self, node: Node) -> None:
        if isinstance(node, (And, Or)):
            self._count()
            self.condition(node.left)
            self.condition(node.right)
        elif isinstance(node, Not):
            self._count()
            self.condition(node.operand)
        elif isinstance(node, Comparison):
            self._comparison(node)
        elif isinstance(node, Between):
            self._between(node)
        elif isinstance(node, In):
            self._in(node)
        elif isinstance(node, Function):
            self._test(node)

    def _count(self) -> None:
        self._operators += 1
        if self._operators > _MAX_OPERATORS:
            self._problems.note(
                "depth",
                "The expression contains too many operators;"
                f" maximum operator count: {_MAX_OPERATORS}, operator count: {self._operators}",
            )

    def _comparison(self, node: Comparison) -> None:
        self._count()
        self._operand(node.left)
        self._operand(node.right)
        self._distinct(node.operator, node.left, (node.right,), "operator")
        if node.operator not in ("=", "<>"):
            self._typed(f"operator: {node.operator}", _ORDERED, node.left, node.right)

    def _between(self, node: Between) -> None:
        self._count()
        for operand in (node.operand, node.lower, node.upper):
            self._operand(operand)
        self._distinct("BETWEEN", node.operand, (node.lower, node.upper), "operator")
        self._typed("operator: BETWEEN", _ORDERED, node.operand, node.lower, node.upper)
        if isinstance(node.lower, Value) and isinstance(node.upper, Value):
            self.checks.append(_bounds(node.lower.name, node.upper.name))

    def _in(self, node: In) -> None:
        self._count()
        for operand in (node.operand, *node.candidates):
            self._operand(operand)
        if len(node.candidates) > _MAX_CANDIDATES:
            self._problems.note(
                "count",
                "Incorrect number of operands for operator or function;"
                f" operator or function: IN, number of operands: {len(node.candidates) + 1}",
            )
        self._distinct("IN", node.operand, node.candidates, "operator")

    def _test(self, node: Function) -> None:
        self._count()
        if node.name not in _CONDITION_FUNCTIONS:
            self._misplaced(node, "condition")
            return
        for argument in node.arguments:
            self._operand(argument)
        if not self._counted(node) or not self._has_path(node):
            return
        if node.name in ("begins_with", "contains"):
            self._distinct(node.name, node.arguments[0], node.arguments[1:], "operator or function")
        if node.name == "begins_with":
            self._typed("operator or function: begins_with", frozenset({"S", "B"}), *node.arguments)
        if node.name == "attribute_type":
            kind = node.arguments[1]
            self._typed("operator or function: attribute_type", frozenset({"S"}), kind)
            if isinstance(kind, Value):
                self.checks.append(_type_name(kind.name))
            else:
                self._problems.note(
                    "type",
                    "Incorrect operand type for operator or function;"
                    " operator or function: attribute_type, operand type: {NONE}",
                )

    def _operand(self, node: Node) -> None:
        if not isinstance(node, Function):
            return
        if node.name not in _OPERAND_FUNCTIONS:
            self._misplaced(node, "condition")
            return
        self._count()
        if self._counted(node):
            argument = node.arguments[0]
            self._operand(argument)
            self._typed("operator or function: size", _SIZED, argument)

    # -- updates ----------------------------------------------------------------------------------------------------

    def update(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if action.section == "SET" and action.operand is not None:
                self._set_operand(action.operand)
            elif action.section == "ADD":
                self._set_section("ADD", action.operand, frozenset({"N", "SS", "NS", "BS"}))
            elif action.section == "DELETE":
                self._set_section("DELETE", action.operand, frozenset({"SS", "NS", "BS"}))
        self.disjoint([action.path for action in actions])

    def _set_operand(self, node: Node) -> None:
        if isinstance(node, Arithmetic):
            self._count()
            self._set_operand(node.left)
            self._set_operand(node.right)
            self._typed(f"operator or function: {node.operator}", frozenset({"N"}), node.left, node.right)
        elif isinstance(node, Function):
            if node.name not in _UPDATE_FUNCTIONS:
                self._misplaced(node, "update")
                return
            self._count()
            for argument in node.arguments:
                self._set_operand(argument)
            if self._counted(node) and self._has_path(node) and node.name == "list_append":
                self._typed("operator or function: list_append", frozenset({"L"}), *node.arguments)

    def _set_section(self, section: str, operand: Node | None, allowed: frozenset[str]) -> None:
        if not isinstance(operand, Value):
            return
        name = operand.name

        def check(values: Values) -> None:
            kind = next(iter(values[name]))
            if kind not in allowed:
                raise InvalidExpression(
                    f"Incorrect operand type for operator or function; operator: {section},"
                    f" operand type: {_LONG_NAMES[kind]}, typeSet: ALLOWED_FOR_{section}_OPERAND"
                )

        self.checks.append(check)

    def disjoint(self, paths: list[Path]) -> None:
        """Notes the first two paths of which one holds the other, or which take one place as list and as map."""
        if len(paths) < 2:
            return
        if all(len(p.parts) == 1 for p in paths) and len({p.parts for p in paths}) == len(paths):
            return
        for index, second in enumerate(paths):
            for first in paths[:index]:
                self._disjoint(first, second)

    def _disjoint(self, first: Path, second: Path) -> None:
        for left, right in zip(first.parts, second.parts, strict=False):
            if type(left) is not type(right):
                kind = "conflict"
                break
            if left != right:
                return
        else:
            kind = "overlap"
        self._problems.note(
            kind,
            f"Two document paths {kind} with each other; must remove or rewrite one of these paths;"
            f" path one: {first}, path two: {second}",
        )

    # -- both -------------------------------------------------------------------------------------------------------

    def _misplaced(self, node: Function, place: str) -> None:
        if node.name not in _COUNTS:
            self._problems.note("function", f"Invalid function name; function: {node.name}")
        elif (node.name in _UPDATE_FUNCTIONS) != (place == "update"):
            article = "an" if place == "update" else "a"
            self._problems.note(
                "misuse",
                f"The function is not allowed in {article} {place} expression; function: {node.name}",
            )
        else:
            self._problems.note(
                "misuse",
                f"The function is not allowed to be used this way in an expression; function: {node.name}",
            )

    def _counted(self, node: Function) -> bool:
        if len(node.arguments) == _COUNTS[node.name]:
            return True
        self._problems.note(
            "count",
            "Incorrect number of operands for operator or function;"
            f" operator or function: {node.name}, number of operands: {len(node.arguments)}",
        )
        return False

    def _has_path(self, node: Function) -> bool:
        if node.name not in _NEED_PATH or isinstance(node.arguments[0], Path):
            return True
        self._problems.note(
            "path", f"Operator or function requires a document path; operator or function: {node.name}"
        )
        return False

    def _distinct(self, operator: str, first: Node, others: tuple[Node, ...], word: str) -> None:
        if isinstance(first, Path) and first in others:
            self._problems.note(
                "distinct",
                "The first operand must be distinct from the remaining operands for this operator or function;"
                f" operator: {operator}, first operand: {first}",
            )

    def _typed(self, what: str, allowed: frozenset[str], *operands: Node) -> None:
        for operand in operands:
            if isinstance(operand, Value):
                self.checks.append(_one_of(what, allowed, operand.name))
            elif isinstance(operand, Literal):
                _one_of(what, allowed, "literal")({"literal": operand.value})


def _one_of(what: str, allowed: frozenset[str], name: str) -> ValueCheck:
    def check(values: Values) -> None:
        kind = next(iter(values[name]))
        if kind not in allowed:
            raise InvalidExpression(
                f"Incorrect operand type for operator or function; {what}, operand type: {kind}"
            )

    return check


def _bounds(lower: str, upper: str) -> ValueCheck:
    def check(values: Values) -> None:
        low, high = sortable(values[lower]), sortable(values[upper])
        if low is None or high is None:
            return
        shows = (
            f" lower bound operand: AttributeValue: {shown(values[lower])},"
            f" upper bound operand: AttributeValue: {shown(values[upper])}"
        )
        if low[0] != high[0]:
            raise InvalidExpression(
                f"The BETWEEN operator requires same data type for lower and upper bounds;{shows}"
            )
        if low[1] > high[1]:
            raise InvalidExpression(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound;"
                + shows
            )

    return check


def _type_name(name: str) -> ValueCheck:
    def check(values: Values) -> None:
        kind = values[name]["S"]
        if kind not in TYPES:
            raise InvalidExpression(
                f"Invalid attribute type name found; type: {kind}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
            )

    return check
