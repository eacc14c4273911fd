"""Token buckets of routes: how many messages a second."""

from __future__ import annotations


class Buckets:
    """In memory: a bucket that is gone is a full one."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, ...], tuple[float, float]] = {}

    def take(self, name: tuple[str, ...], rate: float, burst: float, now: float) -> bool:
        """Takes one token. rate: tokens a second. burst: the most that there are."""
        level, since = self._levels.get(name, (burst, now))
        level = min(burst, level + (now - since) * rate)
        if level < 1:
            return False
        self._levels[name] = (level - 1, now)
        return True
