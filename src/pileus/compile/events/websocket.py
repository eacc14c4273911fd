"""`websocket`: one WebSocket API for the service, an integration for each function, a route for each event."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.account_log_role import compile_account_log_role
from pileus.compile.compilation import Compilation
from pileus.service.errors import did_you_mean
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_LOG_FORMAT = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "
    '"$context.eventType $context.routeKey $context.connectionId" $context.requestId'
)


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`function` is None for one from elsewhere."""

    name: str
    arn: Json
    function: Function | None
    sources: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{naming.normalise(self.name)}WebsocketsAuthorizer"


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    external = c.service.setting("apiGateway", "websocketApiId")
    api_id: Json = external or fn.ref(naming.WEBSOCKETS_API)
    description = c.service.setting("websocketsDescription") or "Serverless Websockets"
    before = set(c.resources)
    if not external:
        _api(c, description)
    authorizers = {event.path: _authorizer(c, event) for _, event in uses}
    for function in {function.key: function for function, _ in uses}.values():
        _integration(c, function, api_id)
    for authorizer in authorizers.values():
        if authorizer:
            _add_authorizer(c, authorizer, api_id)
    for function, event in uses:
        alias = c.aliases.get(function.key)
        after = [alias.logical_id if alias else naming.function(function.key)]
        _permit(c, function.key, c.arn(function), after, bool(external))
        if authorizer := authorizers[event.path]:
            _permit(c, authorizer.name, authorizer.arn, _makers(c, authorizer), bool(external))
    routes = [
        logical_id
        for function, event in uses
        for logical_id in _route(c, function, event, authorizers[event.path], api_id)
    ]
    _deployment(c, routes, api_id, description, before, bool(external))
    url = fn.join(
        "", ["wss://", api_id, ".execute-api.", fn.REGION, ".", fn.URL_SUFFIX, f"/{c.service.stage}"]
    )
    c.output("ServiceEndpointWebsocket", url, "URL of the service endpoint")


def _api(c: Compilation, description: str) -> None:
    name = c.service.setting("websocketsApiName") or f"{c.service.stage}-{c.service.name}-websockets"
    selection = c.service.setting("websocketsApiRouteSelectionExpression") or "$request.body.action"
    properties: dict[str, Json] = {
        "Name": name,
        "RouteSelectionExpression": selection,
        "Description": description,
        "ProtocolType": "WEBSOCKET",
    }
    if c.service.setting("websocket", "useProviderTags") and c.service.setting("tags"):
        properties["Tags"] = dict(c.service.setting("tags"))
    c.add(naming.WEBSOCKETS_API, {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties})
    connections = fn.sub("arn:${AWS::Partition}:execute-api:*:*:*/@connections/*")
    c.statements.append(
        {"Effect": "Allow", "Action": ["execute-api:ManageConnections"], "Resource": [connections]}
    )


def _integration(c: Compilation, function: Function, api_id: Json) -> None:
    properties = {
        "ApiId": api_id,
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": fn.invocation_uri(c.arn(function)),
    }
    resource: dict[str, Json] = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(f"{naming.normalise(function.key)}WebsocketsIntegration", resource)


def _authorizer(c: Compilation, event: Event) -> Authorizer | None:
    given = event.get("authorizer") if isinstance(event.config, dict) else None
    if not given:
        return None
    settings = given if isinstance(given, dict) else {"arn" if given.startswith("arn:") else "name": given}
    sources = tuple(settings.get("identitySource") or ["route.request.header.Auth"])
    arn = settings.get("arn")
    if arn is not None:
        if not isinstance(arn, str) and not settings.get("name"):
            message = "an authorizer whose ARN is an intrinsic function needs a 'name'"
            c.mistake(message, (*event.path, "authorizer"))
        # As in v3, the ARN's own name counts where there is one.
        name = arn.rpartition(":")[2] if isinstance(arn, str) else str(settings.get("name") or "authorizer")
        return Authorizer(name, arn, None, sources)
    name = str(settings.get("name"))
    function = c.service.functions.get(name)
    if function is None:
        message = f"there is no function '{name}' in this service"
        c.mistake(message, (*event.path, "authorizer"), did_you_mean(name, c.service.functions))
        return None
    return Authorizer(name, c.arn(function), function, sources)


def _add_authorizer(c: Compilation, authorizer: Authorizer, api_id: Json) -> None:
    properties = {
        "ApiId": api_id,
        "Name": authorizer.name,
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": fn.invocation_uri(authorizer.arn),
        "IdentitySource": list(authorizer.sources),
    }
    resource: dict[str, Json] = {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties}
    alias = c.aliases.get(authorizer.function.key) if authorizer.function else None
    if alias:
        resource["DependsOn"] = alias.logical_id
    c.add(authorizer.id, resource)


def _makers(c: Compilation, authorizer: Authorizer) -> list[str]:
    """What makes the function of an authorizer, when it is made here."""
    if authorizer.function is None:
        return []
    alias = c.aliases.get(authorizer.function.key)
    return [naming.function(authorizer.function.key), *([alias.logical_id] if alias else [])]


def _permit(c: Compilation, name: str, arn: Json, after: list[str], external: bool) -> None:
    depends_on = [*([] if external else [naming.WEBSOCKETS_API]), *after]
    properties = {
        "FunctionName": arn,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    }
    resource = {"Type": "AWS::Lambda::Permission", "DependsOn": depends_on, "Properties": properties}
    c.add(naming.permission(name, "Websockets"), resource)


def _route(
    c: Compilation, function: Function, event: Event, authorizer: Authorizer | None, api_id: Json
) -> list[str]:
    """Add the route, and its response when it answers; the logical ids."""
    route = event.get("route") if isinstance(event.config, dict) else event.config
    integration = fn.ref(f"{naming.normalise(function.key)}WebsocketsIntegration")
    properties: dict[str, Json] = {
        "ApiId": api_id,
        "RouteKey": route,
        "AuthorizationType": "CUSTOM" if authorizer else "NONE",
        "Target": fn.join("/", ["integrations", integration]),
    }
    if authorizer:
        properties["AuthorizerId"] = fn.ref(authorizer.id)
    logical_id = naming.websockets_route(str(route))
    c.add(logical_id, {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties})
    if not event.get("routeResponseSelectionExpression"):
        return [logical_id]
    properties["RouteResponseSelectionExpression"] = event.get("routeResponseSelectionExpression")
    response = {"ApiId": api_id, "RouteId": fn.ref(logical_id), "RouteResponseKey": "$default"}
    c.add(f"{logical_id}Response", {"Type": "AWS::ApiGatewayV2::RouteResponse", "Properties": response})
    return [logical_id, f"{logical_id}Response"]


def _deployment(
    c: Compilation, routes: list[str], api_id: Json, description: str, before: set[str], external: bool
) -> None:
    """A deployment of its own for every change of the API: the digest of what was added is in its id."""
    added = {key: value for key, value in c.resources.items() if key not in before}
    digest = hashlib.sha256(json.dumps(added, sort_keys=True).encode()).digest()
    logical_id = f"WebsocketsDeployment{re.sub('[+/=]', '', base64.b64encode(digest).decode())}"
    if not external:
        _stage(c, logical_id, api_id, description)
    properties: dict[str, Json] = {"ApiId": api_id, "Description": description}
    if external:
        properties["StageName"] = c.service.stage
    resource = {"Type": "AWS::ApiGatewayV2::Deployment", "DependsOn": routes, "Properties": properties}
    c.add(logical_id, resource)


def _stage(c: Compilation, deployment_id: str, api_id: Json, description: str) -> None:
    properties: dict[str, Json] = {
        "ApiId": api_id,
        "StageName": c.service.stage,
        "Description": description,
        "DeploymentId": fn.ref(deployment_id),
    }
    c.add(naming.WEBSOCKETS_STAGE, {"Type": "AWS::ApiGatewayV2::Stage", "Properties": properties})
    logs = c.service.setting("logs", "websocket")
    if logs:
        _logs(c, logs if isinstance(logs, dict) else {}, properties)


def _logs(c: Compilation, settings: dict[str, Json], stage: dict[str, Json]) -> None:
    if settings.get("executionLogging") is not False:
        level, data = settings.get("level") or "INFO", settings.get("fullExecutionData") is not False
    else:
        level, data = "OFF", bool(settings.get("fullExecutionData"))
    stage["DefaultRouteSettings"] = {"DataTraceEnabled": data, "LoggingLevel": level}
    if settings.get("accessLogging") is not False:
        group = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${WebsocketsLogGroup}"
        line = settings.get("format") or _LOG_FORMAT
        stage["AccessLogSettings"] = {"DestinationArn": fn.sub(group), "Format": line}
    properties: dict[str, Json] = {"LogGroupName": f"/aws/websocket/{c.service.name}-{c.service.stage}"}
    if retention := c.service.setting("logRetentionInDays"):
        properties["RetentionInDays"] = retention
    c.add(naming.WEBSOCKETS_LOG_GROUP, {"Type": "AWS::Logs::LogGroup", "Properties": properties})
    compile_account_log_role(c)
