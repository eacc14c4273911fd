"""Authorizers of the HTTP API: JWT issuers and functions, and how routes refer to them."""

from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Alias, Compilation
from pileus.service.errors import did_you_mean
from pileus.service.tree import Json, Path

if TYPE_CHECKING:
    from pileus.compile.events.http_api import Route


def compile_authorizers(
    c: Compilation, settings: dict[str, Json], api_id: Json, routes: list["Route"]
) -> None:
    for key, authorizer in (settings.get("authorizers") or {}).items():
        path: Path = ("provider", "httpApi", "authorizers", key)
        if settings.get("id"):
            c.mistake("authorizers cannot be added to an API from elsewhere", path, "refer to them by 'id'")
            continue
        if not isinstance(authorizer, dict):
            c.mistake(
                f"the authorizer '{key}' is empty", path, "give its 'identitySource', 'issuerUrl', 'audience'"
            )
            continue
        _authorizer(c, key, authorizer, api_id, path)


def _authorizer(c: Compilation, key: str, authorizer: dict[str, Json], api_id: Json, path: Path) -> None:
    name = authorizer.get("name") or key
    resource: dict[str, Json] = {"Type": "AWS::ApiGatewayV2::Authorizer"}
    source = authorizer.get("identitySource")
    sources = [] if source is None else source if isinstance(source, list) else [source]
    properties: dict[str, Json] = {"ApiId": api_id, "Name": name, "IdentitySource": sources}
    if authorizer.get("type") == "request":
        alias = _by_function(c, name, authorizer, properties, path)
        if alias:
            resource["DependsOn"] = alias.logical_id
    else:
        audience = authorizer.get("audience")
        properties["AuthorizerType"] = "JWT"
        properties["JwtConfiguration"] = {
            "Audience": audience if isinstance(audience, list) else [audience],
            "Issuer": authorizer.get("issuerUrl"),
        }
    resource["Properties"] = properties
    c.add(naming.http_api_authorizer(name), resource)


def check_settings(c: Compilation) -> None:
    """What v3 refuses of the provider's authorizers whether a route uses them or not."""
    authorizers = c.service.setting("httpApi", "authorizers")
    for name, authorizer in authorizers.items() if isinstance(authorizers, dict) else ():
        if isinstance(authorizer, dict) and authorizer.get("functionName") and authorizer.get("functionArn"):
            path = ("provider", "httpApi", "authorizers", name)
            message = "a request authorizer has either 'functionName' or 'functionArn'"
            c.mistake(message, path, "remove one of them")


def _by_function(
    c: Compilation, name: str, authorizer: dict[str, Json], properties: dict[str, Json], path: Path
) -> Alias | None:
    """Complete the properties and let the API invoke the function; the alias that is invoked, if any."""
    properties["AuthorizerType"] = "REQUEST"
    if authorizer.get("enableSimpleResponses") is not None:
        properties["EnableSimpleResponses"] = authorizer["enableSimpleResponses"]
    if authorizer.get("resultTtlInSeconds") is not None:
        properties["AuthorizerResultTtlInSeconds"] = authorizer["resultTtlInSeconds"]
        if authorizer["resultTtlInSeconds"] and not authorizer.get("identitySource"):
            message = "an authorizer whose results are cached needs an 'identitySource'"
            c.mistake(message, path, "identitySource: $request.header.Authorization")
    properties["AuthorizerPayloadFormatVersion"] = authorizer.get("payloadVersion") or "2.0"
    function = None
    if authorizer.get("functionName"):
        function = c.service.functions.get(authorizer["functionName"])
        if function is None:
            hint = did_you_mean(authorizer["functionName"], c.service.functions)
            message = f"there is no function '{authorizer['functionName']}' in this service"
            c.mistake(message, (*path, "functionName"), hint)
            return None
        arn: Json = c.arn(function)
    else:
        arn = authorizer.get("functionArn")
        if arn is None:
            c.mistake("a request authorizer needs 'functionName' or 'functionArn'", path)
            return None
    properties["AuthorizerUri"] = fn.invocation_uri(arn)
    alias = c.aliases.get(function.key) if function else None
    if authorizer.get("managedExternally"):
        return alias
    source_arn = fn.execute_api_arn(properties["ApiId"], "/*")
    permission: dict[str, Json] = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": arn,
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": source_arn,
        },
    }
    if alias:
        permission["DependsOn"] = alias.logical_id
    c.add(naming.http_api_authorizer_permission(name), permission)
    return alias


def route_settings(c: Compilation, route: "Route") -> dict[str, Json]:
    """Properties of a route that say who may call it."""
    given = route.event.get("authorizer") if isinstance(route.event.config, dict) else None
    if not given:
        return {}
    settings = given if isinstance(given, dict) else {"name": given}
    path = (*route.event.path, "authorizer")
    if settings.get("type") == "aws_iam":
        return {"AuthorizationType": "AWS_IAM"}
    properties: dict[str, Json] = {}
    if settings.get("id"):
        if not c.service.setting("httpApi", "id"):
            message = "an authorizer from elsewhere needs an API from elsewhere"
            c.mistake(message, (*path, "id"), "refer to one of provider.httpApi.authorizers by its name")
        properties["AuthorizationType"] = "CUSTOM" if settings.get("type") == "request" else "JWT"
        properties["AuthorizerId"] = settings["id"]
    else:
        defined = c.service.setting("httpApi", "authorizers") or {}
        if not settings.get("name"):
            c.mistake("an authorizer needs the 'name' of one in provider.httpApi.authorizers", path)
            return {}
        name = str(settings["name"])
        if name not in defined:
            hint = did_you_mean(name, defined)
            c.mistake(f"there is no authorizer '{name}' in provider.httpApi.authorizers", path, hint)
            return {}
        authorizer = defined[name]
        properties["AuthorizationType"] = "CUSTOM" if authorizer.get("type") == "request" else "JWT"
        properties["AuthorizerId"] = fn.ref(naming.http_api_authorizer(authorizer.get("name") or name))
    if settings.get("scopes"):
        properties["AuthorizationScopes"] = settings["scopes"]
    return properties
