"""Where the megabytes of an archive come from: sizes by dependency, and by folder for the rest."""

from dataclasses import dataclass

from pileus.package.plan import Target


@dataclass(frozen=True, slots=True)
class Share:
    """What one dependency or top-level folder adds to an archive; sizes in bytes."""

    name: str
    files: int
    unzipped: int
    zipped: int


@dataclass(frozen=True, slots=True)
class ArtifactSizes:
    """One archive, its shares sorted by unzipped size, the largest first."""

    target: Target
    file_name: str
    unzipped: int
    zipped: int
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    artifacts: tuple[ArtifactSizes, ...]
