"""What the parser makes of an expression. Names are resolved: a path holds attribute names and list indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Path(NamedTuple):
    """parts: attribute names (str) and list indexes (int); the first is always a name."""

    parts: tuple[str | int, ...]

    def __str__(self) -> str:
        """As AWS's messages show it: `[a, b, [0]]`."""
        return "[" + ", ".join(p if isinstance(p, str) else f"[{p}]" for p in self.parts) + "]"


class Value(NamedTuple):
    """name: the placeholder, with its colon."""

    name: str


class Literal(NamedTuple):
    """value: an attribute value in wire form. From legacy parameters and PartiQL; expressions have placeholders."""

    value: dict[str, object]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """operator: `+` or `-`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """operator: = <> < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    operand: Node
    lower: Node
    upper: Node


@dataclass(frozen=True, slots=True)
class In:
    operand: Node
    candidates: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And:
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Or:
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node


Node = Path | Value | Literal | Function | Arithmetic | Comparison | Between | In | And | Or | Not


@dataclass(frozen=True, slots=True)
class Action:
    """One clause of an update. section: SET, REMOVE, ADD or DELETE; operand: None for REMOVE."""

    section: str
    path: Path
    operand: Node | None
