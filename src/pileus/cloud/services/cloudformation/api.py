"""CloudFormation as one service. What it does is in the modules beside: operations, describe, changesets, custom."""

from __future__ import annotations

from .changesets import ChangeSets
from .custom import CustomResources


class CloudFormation(ChangeSets, CustomResources):
    """AWS CloudFormation.

    In the process: `wait` (the end of what is under way on a stack) and `coverage` (what of a template is emulated).
    """
