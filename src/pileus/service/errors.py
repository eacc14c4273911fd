"""Mistakes in a user's configuration, and how they print.

    ConfigErrors          what is raised: everything that is wrong, found in one go
      └ ConfigError       one mistake: where in the configuration, where in which file, what, and the remedy

Warnings are ConfigError values that are returned rather than raised. Rendering follows a good compiler: the
place, the excerpt with a caret, what is wrong, and the hint.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path as FilePath

from pileus.service.marks import Mark
from pileus.service.tree import Path, dotted

_WORD = re.compile(r"""'[^']*'|"[^"]*"|\$\{[^}\n]*\}|[^\s,:\]\}\[\{]+|\S""")


class ConfigError(Exception):
    """One mistake in the configuration.

    `path` is the place in the resolved configuration, `mark` the place in a file (None when the mistake is an
    absence of the whole file or stands in the options), `message` what is wrong, `hint` the remedy.
    """

    def __init__(
        self, message: str, *, path: Path = (), mark: Mark | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.mark = mark
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.mark.file}:{self.mark.line}:{self.mark.column}: " if self.mark else ""
        at = f" (at {dotted(self.path)})" if self.path else ""
        return f"{where}{self.message}{at}"


class ConfigErrors(Exception):  # the plural is the point: all mistakes at once
    """Every mistake that was found; `errors` is in the order of the file."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors: tuple[ConfigError, ...] = tuple(sorted(errors, key=_order))
        super().__init__("\n".join(str(error) for error in self.errors))

    def render(self, base: FilePath | None = None) -> str:
        """All errors as text, files named relative to `base`."""
        return render(self.errors, base)


def _order(error: ConfigError) -> tuple[str, int, int]:
    return (str(error.mark.file), error.mark.line, error.mark.column) if error.mark else ("", 0, 0)


def render(errors: Sequence[ConfigError], base: FilePath | None = None, *, kind: str = "error") -> str:
    """Errors (or warnings, by `kind`) as plain text with excerpts; no colours, one blank line between."""
    texts: dict[FilePath, list[str]] = {}
    return "\n\n".join(_render_one(error, base, kind, texts) for error in errors)


def _render_one(
    error: ConfigError, base: FilePath | None, kind: str, texts: dict[FilePath, list[str]]
) -> str:
    at = f" (at {dotted(error.path)})" if error.path else ""
    if error.mark is None:
        lines = [f"{kind}: {error.message}{at}"]
    else:
        name = _relative(error.mark.file, base)
        lines = [f"{name}:{error.mark.line}:{error.mark.column}: {kind}: {error.message}{at}"]
        lines += _excerpt(error.mark, texts)
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    return "\n".join(lines)


def _relative(file: FilePath, base: FilePath | None) -> str:
    if base is not None and file.is_relative_to(base):
        return str(file.relative_to(base))
    return str(file)


def _excerpt(mark: Mark, texts: dict[FilePath, list[str]]) -> list[str]:
    if mark.file not in texts:
        try:
            texts[mark.file] = mark.file.read_text("utf-8", "replace").splitlines()
        except OSError:
            texts[mark.file] = []
    source = texts[mark.file]
    if not 1 <= mark.line <= len(source):
        return []
    line = source[mark.line - 1]
    word = _WORD.match(line, mark.column - 1)
    width = max(1, len(word.group()) if word else 1)
    gutter = str(mark.line)
    # Tabs stay tabs under the excerpt, so that the caret stands under its word whatever a tab's width.
    indent = "".join("\t" if char == "\t" else " " for char in line[: mark.column - 1])
    return [f"  {gutter} | {line}", f"  {' ' * len(gutter)} | {indent}{'^' * width}"]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint naming the known word closest to `word`, whatever its case; None when nothing is close."""
    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    close = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.7)
    return f"did you mean '{by_lower[close[0]]}'?" if close else None
