"""Which operation a REST request means: a tree of path segments, walked once per request.

Segments are compared as they came, percent-encoded, and labels are decoded after that, so that `%2F` never splits a
path. A greedy label (`{Key+}`) takes the rest whatever it holds: empty segments, dots, slashes. Among the operations of one
path the one with the most query literals (`?acl`, `list-type=2`) and required query and header members wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

Params = Mapping[str, list[str]]


class Route(NamedTuple):
    """An operation under one method and path.

    labels: names of the path's labels in order. literals: query parameters it demands, with their value or None for
    any. query, headers: required members by which it differs from others of the same path.
    """

    operation: str
    labels: tuple[str, ...]
    literals: tuple[tuple[str, str | None], ...]
    query: tuple[str, ...]
    headers: tuple[str, ...]

    deprecated: bool

    def order(self) -> tuple[int, int, bool, str]:
        """The most demanding first; a deprecated operation after its successor of the same address."""
        return -len(self.literals), -len(self.query) - len(self.headers), self.deprecated, self.operation

    def is_addressed(self, params: Params) -> bool:
        for name, value in self.literals:
            given = params.get(name)
            if given is None or (value is not None and value not in given):
                return False
        return True

    def is_complete(self, params: Params, headers: Mapping[str, str]) -> bool:
        # loops, for a generator costs more than these look-ups
        for name in self.query:
            if name not in params:
                return False
        for name in self.headers:  # noqa: SIM110
            if name not in headers:
                return False
        return True


class Choice:
    """The operations of one method and path, the most demanding first; those with literals by their first one."""

    __slots__ = ("by_literal", "plain", "routes")

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.by_literal: dict[str, list[Route]] = {}
        self.plain: list[Route] = []

    def settle(self) -> None:
        self.routes.sort(key=Route.order)
        for route in self.routes:
            if route.literals:
                self.by_literal.setdefault(route.literals[0][0], []).append(route)
            else:
                self.plain.append(route)

    def choose(self, params: Params, headers: Mapping[str, str]) -> Route | None:
        """The first that has all it demands; else the last that is addressed: validation tells what it lacks."""
        if params and self.by_literal:
            addressed = [
                route
                for name in params
                if name in self.by_literal
                for route in self.by_literal[name]
                if route.is_addressed(params)
            ]
            if addressed:
                addressed.sort(key=Route.order)
                most = len(addressed[0].literals)
                return _complete(
                    [route for route in addressed if len(route.literals) == most], params, headers
                )
        return _complete(self.plain, params, headers)


def _complete(routes: list[Route], params: Params, headers: Mapping[str, str]) -> Route | None:
    for route in routes:
        if (not route.query and not route.headers) or route.is_complete(params, headers):
            return route
    return routes[-1] if routes else None


class _Node:
    __slots__ = ("greedy", "label", "literals", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.label: _Node | None = None
        self.greedy: _Node | None = None
        self.routes: dict[str, Choice] = {}  # by method


class Router:
    """The operations of one REST service."""

    def __init__(
        self, operations: Mapping[str, Mapping[str, Any]], shapes: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._root = _Node()
        for name, operation in operations.items():
            self._add(name, operation, shapes)
        _settle(self._root)

    def match(
        self, method: str, path: str, params: Params, headers: Mapping[str, str]
    ) -> tuple[str, dict[str, str]] | None:
        """The operation and its path parameters, decoded; None: nothing answers this method and path."""
        found = _walk(self._root, path[1:], method)
        if found is None:
            return None
        choice, values = found
        route = choice.choose(params, headers)
        return None if route is None else (route.operation, dict(zip(route.labels, values, strict=True)))

    def _add(self, name: str, operation: Mapping[str, Any], shapes: Mapping[str, Mapping[str, Any]]) -> None:
        path, _, query = operation["http"]["requestUri"].partition("?")
        node, labels = self._root, []
        for segment in path.strip("/").split("/") if path.strip("/") else []:
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            labels.append(segment[1:-1].rstrip("+"))
            if segment.endswith("+}"):
                node.greedy = node = node.greedy or _Node()
            else:
                node.label = node = node.label or _Node()
        literals = tuple(
            (key, value or None) for key, value in parse_qsl(query, keep_blank_values=True) if query
        )
        needed_query, needed_headers = _required(operation, shapes)
        deprecated = bool(operation.get("deprecated"))
        route = Route(name, tuple(labels), literals, needed_query, needed_headers, deprecated)
        node.routes.setdefault(operation["http"]["method"], Choice()).routes.append(route)


def _required(
    operation: Mapping[str, Any], shapes: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    query: list[str] = []
    headers: list[str] = []
    if "input" in operation:
        shape = shapes[operation["input"]["shape"]]
        for name in shape.get("required", ()):
            ref = shape["members"][name]
            where, wire = ref.get("location"), ref.get("locationName", name)
            if where == "querystring" and shapes[ref["shape"]]["type"] != "map":
                query.append(wire)
            elif where == "header":
                headers.append(wire.lower())
    return tuple(query), tuple(headers)


def _settle(node: _Node) -> None:
    for choice in node.routes.values():
        choice.settle()
    for child in (*node.literals.values(), node.label, node.greedy):
        if child is not None:
            _settle(child)


def _walk(node: _Node, rest: str, method: str) -> tuple[Choice, tuple[str, ...]] | None:
    """rest: the path below this node, without a leading slash."""
    if rest:
        segment, _, below = rest.partition("/")
        child = node.literals.get(segment)
        if child is not None and (found := _walk(child, below, method)):
            return found
        if node.label is not None and segment and (found := _walk(node.label, below, method)):
            return found[0], (_decode(segment), *found[1])
        if node.greedy is not None and method in node.greedy.routes:
            return node.greedy.routes[method], (_decode(rest),)
        return None
    choice = node.routes.get(method)
    return (choice, ()) if choice is not None else None


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape") if "%" in text else text
