"""Authorizers of the REST API: functions, Cognito user pools, IAM, or one from elsewhere by its id."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.rest_api import Api
from pileus.service.errors import did_you_mean
from pileus.service.model import Event, Function
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint

_COGNITO = "COGNITO_USER_POOLS"
_HEADER = "method.request.header.Authorization"


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`kind` is TOKEN, REQUEST, COGNITO_USER_POOLS, CUSTOM or AWS_IAM. `arn` is a template value.

    `external_id` is the id of an authorizer that exists elsewhere: nothing is made for it.
    """

    kind: str
    name: str = ""
    arn: Json = None
    function: Function | None = None
    external_id: Json = None
    ttl: int | None = None
    source: str | None = None
    validation: str | None = None
    scopes: tuple[Json, ...] = ()
    managed_externally: bool = False

    @property
    def id(self) -> str:
        return naming.rest_authorizer(self.name)

    @property
    def made_here(self) -> bool:
        return self.kind != "AWS_IAM" and self.external_id is None


def authorizer_of(c: Compilation, event: Event) -> Authorizer | None:
    given = event.get("authorizer") if isinstance(event.config, dict) else None
    if not given:
        return None
    if isinstance(given, str):
        if given.upper() == "AWS_IAM":
            return Authorizer("AWS_IAM")
        if ":" in given:  # an ARN, or a part of one as v3 takes it too
            return _of_arn(given, {}, None)
        return _of_function(c, event, given, {}, None)
    kind = str(given.get("type") or "").upper()
    if kind == "AWS_IAM":
        return Authorizer("AWS_IAM")
    if given.get("authorizerId") is not None:
        if not kind:
            c.mistake("an authorizer by id needs its 'type'", (*event.path, "authorizer"), "type: CUSTOM")
        scopes = tuple(given.get("scopes") or ())
        return Authorizer(kind, external_id=given["authorizerId"], scopes=scopes)
    ttl = given.get("resultTtlInSeconds", 300)
    if given.get("arn") is not None:
        return _of_arn(given["arn"], given, ttl)
    if not given.get("name"):
        message = "an authorizer needs the 'name' of a function, an 'arn' or an 'authorizerId'"
        c.mistake(message, (*event.path, "authorizer"))
        return None
    return _of_function(c, event, given["name"], given, ttl)


def _of_function(
    c: Compilation, event: Event, name: str, given: dict[str, Json], ttl: int | None
) -> Authorizer | None:
    function = c.service.functions.get(name)
    if function is None:
        message = f"there is no function '{name}' in this service"
        c.mistake(message, (*event.path, "authorizer"), did_you_mean(name, c.service.functions))
        return None
    return _authorizer(name, c.arn(function), function, given, ttl)


def _of_arn(arn: Json, given: dict[str, Json], ttl: int | None) -> Authorizer:
    name = given.get("name")
    if not name:
        name = arn.rpartition(":")[2].rpartition("-")[2] if isinstance(arn, str) else "authorizer"
    return _authorizer(name, arn, None, given, ttl)


def _authorizer(
    name: str, arn: Json, function: Function | None, given: dict[str, Json], ttl: int | None
) -> Authorizer:
    kind = str(given.get("type") or "").upper()
    if isinstance(arn, str) and ":cognito-idp:" in arn:
        kind = _COGNITO
    kind = kind if kind in ("REQUEST", _COGNITO) else "TOKEN"
    source = given.get("identitySource")
    if source is None and not (kind == "REQUEST" and ttl == 0):
        source = _HEADER
    return Authorizer(
        kind=kind,
        name=name,
        arn=arn,
        function=function,
        ttl=ttl,
        source=source,
        validation=given.get("identityValidationExpression"),
        scopes=tuple(given.get("scopes") or ()),
        managed_externally=bool(given.get("managedExternally")),
    )


def compile_authorizers(c: Compilation, api: Api, found: list["Endpoint"]) -> None:
    """One for each name; events that describe the same one add to it, the last wins."""
    for endpoint in found:
        authorizer = endpoint.authorizer
        if authorizer is None or not authorizer.made_here:
            continue
        properties: dict[str, Json] = {}
        if authorizer.ttl is not None:
            properties["AuthorizerResultTtlInSeconds"] = authorizer.ttl
        if authorizer.source is not None:
            properties["IdentitySource"] = authorizer.source
        properties["Name"] = authorizer.name
        properties["RestApiId"] = api.id
        properties["Type"] = authorizer.kind
        if authorizer.kind == _COGNITO:
            properties["ProviderARNs"] = [authorizer.arn]
        else:
            properties["AuthorizerUri"] = fn.invocation_uri(authorizer.arn)
        if authorizer.validation:
            properties["IdentityValidationExpression"] = authorizer.validation
        known = c.resources.get(authorizer.id)
        if known is not None:
            known["Properties"].update(properties)
            continue
        resource: dict[str, Json] = {"Type": "AWS::ApiGateway::Authorizer", "Properties": properties}
        alias = c.aliases.get(authorizer.function.key) if authorizer.function else None
        if alias:
            resource["DependsOn"] = alias.logical_id
        c.add(authorizer.id, resource)


def permit(c: Compilation, endpoint: "Endpoint", source_arn: Json, called: set[str]) -> None:
    """Let API Gateway invoke the function that authorises. `called`: permissions of functions it calls anyway."""
    authorizer = endpoint.authorizer
    if authorizer is None or not authorizer.made_here:
        return
    if authorizer.managed_externally or authorizer.kind == _COGNITO:
        return
    alias = c.aliases.get(authorizer.function.key) if authorizer.function else None
    properties = {
        "FunctionName": fn.ref(alias.logical_id) if alias else authorizer.arn,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source_arn,
    }
    logical_id = naming.permission(authorizer.name, "ApiGateway")
    if logical_id not in called:
        c.add(logical_id, {"Type": "AWS::Lambda::Permission", "Properties": properties})
