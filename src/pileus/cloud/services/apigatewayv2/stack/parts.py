"""Route, Integration, Authorizer, Model, and the responses of WebSocket APIs: parts of an API, all handled in one way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pileus.cloud.kernel import REPLACE, UPDATE, Created, ResourceType, StackCall

from .. import members as documents
from .calls import Properties, changed_members, invoke, members, remove


class Part(ResourceType):
    """noun: of the operations (`CreateRoute`); `{noun}Id` is what `Ref` gives.

    parents: the members that say where it is. settings: those that an update may change. defaults: of settings that
    a template no longer gives.
    """

    noun: ClassVar[str]
    parents: ClassVar[tuple[str, ...]] = ("ApiId",)
    settings: ClassVar[tuple[str, ...]]
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls.type_name = f"AWS::ApiGatewayV2::{cls.noun}"
        cls.properties = {**dict.fromkeys(cls.settings, UPDATE), **dict.fromkeys(cls.parents, REPLACE)}
        cls.attributes = (f"{cls.noun}Id",)

    def _made(self, physical_id: str) -> Created:
        return Created(physical_id, {self.attributes[0]: physical_id})

    def create(self, stack: StackCall, properties: Properties) -> Created:
        given = members(properties, (*self.parents, *self.settings))
        return self._made(invoke(stack, f"Create{self.noun}", **given)[self.attributes[0]])

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        given = changed_members(old, new, self.settings, self.defaults)
        invoke(stack, f"Update{self.noun}", **self._names(physical_id, new), **given)
        return self._made(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(stack, f"Delete{self.noun}", **self._names(physical_id, properties))

    def _names(self, physical_id: str, properties: Properties) -> dict[str, str]:
        return {**{name: properties[name] for name in self.parents}, self.attributes[0]: physical_id}


class Route(Part):
    noun = "Route"
    settings = documents.ROUTE
    required = ("ApiId", "RouteKey")
    defaults = {
        "ApiKeyRequired": False,
        "AuthorizationScopes": [],
        "AuthorizationType": "NONE",
        "RequestModels": {},
    }


class Integration(Part):
    noun = "Integration"
    settings = documents.INTEGRATION
    required = ("ApiId", "IntegrationType")
    defaults = {
        "ConnectionType": "INTERNET",
        "PassthroughBehavior": "WHEN_NO_MATCH",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 29000,
    }

    def create(self, stack: StackCall, properties: Properties) -> Created:
        return super().create(stack, _plain(properties))

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return super().update(stack, physical_id, _plain(old), _plain(new))


def _plain(properties: Properties) -> Properties:
    """Templates write response parameters as lists of pairs under each status; the API takes maps."""
    given = properties.get("ResponseParameters")
    if not isinstance(given, Mapping):
        return properties
    plain = {}
    for status, parameters in given.items():
        pairs = parameters.get("ResponseParameters") if isinstance(parameters, Mapping) else None
        plain[status] = {pair["Destination"]: pair["Source"] for pair in pairs} if pairs else parameters
    return {**properties, "ResponseParameters": plain}


class Authorizer(Part):
    noun = "Authorizer"
    settings = documents.AUTHORIZER
    required = ("ApiId", "AuthorizerType", "Name")
    defaults = {"AuthorizerResultTtlInSeconds": 0, "EnableSimpleResponses": False, "IdentitySource": []}

    def create(self, stack: StackCall, properties: Properties) -> Created:
        return super().create(stack, {"IdentitySource": [], **properties})


class Model(Part):
    noun = "Model"
    settings = documents.MODEL
    required = ("ApiId", "Name", "Schema")
    defaults = {"ContentType": "application/json"}


class RouteResponse(Part):
    noun = "RouteResponse"
    parents = ("ApiId", "RouteId")
    settings = documents.ROUTE_RESPONSE
    required = ("ApiId", "RouteId", "RouteResponseKey")
    defaults = {"ResponseModels": {}}


class IntegrationResponse(Part):
    noun = "IntegrationResponse"
    parents = ("ApiId", "IntegrationId")
    settings = documents.INTEGRATION_RESPONSE
    required = ("ApiId", "IntegrationId", "IntegrationResponseKey")
