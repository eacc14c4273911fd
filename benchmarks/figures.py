"""What a benchmark gives: rows of a table, each a case with one figure a contestant. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

#: The contestant that all ratios are about.
OURS = "pileus"


@dataclass(frozen=True, slots=True)
class Sample:
    """One round. value: in the row's unit. p50, p99: milliseconds, where the round was a load."""

    value: float
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The rounds of one contestant: median, extremes."""

    value: float
    low: float
    high: float
    rounds: int
    p50: float | None = None
    p99: float | None = None

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Figure:
        values = [sample.value for sample in samples]
        p50s = [sample.p50 for sample in samples if sample.p50 is not None]
        p99s = [sample.p99 for sample in samples if sample.p99 is not None]
        return cls(
            median(values),
            min(values),
            max(values),
            len(values),
            median(p50s) if p50s else None,
            median(p99s) if p99s else None,
        )

    @property
    def spread(self) -> float:
        """(highest - lowest) / median: 0.1 says that the rounds lay within ten percent."""
        return (self.high - self.low) / self.value if self.value else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A case.

    unit: `/s` (more is better), `ms` or `s` (less is better). figures: by contestant. failures: why a contestant has none.
    wanted: by peer, how many times better Pileus should be. at_most: what Pileus' own figure should not exceed.
    """

    benchmark: str
    case: str
    unit: str
    figures: Mapping[str, Figure]
    wanted: Mapping[str, float] = field(default_factory=dict)
    at_most: float | None = None
    failures: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, peer: str) -> float | None:
        """How many times better than `peer` Pileus is; below 1 it is worse."""
        ours, theirs = self.figures.get(OURS), self.figures.get(peer)
        if ours is None or theirs is None or not ours.value or not theirs.value:
            return None
        return ours.value / theirs.value if self.unit == "/s" else theirs.value / ours.value

    def verdicts(self) -> list[tuple[str, bool]]:
        """Each target in words, and whether it is reached."""
        found = []
        for peer, times in self.wanted.items():
            ratio = self.ratio(peer)
            found.append((f"≥ {times:g}× {peer}", ratio is not None and ratio >= times))
        if self.at_most is not None:
            ours = self.figures.get(OURS)
            found.append((f"≤ {self.at_most:g} {self.unit}", ours is not None and ours.value <= self.at_most))
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "case": self.case,
            "unit": self.unit,
            "figures": {
                name: {
                    "median": figure.value,
                    "low": figure.low,
                    "high": figure.high,
                    "rounds": figure.rounds,
                    "p50_ms": figure.p50,
                    "p99_ms": figure.p99,
                }
                for name, figure in self.figures.items()
            },
            "ratios": {
                peer: ratio
                for peer in self.figures
                if peer != OURS and (ratio := self.ratio(peer)) is not None
            },
            "targets": [{"target": words, "reached": reached} for words, reached in self.verdicts()],
            "failures": dict(self.failures),
        }


def interleaved(contestants: Sequence[str], rounds: int) -> list[tuple[int, str]]:
    """(round, contestant) in the order to measure: each round begins with another one, so that none is always first."""
    order = []
    for number in range(rounds):
        shift = number % len(contestants)
        order += [(number, name) for name in (*contestants[shift:], *contestants[:shift])]
    return order
