"""Stage: a name under which an API is served, with its settings; `$default` is served without one."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked, refuse
from .documents import Document, Documents, Kind, take_snapshot
from .errors import BadRequestException, ConflictException, NotFoundException

_NAME = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_VARIABLE_NAME = re.compile(r"\w+", re.A)
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]*")


class Stages(Operations):
    @operation("CreateStage")
    def create_stage(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        refuse("CreateStage", request, "ClientCertificateId")
        name, documents = request["StageName"], Documents.of(call)
        if _NAME.fullmatch(name) is None or (name == "$default" and api["ProtocolType"] != "HTTP"):
            raise BadRequestException(
                "Stage name only allows a-zA-Z0-9_- and $default (for HTTP APIs)"
                if api["ProtocolType"] == "HTTP"
                else "Stage name only allows a-zA-Z0-9_-"
            )
        if documents.find(Kind.STAGE, name, api["ApiId"]) is not None:
            raise ConflictException("Stage already exists")
        stage = {
            "AutoDeploy": False,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            "RouteSettings": {},
            "StageVariables": {},
            "Tags": dict(request.get("Tags") or {}),
            **picked(request, members.STAGE),
            "CreatedDate": call.now,
            "LastUpdatedDate": call.now,
            "StageName": name,
        }
        if stage["AutoDeploy"]:
            if "DeploymentId" in stage:
                raise BadRequestException(
                    "Deployment ID cannot be set on stage because AutoDeploy is enabled"
                )
            self.point(stage, self.auto_deployment(call, documents, api["ApiId"]), call.now)
        return self._put_stage(call, api, stage)

    def _put_stage(self, call: Call, api: Document, stage: Document) -> Result:
        _check(api, stage)
        if "DeploymentId" in stage:
            self.child(call, Kind.DEPLOYMENT, api["ApiId"], stage["DeploymentId"])
        Documents.of(call).put(Kind.STAGE, stage["StageName"], stage, api["ApiId"])
        self.plane.forget(api["ApiId"])
        return bare(stage)

    @operation("GetStage", reads=True)
    def get_stage(self, call: Call, request: Request) -> Result:
        return bare(self.child(call, Kind.STAGE, request["ApiId"], request["StageName"]))

    @operation("GetStages", reads=True)
    def get_stages(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.STAGE, request)

    @operation("UpdateStage")
    def update_stage(self, call: Call, request: Request) -> Result:
        api, documents = self.api(call, request["ApiId"]), Documents.of(call)
        stage = self.child(call, Kind.STAGE, request["ApiId"], request["StageName"])
        refuse("UpdateStage", request, "ClientCertificateId")
        was_automatic, settings = stage["AutoDeploy"], dict(stage["RouteSettings"])
        merge(stage, request, members.STAGE)
        if request.get("RouteSettings"):
            stage["RouteSettings"] = {**settings, **request["RouteSettings"]}
        if stage["AutoDeploy"]:
            if request.get("DeploymentId"):
                raise BadRequestException(
                    "Deployment ID cannot be set on stage because AutoDeploy is enabled"
                )
            if not was_automatic:
                self.point(stage, self.auto_deployment(call, documents, api["ApiId"]), call.now)
        elif was_automatic and not request.get("DeploymentId"):
            # From now on it serves what it served last, whatever becomes of the API.
            snapshot = take_snapshot(documents, api["ApiId"])
            documents.put(Kind.SNAPSHOT, stage["DeploymentId"], snapshot, api["ApiId"])
        stage["LastUpdatedDate"] = call.now
        return self._put_stage(call, api, stage)

    @operation("DeleteStage")
    def delete_stage(self, call: Call, request: Request) -> None:
        api_id, name = request["ApiId"], request["StageName"]
        stage, documents = self.child(call, Kind.STAGE, api_id, name), Documents.of(call)
        if stage["AutoDeploy"]:
            documents.delete(Kind.DEPLOYMENT, stage.get("DeploymentId", ""), api_id)
        documents.delete(Kind.STAGE, name, api_id)
        self.plane.forget(api_id)

    @operation("DeleteAccessLogSettings")
    def delete_access_log_settings(self, call: Call, request: Request) -> None:
        stage = self.child(call, Kind.STAGE, request["ApiId"], request["StageName"])
        stage.pop("AccessLogSettings", None)
        self._put_stage(call, self.api(call, request["ApiId"]), stage)

    @operation("DeleteRouteSettings")
    def delete_route_settings(self, call: Call, request: Request) -> None:
        stage = self.child(call, Kind.STAGE, request["ApiId"], request["StageName"])
        if stage["RouteSettings"].pop(request["RouteKey"], None) is None:
            raise NotFoundException(
                f"Unable to find Route by key {request['RouteKey']} within the provided RouteSettings"
            )
        self._put_stage(call, self.api(call, request["ApiId"]), stage)


def _check(api: Document, stage: Document) -> None:
    for name, value in stage["StageVariables"].items():
        if _VARIABLE_NAME.fullmatch(name) is None or _VARIABLE_VALUE.fullmatch(value) is None:
            raise BadRequestException(
                f"Stage variable {name} is not valid: names take letters, digits and _, values A-Za-z0-9-._~:/?#&=,"
            )
    if api["ProtocolType"] == "HTTP":
        for settings in (stage["DefaultRouteSettings"], *stage["RouteSettings"].values()):
            if settings.get("LoggingLevel", "OFF") != "OFF" or settings.get("DataTraceEnabled"):
                raise BadRequestException("Execution logs are not supported on protocolType HTTP")
