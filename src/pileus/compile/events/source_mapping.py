"""What all event source mappings (queues, streams) have in common."""

import json

from pileus.compile.compilation import Compilation
from pileus.service.model import Function
from pileus.service.tree import Json


def add_mapping(
    c: Compilation,
    logical_id: str,
    function: Function,
    properties: dict[str, Json],
    after: list[str] | None = None,
) -> None:
    """Add a mapping that waits for the role that reads the source, for `after`, and for the function's alias."""
    depends_on = [*c.role_dependencies(function), *(after or ())]
    if alias := c.aliases.get(function.key):
        depends_on.append(alias.logical_id)
    resource: dict[str, Json] = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
    resource["DependsOn"] = depends_on
    c.add(logical_id, resource)


def filter_criteria(patterns: list[Json]) -> dict[str, Json]:
    return {"Filters": [{"Pattern": compact(pattern)} for pattern in patterns]}


def compact(value: Json) -> str:
    """JSON without blanks, as CloudFormation gets patterns and inputs."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
