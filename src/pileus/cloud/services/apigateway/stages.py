"""Stage: a name under which a deployment is served, with its settings."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from pileus.cloud.kernel import Call, NotEmulated, operation

from .base import Operations, Request, Result
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException
from .patch import EDIT, REPLACE, Patch, apply, boolean, integer, maps, number, text, values

log = logging.getLogger("pileus.apigateway")

_CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
MISSING_STAGE = "Invalid stage identifier specified"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE_NAME = re.compile(r"\w+", re.A)
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]*")
_PATCHES = (
    *values("description"),
    Patch("/deploymentId", "deploymentId"),
    *maps("variables"),
    Patch("/tracingEnabled", "tracingEnabled", boolean, REPLACE),
    *values("documentationVersion"),
    Patch("/accessLogSettings/destinationArn", "accessLogSettings/destinationArn", operations=EDIT),
    Patch("/accessLogSettings/format", "accessLogSettings/format", operations=EDIT),
    Patch("/accessLogSettings", "accessLogSettings", operations=frozenset({"remove"})),
    Patch("/cacheClusterEnabled", "cacheClusterEnabled", boolean, REPLACE),
    Patch("/cacheClusterSize", "cacheClusterSize", operations=REPLACE),
    Patch("/clientCertificateId", refused=True, operations=EDIT),
    Patch("/canarySettings", refused=True, operations=EDIT),
    Patch("/canarySettings/*", refused=True, operations=EDIT),
    Patch("/canarySettings/*/*", refused=True, operations=EDIT),
)
_SETTING_PATH = re.compile(r"/([^/]+)/([^/]+)(?:/(metrics|logging|throttling|caching)/(\w+))?")
_SETTINGS: Mapping[tuple[str, str], tuple[str, Callable[[str], Any]]] = {
    ("metrics", "enabled"): ("metricsEnabled", boolean),
    ("logging", "loglevel"): ("loggingLevel", text),
    ("logging", "dataTrace"): ("dataTraceEnabled", boolean),
    ("throttling", "burstLimit"): ("throttlingBurstLimit", integer),
    ("throttling", "rateLimit"): ("throttlingRateLimit", number),
    ("caching", "enabled"): ("cachingEnabled", boolean),
    ("caching", "ttlInSeconds"): ("cacheTtlInSeconds", integer),
    ("caching", "dataEncrypted"): ("cacheDataEncrypted", boolean),
    ("caching", "requireAuthorizationForCacheControl"): ("requireAuthorizationForCacheControl", boolean),
    ("caching", "unauthorizedCacheControlHeaderStrategy"): ("unauthorizedCacheControlHeaderStrategy", text),
}
_DEFAULT_SETTING = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


class Stages(Operations):
    def stage(self, call: Call, api_id: str, name: str) -> Document:
        return self.child(call, Kind.STAGE, api_id, name, MISSING_STAGE)

    def put_stage(self, call: Call, api_id: str, stage: Document) -> None:
        handle = f"{api_id}/{stage['deploymentId']}"
        Documents.of(call).put(Kind.STAGE, stage["stageName"], stage, api_id, handle)
        self.plane.forget_stage(api_id, stage["stageName"])

    @operation("CreateStage")
    def create_stage(self, call: Call, request: Request) -> Result:
        api_id, name = request["restApiId"], request["stageName"]
        self.api(call, api_id)
        if _NAME.fullmatch(name) is None:
            raise BadRequestException("Stage name only allows a-zA-Z0-9_-")
        if request.get("canarySettings"):
            raise NotEmulated("apigateway CreateStage.canarySettings")
        if Documents.of(call).find(Kind.STAGE, name, api_id):
            raise ConflictException("Stage already exists")
        stage = bare(
            {
                "deploymentId": request["deploymentId"],
                "stageName": name,
                "description": request.get("description"),
                "cacheClusterEnabled": bool(request.get("cacheClusterEnabled") or False),
                "cacheClusterSize": request.get("cacheClusterSize"),
                "methodSettings": {},
                "variables": dict(request.get("variables") or {}) or None,
                "documentationVersion": request.get("documentationVersion"),
                "tracingEnabled": bool(request.get("tracingEnabled") or False),
                "tags": dict(request.get("tags") or {}) or None,
                "createdDate": int(call.now),
                "lastUpdatedDate": int(call.now),
            }
        )
        self._check_stage(call, api_id, stage)
        self.put_stage(call, api_id, stage)
        return stage

    def _check_stage(self, call: Call, api_id: str, stage: Document) -> None:
        if Documents.of(call).find(Kind.DEPLOYMENT, stage["deploymentId"], api_id) is None:
            raise BadRequestException("Invalid deployment identifier specified")
        _check_cache(stage)
        for name, value in (stage.get("variables") or {}).items():
            if _VARIABLE_NAME.fullmatch(name) is None or _VARIABLE_VALUE.fullmatch(value) is None:
                raise BadRequestException(
                    "Stage variable names may only contain [A-Za-z0-9_] and values must match"
                    f" [A-Za-z0-9-._~:/?#&=,]+: {name}"
                )

    @operation("GetStage")
    def get_stage(self, call: Call, request: Request) -> Result:
        return self.stage(call, request["restApiId"], request["stageName"])

    @operation("GetStages")
    def get_stages(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        self.api(call, api_id)
        documents = Documents.of(call)
        if request.get("deploymentId"):
            return {"item": documents.by_handle(Kind.STAGE, f"{api_id}/{request['deploymentId']}")}
        return {"item": documents.all(Kind.STAGE, api_id)}

    @operation("UpdateStage")
    def update_stage(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        stage = self.stage(call, api_id, request["stageName"])
        for step in request.get("patchOperations") or ():
            if not _patch_setting(stage, step):
                apply(stage, [step], _PATCHES, "UpdateStage")
        if not stage.get("variables"):
            stage.pop("variables", None)
        stage["lastUpdatedDate"] = int(call.now)
        self._check_stage(call, api_id, stage)
        self.put_stage(call, api_id, stage)
        return stage

    @operation("DeleteStage")
    def delete_stage(self, call: Call, request: Request) -> None:
        api_id, name = request["restApiId"], request["stageName"]
        self.stage(call, api_id, name)
        Documents.of(call).delete(Kind.STAGE, name, api_id)
        self.plane.forget_stage(api_id, name)

    @operation("FlushStageAuthorizersCache")
    def flush_stage_authorizers_cache(self, call: Call, request: Request) -> None:
        self.stage(call, request["restApiId"], request["stageName"])
        self.plane.flush_authorizers(request["restApiId"], request["stageName"])

    @operation("FlushStageCache")
    def flush_stage_cache(self, call: Call, request: Request) -> None:
        """There is no cache cluster, so there is nothing in it."""
        self.stage(call, request["restApiId"], request["stageName"])


def _check_cache(stage: Document) -> None:
    """A cache is kept as a setting; answers are not: each request goes to the integration."""
    is_on = stage["cacheClusterEnabled"]
    if is_on:
        size = stage.setdefault("cacheClusterSize", "0.5")
        if size not in _CACHE_SIZES:
            raise BadRequestException(f"Invalid cache cluster size specified: {size}")
    else:
        stage.pop("cacheClusterSize", None)
    stage["cacheClusterStatus"] = "AVAILABLE" if is_on else "NOT_AVAILABLE"
    if is_on:
        log.warning("apigateway: the cache of stage %s is kept as a setting only", stage["stageName"])


def _patch_setting(stage: Document, step: Mapping[str, Any]) -> bool:
    """A step on method settings (`/~1users/GET/throttling/rateLimit`); False where it is about something else."""
    path = step.get("path", "")
    found = _SETTING_PATH.fullmatch(path)
    if found is None or found[1] in ("variables", "accessLogSettings", "canarySettings"):
        return False
    key = f"{found[1]}/{found[2]}"
    if found[3] is None:
        if step.get("op") != "remove":
            raise BadRequestException(f"Invalid patch path  '{path}' specified for op '{step.get('op')}'.")
        stage["methodSettings"].pop(key, None)
        return True
    known = _SETTINGS.get((found[3], found[4]))
    if known is None:
        raise BadRequestException(f"Invalid patch path  '{path}' specified for op '{step.get('op')}'.")
    member, convert = known
    setting = stage["methodSettings"].setdefault(key, dict(_DEFAULT_SETTING))
    if step.get("op") == "remove":
        setting[member] = _DEFAULT_SETTING[member]
        return True
    setting[member] = convert(step.get("value") or "")
    if setting["loggingLevel"] not in ("OFF", "ERROR", "INFO"):
        raise BadRequestException(f"Invalid logging level specified: {setting['loggingLevel']}")
    return True
