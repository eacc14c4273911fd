"""Key conditions: the one equality on the hash key, and at most one condition on the range key."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ValidationException
from .problems import InvalidExpression
from .tree import And, Between, Comparison, Function, In, Literal, Node, Not, Or, Path, Value

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


@dataclass(frozen=True, slots=True)
class KeyTest:
    """One condition on one attribute. operator: = < <= > >= BETWEEN begins_with; operands: values' nodes."""

    attribute: str
    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    hash: Node
    range: KeyTest | None


def key_tests(node: Node) -> dict[str, KeyTest]:
    """The conditions by attribute. Raises where the expression is more than a key condition may be."""
    found: dict[str, KeyTest] = {}
    for part in _flat(node):
        test = _test(part)
        if test.attribute in found:
            raise InvalidExpression("KeyConditionExpressions must only contain one condition per key")
        found[test.attribute] = test
    return found


def key_condition(tests: dict[str, KeyTest], hash_name: str, range_name: str | None) -> KeyCondition:
    """The conditions put to a key schema."""
    if len(tests) > 2:
        raise ValidationException("Conditions can be of length 1 or 2 only")
    if hash_name not in tests:
        raise ValidationException(f"Query condition missed key schema element: {hash_name}")
    on_hash = tests[hash_name]
    on_range = None if range_name is None else tests.get(range_name)
    if len(tests) == 2 and on_range is None:
        if range_name is None:
            raise ValidationException("Query key condition not supported")
        raise ValidationException(f"Query condition missed key schema element: {range_name}")
    if on_hash.operator != "=":
        raise ValidationException("Query key condition not supported")
    return KeyCondition(on_hash.operands[0], on_range)


def _flat(node: Node) -> list[Node]:
    return [*_flat(node.left), *_flat(node.right)] if isinstance(node, And) else [node]


def _refuse(operator: str) -> ValidationException:
    return ValidationException(f"Invalid operator used in KeyConditionExpression: {operator}")


def _invalid(why: str) -> ValidationException:
    return ValidationException(f"Invalid condition in KeyConditionExpression: {why}")


def _test(node: Node) -> KeyTest:
    if isinstance(node, Comparison):
        if node.operator == "<>":
            raise _refuse("<>")
        return _comparison(node)
    if isinstance(node, Between):
        return _led_by_key("BETWEEN", (node.operand, node.lower, node.upper))
    if isinstance(node, Function):
        if node.name != "begins_with":
            raise _refuse(node.name)
        return _led_by_key("begins_with", node.arguments)
    operators: dict[type, str] = {Or: "OR", Not: "NOT", In: "IN"}
    raise _refuse(operators[type(node)])


def _comparison(node: Comparison) -> KeyTest:
    left, right = node.left, node.right
    _only_keys_and_values((left, right))
    if isinstance(left, Path) and isinstance(right, Path):
        raise _invalid("Multiple attribute names used in one condition")
    if isinstance(left, Path):
        return KeyTest(_name(left), node.operator, (right,))
    if isinstance(right, Path):
        return KeyTest(_name(right), _FLIPPED[node.operator], (left,))
    raise _invalid("No key attribute specified")


def _led_by_key(operator: str, operands: tuple[Node, ...]) -> KeyTest:
    _only_keys_and_values(operands)
    first, *others = operands
    if any(isinstance(other, Path) for other in others):
        if isinstance(first, Path):
            raise _invalid("Multiple attribute names used in one condition")
        raise _invalid(f"{operator} operator must have the key attribute as its first operand")
    if not isinstance(first, Path):
        raise _invalid("No key attribute specified")
    return KeyTest(_name(first), operator, tuple(others))


def _only_keys_and_values(operands: tuple[Node, ...]) -> None:
    if not all(isinstance(operand, (Path, Value, Literal)) for operand in operands):
        raise InvalidExpression("KeyConditionExpressions cannot contain nested operations")


def _name(path: Path) -> str:
    if len(path.parts) > 1:
        raise InvalidExpression("KeyConditionExpressions cannot have conditions on nested attributes")
    return str(path.parts[0])
