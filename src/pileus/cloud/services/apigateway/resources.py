"""Resource: the tree of paths."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result, listed
from .documents import Document, Documents, Kind
from .errors import BadRequestException, ConflictException
from .patch import Patch, apply

_PATH_PART = re.compile(r"(?:[a-zA-Z0-9._:%-]+|\{[a-zA-Z0-9._-]+\+?\})")
_PATCHES = (Patch("/pathPart", "pathPart"), Patch("/parentId", "parentId"))
MISSING_RESOURCE = "Invalid Resource identifier specified"


class Resources(Operations):
    def resource(self, call: Call, api_id: str, resource_id: str) -> Document:
        return self.child(call, Kind.RESOURCE, api_id, resource_id, MISSING_RESOURCE)

    def put_resource(self, call: Call, api_id: str, resource: Document) -> None:
        Documents.of(call).put(
            Kind.RESOURCE, resource["id"], resource, api_id, _handle(api_id, resource.get("parentId", ""))
        )

    @operation("CreateResource")
    def create_resource(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        self.api(call, api_id)
        parent = self.resource(call, api_id, request["parentId"])
        resource = {"id": call.ids.lower(6), "parentId": parent["id"], "pathPart": request["pathPart"]}
        self._place(call, api_id, parent, resource)
        self.put_resource(call, api_id, resource)
        return resource

    def _place(self, call: Call, api_id: str, parent: Document, resource: Document) -> None:
        """Checks the resource under its parent and gives it its path."""
        part = resource["pathPart"]
        if _PATH_PART.fullmatch(part) is None:
            raise BadRequestException(
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at"
                " the beginning and the end."
            )
        if parent["path"].endswith("+}"):
            raise BadRequestException("Cannot create a child of a resource with a greedy path variable.")
        for sibling in Documents.of(call).by_handle(Kind.RESOURCE, _handle(api_id, parent["id"])):
            if sibling["id"] == resource["id"]:
                continue
            if sibling["pathPart"] == part:
                raise ConflictException(
                    f"Another resource with the same parent already has this name: {part}"
                )
            if (
                part[0] == "{"
                and sibling["pathPart"][0] == "{"
                and part.endswith("+}") == sibling["pathPart"].endswith("+}")
            ):
                raise BadRequestException(
                    f"A sibling ({sibling['pathPart']}) of this resource already has a variable path part"
                    " -- only one is allowed"
                )
        resource["path"] = parent["path"].rstrip("/") + "/" + part

    @operation("GetResource")
    def get_resource(self, call: Call, request: Request) -> Result:
        resource = self.resource(call, request["restApiId"], request["resourceId"])
        return _shown(resource, request)

    @operation("GetResources")
    def get_resources(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        found, position = Documents.of(call).page(Kind.RESOURCE, request, request["restApiId"])
        return listed([_shown(resource, request) for resource in found], position)

    @operation("UpdateResource")
    def update_resource(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        resource = self.resource(call, api_id, request["resourceId"])
        if "parentId" not in resource:
            raise BadRequestException("Root resource cannot be updated.")
        old = resource["path"]
        apply(resource, request.get("patchOperations"), _PATCHES, "UpdateResource")
        parent = self.resource(call, api_id, resource["parentId"])
        if parent["path"] == old or parent["path"].startswith(f"{old}/"):
            raise BadRequestException("Resources cannot be cyclic.")
        self._place(call, api_id, parent, resource)
        self.put_resource(call, api_id, resource)
        for other in Documents.of(call).all(Kind.RESOURCE, api_id):
            if other["path"].startswith(f"{old}/"):
                other["path"] = resource["path"] + other["path"][len(old) :]
                self.put_resource(call, api_id, other)
        return _shown(resource, request)

    @operation("DeleteResource")
    def delete_resource(self, call: Call, request: Request) -> None:
        api_id = request["restApiId"]
        resource = self.resource(call, api_id, request["resourceId"])
        if "parentId" not in resource:
            raise BadRequestException("Root resource cannot be removed.")
        documents = Documents.of(call)
        for other in documents.all(Kind.RESOURCE, api_id):
            if other["id"] == resource["id"] or other["path"].startswith(f"{resource['path']}/"):
                documents.delete(Kind.RESOURCE, other["id"], api_id)


def _handle(api_id: str, parent_id: str) -> str:
    return f"{api_id}/{parent_id}"


def _shown(resource: Document, request: Request) -> Document:
    """Methods in full only where `embed=methods` asks for them."""
    methods = resource.get("resourceMethods")
    if not methods or "methods" in (request.get("embed") or ()):
        return resource
    return {**resource, "resourceMethods": {name: {} for name in methods}}
