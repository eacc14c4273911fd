"""Deployment: an API as it stood at one moment, for stages that are not deployed automatically; and models."""

from __future__ import annotations

import orjson

from pileus.cloud.kernel import Call, NotEmulated, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked
from .documents import Document, Documents, Kind, take_snapshot
from .errors import BadRequestException, ConflictException


class Deployments(Operations):
    @operation("CreateDeployment")
    def create_deployment(self, call: Call, request: Request) -> Result:
        api_id = self.api(call, request["ApiId"])["ApiId"]
        documents = Documents.of(call)
        snapshot = take_snapshot(documents, api_id)
        if not snapshot["Routes"]:
            raise BadRequestException("Unable to deploy API because no routes exist in this API")
        stage = None
        if request.get("StageName"):
            stage = self.child(call, Kind.STAGE, api_id, request["StageName"])
            if stage["AutoDeploy"]:
                raise BadRequestException(
                    "Deployment ID cannot be set on stage because AutoDeploy is enabled"
                )
        deployment = bare(
            {
                "AutoDeployed": False,
                "CreatedDate": call.now,
                "DeploymentId": call.ids.lower(6),
                "DeploymentStatus": "DEPLOYED",
                "Description": request.get("Description"),
            }
        )
        documents.put(Kind.DEPLOYMENT, deployment["DeploymentId"], deployment, api_id)
        documents.put(Kind.SNAPSHOT, deployment["DeploymentId"], snapshot, api_id)
        if stage is not None:
            self.point(stage, deployment, call.now)
            documents.put(Kind.STAGE, stage["StageName"], stage, api_id)
            self.plane.forget(api_id)
        return deployment

    @operation("GetDeployment", reads=True)
    def get_deployment(self, call: Call, request: Request) -> Result:
        return self.child(call, Kind.DEPLOYMENT, request["ApiId"], request["DeploymentId"])

    @operation("GetDeployments", reads=True)
    def get_deployments(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.DEPLOYMENT, request)

    @operation("UpdateDeployment")
    def update_deployment(self, call: Call, request: Request) -> Result:
        deployment = self.child(call, Kind.DEPLOYMENT, request["ApiId"], request["DeploymentId"])
        merge(deployment, request, ("Description",))
        Documents.of(call).put(Kind.DEPLOYMENT, deployment["DeploymentId"], deployment, request["ApiId"])
        return deployment

    @operation("DeleteDeployment")
    def delete_deployment(self, call: Call, request: Request) -> None:
        api_id, deployment_id = request["ApiId"], request["DeploymentId"]
        self.child(call, Kind.DEPLOYMENT, api_id, deployment_id)
        documents = Documents.of(call)
        if any(stage.get("DeploymentId") == deployment_id for stage in documents.all(Kind.STAGE, api_id)):
            raise BadRequestException("Active stages pointing to this deployment must be moved or deleted")
        documents.delete(Kind.DEPLOYMENT, deployment_id, api_id)
        documents.delete(Kind.SNAPSHOT, deployment_id, api_id)


class Models(Operations):
    @operation("CreateModel")
    def create_model(self, call: Call, request: Request) -> Result:
        model = {
            "ContentType": "application/json",
            **picked(request, members.MODEL),
            "ModelId": call.ids.lower(6),
        }
        return self._put_model(call, request["ApiId"], model)

    def _put_model(self, call: Call, api_id: str, model: Document) -> Result:
        if self.api(call, api_id)["ProtocolType"] != "WEBSOCKET":
            raise BadRequestException("Models are supported only for WebSocket APIs")
        if not model["Name"].isalnum():
            raise BadRequestException("Model name must be alphanumeric: " + model["Name"])
        try:
            orjson.loads(model["Schema"])
        except ValueError:
            raise BadRequestException("Invalid model specified: Validation Result: invalid JSON") from None
        documents = Documents.of(call)
        same = documents.by_handle(Kind.MODEL, model["Name"], api_id)
        if same is not None and same["ModelId"] != model["ModelId"]:
            raise ConflictException(f"Model name already exists for this REST API: {model['Name']}")
        documents.put(Kind.MODEL, model["ModelId"], model, api_id, model["Name"])
        self.changed(call, api_id)
        return bare(model)

    @operation("GetModel", reads=True)
    def get_model(self, call: Call, request: Request) -> Result:
        return bare(self.child(call, Kind.MODEL, request["ApiId"], request["ModelId"]))

    @operation("GetModels", reads=True)
    def get_models(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.MODEL, request)

    @operation("UpdateModel")
    def update_model(self, call: Call, request: Request) -> Result:
        model = self.child(call, Kind.MODEL, request["ApiId"], request["ModelId"])
        merge(model, request, members.MODEL)
        return self._put_model(call, request["ApiId"], model)

    @operation("DeleteModel")
    def delete_model(self, call: Call, request: Request) -> None:
        self.child(call, Kind.MODEL, request["ApiId"], request["ModelId"])
        Documents.of(call).delete(Kind.MODEL, request["ModelId"], request["ApiId"])
        self.changed(call, request["ApiId"])

    @operation("GetModelTemplate")
    def get_model_template(self, call: Call, request: Request) -> Result:
        raise NotEmulated("apigatewayv2 GetModelTemplate")
