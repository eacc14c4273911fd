"""The parameters of before there were expressions: Expected, AttributeUpdates, KeyConditions, filters.

They become the same trees and steps as expressions do, with the values in place as literals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from .binding import UpdateProgram, update_program
from .errors import ValidationException, invalid_value
from .expressions.condition import Test, compile_condition
from .expressions.keys import KeyTest
from .expressions.projection import Project, compile_projection
from .expressions.tree import Action, And, Between, Comparison, Function, In, Literal, Node, Not, Or, Path
from .values import AttributeValue, sortable, take

_COMPARED = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
_COUNTS = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}
_ORDERED = frozenset({"S", "N", "B"})
_SCALARS = frozenset({"S", "N", "B", "BOOL", "NULL"})
_ALLOWED = {
    **dict.fromkeys(("LE", "LT", "GE", "GT", "BETWEEN"), _ORDERED),
    "IN": _ORDERED,
    "BEGINS_WITH": frozenset({"S", "B"}),
    "CONTAINS": _SCALARS,
    "NOT_CONTAINS": _SCALARS,
}


def check_mix(request: Mapping[str, Any], legacy: tuple[str, ...], modern: tuple[str, ...]) -> None:
    """Refuses requests that use both kinds of parameters."""
    if request.keys().isdisjoint(legacy):
        return
    old = [name for name in legacy if request.get(name) is not None]
    if not old:
        return
    new = [name for name in modern if request.get(name) is not None]
    if new:
        raise ValidationException(
            "Can not use both expression and non-expression parameters in the same request:"
            f" Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(new)}}}"
        )


def attributes_to_get(request: Mapping[str, Any]) -> tuple[Project, frozenset[str]] | None:
    names = request.get("AttributesToGet")
    if names is None:
        return None
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise invalid_value(f"Duplicate value in attribute name: {repeated}")
    return compile_projection([Path((name,)) for name in names]), frozenset(names)


# -- conditions -----------------------------------------------------------------------------------------------------


def expected(request: Mapping[str, Any]) -> Test | None:
    wanted = request.get("Expected")
    if wanted is None:
        _check_operator(request, None)
        return None
    nodes = [_expected(name, condition) for name, condition in wanted.items()]
    _check_operator(request, nodes)
    return compile_condition(_joined(request, nodes)) if nodes else None


def filters(request: Mapping[str, Any], member: str) -> tuple[Test, frozenset[str]] | None:
    wanted = request.get(member)
    if wanted is None:
        _check_operator(request, None)
        return None
    nodes = [_condition(name, condition) for name, condition in wanted.items()]
    _check_operator(request, nodes)
    if not nodes:
        return None
    return compile_condition(_joined(request, nodes)), frozenset(wanted)


def _check_operator(request: Mapping[str, Any], nodes: list[Node] | None) -> None:
    if request.get("ConditionalOperator") is None:
        return
    if nodes is None:
        raise ValidationException("ConditionalOperator cannot be used without Filter or Expected")
    if len(nodes) < 2:
        raise ValidationException(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )


def _joined(request: Mapping[str, Any], nodes: list[Node]) -> Node:
    join: Callable[[Node, Node], Node] = Or if request.get("ConditionalOperator") == "OR" else And
    return reduce(join, nodes)


def _expected(name: str, condition: Mapping[str, Any]) -> Node:
    operator, value = condition.get("ComparisonOperator"), condition.get("Value")
    exists, operands = condition.get("Exists"), condition.get("AttributeValueList")
    of = f"for Attribute: {name}"
    if operator is not None:
        if exists is not None:
            raise invalid_value(f"Exists and ComparisonOperator cannot be used together {of}")
        if value is not None and operands is not None:
            raise invalid_value(f"Value and AttributeValueList cannot be used together {of}")
        if value is not None:
            operands = [value]
        if operands is None and _COUNTS.get(operator) != 0:
            raise invalid_value(
                f"Value or AttributeValueList must be used with ComparisonOperator: {operator} {of}"
            )
        return _condition(name, {"ComparisonOperator": operator, "AttributeValueList": operands})
    if operands is not None:
        raise invalid_value(f"AttributeValueList can only be used with a ComparisonOperator {of}")
    if exists is False:
        if value is not None:
            raise invalid_value(f"Value cannot be used when Exists is false {of}")
        return Function("attribute_not_exists", (Path((name,)),))
    if value is None:
        shown = "null" if exists is None else "true"
        raise invalid_value(f"Value must be provided when Exists is {shown} {of}")
    return Comparison("=", Path((name,)), Literal(take(value)[0]))


def _condition(name: str, condition: Mapping[str, Any]) -> Node:
    operator: str = condition["ComparisonOperator"]
    operands = _operands(operator, condition.get("AttributeValueList") or ())
    path = Path((name,))
    literals = tuple(Literal(operand) for operand in operands)
    if operator in _COMPARED:
        return Comparison(_COMPARED[operator], path, literals[0])
    if operator == "NULL":
        return Function("attribute_not_exists", (path,))
    if operator == "NOT_NULL":
        return Function("attribute_exists", (path,))
    if operator == "BETWEEN":
        return Between(path, *literals)
    if operator == "IN":
        return In(path, literals)
    if operator == "BEGINS_WITH":
        return Function("begins_with", (path, *literals))
    contains = Function("contains", (path, *literals))
    return contains if operator == "CONTAINS" else Not(contains)


def _operands(operator: str, given: Sequence[Any]) -> list[AttributeValue]:
    operands = [take(value)[0] for value in given]
    count = _COUNTS.get(operator, 1)
    if len(operands) != count and not (operator == "IN" and operands):
        raise invalid_value(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    allowed = _ALLOWED.get(operator)
    for operand in operands:
        kind = next(iter(operand))
        if allowed is not None and kind not in allowed:
            raise invalid_value(f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type")
    if operator in ("BETWEEN", "IN") and len({next(iter(operand)) for operand in operands}) > 1:
        raise invalid_value("AttributeValues inside AttributeValueList must be of same type")
    if operator == "BETWEEN":
        low, high = (sortable(operand) for operand in operands)
        assert low is not None and high is not None
        if low[1] > high[1]:
            raise ValidationException(
                "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
            )
    return operands


# -- key conditions -------------------------------------------------------------------------------------------------


def key_conditions(request: Mapping[str, Any]) -> dict[str, KeyTest] | None:
    wanted = request.get("KeyConditions")
    if wanted is None:
        return None
    found = {}
    for name, condition in wanted.items():
        operator = condition["ComparisonOperator"]
        operands = _operands(operator, condition.get("AttributeValueList") or ())
        if operator in ("NE", "IN", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS"):
            raise ValidationException("Attempted conditional constraint is not an indexable operation")
        own = {"BETWEEN": "BETWEEN", "BEGINS_WITH": "begins_with"}.get(operator) or _COMPARED[operator]
        found[name] = KeyTest(name, own, tuple(Literal(operand) for operand in operands))
    if not 1 <= len(found) <= 2:
        raise ValidationException("Conditions can be of length 1 or 2 only")
    return found


# -- updates --------------------------------------------------------------------------------------------------------


def updates(request: Mapping[str, Any]) -> UpdateProgram | None:
    wanted = request.get("AttributeUpdates")
    if wanted is None:
        return None
    return update_program(tuple(_action(name, update) for name, update in wanted.items()))


def _action(name: str, update: Mapping[str, Any]) -> Action:
    action, value = update.get("Action", "PUT"), update.get("Value")
    path = Path((name,))
    if value is None:
        if action != "DELETE":
            raise invalid_value("Only DELETE action is allowed when no attribute value is specified")
        return Action("REMOVE", path, None)
    taken = take(value)[0]
    kind = next(iter(taken))
    if action == "PUT":
        return Action("SET", path, Literal(taken))
    if action == "ADD" and kind not in ("N", "SS", "NS", "BS"):
        raise invalid_value(f"ADD action is not supported for the type {kind}")
    if action == "DELETE" and kind not in ("SS", "NS", "BS"):
        raise invalid_value(f"DELETE action with value is not supported for the type {kind}")
    return Action(action, path, Literal(taken))
