"""Terminal output, in one place: plain text, colour only on a terminal (and never under NO_COLOR), or JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import orjson

_GATHER_SECONDS = 0.02
_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


class Ui:
    """json: print events as JSON lines, one object each, instead of text."""

    def __init__(self, stream: TextIO, *, json: bool = False) -> None:
        self.stream = stream
        self.json = json
        self._later: Callable[[float, Callable[[], None]], object] | None = None
        self._waiting: list[str] = []
        self.colour = (
            not json and stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        )

    @classmethod
    def stdout(cls, *, json: bool = False) -> Ui:
        return cls(sys.stdout, json=json)

    @classmethod
    def stderr(cls) -> Ui:
        return cls(sys.stderr)

    def gather(self, call_later: Callable[[float, Callable[[], None]], object]) -> None:
        """From now on lines are written some milliseconds later, many at once: a write for each line of a busy server
        would cost more than the request that it tells of. call_later: the event loop's."""
        self._later = call_later

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._put("\n".join(waiting))

    def style(self, text: str, *styles: str) -> str:
        if not self.colour:
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def line(self, text: str = "") -> None:
        """A line for people; nothing in JSON mode."""
        if not self.json:
            self._write(text)

    def event(self, kind: str, **facts: Any) -> None:
        """A fact for machines; nothing in text mode."""
        if self.json:
            self._write(orjson.dumps({"event": kind, **facts}, default=str).decode())

    def error(self, text: str) -> None:
        self._write(f"{self.style('error', 'red', 'bold')}: {text}")

    def warning(self, text: str) -> None:
        self._write(f"{self.style('warning', 'yellow', 'bold')}: {text}")

    def hint(self, text: str) -> None:
        self._write(f"  {self.style('help', 'cyan')}: {text}")

    def table(self, rows: Sequence[Sequence[str]], *, indent: int = 2) -> None:
        """Rows in aligned columns."""
        if not rows or self.json:
            return
        widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
        for row in rows:
            cells = [cell.ljust(widths[i]) for i, cell in enumerate(row)]
            self._write((" " * indent + "  ".join(cells)).rstrip())

    def _write(self, text: str) -> None:
        if self._later is None:
            self._put(text)
            return
        if not self._waiting:
            self._later(_GATHER_SECONDS, self.flush)
        self._waiting.append(text)

    def _put(self, text: str) -> None:
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except BrokenPipeError:
            # the reader has gone; what is left to say has no listener
            self.stream = open(os.devnull, "w")  # noqa: SIM115, PTH123
