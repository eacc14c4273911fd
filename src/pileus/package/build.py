"""Plan → archives in the output folder, with the digests that the template needs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.compile.artifacts import Artifacts
from pileus.package.explain import Explanation
from pileus.package.plan import PackagePlan, Target

#: Is told what is being done, a short text each time.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One archive on the disk. Sizes in bytes; `sha256` as CodeSha256, base64; `reused` when it stood there already."""

    target: Target
    file: FilePath
    size: int
    unzipped: int
    sha256: str
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: `artifacts` for the compiler, `files` for the upload, `explain` for people."""

    artifacts: Artifacts
    files: tuple[BuiltFile, ...]
    explain: Explanation


def build_package(
    plan: PackagePlan, out: FilePath, *, at_ms: int, progress: Progress = lambda text: None
) -> Built:
    """Write the plan's archives to `out`. Raises ConfigErrors before anything is written, when Lambda's limits
    would be exceeded; files of `out` appear whole or not at all."""
    raise NotImplementedError
