"""Projections as closures: the item with nothing but the given document paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..values import AttributeValue, Item
from .tree import Path

Project = Callable[[Item], Item]
Tree = dict[Any, "Tree | None"]  # attribute name or list index → what of it, None for all


def compile_projection(paths: Iterable[Path]) -> Project:
    tree = _tree(paths)
    if all(below is None for below in tree.values()):
        names = tuple(tree)

        def pick(item: Item) -> Item:
            return {name: item[name] for name in names if name in item}

        return pick
    return lambda item: _members(item, tree)


def _tree(paths: Iterable[Path]) -> Tree:
    root: Tree = {}
    for path in paths:
        node = root
        for part in path.parts[:-1]:
            below = node.get(part)
            if below is None:
                below = node[part] = {}
            node = below
        node[path.parts[-1]] = None
    return root


def _members(members: Item, tree: Tree) -> Item:
    found = {}
    for name, below in tree.items():
        value = members.get(name)
        if value is None:
            continue
        if below is not None:
            value = _within(value, below)
        if value is not None:
            found[name] = value
    return found


def _within(value: AttributeValue, tree: Tree) -> AttributeValue | None:
    if "M" in value:
        members = _members(value["M"], {k: v for k, v in tree.items() if isinstance(k, str)})
        return {"M": members} if members else None
    if "L" in value:
        elements = value["L"]
        found = []
        for index in sorted(k for k in tree if isinstance(k, int)):
            if index < len(elements):
                below = tree[index]
                element = elements[index] if below is None else _within(elements[index], below)
                if element is not None:
                    found.append(element)
        return {"L": found} if found else None
    return None
