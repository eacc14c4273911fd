"""`.env` files: KEY=VALUE lines, quotes, comments and `$NAME` references, as `useDotenv: true` reads them."""

import re
from collections.abc import Mapping
from pathlib import Path as FilePath

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=[ \t]*?|:[ \t]+?)"""
    r"""([ \t]*'(?:\\'|[^'])*'|[ \t]*"(?:\\"|[^"])*"|[ \t]*`(?:\\`|[^`])*`|[^#\r\n]*)?[ \t]*(?:#.*)?$""",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"(\\)?\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


def parse(text: str) -> dict[str, str]:
    """The pairs of a file, quotes taken off; `\\n` is a new line in double quotes only."""
    pairs: dict[str, str] = {}
    for name, raw in _LINE.findall(text.replace("\r\n", "\n")):
        value = raw.strip()
        quote = value[:1]
        if len(value) > 1 and quote in "'\"`" and value.endswith(quote):
            value = value[1:-1]
            if quote == '"':
                value = value.replace("\\n", "\n").replace("\\r", "\r")
        pairs[name] = value
    return pairs


def expand(pairs: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`pairs` with references to one another and to `environ` replaced; `\\$` is a dollar sign."""
    expanded: dict[str, str] = {}

    def reference(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        name = match[2] or match[4]
        return environ.get(name) or expanded.get(name) or pairs.get(name) or match[3] or ""

    for name, value in pairs.items():
        expanded[name] = _REFERENCE.sub(reference, value)
    return expanded


def file_for(directory: FilePath, stage: str) -> FilePath:
    """The one file that is read: `.env.<stage>` where there is one, else `.env`."""
    staged = directory / f".env.{stage}"
    return staged if staged.is_file() else directory / ".env"
