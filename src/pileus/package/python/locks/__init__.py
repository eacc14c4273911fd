"""One file a lock format: each gives the pinned lines of what the platform needs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locked:
    """`lines` are (normalised name, requirement line); `roots` are the names that the user wrote, () if the lock
    does not tell; `indexes` are URLs of indexes that it names."""

    lines: tuple[tuple[str, str], ...]
    roots: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()


def hashed(line: str, hashes: list[str]) -> str:
    """A line with the hashes (`sha256:…`) that its file may have."""
    return " ".join([line, *(f"--hash={one}" for one in sorted(hashes))])
