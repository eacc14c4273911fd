"""Which method a request is for: a tree of path segments, compiled when a stage is first asked.

At each step a literal goes before `{name}`, that before `{name+}`. A resource that lacks the verb (and has no ANY) does
not end the search: the next less specific one is tried.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class _Node(Generic[T]):
    __slots__ = ("greedy", "greedy_name", "literals", "methods", "variable", "variable_name")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.variable: _Node[T] | None = None
        self.variable_name = ""
        self.greedy: _Node[T] | None = None
        self.greedy_name = ""
        self.methods: dict[str, T] = {}

    def method(self, verb: str) -> T | None:
        return self.methods.get(verb) or self.methods.get("ANY")


class Router(Generic[T]):
    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._exact: dict[str, _Node[T]] = {}

    def add(self, path: str, verb: str, target: T) -> None:
        """path: of the resource, such as `/users/{id}`. verb: upper case, or ANY."""
        node = self._root
        for segment in [part for part in path.split("/") if part]:
            node = _child(node, segment)
        node.methods[verb] = target
        if "{" not in path:
            self._exact[path] = node

    def find(self, path: str, verb: str) -> tuple[T, dict[str, str]] | None:
        """path: percent-encoded; a slash at its end does not count. Gives the target and the path's parameters,
        as they stand in the path."""
        node = self._exact.get(path)
        if node is not None and (target := node.method(verb)) is not None:
            return target, {}
        segments = path.strip("/").split("/") if path.strip("/") else []
        parameters: dict[str, str] = {}
        found = _search(self._root, segments, 0, verb, parameters)
        return None if found is None else (found, parameters)


def _child(node: _Node[T], segment: str) -> _Node[T]:
    if segment.startswith("{") and segment.endswith("+}"):
        if node.greedy is None:
            node.greedy = _Node()
        node.greedy_name = segment[1:-2]
        return node.greedy
    if segment.startswith("{"):
        if node.variable is None:
            node.variable = _Node()
        node.variable_name = segment[1:-1]
        return node.variable
    return node.literals.setdefault(segment, _Node())


def _search(
    node: _Node[T], segments: list[str], index: int, verb: str, parameters: dict[str, str]
) -> T | None:
    if index == len(segments):
        return node.method(verb)
    segment = segments[index]
    child = node.literals.get(segment)
    if child is not None:
        found = _search(child, segments, index + 1, verb, parameters)
        if found is not None:
            return found
    if node.variable is not None and segment:
        found = _search(node.variable, segments, index + 1, verb, parameters)
        if found is not None:
            parameters[node.variable_name] = segment
            return found
    if node.greedy is not None:
        found = node.greedy.method(verb)
        if found is not None:
            parameters[node.greedy_name] = "/".join(segments[index:])
            return found
    return None
