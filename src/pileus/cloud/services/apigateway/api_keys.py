"""ApiKey: who a client is, for usage plans."""

from __future__ import annotations

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException, NotFoundException
from .patch import Patch, apply, boolean, values

_PATCHES = (
    *values("name", "description", "customerId"),
    Patch("/enabled", "enabled", boolean),
    Patch("/stages", "stageKeys", operations=frozenset({"add", "remove"}), kind="set"),
)


class ApiKeys(Operations):
    @operation("CreateApiKey")
    def create_api_key(self, call: Call, request: Request) -> Result:
        value = request.get("value")
        if value is not None and len(value) < 20:
            raise BadRequestException("API Key value should be at least 20 characters")
        if value is not None and len(value) > 128:
            raise BadRequestException("API Key value exceeds maximum size of 128 characters")
        documents = Documents.of(call)
        if value is not None and documents.by_handle(Kind.API_KEY, value):
            raise ConflictException("API Key already exists")
        key = bare(
            {
                "id": call.ids.lower(10),
                "value": value or call.ids.mixed(40),
                "name": request.get("name"),
                "customerId": request.get("customerId"),
                "description": request.get("description"),
                "enabled": bool(request.get("enabled", False)),
                "createdDate": int(call.now),
                "lastUpdatedDate": int(call.now),
                "stageKeys": [self._stage_key(call, stage) for stage in request.get("stageKeys") or ()],
                "tags": dict(request.get("tags") or {}) or None,
            }
        )
        self._keep_key(call, key)
        return key

    def _stage_key(self, call: Call, stage: Request) -> str:
        api_id, name = stage.get("restApiId", ""), stage.get("stageName", "")
        if Documents.of(call).find(Kind.STAGE, name, api_id) is None:
            self.api(call, api_id)
            raise BadRequestException("Invalid stage identifier specified")
        return f"{api_id}/{name}"

    def _keep_key(self, call: Call, key: Document) -> None:
        Documents.of(call).put(Kind.API_KEY, key["id"], key, handle=key["value"])
        self.plane.forget_keys()

    def api_key(self, call: Call, key_id: str) -> Document:
        found = Documents.of(call).find(Kind.API_KEY, key_id)
        if found is None:
            raise NotFoundException("Invalid API Key identifier specified")
        return found

    @operation("GetApiKey")
    def get_api_key(self, call: Call, request: Request) -> Result:
        key = self.api_key(call, request["apiKey"])
        return key if request.get("includeValue") else bare(key, "value")

    @operation("GetApiKeys")
    def get_api_keys(self, call: Call, request: Request) -> Result:
        prefix, customer = request.get("nameQuery"), request.get("customerId")

        def keep(key: Document) -> bool:
            if prefix and not key.get("name", "").startswith(prefix):
                return False
            return not customer or key.get("customerId") == customer

        found, position = Documents.of(call).page(Kind.API_KEY, request, keep=keep)
        if not request.get("includeValues"):
            found = [bare(key, "value") for key in found]
        return bare({"items": found, "position": position})

    @operation("UpdateApiKey")
    def update_api_key(self, call: Call, request: Request) -> Result:
        key = self.api_key(call, request["apiKey"])
        apply(key, request.get("patchOperations"), _PATCHES, "UpdateApiKey")
        for stage in key["stageKeys"]:
            api_id, _, name = stage.partition("/")
            self._stage_key(call, {"restApiId": api_id, "stageName": name})
        key["lastUpdatedDate"] = int(call.now)
        self._keep_key(call, key)
        return bare(key, "value")

    @operation("DeleteApiKey")
    def delete_api_key(self, call: Call, request: Request) -> None:
        key = self.api_key(call, request["apiKey"])
        documents = Documents.of(call)
        for link in documents.by_handle(Kind.USAGE_PLAN_KEY, key["id"]):
            documents.delete(Kind.USAGE_PLAN_KEY, key["id"], link["planId"])
        documents.delete(Kind.API_KEY, key["id"])
        self.plane.forget_keys()
