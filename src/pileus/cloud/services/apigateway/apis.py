"""RestApi: the API itself."""

from __future__ import annotations

from urllib.parse import unquote

import orjson

from pileus.cloud.kernel import Call, NotEmulated, operation

from .base import Operations, Request, Result, listed
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException
from .patch import EDIT, REPLACE, Patch, apply, boolean, integer, values
from .policy import parse_policy

_PATCHES = (
    *values("name", "description"),
    Patch("/version", "version", operations=EDIT),
    Patch("/apiKeySource", "apiKeySource"),
    Patch("/policy", "policy", operations=EDIT),
    Patch("/disableExecuteApiEndpoint", "disableExecuteApiEndpoint", boolean, REPLACE),
    Patch("/minimumCompressionSize", "minimumCompressionSize", integer, EDIT),
    Patch("/binaryMediaTypes/*", "binaryMediaTypes", operations=EDIT, kind="set"),
    Patch("/endpointConfiguration/types/*", "types", operations=REPLACE),
    Patch("/endpointConfiguration/vpcEndpointIds", refused=True, operations=EDIT),
    Patch("/securityPolicy", refused=True, operations=EDIT),
)


class RestApis(Operations):
    @operation("CreateRestApi")
    def create_rest_api(self, call: Call, request: Request) -> Result:
        if "cloneFrom" in request:
            raise NotEmulated("apigateway CreateRestApi.cloneFrom")
        if not request["name"]:
            raise BadRequestException("No API name")
        endpoint = dict(request.get("endpointConfiguration") or {})
        endpoint.setdefault("types", ["EDGE"])
        endpoint.setdefault("ipAddressType", "ipv4")
        root_id = call.ids.lower(10)
        api = bare(
            {
                "id": call.ids.lower(10),
                "name": request["name"],
                "description": request.get("description"),
                "createdDate": int(call.now),
                "version": request.get("version"),
                "binaryMediaTypes": list(request.get("binaryMediaTypes") or ()) or None,
                "minimumCompressionSize": request.get("minimumCompressionSize"),
                "apiKeySource": request.get("apiKeySource") or "HEADER",
                "endpointConfiguration": endpoint,
                "policy": request.get("policy") or None,
                "tags": dict(request.get("tags") or {}),
                "disableExecuteApiEndpoint": bool(request.get("disableExecuteApiEndpoint", False)),
                "rootResourceId": root_id,
            }
        )
        _check(api)
        documents = Documents.of(call)
        documents.put(Kind.API, api["id"], api)
        root = {"id": root_id, "path": "/"}
        documents.put(Kind.RESOURCE, root_id, root, parent=api["id"])
        return _shown(api)

    @operation("GetRestApi")
    def get_rest_api(self, call: Call, request: Request) -> Result:
        return _shown(self.api(call, request["restApiId"]))

    @operation("GetRestApis")
    def get_rest_apis(self, call: Call, request: Request) -> Result:
        found, position = Documents.of(call).page(Kind.API, request)
        return listed([_shown(api) for api in found], position)

    @operation("UpdateRestApi")
    def update_rest_api(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["restApiId"])
        steps = [_endpoint_step(api, step) for step in request.get("patchOperations") or ()]
        apply(api, [step for step in steps if step], _PATCHES, "UpdateRestApi")
        if "policy" in api and not api["policy"]:
            del api["policy"]
        _check(api)
        Documents.of(call).put(Kind.API, api["id"], api)
        return _shown(api)

    @operation("DeleteRestApi")
    def delete_rest_api(self, call: Call, request: Request) -> None:
        api = self.api(call, request["restApiId"])
        documents = Documents.of(call)
        documents.delete_under(api["id"])
        documents.delete(Kind.API, api["id"])
        self.plane.forget_api(api["id"])


def _endpoint_step(api: Document, step: Request) -> Request | None:
    """`/endpointConfiguration/types/EDGE` replaces one type by another."""
    prefix = "/endpointConfiguration/types/"
    if not step.get("path", "").startswith(prefix) or step.get("op") != "replace":
        return step
    types = api["endpointConfiguration"]["types"]
    old = unquote(step["path"].removeprefix(prefix))
    index = int(old) if old.isdigit() else types.index(old) if old in types else -1
    if not 0 <= index < len(types):
        raise BadRequestException(f"Invalid patch path {step['path']}")
    types[index] = step.get("value")
    return None


def _check(api: Document) -> None:
    """What is not emulated, and what AWS itself refuses."""
    endpoint = api["endpointConfiguration"]
    for kind in endpoint["types"]:
        if kind == "PRIVATE" or endpoint.get("vpcEndpointIds"):
            raise NotEmulated("apigateway private APIs (endpointConfiguration PRIVATE)")
        if kind not in ("EDGE", "REGIONAL"):
            raise BadRequestException(f"Invalid endpoint type specified: {kind}")
    size = api.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= 10_485_760:
        raise BadRequestException("Invalid minimum compression size, must be between 0 and 10485760")
    if api["apiKeySource"] not in ("HEADER", "AUTHORIZER"):
        raise BadRequestException(f"Invalid API key source specified: {api['apiKeySource']}")
    if "policy" in api:
        try:
            parse_policy(orjson.loads(api["policy"]))
        except ValueError:
            raise BadRequestException(
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
            ) from None


def _shown(api: Document) -> Document:
    return bare(api)
