"""Code → reproducible artifacts: what goes into each archive is planned, then built.

`plan_package` lists the files (`select`ed by patterns), plugins may change the plan, `build_package` checks it
against Lambda's limits and writes the archives. `state` is the serverless-state.json that goes with them.
"""

from pileus.package.build import Built, BuiltFile, Progress, build_package
from pileus.package.custom_resources import with_custom_resources
from pileus.package.explain import ArtifactSizes, Explanation, Share
from pileus.package.files import EXECUTABLE, PLAIN, FileSource
from pileus.package.plan import ArtifactPlan, Kind, PackagePlan, Target, plan_package
from pileus.package.state import state

__all__ = [
    "EXECUTABLE",
    "PLAIN",
    "ArtifactPlan",
    "ArtifactSizes",
    "Built",
    "BuiltFile",
    "Explanation",
    "FileSource",
    "Kind",
    "PackagePlan",
    "Progress",
    "Share",
    "Target",
    "build_package",
    "plan_package",
    "state",
    "with_custom_resources",
]
