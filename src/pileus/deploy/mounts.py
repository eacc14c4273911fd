"""The service's folder in the place of its packages: what the template calls `S3Key` is the code as it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..cloud.kernel import AwsError

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..service import Service


def packages(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """logical id → `Code`, of the functions whose package is in S3."""
    found = {}
    for logical_id, resource in template["Resources"].items():
        code = (resource.get("Properties") or {}).get("Code")
        if resource.get("Type") == "AWS::Lambda::Function" and isinstance(code, dict) and "S3Key" in code:
            found[logical_id] = code
    return found


def mount(cloud: Cloud, service: Service, template: Mapping[str, Any]) -> None:
    """Every package that the template names stands for the service's folder."""
    for code in packages(template).values():
        cloud.mounts[str(code["S3Key"])] = str(service.directory)


def is_mounted(cloud: Cloud, service: Service) -> bool:
    """Whether the functions that are there run from this folder; not, when it was moved together with its state."""
    from ..cloud.services.lambda_.code import mounted

    wanted = mounted(str(service.directory)).sha256
    for function in service.functions.values():
        request = {"FunctionName": function.name}
        try:
            found = cloud.call("lambda", "GetFunctionConfiguration", request, region=service.region)
        except AwsError:
            continue
        return bool(found["CodeSha256"] == wanted)
    return True
