"""Service → CloudFormation template, the one that is deployed and the one that runs here.

`template` lists the steps; each step is a file; each event type is a file in `events/`.
"""

from pileus.compile.artifacts import Artifact, Artifacts
from pileus.compile.template import CompiledTemplates, compile_service

__all__ = ["Artifact", "Artifacts", "CompiledTemplates", "compile_service"]
