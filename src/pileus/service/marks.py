"""Where each value was written: a tree of marks of the same shape as the data.

A value that comes from `${file(...)}` brings the marks of its own file along, so a mistake in it is shown where
it was made. Looking a place up costs a walk from the root; building costs one small object a value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NamedTuple

from pileus.service.tree import Path


class Mark(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: FilePath
    line: int
    column: int


@dataclass(slots=True)
class Marks:
    """The mark of a value, of the key that it stands under, and of what is inside it.

    `later` delays the marks of a whole file until a mistake asks for them (JSON files).
    """

    mark: Mark
    key: Mark | None = None
    children: dict[str | int, "Marks"] | None = None
    later: Callable[[], "Marks"] | None = None

    def settle(self) -> "Marks":
        """This node with its children, read from the file now if that was delayed."""
        if self.later is not None:
            read, self.later = self.later(), None
            self.mark, self.children = read.mark, read.children
        return self

    def child(self, part: str | int) -> "Marks | None":
        children = self.settle().children
        if children is None:
            return None
        found = children.get(part)
        if found is None and isinstance(part, str) and part.isdigit():
            found = children.get(int(part))
        return found

    def find(self, path: Path, *, key: bool = False) -> Mark:
        """The mark of the value at `path`, or of the closest enclosing one that was written at all.

        With `key`, the mark of the key that the value stands under rather than of the value.
        """
        node: Marks = self
        for position, part in enumerate(path):
            inner = node.child(part)
            if inner is None:
                return node.key if node.key is not None and position and key else node.mark
            node = inner
        return node.key if key and node.key is not None else node.mark

    def graft(self, path: Path, marks: "Marks") -> None:
        """Put the marks of a value from elsewhere in at `path`, keeping the key that it stands under here."""
        node: Marks = self
        for part in path[:-1]:
            inner = node.child(part)
            if inner is None:
                return
            node = inner
        if node.children is None:
            node.children = {}
        last = path[-1]
        old = node.child(last)
        if old is None and isinstance(last, str) and last.isdigit() and int(last) in node.children:
            last = int(last)
        node.children[last] = Marks(marks.mark, old.key if old else None, marks.children, marks.later)
