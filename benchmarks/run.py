"""What one run of the benchmarks shares: its processes, its folder, how long each measurement takes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from .processes import Processes


@dataclass(frozen=True, slots=True)
class Run:
    """rounds: of every measurement, contestants taking turns. seconds: of load a round. starts: of every server whose
    start is timed. requests: prepared for a load, all different."""

    processes: Processes
    folder: Path
    rounds: int
    seconds: float
    starts: int
    requests: int

    def scratch(self, name: str) -> Path:
        """A new folder of that name."""
        path = self.folder / name
        number = 1
        while path.exists():
            number += 1
            path = self.folder / f"{name}-{number}"
        path.mkdir()
        return path

    @staticmethod
    def say(text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)
