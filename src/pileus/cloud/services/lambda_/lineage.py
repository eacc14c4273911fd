"""Recursion detection: how often an event has come through a function on its way, as its trace header tells.

Lambda adds `Lineage=1:{function}:{count}` to the trace, SDKs hand it on with their calls, and SQS with its messages. After
about sixteen rounds through the same function the chain is stopped ("Use Lambda recursive loop detection").
"""

from __future__ import annotations

import zlib

#: Invocations in one chain, after which the next is stopped.
MOST = 16
#: Functions that a header remembers.
_REMEMBERED = 16


def advanced(trace: str, function_arn: str) -> tuple[str, int]:
    """The header that goes on, and how often this function was in the chain before."""
    own = f"{zlib.crc32(function_arn.encode()):08x}"
    parts, counts = [], {}
    for part in trace.split(";"):
        if part.startswith("Lineage="):
            counts = _counts(part.removeprefix("Lineage="))
        elif part:
            parts.append(part)
    before = counts.pop(own, -1) + 1
    counts[own] = before
    kept = list(counts.items())[-_REMEMBERED:]
    lineage = "|".join(f"1:{name}:{count}" for name, count in kept)
    return ";".join([*parts, f"Lineage={lineage}"]), before


def _counts(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in text.split("|"):
        _, _, rest = item.partition(":")
        name, _, count = rest.partition(":")
        if name and count.isdecimal() and len(count) < 6:
            found[name] = int(count)
    return found
