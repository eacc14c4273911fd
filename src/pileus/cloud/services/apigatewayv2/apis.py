"""Api: HTTP or WEBSOCKET, its CORS configuration, and the quick create of an HTTP API."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, NotEmulated, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked
from .documents import Document, Documents, Kind
from .errors import BadRequestException

_HTTP_SELECTION = "${request.method} ${request.path}"
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://.+", re.I)


class Apis(Operations):
    @operation("CreateApi")
    def create_api(self, call: Call, request: Request) -> Result:
        kind = request["ProtocolType"]
        if request.get("CredentialsArn"):
            raise NotEmulated("apigatewayv2 CreateApi.CredentialsArn")
        api: Document = {
            **picked(request, members.API),
            "ApiId": call.ids.lower(10),
            "CreatedDate": int(call.now),
            "ProtocolType": kind,
            "Tags": dict(request.get("Tags") or {}),
        }
        if kind == "HTTP":
            api.setdefault("RouteSelectionExpression", _HTTP_SELECTION)
        elif "RouteSelectionExpression" not in api:
            raise BadRequestException(
                "RouteSelectionExpression is a required property for WEBSOCKET protocol"
            )
        api.setdefault("ApiKeySelectionExpression", "$request.header.x-api-key")
        api.setdefault("DisableExecuteApiEndpoint", False)
        api.setdefault("IpAddressType", "ipv4")
        scheme = "https" if kind == "HTTP" else "wss"
        api["ApiEndpoint"] = f"{scheme}://{api['ApiId']}.execute-api.{call.region}.amazonaws.com"
        _check(api)
        Documents.of(call).put(Kind.API, api["ApiId"], api)
        if request.get("Target"):
            self._quick_create(call, api, request)
        elif request.get("RouteKey"):
            raise BadRequestException("Target is required when a route key is given")
        return bare(api)

    def _quick_create(self, call: Call, api: Document, request: Request) -> None:
        if api["ProtocolType"] != "HTTP":
            raise BadRequestException("Quick create is supported only for HTTP APIs")
        target, api_id = request["Target"], api["ApiId"]
        is_lambda = target.startswith("arn:")
        integration = {
            "ApiId": api_id,
            "IntegrationType": "AWS_PROXY" if is_lambda else "HTTP_PROXY",
            "IntegrationUri": target,
            "PayloadFormatVersion": "2.0" if is_lambda else "1.0",
        }
        if not is_lambda:
            integration["IntegrationMethod"] = "ANY"
        inner = self.cloud.call
        made = inner("apigatewayv2", "CreateIntegration", integration, within=call)
        route = {
            "ApiId": api_id,
            "RouteKey": request.get("RouteKey") or "$default",
            "Target": f"integrations/{made['IntegrationId']}",
        }
        inner("apigatewayv2", "CreateRoute", route, within=call)
        stage = {"ApiId": api_id, "StageName": "$default", "AutoDeploy": True}
        inner("apigatewayv2", "CreateStage", stage, within=call)

    @operation("GetApi", reads=True)
    def get_api(self, call: Call, request: Request) -> Result:
        return bare(self.api(call, request["ApiId"]))

    @operation("GetApis", reads=True)
    def get_apis(self, call: Call, request: Request) -> Result:
        return Documents.of(call).page(Kind.API, request)

    @operation("UpdateApi")
    def update_api(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        for name in ("CredentialsArn", "RouteKey", "Target"):
            if request.get(name):
                raise NotEmulated(f"apigatewayv2 UpdateApi.{name}")
        merge(api, request, members.API)
        _check(api)
        Documents.of(call).put(Kind.API, api["ApiId"], api)
        self.changed(call, api["ApiId"])
        return bare(api)

    @operation("DeleteApi")
    def delete_api(self, call: Call, request: Request) -> None:
        api_id = self.api(call, request["ApiId"])["ApiId"]
        documents = Documents.of(call)
        documents.delete_under(api_id)
        documents.delete(Kind.API, api_id)
        self.plane.forget(api_id)

    @operation("DeleteCorsConfiguration")
    def delete_cors_configuration(self, call: Call, request: Request) -> None:
        api = self.api(call, request["ApiId"])
        api.pop("CorsConfiguration", None)
        Documents.of(call).put(Kind.API, api["ApiId"], api)
        self.changed(call, api["ApiId"])

    @operation("ImportApi")
    def import_api(self, call: Call, request: Request) -> Result:
        raise NotEmulated("apigatewayv2 ImportApi")

    @operation("ReimportApi")
    def reimport_api(self, call: Call, request: Request) -> Result:
        raise NotEmulated("apigatewayv2 ReimportApi")

    @operation("ExportApi")
    def export_api(self, call: Call, request: Request) -> Result:
        raise NotEmulated("apigatewayv2 ExportApi")


def _check(api: Document) -> None:
    if not 1 <= len(api["Name"]) <= 128:
        raise BadRequestException("Invalid API name specified: length must be between 1 and 128")
    http = api["ProtocolType"] == "HTTP"
    if http and api["RouteSelectionExpression"] != _HTTP_SELECTION:
        raise BadRequestException(
            f"Invalid route selection expression specified. For HTTP APIs it must be {_HTTP_SELECTION}"
        )
    cors = api.get("CorsConfiguration")
    if not cors:
        return
    if not http:
        raise BadRequestException("CORS configuration is supported only for HTTP APIs")
    origins = cors.get("AllowOrigins") or ()
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise BadRequestException(
                f"Invalid format for origin {origin}. The allowed format is scheme://domain"
            )
    if cors.get("AllowCredentials") and "*" in origins:
        raise BadRequestException(
            "For an AllowOrigins list that includes '*', AllowCredentials cannot be set to true"
        )
    if not -1 <= cors.get("MaxAge", 0) <= 86400:
        raise BadRequestException("Invalid CORS max age specified: must be between -1 and 86400")
