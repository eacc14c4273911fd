"""Model: JSON Schemas (draft 4) of bodies. A new API has `Empty` and `Error`."""

from __future__ import annotations

import re

import orjson

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result, listed
from .dataplane.validation import compile_schema
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException, NotFoundException
from .patch import Patch, apply, values

_NAME = re.compile(r"[a-zA-Z0-9]+")
_MAX_SCHEMA = 400 * 1024
_PATCHES = (*values("description"), Patch("/schema", "schema"))
BUILT_IN = (
    {
        "name": "Empty",
        "description": "This is a default empty schema model",
        "schema": '{\n  "$schema": "http://json-schema.org/draft-04/schema#",\n  "title" : "Empty Schema",\n'
        '  "type" : "object"\n}',
        "contentType": "application/json",
    },
    {
        "name": "Error",
        "description": "This is a default error schema model",
        "schema": '{\n  "$schema" : "http://json-schema.org/draft-04/schema#",\n  "title" : "Error Schema",\n'
        '  "type" : "object",\n  "properties" : {\n    "message" : { "type" : "string" }\n  }\n}',
        "contentType": "application/json",
    },
)


class Models(Operations):
    def add_built_in(self, call: Call, api_id: str) -> None:
        for model in BUILT_IN:
            document = {"id": call.ids.lower(6), **model}
            Documents.of(call).put(Kind.MODEL, model["name"], document, api_id)

    @operation("CreateModel")
    def create_model(self, call: Call, request: Request) -> Result:
        api_id, name = request["restApiId"], request["name"]
        self.api(call, api_id)
        if _NAME.fullmatch(name) is None:
            raise BadRequestException(
                "Model name must be alphanumeric: " + name if name else "No Model Name specified"
            )
        if not request.get("contentType"):
            raise BadRequestException("No Model Content Type specified")
        documents = Documents.of(call)
        if documents.find(Kind.MODEL, name, api_id):
            raise ConflictException("Model name already exists for this REST API")
        model = bare(
            {
                "id": call.ids.lower(6),
                "name": name,
                "description": request.get("description"),
                "schema": request.get("schema") or "{}",
                "contentType": request["contentType"],
            }
        )
        _check(model)
        documents.put(Kind.MODEL, name, model, api_id)
        return model

    @operation("GetModel")
    def get_model(self, call: Call, request: Request) -> Result:
        found = Documents.of(call).find(Kind.MODEL, request["modelName"], request["restApiId"])
        if found is None:
            self.api(call, request["restApiId"])
            raise NotFoundException(f"Invalid model name specified: {request['modelName']}")
        return found

    @operation("GetModels")
    def get_models(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        return listed(*Documents.of(call).page(Kind.MODEL, request, request["restApiId"]))

    @operation("UpdateModel")
    def update_model(self, call: Call, request: Request) -> Result:
        model = self.get_model(call, request)
        apply(model, request.get("patchOperations"), _PATCHES, "UpdateModel")
        _check(model)
        Documents.of(call).put(Kind.MODEL, model["name"], model, request["restApiId"])
        return model

    @operation("DeleteModel")
    def delete_model(self, call: Call, request: Request) -> None:
        model, api_id = self.get_model(call, request), request["restApiId"]
        documents = Documents.of(call)
        for resource in documents.all(Kind.RESOURCE, api_id):
            for name, method in (resource.get("resourceMethods") or {}).items():
                if model["name"] in (method.get("requestModels") or {}).values():
                    raise ConflictException(
                        f"Cannot delete model '{model['name']}', is referenced in method request:"
                        f" {resource['path']}/{name}"
                    )
        documents.delete(Kind.MODEL, model["name"], api_id)


def _check(model: Document) -> None:
    """A JSON model's schema is JSON and a schema; others (XML) are only kept."""
    if len(model["schema"]) > _MAX_SCHEMA:
        raise BadRequestException("Model schema is too large")
    if model["contentType"].partition(";")[0].strip() != "application/json":
        return
    try:
        schema = orjson.loads(model["schema"])
    except ValueError:
        raise BadRequestException(
            "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]"
        ) from None
    try:
        compile_schema(schema, {})
    except ValueError as error:
        raise BadRequestException(
            "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified."
            f" {error}]"
        ) from None
