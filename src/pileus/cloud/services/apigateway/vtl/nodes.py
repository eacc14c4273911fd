"""What a parsed template is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Property:
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    value: Expression


Step: TypeAlias = "Property | Method | Index"


@dataclass(frozen=True, slots=True)
class Reference:
    """source: as written, which is what an undefined reference renders as. quiet: `$!`, renders as nothing."""

    source: str
    root: str
    steps: tuple[Step, ...] = ()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A double-quoted string, itself a template."""

    body: Block


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class MapLiteral:
    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Not:
    value: Expression


@dataclass(frozen=True, slots=True)
class Negative:
    value: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Expression
    right: Expression


Expression: TypeAlias = (
    "Reference | Literal | Interpolated | ListLiteral | RangeLiteral | MapLiteral | Not | Negative | Binary"
)


@dataclass(frozen=True, slots=True)
class Set:
    target: Reference
    value: Expression


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Expression, Block], ...]
    otherwise: Block


@dataclass(frozen=True, slots=True)
class ForEach:
    variable: str
    source: Expression
    body: Block


@dataclass(frozen=True, slots=True)
class Define:
    name: str
    body: Block


@dataclass(frozen=True, slots=True)
class Macro:
    name: str
    parameters: tuple[str, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class MacroCall:
    """source: as written, which is what a macro that is not defined yet renders as."""

    source: str
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Break:
    pass


@dataclass(frozen=True, slots=True)
class Stop:
    pass


Node: TypeAlias = "Text | Reference | Set | If | ForEach | Define | Macro | MacroCall | Break | Stop"
Block: TypeAlias = "tuple[Node, ...]"
