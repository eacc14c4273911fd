"""Conditions as closures: `(item, values) -> bool`.

An operand that is not there makes every comparison false but `<>`; values of different types are unequal and have no
order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..values import AttributeValue, Item, binary, binary_size
from .checks import Values
from .tree import And, Between, Comparison, Function, In, Literal, Node, Not, Or, Path, Value

Test = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], AttributeValue | None]


def compile_condition(node: Node) -> Test:
    if isinstance(node, And):
        left, right = compile_condition(node.left), compile_condition(node.right)
        return lambda item, values: left(item, values) and right(item, values)
    if isinstance(node, Or):
        left, right = compile_condition(node.left), compile_condition(node.right)
        return lambda item, values: left(item, values) or right(item, values)
    if isinstance(node, Not):
        test = compile_condition(node.operand)
        return lambda item, values: not test(item, values)
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Between):
        return _between(node)
    if isinstance(node, In):
        return _in(node)
    assert isinstance(node, Function)
    return _FUNCTIONS[node.name](node)


# -- operands -------------------------------------------------------------------------------------------------------


def compile_operand(node: Node) -> Operand:
    if isinstance(node, Path):
        return compile_path(node)
    if isinstance(node, Value):
        name = node.name
        return lambda item, values: values[name]
    if isinstance(node, Literal):
        literal = node.value
        return lambda item, values: literal
    assert isinstance(node, Function) and node.name == "size"
    return _size(compile_operand(node.arguments[0]))


def compile_path(path: Path) -> Operand:
    if len(path.parts) == 1:
        name = path.parts[0]
        return lambda item, values: item.get(name)  # type: ignore[arg-type]
    parts = path.parts
    return lambda item, values: at_path(item, parts)


def at_path(item: Item, parts: tuple[str | int, ...]) -> AttributeValue | None:
    """The value at a document path; None where there is none."""
    value = item.get(parts[0])  # type: ignore[arg-type]
    for part in parts[1:]:
        if value is None:
            return None
        if isinstance(part, str):
            members = value.get("M")
            value = None if members is None else members.get(part)
        else:
            elements = value.get("L")
            value = elements[part] if elements is not None and part < len(elements) else None
    return value


def _size(operand: Operand) -> Operand:
    def size(item: Item, values: Values) -> AttributeValue | None:
        value = operand(item, values)
        if value is None:
            return None
        [(kind, inner)] = value.items()
        if kind == "B":
            return {"N": str(binary_size(inner))}
        return None if kind in ("N", "BOOL", "NULL") else {"N": str(len(inner))}

    return size


# -- comparisons ----------------------------------------------------------------------------------------------------


def order(left: AttributeValue | None, right: AttributeValue | None) -> int | None:
    """-1, 0 or 1; None where the two have no order."""
    if left is None or right is None:
        return None
    a: Any
    [(kind, a)] = left.items()
    if kind not in right:
        return None
    b: Any = right[kind]
    if kind == "N":
        a, b = Decimal(a), Decimal(b)
    elif kind == "B":
        a, b = binary(a), binary(b)
    elif kind != "S":
        return None
    return int(a > b) - int(a < b)


_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _comparison(node: Comparison) -> Test:
    left, right = compile_operand(node.left), compile_operand(node.right)
    if node.operator == "=":

        def equal(item: Item, values: Values) -> bool:
            value = left(item, values)
            return value is not None and value == right(item, values)

        return equal
    if node.operator == "<>":

        def unequal(item: Item, values: Values) -> bool:
            value = left(item, values)
            return value is None or value != right(item, values)

        return unequal
    holds = _ORDERS[node.operator]

    def ordered(item: Item, values: Values) -> bool:
        sign = order(left(item, values), right(item, values))
        return sign is not None and holds(sign)

    return ordered


def _between(node: Between) -> Test:
    operand, lower, upper = map(compile_operand, (node.operand, node.lower, node.upper))

    def between(item: Item, values: Values) -> bool:
        value = operand(item, values)
        above, below = order(value, lower(item, values)), order(value, upper(item, values))
        return above is not None and below is not None and above >= 0 and below <= 0

    return between


def _in(node: In) -> Test:
    operand = compile_operand(node.operand)
    candidates = [compile_operand(candidate) for candidate in node.candidates]

    def contained(item: Item, values: Values) -> bool:
        value = operand(item, values)
        return value is not None and any(value == candidate(item, values) for candidate in candidates)

    return contained


# -- functions ------------------------------------------------------------------------------------------------------


def _exists(node: Function) -> Test:
    operand = compile_operand(node.arguments[0])
    return lambda item, values: operand(item, values) is not None


def _not_exists(node: Function) -> Test:
    operand = compile_operand(node.arguments[0])
    return lambda item, values: operand(item, values) is None


def _has_type(node: Function) -> Test:
    operand, kind = map(compile_operand, node.arguments)

    def has_type(item: Item, values: Values) -> bool:
        value, wanted = operand(item, values), kind(item, values)
        return value is not None and wanted is not None and wanted["S"] in value

    return has_type


def _begins_with(node: Function) -> Test:
    operand, prefix = map(compile_operand, node.arguments)

    def begins_with(item: Item, values: Values) -> bool:
        return begins(operand(item, values), prefix(item, values))

    return begins_with


def begins(value: AttributeValue | None, prefix: AttributeValue | None) -> bool:
    if value is None or prefix is None:
        return False
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and "B" in prefix and binary(value["B"]).startswith(binary(prefix["B"]))


def _contains(node: Function) -> Test:
    operand, member = map(compile_operand, node.arguments)

    def contains(item: Item, values: Values) -> bool:
        return holds(operand(item, values), member(item, values))

    return contains


def holds(value: AttributeValue | None, member: AttributeValue | None) -> bool:
    """Whether the text or bytes hold the part, or the set or list the element."""
    if value is None or member is None:
        return False
    [(kind, inner)] = value.items()
    [(member_kind, part)] = member.items()
    if kind == "L":
        return member in inner
    if kind != member_kind:
        return len(kind) == 2 and kind == f"{member_kind}S" and part in inner
    if kind == "S":
        return part in inner
    return kind == "B" and binary(part) in binary(inner)


_FUNCTIONS: dict[str, Callable[[Function], Test]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _not_exists,
    "attribute_type": _has_type,
    "begins_with": _begins_with,
    "contains": _contains,
}
