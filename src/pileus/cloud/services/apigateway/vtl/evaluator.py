"""Nodes and variables → text.

A variable is a plain value (see values.py) or an object of the host (`$input`, `$util`) that answers to `vtl_property` and
`vtl_call`. References whose root is in `silent` render as nothing where they are undefined, as API Gateway's own
variables do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from . import nodes as tree
from .values import Entry, JavaList, call_method, equals, is_true, to_text

_MOST_ROUNDS = 100_000
_DEEPEST = 20
_MOST_CHARACTERS = 50_000_000


class Refused(Exception):
    """A template that would not end or would grow without bounds."""


@runtime_checkable
class HostObject(Protocol):
    def vtl_property(self, name: str) -> Any: ...

    def vtl_call(self, name: str, arguments: list[Any]) -> Any: ...


class _Stop(Exception):
    pass


class _Break(Exception):
    pass


def render(template: tree.Block, variables: dict[str, Any], *, silent: frozenset[str] = frozenset()) -> str:
    """variables: by root name; what the template sets is added to it."""
    run = _Run(variables, silent)
    with suppress(_Stop, _Break):
        run.block(template)
    return "".join(run.out)


class _Run:
    def __init__(self, variables: dict[str, Any], silent: frozenset[str]) -> None:
        self.variables = variables
        self.silent = silent
        self.out: list[str] = []
        self.size = 0
        self.rounds = 0
        self.macros: dict[str, tree.Macro] = {}
        self.depth = 0

    # -- statements -------------------------------------------------------------------------------------------------

    def block(self, nodes: tree.Block) -> None:
        for node in nodes:
            self.node(node)

    def write(self, text: str) -> None:
        self.size += len(text)
        if self.size > _MOST_CHARACTERS:
            raise Refused("the template's output is too large")
        self.out.append(text)

    def node(self, node: tree.Node) -> None:
        if isinstance(node, tree.Text):
            self.write(node.text)
        elif isinstance(node, tree.Reference):
            self.write(self.shown(node))
        elif isinstance(node, tree.Set):
            self.assign(node.target, self.value(node.value))
        elif isinstance(node, tree.If):
            self.condition(node)
        elif isinstance(node, tree.ForEach):
            self.foreach(node)
        elif isinstance(node, tree.Define):
            self.variables[node.name] = _Defined(node.body)
        elif isinstance(node, tree.Macro):
            self.macros[node.name] = node
        elif isinstance(node, tree.MacroCall):
            self.expand(node)
        elif isinstance(node, tree.Break):
            raise _Break
        else:
            assert isinstance(node, tree.Stop)
            raise _Stop

    def condition(self, node: tree.If) -> None:
        for test, body in node.branches:
            if is_true(self.value(test)):
                self.block(body)
                return
        self.block(node.otherwise)

    def foreach(self, node: tree.ForEach) -> None:
        items = _iterated(self.value(node.source))
        if not items:
            return
        outer = {name: self.variables.get(name) for name in (node.variable, "foreach", "velocityCount")}
        try:
            for index, item in enumerate(items):
                self.rounds += 1
                if self.rounds > _MOST_ROUNDS:
                    raise Refused("the template loops too often")
                self.variables[node.variable] = item
                self.variables["velocityCount"] = index + 1
                self.variables["foreach"] = {
                    "index": index,
                    "count": index + 1,
                    "hasNext": index + 1 < len(items),
                    "first": index == 0,
                    "last": index + 1 == len(items),
                    "parent": outer["foreach"],
                }
                self.block(node.body)
        except _Break:
            pass
        finally:
            for name, value in outer.items():
                self.keep(name, value)

    def expand(self, node: tree.MacroCall) -> None:
        """A macro's body with its parameters set; what it is not given renders as it is written."""
        macro = self.macros.get(node.name)
        if macro is None:
            self.write(node.source)
            return
        if self.depth >= _DEEPEST:
            raise Refused("macros that call one another too deeply")
        values = {
            name: self.value(argument)
            for name, argument in zip(macro.parameters, node.arguments, strict=False)
        }
        outer = {name: self.variables.get(name) for name in macro.parameters}
        self.depth += 1
        try:
            for name in macro.parameters:
                self.keep(name, values.get(name))
            self.block(macro.body)
        finally:
            self.depth -= 1
            for name, value in outer.items():
                self.keep(name, value)

    def keep(self, name: str, value: Any) -> None:
        if value is None:
            self.variables.pop(name, None)
        else:
            self.variables[name] = value

    def assign(self, target: tree.Reference, value: Any) -> None:
        if value is None:
            return  # Velocity 1.7 leaves the reference as it was
        if not target.steps:
            self.variables[target.root] = value
            return
        holder = self.variables.get(target.root)
        for step in target.steps[:-1]:
            holder = self.step(holder, step)
        last = target.steps[-1]
        if isinstance(last, tree.Method):
            return
        key: Any = last.name if isinstance(last, tree.Property) else self.value(last.value)
        if isinstance(holder, dict) or (
            isinstance(holder, list) and isinstance(key, int) and -len(holder) <= key < len(holder)
        ):
            holder[key] = value

    # -- references -------------------------------------------------------------------------------------------------

    def shown(self, reference: tree.Reference) -> str:
        value = self.reference(reference)
        if value is None:
            return "" if reference.quiet or reference.root in self.silent else reference.source
        return to_text(value)

    def reference(self, reference: tree.Reference) -> Any:
        value = self.variables.get(reference.root)
        if isinstance(value, _Defined):
            value = self.captured(value.body)
        for step in reference.steps:
            if value is None:
                return None
            value = self.step(value, step)
        return value

    def captured(self, body: tree.Block) -> str:
        outer, self.out = self.out, []
        try:
            self.block(body)
            return "".join(self.out)
        finally:
            self.out = outer

    def step(self, value: Any, step: tree.Property | tree.Method | tree.Index) -> Any:
        if isinstance(step, tree.Method):
            arguments = [self.value(argument) for argument in step.arguments]
            if isinstance(value, HostObject):
                return value.vtl_call(step.name, arguments)
            return call_method(value, step.name, arguments)
        if isinstance(step, tree.Property):
            return _property(value, step.name)
        key = self.value(step.value)
        if isinstance(value, Mapping):
            return value.get(key)
        if isinstance(value, list) and isinstance(key, int):
            return value[key] if -len(value) <= key < len(value) else None
        return None

    # -- expressions ------------------------------------------------------------------------------------------------

    def value(self, node: tree.Expression) -> Any:
        if isinstance(node, tree.Reference):
            return self.reference(node)
        if isinstance(node, tree.Literal):
            return node.value
        if isinstance(node, tree.Interpolated):
            return self.captured(node.body)
        if isinstance(node, tree.ListLiteral):
            return JavaList(self.value(item) for item in node.items)
        if isinstance(node, tree.MapLiteral):
            return {self.value(key): self.value(item) for key, item in node.items}
        if isinstance(node, tree.RangeLiteral):
            return _range(self.value(node.first), self.value(node.last))
        if isinstance(node, tree.Not):
            return not is_true(self.value(node.value))
        if isinstance(node, tree.Negative):
            number = self.value(node.value)
            return -number if _is_number(number) else None
        return self.binary(node)

    def binary(self, node: tree.Binary) -> Any:
        operator = node.operator
        left = self.value(node.left)
        if operator == "&&":
            return is_true(left) and is_true(self.value(node.right))
        if operator == "||":
            return is_true(left) or is_true(self.value(node.right))
        right = self.value(node.right)
        if operator == "==":
            return equals(left, right)
        if operator == "!=":
            return not equals(left, right)
        if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
            return to_text(left) + to_text(right)
        if not (_is_number(left) and _is_number(right)):
            return False if operator in ("<", ">", "<=", ">=") else None
        return _arithmetic(operator, left, right)


class _Defined:
    """What #define names: rendered anew at each use."""

    def __init__(self, body: tree.Block) -> None:
        self.body = body


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _property(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, HostObject):
        return value.vtl_property(name)
    if isinstance(value, Entry):
        return {"key": value.key, "value": value.value}.get(name)
    if name == "empty" and isinstance(value, str | list):
        return not value
    return None


def _iterated(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return list(value)
    return []


def _range(first: Any, last: Any) -> list[int] | None:
    if not (isinstance(first, int) and isinstance(last, int)):
        return None
    if abs(last - first) > _MOST_ROUNDS:
        raise Refused("a range that is too long")
    return JavaList(range(first, last + 1) if first <= last else range(first, last - 1, -1))


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if operator == "<":
        return left < right
    if operator == ">":
        return left > right
    if operator == "<=":
        return left <= right
    if operator == ">=":
        return left >= right
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):  # Java cuts towards zero
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    return left / right if operator == "/" else left % right
