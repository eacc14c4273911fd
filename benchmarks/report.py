"""Rows as a table for people, for JSON, and for docs/benchmarks.md. Pure but for `write_docs`."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .figures import OURS, Figure, Row

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- figures: python -m benchmarks --write-docs -->", "<!-- end of figures -->"


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg()),
    }


def cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Head and lines of the table of one benchmark's rows."""
    contestants: list[str] = []
    for row in rows:
        contestants += [name for name in (*row.figures, *row.failures) if name not in contestants]
    peers = [name for name in contestants if name != OURS and not name.startswith(OURS)]
    head = ["case", *contestants, *(f"× {peer}" for peer in peers), "spread", "target"]
    return head, [_line(row, contestants, peers) for row in rows]


def _line(row: Row, contestants: Sequence[str], peers: Sequence[str]) -> list[str]:
    line = [row.case]
    for name in contestants:
        figure = row.figures.get(name)
        line.append("failed" if name in row.failures else "–" if figure is None else shown(figure, row.unit))
    for peer in peers:
        ratio = row.ratio(peer)
        line.append("–" if ratio is None else f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×")
    spread = max((figure.spread for figure in row.figures.values()), default=0.0)
    line.append(f"{spread:.0%}")
    line.append(", ".join(f"{words} {'✓' if reached else '✗'}" for words, reached in row.verdicts()))
    return line


def shown(figure: Figure, unit: str) -> str:
    """`3,210/s (0.31/0.54)`: with the latencies p50/p99 in milliseconds, where the figure has them."""
    if unit == "/s":
        text = f"{figure.value:,.0f}/s"
    elif unit == "ms":
        text = f"{figure.value:.2f} ms" if figure.value < 10 else f"{figure.value:.0f} ms"
    else:
        text = f"{figure.value:.2f} {unit}"
    if figure.p50 is not None and figure.p99 is not None and unit != "ms":
        text += f" ({figure.p50:.2f}/{figure.p99:.2f})"
    return text


def plain(rows: Sequence[Row]) -> str:
    """The table in columns, one block a benchmark."""
    blocks = []
    for name in dict.fromkeys(row.benchmark for row in rows):
        head, lines = cells([row for row in rows if row.benchmark == name])
        widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head))]
        text = [name.upper()]
        for line in (head, *lines):
            text.append(
                "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
        blocks.append("\n".join(text))
    failures = [
        f"failed: {row.benchmark} {row.case}, {name}: {why}"
        for row in rows
        for name, why in row.failures.items()
    ]
    return "\n\n".join([*blocks, *failures])


def markdown(rows: Sequence[Row], versions: dict[str, str], facts: dict[str, str], settings: str) -> str:
    lines = [
        f"Taken on {facts['processor']}, {facts['memory']}, {facts['system']}, Python {facts['python']}; load average at "
        f"the start {facts['load']}; {settings}.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "",
    ]
    for name in dict.fromkeys(row.benchmark for row in rows):
        head, table = cells([row for row in rows if row.benchmark == name])
        lines += [f"### {name}", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
        lines += [f"| {' | '.join(line)} |" for line in table]
        lines.append("")
    return "\n".join(lines)


def write_docs(text: str, path: Path = DOCS) -> None:
    """Puts the generated part between its marks; the prose around it stays."""
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(_BEGIN)
    if not found or _END not in rest:
        raise ValueError(f"{path} has no marks for the figures")
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n\n{text}\n{_END}{after}", encoding="utf-8")


def as_json(rows: Sequence[Row], versions: dict[str, str], facts: dict[str, str]) -> dict[str, Any]:
    return {"machine": facts, "versions": versions, "rows": [row.as_json() for row in rows]}
