"""Long lists of structures as XML, column by column.

A listing's thousand entries are alike: the same members in each, few different values in most. Written entry by entry
they cost a call for each value; by columns a value costs one step of a loop that runs in C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

#: Below, the columns cost more than they save.
_FEWEST = 8


class Member(NamedTuple):
    """How a structure's member is written: a scalar by `convert` between its tags, anything else by `write`."""

    opening: str
    convert: Callable[[Any], str] | None
    closing: str
    write: Callable[[Any, list[str]], None] | None


def written(
    values: Sequence[Mapping[str, Any]],
    opening: str,
    closing: str,
    members: Mapping[str, Member],
    escape: Callable[[str], str],
) -> str | None:
    """All `values`, each between `opening` and `closing`; None where they are few or not alike: then each has to be
    written for itself. escape: the `convert` of members that are text."""
    if len(values) < _FEWEST or {len(value) for value in values} != {len(values[0])}:
        return None
    form, columns = [_literal(opening)], []
    for name in values[0]:
        member = members.get(name)
        if member is None:
            return None
        try:
            cells = [value[name] for value in values]
        except KeyError:
            return None
        if member.convert is None:
            form.append("%s")
            columns.append(_elements(cells, member))
        elif None in cells:
            form.append("%s")
            columns.append(_optional(cells, member))
        else:
            form.append(f"{_literal(member.opening)}%s{_literal(member.closing)}")
            columns.append(
                _escaped(cells, escape) if member.convert is escape else _texts(cells, member.convert)
            )
    form.append(_literal(closing))
    line = "".join(form)
    return "".join([line % cells for cells in zip(*columns, strict=True)])


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _escaped(cells: list[str], escape: Callable[[str], str]) -> list[str]:
    """All at once where no value holds the separator."""
    text = "\n".join(cells)
    done = escape(text)
    if done is text:
        return cells
    return done.split("\n") if text.count("\n") == len(cells) - 1 else [escape(cell) for cell in cells]


def _texts(cells: list[Any], convert: Callable[[Any], str]) -> list[str]:
    known = {cell: convert(cell) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _optional(cells: list[Any], member: Member) -> list[str]:
    convert = member.convert
    assert convert is not None
    return ["" if cell is None else f"{member.opening}{convert(cell)}{member.closing}" for cell in cells]


def _elements(cells: list[Any], member: Member) -> list[str]:
    """What stands in many entries as one object (an owner) is written once."""
    write = member.write
    known: dict[int, str] = {}
    for cell in cells:
        if id(cell) not in known:
            out: list[str] = []
            if cell is not None and write is not None:
                write(cell, out)
            known[id(cell)] = "".join(out)
    return [known[id(cell)] for cell in cells]
