"""Update expressions as plans: each clause computed from the item as it was, then all applied to a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import numbers
from ..errors import ValidationException
from ..values import AttributeValue, Item, binary
from .checks import Values
from .condition import at_path, compile_operand, compile_path
from .tree import Action, Arithmetic, Function, Node, Path

Compute = Callable[[Item, Values], AttributeValue | None]

_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_NO_PLACE = "The document path provided in the update expression is invalid for update"


@dataclass(frozen=True, slots=True)
class Step:
    """compute: the new value of the place, from the old item; None takes it away."""

    parts: tuple[str | int, ...]
    compute: Compute


def compile_update(actions: Iterable[Action]) -> tuple[Step, ...]:
    return tuple(Step(action.path.parts, _compute(action)) for action in actions)


def _compute(action: Action) -> Compute:
    if action.section == "REMOVE":
        return lambda item, values: None
    assert action.operand is not None
    if action.section == "SET":
        return _set_operand(action.operand)
    operand = compile_operand(action.operand)
    parts = action.path.parts
    combine = _added if action.section == "ADD" else _deleted

    def compute(item: Item, values: Values) -> AttributeValue | None:
        value = operand(item, values)
        assert value is not None
        return combine(at_path(item, parts), value)

    return compute


def _set_operand(node: Node) -> Compute:
    if isinstance(node, Arithmetic):
        return _arithmetic(node)
    if isinstance(node, Function):
        return _if_not_exists(node) if node.name == "if_not_exists" else _list_append(node)
    if not isinstance(node, Path):
        return compile_operand(node)
    operand = compile_path(node)

    def there(item: Item, values: Values) -> AttributeValue | None:
        value = operand(item, values)
        if value is None:
            raise ValidationException(_MISSING)
        return value

    return there


def _arithmetic(node: Arithmetic) -> Compute:
    left, right = _set_operand(node.left), _set_operand(node.right)
    combine = numbers.add if node.operator == "+" else numbers.subtract

    def compute(item: Item, values: Values) -> AttributeValue | None:
        a, b = left(item, values), right(item, values)
        if a is None or b is None or "N" not in a or "N" not in b:
            raise ValidationException(_WRONG_TYPE)
        return {"N": combine(a["N"], b["N"])}

    return compute


def _if_not_exists(node: Function) -> Compute:
    assert isinstance(node.arguments[0], Path)
    path, default = compile_path(node.arguments[0]), _set_operand(node.arguments[1])

    def compute(item: Item, values: Values) -> AttributeValue | None:
        value = path(item, values)
        return default(item, values) if value is None else value

    return compute


def _list_append(node: Function) -> Compute:
    left, right = map(_set_operand, node.arguments)

    def compute(item: Item, values: Values) -> AttributeValue | None:
        a, b = left(item, values), right(item, values)
        if a is None or b is None or "L" not in a or "L" not in b:
            raise ValidationException(_WRONG_TYPE)
        return {"L": a["L"] + b["L"]}

    return compute


_SET_ORDER: dict[str, Callable[[Any], Any]] = {"SS": str, "NS": lambda n: numbers.encode(n), "BS": binary}


def _added(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    if old is None:
        return value
    [(kind, inner)] = value.items()
    if kind not in old:
        raise ValidationException(_WRONG_TYPE)
    if kind == "N":
        return {"N": numbers.add(old["N"], inner)}
    return {kind: sorted({*old[kind], *inner}, key=_SET_ORDER[kind])}


def _deleted(old: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    if old is None:
        return None
    [(kind, inner)] = value.items()
    if kind not in old:
        raise ValidationException(_WRONG_TYPE)
    left = [member for member in old[kind] if member not in inner]
    return {kind: left} if left else None


# -- applying -------------------------------------------------------------------------------------------------------


def apply(steps: Iterable[Step], old: Item, values: Values) -> Item:
    """The item after the update; `old` stays as it is."""
    computed = [(step.parts, step.compute(old, values)) for step in steps]
    new = dict(old)
    copied: set[str | int] = set()
    lists: dict[int, _ListEdit] = {}
    for parts, value in computed:
        if len(parts) > 1:
            top = parts[0]
            if top not in copied:
                if top in new:
                    new[top] = _copy(new[top])
                copied.add(top)
            _put(new, parts, value, lists)
        elif value is None:
            new.pop(parts[0], None)  # type: ignore[arg-type]
        else:
            new[parts[0]] = value  # type: ignore[index]
    for edit in lists.values():
        edit.finish()
    return new


def _copy(value: AttributeValue) -> AttributeValue:
    [(kind, inner)] = value.items()
    if kind == "M":
        return {"M": {name: _copy(member) for name, member in inner.items()}}
    if kind == "L":
        return {"L": [_copy(element) for element in inner]}
    return value


def _put(
    item: Item, parts: tuple[str | int, ...], value: AttributeValue | None, lists: dict[int, _ListEdit]
) -> None:
    parent = at_path(item, parts[:-1])
    last = parts[-1]
    if parent is None or ("M" if isinstance(last, str) else "L") not in parent:
        raise ValidationException(_NO_PLACE)
    if isinstance(last, str):
        if value is None:
            parent["M"].pop(last, None)
        else:
            parent["M"][last] = value
        return
    elements = parent["L"]
    edit = lists.setdefault(id(elements), _ListEdit(elements))
    if last >= len(elements):
        if value is not None:
            edit.appended.append((last, value))
    elif value is None:
        edit.removed.append(last)
    else:
        elements[last] = value


@dataclass(slots=True)
class _ListEdit:
    """Indexes mean the list as it was, so what moves its elements waits until the last clause."""

    elements: list[AttributeValue]
    removed: list[int] = field(default_factory=list)
    appended: list[tuple[int, AttributeValue]] = field(default_factory=list)

    def finish(self) -> None:
        for index in sorted(self.removed, reverse=True):
            del self.elements[index]
        self.elements.extend(value for _, value in sorted(self.appended, key=lambda entry: entry[0]))
