"""What Serverless Framework v3 sets on a REST API's stage after the deployment, because its template has no stage:
tracing, metrics and tags. The same calls, with the same paths of patch operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..service import Service

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud


def stage_patches(service: Service) -> list[dict[str, str]]:
    """The patch operations of UpdateStage that bring the stage to what the configuration says."""
    tracing = service.setting("tracing", "apiGateway")
    metrics = service.setting("apiGateway", "metrics")
    wanted = {"/tracingEnabled": tracing, "/*/*/metrics/enabled": metrics}
    own = [
        {"op": "replace", "path": path, "value": "true" if value else "false"}
        for path, value in wanted.items()
        if value is not None
    ]
    added = service.extensions.stage_settings(service) if service.extensions is not None else ()
    return [*own, *(dict(patch) for patch in added)]


def stage_tags(service: Service) -> dict[str, str]:
    tags = {**(service.setting("stackTags") or {}), **(service.setting("tags") or {})}
    return {str(key): str(value) for key, value in tags.items()}


def apply_stage_settings(cloud: Cloud, service: Service, api: tuple[str, str]) -> None:
    """api: (api id, stage name) of what has been deployed."""
    api_id, stage = api
    patches = stage_patches(service)
    if patches:
        request = {"restApiId": api_id, "stageName": stage, "patchOperations": patches}
        cloud.call("apigateway", "UpdateStage", request, region=service.region)
    tags = stage_tags(service)
    if tags:
        arn = f"arn:aws:apigateway:{service.region}::/restapis/{api_id}/stages/{stage}"
        cloud.call("apigateway", "TagResource", {"resourceArn": arn, "tags": tags}, region=service.region)
