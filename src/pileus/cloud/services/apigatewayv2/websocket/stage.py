"""A stage of a WebSocket API as it is served: its routes with what they lead to, compiled once a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pileus.cloud.kernel import NotEmulated

from ..documents import Document, Served
from .integrations import Integration, compile_integration
from .selection import Selector, compile_selection

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_FUNCTION = re.compile(r":lambda:path/\d{4}-\d\d-\d\d/functions/(.+)/invocations$")


@dataclass(frozen=True, slots=True)
class Authorizer:
    """sources: (place, name) of the identity sources."""

    id: str
    function: str
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """answers: what the integration gives goes back to the client. limits: (rate, burst) of messages a second."""

    key: str
    integration: Integration | None
    authorizer: Authorizer | None
    is_iam: bool
    answers: bool
    limits: tuple[float, float] | None


class SocketStage:
    """raw: the stage's document as it is stored, by which a change is noticed. Raises NotEmulated for what can't be served."""

    def __init__(self, served: Served, raw: bytes) -> None:
        api, stage = served.snapshot["Api"], served.stage
        self.raw = raw
        self.account, self.region = served.account, served.region
        self.api_id: str = api["ApiId"]
        self.name: str = stage["StageName"]
        self.variables: dict[str, str] = stage.get("StageVariables") or {}
        self.disabled: bool = api["DisableExecuteApiEndpoint"]
        self.arn = f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}/{self.name}"
        self.select: Selector = compile_selection(api["RouteSelectionExpression"])
        self._settings: Mapping[str, Any] = stage.get("RouteSettings") or {}
        self._default_settings: Mapping[str, Any] = stage.get("DefaultRouteSettings") or {}
        self.access_log = _access_log(stage)
        self._parts = served.snapshot
        self.routes = {document["RouteKey"]: self._route(document) for document in self._parts["Routes"]}

    def route_for(self, message: str | bytes) -> Route | None:
        """The route of a message; None where no route takes it."""
        key = self.select(message) if isinstance(message, str) else None
        found = self.routes.get(key) if key is not None and key not in (CONNECT, DISCONNECT) else None
        return found or self.routes.get(DEFAULT)

    def function(self, uri: str) -> str:
        """The function's ARN in an integration URI, stage variables filled in."""
        filled = self.filled(uri)
        match = _FUNCTION.search(filled)
        return match[1] if match else filled

    def filled(self, text: str) -> str:
        return _STAGE_VARIABLE.sub(lambda found: self.variables.get(found[1], ""), text)

    def _route(self, document: Document) -> Route:
        key = document["RouteKey"]
        for member in ("ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters"):
            if document.get(member):
                raise NotEmulated(f"apigatewayv2 routes of WebSocket APIs with {member}")
        selection = document.get("RouteResponseSelectionExpression")
        if selection not in (None, "", DEFAULT):
            raise NotEmulated(f"apigatewayv2 RouteResponseSelectionExpression {selection}")
        limits = {**self._default_settings, **self._settings.get(key, {})}
        rate, burst = limits.get("ThrottlingRateLimit"), limits.get("ThrottlingBurstLimit")
        return Route(
            key,
            self._integration(document),
            self._authorizer(document),
            document["AuthorizationType"] == "AWS_IAM",
            bool(selection) and self._has_response(document["RouteId"]),
            None if rate is None or burst is None else (float(rate), float(burst)),
        )

    def _has_response(self, route_id: str) -> bool:
        """Nothing goes back where no response has been made for the route."""
        return any(response["RouteId"] == route_id for response in self._parts["RouteResponses"])

    def _integration(self, route: Document) -> Integration | None:
        wanted = (route.get("Target") or "").removeprefix("integrations/")
        for document in self._parts["Integrations"]:
            if document["IntegrationId"] == wanted:
                responses = [
                    response
                    for response in self._parts["IntegrationResponses"]
                    if response["IntegrationId"] == wanted
                ]
                return compile_integration(document, responses)
        return None

    def _authorizer(self, route: Document) -> Authorizer | None:
        kind = route["AuthorizationType"]
        if kind in ("NONE", "AWS_IAM"):
            return None
        if kind != "CUSTOM":
            raise NotEmulated(f"apigatewayv2 AuthorizationType {kind} of WebSocket routes")
        for document in self._parts["Authorizers"]:
            if document["AuthorizerId"] == route["AuthorizerId"]:
                sources = tuple(_source(text) for text in document.get("IdentitySource") or ())
                return Authorizer(document["AuthorizerId"], self.function(document["AuthorizerUri"]), sources)
        raise NotEmulated(f"apigatewayv2 the authorizer {route['AuthorizerId']}, which is gone")


def _source(expression: str) -> tuple[str, str]:
    place, _, name = expression.removeprefix("route.request.").partition(".")
    return place, name.lower() if place == "header" else name


def _access_log(stage: Document) -> tuple[str, str] | None:
    settings = stage.get("AccessLogSettings") or {}
    if not settings.get("DestinationArn") or not settings.get("Format"):
        return None
    return settings["DestinationArn"].partition(":log-group:")[2].removesuffix(":*"), settings["Format"]
