"""Terminal output, in one place: plain text, colour only on a terminal (and never under NO_COLOR), or JSON lines."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import orjson

_GATHER_SECONDS = 0.02
#: A file or a pipe has no edge at which a table would be cut, but texts are wrapped for readers.
_WIDTH_ELSEWHERE = 120
_LABEL = re.compile(r"\b(error|warning)(?=: )|^  (hint)(?=: )", re.MULTILINE)
_EXCERPT = re.compile(r" +\d* +\|")
_LABEL_STYLES = {"error": ("red", "bold"), "warning": ("yellow", "bold"), "hint": ("cyan",)}
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
        terminal = not json and stream.isatty()
        self.colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.width = shutil.get_terminal_size().columns if terminal else _WIDTH_ELSEWHERE

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

    def lines(self, texts: Sequence[str]) -> None:
        """Several lines for people."""
        if not self.json:
            self._write("\n".join(texts))

    def event(self, kind: str, **facts: Any) -> None:
        """A fact for machines; nothing in text mode."""
        if self.json:
            self._write(orjson.dumps({"event": kind, **facts}, default=str).decode())

    def error(self, text: str) -> None:
        self._write(f"{self.style('error', 'red', 'bold')}: {text}")

    def warning(self, text: str) -> None:
        self._write(f"{self.style('warning', 'yellow', 'bold')}: {text}")

    def hint(self, text: str) -> None:
        self._write(f"  {self.style('hint', 'cyan')}: {text}")

    def problem(self, text: str) -> None:
        """Mistakes or warnings as `service.render` writes them."""
        if self.colour:
            lines = text.split("\n")
            text = "\n".join(
                line if _EXCERPT.match(line) else _LABEL.sub(self._label, line, count=1) for line in lines
            )
        self._write(text)

    def _label(self, match: re.Match[str]) -> str:
        word = match[1] or match[2]
        return match[0].replace(word, self.style(word, *_LABEL_STYLES[word]))

    def table(self, rows: Sequence[Sequence[str]], *, indent: int = 2) -> None:
        """Rows in aligned columns. A cell that would leave the screen goes to a line of its own."""
        if not rows or self.json:
            return
        widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
        for row in rows:
            line = " " * indent
            for position, cell in enumerate(row):
                if position and cell and len(line) + len(cell) > self.width and line.strip():
                    self._write(line.rstrip())
                    line = " " * (indent + widths[0] + 2)
                line += cell if position == len(row) - 1 else cell.ljust(widths[position]) + "  "
            self._write(line.rstrip())

    def paragraphs(self, rows: Sequence[tuple[str, str]], *, indent: int = 2) -> None:
        """Names with texts, which are wrapped beside them."""
        if not rows or self.json:
            return
        edge = indent + max(len(name) for name, _ in rows) + 2
        for name, text in rows:
            first, *more = textwrap.wrap(text, max(self.width - edge, 30), break_long_words=False) or [""]
            self._write(f"{' ' * indent}{name}".ljust(edge) + first)
            for line in more:
                self._write(" " * edge + line)

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
