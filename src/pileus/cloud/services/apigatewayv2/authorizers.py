"""Authorizer: a JWT issuer, or a function that decides."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked, refuse
from .documents import Document, Documents, Kind
from .errors import BadRequestException, ConflictException

_FUNCTION_URI = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/.+/invocations")
_HTTP_SOURCE = re.compile(r"\$request\.(header|querystring)\.\S+|\$context\.\S+|\$stageVariables\.\w+")
_LONGEST = 3600


class Authorizers(Operations):
    @operation("CreateAuthorizer")
    def create_authorizer(self, call: Call, request: Request) -> Result:
        refuse("CreateAuthorizer", request, "AuthorizerCredentialsArn")
        api = self.api(call, request["ApiId"])
        authorizer = {**picked(request, members.AUTHORIZER), "AuthorizerId": call.ids.lower(6)}
        return self._put_authorizer(call, api, authorizer)

    def _put_authorizer(self, call: Call, api: Document, authorizer: Document) -> Result:
        _check(api, authorizer)
        documents, api_id = Documents.of(call), api["ApiId"]
        same = documents.by_handle(Kind.AUTHORIZER, authorizer["Name"], api_id)
        if same is not None and same["AuthorizerId"] != authorizer["AuthorizerId"]:
            raise ConflictException("Authorizer name must be unique within an API")
        documents.put(Kind.AUTHORIZER, authorizer["AuthorizerId"], authorizer, api_id, authorizer["Name"])
        self.changed(call, api_id)
        return bare(authorizer)

    @operation("GetAuthorizer", reads=True)
    def get_authorizer(self, call: Call, request: Request) -> Result:
        return bare(self.child(call, Kind.AUTHORIZER, request["ApiId"], request["AuthorizerId"]))

    @operation("GetAuthorizers", reads=True)
    def get_authorizers(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.AUTHORIZER, request)

    @operation("UpdateAuthorizer")
    def update_authorizer(self, call: Call, request: Request) -> Result:
        refuse("UpdateAuthorizer", request, "AuthorizerCredentialsArn")
        api = self.api(call, request["ApiId"])
        authorizer = self.child(call, Kind.AUTHORIZER, request["ApiId"], request["AuthorizerId"])
        merge(authorizer, request, members.AUTHORIZER)
        return self._put_authorizer(call, api, authorizer)

    @operation("DeleteAuthorizer")
    def delete_authorizer(self, call: Call, request: Request) -> None:
        api_id, authorizer_id = request["ApiId"], request["AuthorizerId"]
        self.child(call, Kind.AUTHORIZER, api_id, authorizer_id)
        Documents.of(call).delete(Kind.AUTHORIZER, authorizer_id, api_id)
        self.changed(call, api_id)

    @operation("ResetAuthorizersCache")
    def reset_authorizers_cache(self, call: Call, request: Request) -> None:
        self.child(call, Kind.STAGE, request["ApiId"], request["StageName"])
        self.plane.forget(request["ApiId"])


def _check(api: Document, authorizer: Document) -> None:
    http, kind = api["ProtocolType"] == "HTTP", authorizer["AuthorizerType"]
    ttl = authorizer.get("AuthorizerResultTtlInSeconds")
    if ttl is not None and not 0 <= ttl <= _LONGEST:
        raise BadRequestException(f"Authorizer result TTL should be between 0 and {_LONGEST} seconds")
    if kind == "JWT":
        _check_jwt(http, authorizer)
        return
    if _FUNCTION_URI.fullmatch(authorizer.get("AuthorizerUri") or "") is None:
        raise BadRequestException(f"Invalid Authorizer URI: {authorizer.get('AuthorizerUri') or ''}".strip())
    if not http:
        return
    version = authorizer.get("AuthorizerPayloadFormatVersion")
    if version not in ("1.0", "2.0"):
        raise BadRequestException(
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer. Supported values are"
            " 1.0 and 2.0"
        )
    if authorizer.get("EnableSimpleResponses") and version == "1.0":
        raise BadRequestException("EnableSimpleResponses is supported only for payload format version 2.0")
    sources = authorizer.get("IdentitySource") or ()
    if ttl and not sources:
        raise BadRequestException("Identity source is required when authorization caching is enabled")
    _check_sources(sources)


def _check_jwt(http: bool, authorizer: Document) -> None:
    if not http:
        raise BadRequestException("JWT authorizers are supported only for HTTP APIs")
    jwt = authorizer.get("JwtConfiguration") or {}
    if not jwt.get("Issuer"):
        raise BadRequestException("Issuer is a required parameter for JWT authorizer")
    if not jwt["Issuer"].startswith(("https://", "http://")):
        raise BadRequestException(f"Invalid issuer: {jwt['Issuer']}. Issuer must have a valid URL")
    sources = authorizer.get("IdentitySource") or ()
    if len(sources) != 1:
        raise BadRequestException("JWT authorizers need exactly one identity source")
    _check_sources(sources)


def _check_sources(sources: list[str] | tuple[str, ...]) -> None:
    for source in sources:
        if _HTTP_SOURCE.fullmatch(source) is None:
            raise BadRequestException(f"Invalid mapping expression specified: {source}")
