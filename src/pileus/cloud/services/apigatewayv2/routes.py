"""Route: a key that requests are matched by, who may call it, and where it leads; and a WebSocket route's response."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked
from .documents import Document, Documents, Kind
from .errors import BadRequestException, ConflictException, NotFoundException

_METHODS = frozenset({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_HTTP_KEY = re.compile(r"([A-Z]+) (/\S*)")
_VARIABLE = re.compile(r"\{[A-Za-z0-9._:-]+\+?\}")
_WEBSOCKET_ONLY = ("ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters")


class Routes(Operations):
    @operation("CreateRoute")
    def create_route(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        route = {
            "ApiKeyRequired": False,
            "AuthorizationType": "NONE",
            **picked(request, members.ROUTE),
            "RouteId": call.ids.lower(7),
        }
        self._put_route(call, api, route)
        return bare(route)

    def _put_route(self, call: Call, api: Document, route: Document) -> None:
        documents, api_id = Documents.of(call), api["ApiId"]
        _check_key(api, route["RouteKey"])
        same = documents.by_handle(Kind.ROUTE, route["RouteKey"], api_id)
        if same is not None and same["RouteId"] != route["RouteId"]:
            raise ConflictException(f"Route with key {route['RouteKey']} already exists for this API")
        if api["ProtocolType"] == "HTTP":
            for name in _WEBSOCKET_ONLY:
                if route.get(name):
                    raise BadRequestException(f"{name} is not currently supported for HTTP APIs")
        kind, authorizer_id = route["AuthorizationType"], route.get("AuthorizerId")
        if kind in ("JWT", "CUSTOM"):
            if not authorizer_id:
                raise BadRequestException(f"An authorizer ID is required for authorization type {kind}")
            authorizer = self.child(call, Kind.AUTHORIZER, api_id, authorizer_id)
            if (authorizer["AuthorizerType"] == "JWT") is not (kind == "JWT"):
                raise BadRequestException(
                    "The authorizer's type does not match the route's authorization type"
                )
        elif kind == "AWS_IAM" and route.get("AuthorizationScopes"):
            raise BadRequestException("Authorization scopes are supported only for JWT authorizers")
        target = route.get("Target")
        if target:
            where, _, integration_id = target.partition("/")
            if where != "integrations" or documents.find(Kind.INTEGRATION, integration_id, api_id) is None:
                raise NotFoundException("Invalid Integration identifier specified")
        documents.put(Kind.ROUTE, route["RouteId"], route, api_id, route["RouteKey"])
        self.changed(call, api_id)

    @operation("GetRoute", reads=True)
    def get_route(self, call: Call, request: Request) -> Result:
        return bare(self.child(call, Kind.ROUTE, request["ApiId"], request["RouteId"]))

    @operation("GetRoutes", reads=True)
    def get_routes(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.ROUTE, request)

    @operation("UpdateRoute")
    def update_route(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        route = self.child(call, Kind.ROUTE, request["ApiId"], request["RouteId"])
        merge(route, request, members.ROUTE)
        if route["AuthorizationType"] in ("NONE", "AWS_IAM"):
            route.pop("AuthorizerId", None)
            if "AuthorizationScopes" not in request:
                route.pop("AuthorizationScopes", None)
        self._put_route(call, api, route)
        return bare(route)

    @operation("DeleteRoute")
    def delete_route(self, call: Call, request: Request) -> None:
        api_id, route_id = request["ApiId"], request["RouteId"]
        self.child(call, Kind.ROUTE, api_id, route_id)
        documents = Documents.of(call)
        for response in documents.all(Kind.ROUTE_RESPONSE, api_id, f"{route_id}/"):
            documents.delete(Kind.ROUTE_RESPONSE, f"{route_id}/{response['RouteResponseId']}", api_id)
        documents.delete(Kind.ROUTE, route_id, api_id)
        self.changed(call, api_id)

    @operation("DeleteRouteRequestParameter")
    def delete_route_request_parameter(self, call: Call, request: Request) -> None:
        route = self.child(call, Kind.ROUTE, request["ApiId"], request["RouteId"])
        if (route.get("RequestParameters") or {}).pop(request["RequestParameterKey"], None) is None:
            raise NotFoundException("Invalid request parameter key specified")
        Documents.of(call).put(Kind.ROUTE, route["RouteId"], route, request["ApiId"], route["RouteKey"])
        self.changed(call, request["ApiId"])

    # -- responses of WebSocket routes ----------------------------------------------------------------------------------

    @operation("CreateRouteResponse")
    def create_route_response(self, call: Call, request: Request) -> Result:
        self._websocket_route(call, request)
        response = {**picked(request, members.ROUTE_RESPONSE), "RouteResponseId": call.ids.lower(7)}
        return self._put_route_response(call, request, response)

    def _websocket_route(self, call: Call, request: Request) -> None:
        if self.api(call, request["ApiId"])["ProtocolType"] != "WEBSOCKET":
            raise BadRequestException("Route responses are supported only for WebSocket APIs")
        self.child(call, Kind.ROUTE, request["ApiId"], request["RouteId"])

    def _put_route_response(self, call: Call, request: Request, response: Document) -> Result:
        name = f"{request['RouteId']}/{response['RouteResponseId']}"
        document = {**response, "RouteId": request["RouteId"]}
        Documents.of(call).put(Kind.ROUTE_RESPONSE, name, document, request["ApiId"])
        self.changed(call, request["ApiId"])
        return bare(response)

    def _route_response(self, call: Call, request: Request) -> Document:
        name = f"{request['RouteId']}/{request['RouteResponseId']}"
        return bare(self.child(call, Kind.ROUTE_RESPONSE, request["ApiId"], name), "RouteId")

    @operation("GetRouteResponse", reads=True)
    def get_route_response(self, call: Call, request: Request) -> Result:
        return self._route_response(call, request)

    @operation("GetRouteResponses", reads=True)
    def get_route_responses(self, call: Call, request: Request) -> Result:
        self.child(call, Kind.ROUTE, request["ApiId"], request["RouteId"])
        answer = self.page_under(call, Kind.ROUTE_RESPONSE, request, f"{request['RouteId']}/")
        return {**answer, "Items": [bare(item, "RouteId") for item in answer["Items"]]}

    @operation("UpdateRouteResponse")
    def update_route_response(self, call: Call, request: Request) -> Result:
        response = self._route_response(call, request)
        merge(response, request, members.ROUTE_RESPONSE)
        return self._put_route_response(call, request, response)

    @operation("DeleteRouteResponse")
    def delete_route_response(self, call: Call, request: Request) -> None:
        self._route_response(call, request)
        name = f"{request['RouteId']}/{request['RouteResponseId']}"
        Documents.of(call).delete(Kind.ROUTE_RESPONSE, name, request["ApiId"])
        self.changed(call, request["ApiId"])


def _check_key(api: Document, key: str) -> None:
    if api["ProtocolType"] != "HTTP" or key == "$default":
        return
    found = _HTTP_KEY.fullmatch(key)
    if found is None or found[1] not in _METHODS or not _is_path(found[2]):
        raise BadRequestException(
            "The provided route key is not formatted properly for HTTP protocol. Format should be"
            ' "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )


def _is_path(path: str) -> bool:
    """Variables are whole segments; a greedy one is the last. No path but the root ends with a slash."""
    segments = path.split("/")[1:]
    if len(segments) > 1 and not segments[-1]:
        return False
    for index, segment in enumerate(segments):
        if "{" in segment or "}" in segment:
            if _VARIABLE.fullmatch(segment) is None:
                return False
            if segment.endswith("+}") and index != len(segments) - 1:
                return False
    return True
