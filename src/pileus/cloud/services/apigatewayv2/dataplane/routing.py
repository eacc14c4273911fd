"""Which route takes a request: the most specific path, then the method itself before ANY, then `$default`.

Source: "Create routes for HTTP APIs in API Gateway", section "How API Gateway selects a route", in the developer guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

R = TypeVar("R")


@dataclass(slots=True)
class _Leaf(Generic[R]):
    """One path's routes by method, and what its variables are called there."""

    routes: dict[str, tuple[R, tuple[str, ...]]] = field(default_factory=dict)

    def pick(self, method: str) -> tuple[R, tuple[str, ...]] | None:
        return self.routes.get(method) or self.routes.get("ANY")


@dataclass(slots=True)
class _Node(Generic[R]):
    static: dict[str, _Node[R]] = field(default_factory=dict)
    variable: _Node[R] | None = None
    here: _Leaf[R] = field(default_factory=_Leaf)
    greedy: _Leaf[R] = field(default_factory=_Leaf)


class Router(Generic[R]):
    """Routes by key (`GET /users/{id}`, `ANY /{proxy+}`, `$default`)."""

    def __init__(self) -> None:
        self._fixed: dict[tuple[str, str], R] = {}
        self._root: _Node[R] = _Node()
        self._default: R | None = None

    def add(self, key: str, route: R) -> None:
        if key == "$default":
            self._default = route
            return
        method, _, path = key.partition(" ")
        if "{" not in path:
            self._fixed[method, path] = route
        node, names = self._root, []
        for segment in path.split("/")[1:]:
            if segment.endswith("+}"):
                names.append(segment[1:-2])
                node.greedy.routes[method] = (route, tuple(names))
                return
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.static.setdefault(segment, _Node())
        node.here.routes[method] = (route, tuple(names))

    def find(self, method: str, path: str) -> tuple[R, dict[str, str]] | None:
        """The route and the decoded path parameters. path: percent-encoded, beginning with `/`."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, {}
        segments = path.split("/")[1:]
        if "%" in path:
            segments = [unquote(segment) for segment in segments]
        values: list[str] = []
        found = self._walk(self._root, method, segments, 0, values)
        if found is not None:
            route, names = found
            return route, dict(zip(names, values, strict=True))
        return None if self._default is None else (self._default, {})

    def _walk(
        self, node: _Node[R], method: str, segments: list[str], index: int, values: list[str]
    ) -> tuple[R, tuple[str, ...]] | None:
        """values: of the variables on the way to what was found."""
        if index == len(segments):
            return node.here.pick(method)
        segment, depth = segments[index], len(values)
        if (child := node.static.get(segment)) is not None:
            found = self._walk(child, method, segments, index + 1, values)
            if found is not None:
                return found
            del values[depth:]
        if node.variable is not None and segment:
            values.append(segment)
            found = self._walk(node.variable, method, segments, index + 1, values)
            if found is not None:
                return found
            del values[depth:]
        if segment and (greedy := node.greedy.pick(method)) is not None:
            values.append("/".join(segments[index:]))
            return greedy
        return None
