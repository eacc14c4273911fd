"""Authorizer and RequestValidator: what stands before an integration."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result, listed
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException
from .patch import REPLACE, Patch, apply, boolean, integer, values

_MISSING_AUTHORIZER = "Invalid Authorizer identifier specified"
_MISSING_VALIDATOR = "Invalid Request Validator identifier specified"
_IDENTITY_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.\S+|context\.[\w.]+|stageVariables\.\w+"
)
_USER_POOL = re.compile(r"arn:[\w-]+:cognito-idp:[\w-]+:\d+:userpool/[\w-]+")
_AUTHORIZER_PATCHES = (
    *values("name", "type", "authType", "authorizerUri", "authorizerCredentials"),
    *values("identitySource", "identityValidationExpression"),
    *values("authorizerResultTtlInSeconds", convert=integer),
    Patch("/providerARNs", "providerARNs", operations=frozenset({"add", "remove"}), kind="set"),
)
_VALIDATOR_PATCHES = (
    Patch("/name", "name"),
    Patch("/validateRequestBody", "validateRequestBody", boolean, REPLACE),
    Patch("/validateRequestParameters", "validateRequestParameters", boolean, REPLACE),
)


class Authorizers(Operations):
    @operation("CreateAuthorizer")
    def create_authorizer(self, call: Call, request: Request) -> Result:
        api_id = request["restApiId"]
        self.api(call, api_id)
        kind = request["type"]
        authorizer = bare(
            {
                "id": call.ids.lower(6),
                "name": request["name"],
                "type": kind,
                "providerARNs": request.get("providerARNs"),
                "authType": request.get("authType")
                or ("cognito_user_pools" if kind == "COGNITO_USER_POOLS" else "custom"),
                "authorizerUri": request.get("authorizerUri"),
                "authorizerCredentials": request.get("authorizerCredentials"),
                "identitySource": request.get("identitySource") or _default_source(kind),
                "identityValidationExpression": request.get("identityValidationExpression"),
                "authorizerResultTtlInSeconds": request.get("authorizerResultTtlInSeconds", 300),
            }
        )
        self._keep_authorizer(call, api_id, authorizer)
        return authorizer

    def _keep_authorizer(self, call: Call, api_id: str, authorizer: Document) -> None:
        _check_authorizer(authorizer)
        documents = Documents.of(call)
        handle = f"{api_id}/{authorizer['name']}"
        for other in documents.by_handle(Kind.AUTHORIZER, handle):
            if other["id"] != authorizer["id"]:
                raise ConflictException(
                    f"Authorizer name must be unique. Authorizer {authorizer['name']} already exists in this"
                    " RestApi."
                )
        documents.put(Kind.AUTHORIZER, authorizer["id"], authorizer, api_id, handle)

    @operation("GetAuthorizer")
    def get_authorizer(self, call: Call, request: Request) -> Result:
        api_id, item = request["restApiId"], request["authorizerId"]
        return self.child(call, Kind.AUTHORIZER, api_id, item, _MISSING_AUTHORIZER)

    @operation("GetAuthorizers")
    def get_authorizers(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        return listed(*Documents.of(call).page(Kind.AUTHORIZER, request, request["restApiId"]))

    @operation("UpdateAuthorizer")
    def update_authorizer(self, call: Call, request: Request) -> Result:
        authorizer = self.get_authorizer(call, request)
        apply(authorizer, request.get("patchOperations"), _AUTHORIZER_PATCHES, "UpdateAuthorizer")
        self._keep_authorizer(call, request["restApiId"], authorizer)
        return authorizer

    @operation("DeleteAuthorizer")
    def delete_authorizer(self, call: Call, request: Request) -> None:
        authorizer, api_id = self.get_authorizer(call, request), request["restApiId"]
        documents = Documents.of(call)
        for resource in documents.all(Kind.RESOURCE, api_id):
            for name, method in (resource.get("resourceMethods") or {}).items():
                if method.get("authorizerId") == authorizer["id"]:
                    raise ConflictException(
                        f"Cannot delete authorizer {authorizer['id']}, is referenced in method: {name}"
                        f" {resource['path']}"
                    )
        documents.delete(Kind.AUTHORIZER, authorizer["id"], api_id)

    # -- request validators -----------------------------------------------------------------------------------------

    @operation("CreateRequestValidator")
    def create_request_validator(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        validator = bare(
            {
                "id": call.ids.lower(6),
                "name": request.get("name"),
                "validateRequestBody": bool(request.get("validateRequestBody", False)),
                "validateRequestParameters": bool(request.get("validateRequestParameters", False)),
            }
        )
        Documents.of(call).put(Kind.VALIDATOR, validator["id"], validator, request["restApiId"])
        return validator

    @operation("GetRequestValidator")
    def get_request_validator(self, call: Call, request: Request) -> Result:
        api_id, item = request["restApiId"], request["requestValidatorId"]
        return self.child(call, Kind.VALIDATOR, api_id, item, _MISSING_VALIDATOR)

    @operation("GetRequestValidators")
    def get_request_validators(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        return listed(*Documents.of(call).page(Kind.VALIDATOR, request, request["restApiId"]))

    @operation("UpdateRequestValidator")
    def update_request_validator(self, call: Call, request: Request) -> Result:
        validator = self.get_request_validator(call, request)
        apply(validator, request.get("patchOperations"), _VALIDATOR_PATCHES, "UpdateRequestValidator")
        Documents.of(call).put(Kind.VALIDATOR, validator["id"], validator, request["restApiId"])
        return validator

    @operation("DeleteRequestValidator")
    def delete_request_validator(self, call: Call, request: Request) -> None:
        validator, api_id = self.get_request_validator(call, request), request["restApiId"]
        documents = Documents.of(call)
        for resource in documents.all(Kind.RESOURCE, api_id):
            for name, method in (resource.get("resourceMethods") or {}).items():
                if method.get("requestValidatorId") == validator["id"]:
                    raise ConflictException(
                        f"Cannot delete request validator {validator['id']}, is referenced in method: {name}"
                        f" {resource['path']}"
                    )
        documents.delete(Kind.VALIDATOR, validator["id"], api_id)


def _default_source(kind: str) -> str | None:
    return "method.request.header.Authorization" if kind in ("TOKEN", "COGNITO_USER_POOLS") else None


def _check_authorizer(authorizer: Document) -> None:
    kind = authorizer["type"]
    if kind not in ("TOKEN", "REQUEST", "COGNITO_USER_POOLS"):
        raise BadRequestException(f"Invalid authorizer type specified: {kind}")
    if kind == "COGNITO_USER_POOLS":
        arns = authorizer.get("providerARNs") or ()
        if not arns or any(_USER_POOL.fullmatch(arn) is None for arn in arns):
            raise BadRequestException("Invalid Provider ARNs specified")
    uri = authorizer.get("authorizerUri") or ""
    if kind != "COGNITO_USER_POOLS" and (":lambda:path/" not in uri or "/functions/" not in uri):
        raise BadRequestException(
            f"Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a"
            " Lambda function invocation."
        )
    ttl = int(authorizer["authorizerResultTtlInSeconds"])
    authorizer["authorizerResultTtlInSeconds"] = ttl
    if not 0 <= ttl <= 3600:
        raise BadRequestException("Invalid Authorizer result TTL: must be between 0 and 3600 seconds")
    source = authorizer.get("identitySource") or ""
    for part in filter(None, (text.strip() for text in source.split(","))):
        if _IDENTITY_SOURCE.fullmatch(part) is None:
            raise BadRequestException(f"Invalid Identity source expression: {part}")
    if kind == "REQUEST" and not source and ttl:
        raise BadRequestException("Identity source is required when caching is enabled.")
    if kind != "REQUEST" and not source.startswith("method.request.header."):
        raise BadRequestException(f"Invalid Identity source expression: {source}")
    try:
        re.compile(authorizer.get("identityValidationExpression") or "")
    except re.error:
        raise BadRequestException(
            f"Invalid Identity validation expression: {authorizer['identityValidationExpression']}"
        ) from None
