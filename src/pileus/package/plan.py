"""What is to be packaged: the artifacts of a service and the files of each. Nothing is written here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path as FilePath

from pileus.package.files import FileSource
from pileus.service.model import Service


class Kind(Enum):
    SERVICE = "service"
    FUNCTION = "function"
    LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Target:
    """Whose code an artifact is: the service's (key ""), one function's, or one layer's."""

    kind: Kind
    key: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactPlan:
    """One artifact: made of `files`, or the archive `ready` that the user brings along.

    `functions` are the keys of the functions that run from it (none for a layer).
    """

    target: Target
    file_name: str
    functions: tuple[str, ...] = ()
    files: tuple[FileSource, ...] = ()
    ready: FilePath | None = None


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """Every artifact of a service. Plugins return a changed copy (`adding`, `replacing`)."""

    service: Service
    artifacts: tuple[ArtifactPlan, ...]

    def of_function(self, key: str) -> ArtifactPlan | None:
        """The artifact that a function runs from; None for an image."""
        return next((artifact for artifact in self.artifacts if key in artifact.functions), None)

    def changing(self, change: Callable[[ArtifactPlan], ArtifactPlan]) -> "PackagePlan":
        """A copy with every artifact that is made here (not brought along) passed through `change`."""
        artifacts = tuple(artifact if artifact.ready else change(artifact) for artifact in self.artifacts)
        return replace(self, artifacts=artifacts)

    def adding(self, files: Mapping[Target, Iterable[FileSource]]) -> "PackagePlan":
        """A copy with more files in some artifacts; the user's own file wins over an added one of its path."""

        def add(artifact: ArtifactPlan) -> ArtifactPlan:
            more = files.get(artifact.target)
            if more is None:
                return artifact
            by_path = {file.path: file for file in more} | {file.path: file for file in artifact.files}
            return replace(artifact, files=tuple(by_path.values()))

        return self.changing(add)

    def replacing(self, files: Mapping[Target, Iterable[FileSource]]) -> "PackagePlan":
        """A copy with other files in some artifacts."""
        return self.changing(
            lambda artifact: (
                replace(artifact, files=tuple(files[artifact.target]))
                if artifact.target in files
                else artifact
            )
        )


def plan_package(service: Service) -> PackagePlan:
    """The artifacts of a service. Raises ConfigErrors (a missing artifact, patterns that match nothing)."""
    raise NotImplementedError
