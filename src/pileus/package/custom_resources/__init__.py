"""custom-resources.zip: the code of the functions that do in a stack what CloudFormation cannot (`compile/custom_resources.py`).

The handlers are our own, in JavaScript on the SDK that Lambda's Node.js runtimes bring along, so the archive has no
dependencies and its bytes are the same in every service.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from pileus.compile.artifacts import CUSTOM_RESOURCES
from pileus.compile.custom_resources import uses_archive
from pileus.package.files import FileSource
from pileus.package.plan import ArtifactPlan, Kind, PackagePlan, Target
from pileus.service.errors import ConfigErrors
from pileus.service.tree import Json

_HANDLERS = FilePath(__file__).with_name("handlers")


def with_custom_resources(plan: PackagePlan, template: Mapping[str, Json]) -> PackagePlan:
    """The plan with the archive, when the template has a function that runs from it.

    Raises ConfigErrors when another archive of the plan has its name.
    """
    if not uses_archive(template):
        return plan
    for other in plan.artifacts:
        if other.file_name == CUSTOM_RESOURCES:
            message = (
                f"the archive {CUSTOM_RESOURCES} has the name of the one for the framework's own functions"
            )
            raise ConfigErrors([plan.service.mistake(message, other.path, "rename it", key=True)])
    artifact = ArtifactPlan(Target(Kind.CUSTOM_RESOURCES), CUSTOM_RESOURCES, files=_files())
    return replace(plan, artifacts=(*plan.artifacts, artifact))


def _files() -> tuple[FileSource, ...]:
    found = sorted(_HANDLERS.rglob("*.js"))
    return tuple(
        FileSource.of_bytes(file.relative_to(_HANDLERS).as_posix(), file.read_bytes()) for file in found
    )
