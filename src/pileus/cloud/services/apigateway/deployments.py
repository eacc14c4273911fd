"""Deployment: an immutable snapshot of the API. Stages serve snapshots, never the working copy."""

from __future__ import annotations

from typing import Any

from pileus.cloud.kernel import Call, NotEmulated, operation

from .base import Operations, Request, Result, listed
from .dataplane.compiled import compile_api
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException
from .patch import apply, values
from .stages import Stages
from .vtl import TemplateSyntaxError

MISSING_DEPLOYMENT = "Invalid Deployment identifier specified"
_PATCHES = values("description")


class Deployments(Stages, Operations):
    @operation("CreateDeployment")
    def create_deployment(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        api = self.api(call, api_id)
        if request.get("canarySettings"):
            raise NotEmulated("apigateway CreateDeployment.canarySettings")
        documents = Documents.of(call)
        snapshot = _snapshot(documents, api)
        try:
            compile_api(snapshot, call.account, call.region)
        except (TemplateSyntaxError, ValueError) as error:
            raise BadRequestException(f"Invalid API configuration: {error}") from None
        deployment = bare(
            {
                "id": call.ids.lower(6),
                "description": request.get("description"),
                "createdDate": int(call.now),
            }
        )
        documents.put(Kind.DEPLOYMENT, deployment["id"], deployment, api_id)
        documents.put(Kind.SNAPSHOT, deployment["id"], snapshot, api_id)
        if request.get("stageName"):
            self._serve(call, request, deployment["id"])
        return deployment

    def _serve(self, call: Call, request: Request, deployment_id: str) -> None:
        """Points the stage at the new deployment, or makes it."""
        api_id, name = request["restApiId"], request["stageName"]
        stage = Documents.of(call).find(Kind.STAGE, name, api_id)
        if stage is None:
            self.create_stage(
                call,
                {
                    "restApiId": api_id,
                    "stageName": name,
                    "deploymentId": deployment_id,
                    "description": request.get("stageDescription"),
                    "variables": request.get("variables"),
                    "tracingEnabled": request.get("tracingEnabled"),
                    "cacheClusterEnabled": request.get("cacheClusterEnabled"),
                    "cacheClusterSize": request.get("cacheClusterSize"),
                },
            )
            return
        stage["deploymentId"] = deployment_id
        if request.get("stageDescription") is not None:
            stage["description"] = request["stageDescription"]
        if request.get("variables"):
            stage["variables"] = dict(request["variables"])
        for member in ("tracingEnabled", "cacheClusterEnabled", "cacheClusterSize"):
            if request.get(member) is not None:
                stage[member] = request[member]
        self._check_stage(call, api_id, stage)
        stage["lastUpdatedDate"] = int(call.now)
        self.put_stage(call, api_id, stage)

    @operation("GetDeployment")
    def get_deployment(self, call: Call, request: Request) -> Result:
        api_id, item = request["restApiId"], request["deploymentId"]
        deployment = self.child(call, Kind.DEPLOYMENT, api_id, item, MISSING_DEPLOYMENT)
        if "apisummary" in (request.get("embed") or ()):
            snapshot = Documents.of(call).find(Kind.SNAPSHOT, item, api_id)
            assert snapshot is not None
            deployment["apiSummary"] = _summary(snapshot)
        return deployment

    @operation("GetDeployments")
    def get_deployments(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        return listed(*Documents.of(call).page(Kind.DEPLOYMENT, request, request["restApiId"]))

    @operation("UpdateDeployment")
    def update_deployment(self, call: Call, request: Request) -> Result:
        deployment = self.get_deployment(call, {**request, "embed": ()})
        apply(deployment, request.get("patchOperations"), _PATCHES, "UpdateDeployment")
        Documents.of(call).put(Kind.DEPLOYMENT, deployment["id"], deployment, request["restApiId"])
        return deployment

    @operation("DeleteDeployment")
    def delete_deployment(self, call: Call, request: Request) -> None:
        api_id, item = request["restApiId"], request["deploymentId"]
        self.get_deployment(call, {**request, "embed": ()})
        documents = Documents.of(call)
        if documents.by_handle(Kind.STAGE, f"{api_id}/{item}"):
            raise BadRequestException("Active stages pointing to this deployment must be moved or deleted")
        documents.delete(Kind.DEPLOYMENT, item, api_id)
        documents.delete(Kind.SNAPSHOT, item, api_id)


def _snapshot(documents: Documents, api: Document) -> Document:
    api_id = api["id"]
    resources = documents.all(Kind.RESOURCE, api_id)
    methods = [
        method for resource in resources for method in (resource.get("resourceMethods") or {}).values()
    ]
    if not methods:
        raise BadRequestException("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for method in methods):
        raise BadRequestException("No integration defined for method")
    return snapshot_of(documents, api, resources)


def snapshot_of(documents: Documents, api: Document, resources: list[Document]) -> Document:
    """The API as it stands, with these of its resources."""
    api_id = api["id"]
    return {
        "api": api,
        "resources": resources,
        "authorizers": documents.all(Kind.AUTHORIZER, api_id),
        "validators": documents.all(Kind.VALIDATOR, api_id),
        "models": documents.all(Kind.MODEL, api_id),
        "gatewayResponses": documents.all(Kind.GATEWAY_RESPONSE, api_id),
    }


def _summary(snapshot: Document) -> Result:
    found: dict[str, Any] = {}
    for resource in snapshot["resources"]:
        for name, method in (resource.get("resourceMethods") or {}).items():
            found.setdefault(resource["path"], {})[name] = {
                "authorizationType": method["authorizationType"],
                "apiKeyRequired": method["apiKeyRequired"],
            }
    return found
