"""`httpApi`: one HTTP API for the service, with an integration for each function and a route for each event."""

from dataclasses import dataclass

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events import http_api_authorizers as authorizers
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_METHODS = ("OPTIONS", "GET", "POST", "PUT", "PATCH", "HEAD", "DELETE")
_HEADERS = (
    *("Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token"),
    *("X-Amz-User-Agent", "X-Amzn-Trace-Id"),
)
_LOG_FORMAT = (
    '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime",'
    '"httpMethod":"$context.httpMethod","routeKey":"$context.routeKey","status":"$context.status",'
    '"protocol":"$context.protocol","responseLength":"$context.responseLength"}'
)


@dataclass(frozen=True, slots=True)
class Route:
    function: Function
    event: Event
    method: str
    path: str

    @property
    def key(self) -> str:
        return "$default" if self.path == "*" else f"{self.method} {self.path}"


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    routes = _routes(c, uses)
    settings = c.service.setting("httpApi") or {}
    api_id: Json = settings.get("id") or fn.ref(naming.HTTP_API)
    if settings.get("id"):
        _check_external(c, settings)
    else:
        _api(c, settings, routes)
        _stage(c, settings)
    authorizers.compile_authorizers(c, settings, api_id, routes)
    done: set[str] = set()
    for route in routes:
        if route.function.key not in done:
            done.add(route.function.key)
            _integration(c, route.function, settings, api_id)
        _route(c, route, api_id)


def _routes(c: Compilation, uses: list[tuple[Function, Event]]) -> list[Route]:
    routes: list[Route] = []
    seen: set[str] = set()
    for function, event in uses:
        if isinstance(event.config, str):
            method, _, path = event.config.strip().partition(" ")
            path = path or method
        else:
            method, path = event.get("method") or "", event.get("path")
        if path != "*" and not method:
            c.mistake("the property 'method' is missing", event.path, "method: GET")
            continue
        if path != "*" and not str(path).startswith("/"):
            c.mistake(
                f"'{event.config}' is not a method and a path", event.path, "as in 'GET /users', or '*'"
            )
            continue
        method = "ANY" if method == "*" else method.upper()
        route = Route(function, event, method, path)
        if route.key in seen and route.path != "*":
            c.mistake(f"the route '{route.key}' occurs twice", event.path, "give it to one function")
        seen.add(route.key)
        # Of several routes for all that is left over, the last counts.
        routes = [known for known in routes if known.key != route.key or route.path != "*"]
        routes.append(route)
    return routes


def _check_external(c: Compilation, settings: dict[str, Json]) -> None:
    """What belongs to an API cannot be set where it only is referred to."""
    hint = "set it where the API is made"
    if settings.get("cors"):
        c.mistake("CORS cannot be set for an API from elsewhere", ("provider", "httpApi", "cors"), hint)
    if c.service.setting("logs", "httpApi"):
        c.mistake("logs cannot be set for an API from elsewhere", ("provider", "logs", "httpApi"), hint)


def _api(c: Compilation, settings: dict[str, Json], routes: list[Route]) -> None:
    service, stage = c.service.name, c.service.stage
    name = f"{service}-{stage}" if settings.get("shouldStartNameWithService") else f"{stage}-{service}"
    properties: dict[str, Json] = {"Name": settings.get("name") or name, "ProtocolType": "HTTP"}
    if settings.get("disableDefaultEndpoint") is not None:
        properties["DisableExecuteApiEndpoint"] = settings["disableDefaultEndpoint"]
    if settings.get("cors"):
        properties["CorsConfiguration"] = _cors(settings["cors"], routes)
    if c.service.setting("tags"):
        properties["Tags"] = dict(c.service.setting("tags"))
    c.add(naming.HTTP_API, {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties})
    api = fn.ref(naming.HTTP_API)
    c.output("HttpApiId", api, "Id of the HTTP API")
    url = fn.join("", ["https://", api, ".execute-api.", fn.REGION, ".", fn.URL_SUFFIX])
    c.output("HttpApiUrl", url, "URL of the HTTP API")


def _cors(cors: Json, routes: list[Route]) -> dict[str, Json]:
    given = cors if isinstance(cors, dict) else {}
    methods = given.get("allowedMethods")
    if not methods:
        used = [route.method for route in routes]
        every = any(method == "ANY" or route.path == "*" for method, route in zip(used, routes, strict=True))
        methods = list(_METHODS) if every else list(dict.fromkeys(["OPTIONS", *used]))
    settings: dict[str, Json] = {}
    if given.get("allowCredentials"):
        settings["AllowCredentials"] = True
    settings["AllowHeaders"] = given.get("allowedHeaders") or list(_HEADERS)
    settings["AllowMethods"] = methods
    settings["AllowOrigins"] = given.get("allowedOrigins") or ["*"]
    if given.get("exposedResponseHeaders"):
        settings["ExposeHeaders"] = given["exposedResponseHeaders"]
    if given.get("maxAge") is not None:
        settings["MaxAge"] = given["maxAge"]
    return settings


def _stage(c: Compilation, settings: dict[str, Json]) -> None:
    properties: dict[str, Json] = {
        "ApiId": fn.ref(naming.HTTP_API),
        "StageName": "$default",
        "AutoDeploy": True,
        "DefaultRouteSettings": {"DetailedMetricsEnabled": bool(settings.get("metrics"))},
    }
    resource: dict[str, Json] = {"Type": "AWS::ApiGatewayV2::Stage", "Properties": properties}
    logs = c.service.setting("logs", "httpApi")
    if logs:
        _access_log(c, properties, logs)
        resource["DependsOn"] = naming.HTTP_API_LOG_GROUP
    if c.service.setting("tags"):
        properties["Tags"] = dict(c.service.setting("tags"))
    c.add(naming.HTTP_API_STAGE, resource)


def _access_log(c: Compilation, stage: dict[str, Json], logs: Json) -> None:
    group: dict[str, Json] = {"LogGroupName": f"/aws/http-api/{stack_name(c)}"}
    if retention := c.service.setting("logRetentionInDays"):
        group["RetentionInDays"] = retention
    c.add(naming.HTTP_API_LOG_GROUP, {"Type": "AWS::Logs::LogGroup", "Properties": group})
    line = logs.get("format") if isinstance(logs, dict) else None
    arn = fn.get_att(naming.HTTP_API_LOG_GROUP)
    stage["AccessLogSettings"] = {"DestinationArn": arn, "Format": line or _LOG_FORMAT}


def stack_name(c: Compilation) -> str:
    return c.service.setting("stackName") or f"{c.service.name}-{c.service.stage}"


def _integration(c: Compilation, function: Function, settings: dict[str, Json], api_id: Json) -> None:
    permission = naming.permission(function.key, "HttpApi")
    arn = fn.execute_api_arn(api_id, "/*")
    c.permit(permission, function, "apigateway.amazonaws.com", source_arn=arn)
    payload = function.get("httpApi", "payload") or settings.get("payload") or "2.0"
    properties: dict[str, Json] = {
        "ApiId": api_id,
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": c.arn(function),
        "PayloadFormatVersion": payload,
        "TimeoutInMillis": 30000,
    }
    resource: dict[str, Json] = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(naming.http_api_integration(function.key), resource)


def _route(c: Compilation, route: Route, api_id: Json) -> None:
    integration = naming.http_api_integration(route.function.key)
    properties: dict[str, Json] = {
        "ApiId": api_id,
        "RouteKey": route.key,
        "Target": fn.join("/", ["integrations", fn.ref(integration)]),
    }
    properties |= authorizers.route_settings(c, route)
    resource = {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties, "DependsOn": integration}
    c.add(naming.http_api_route(route.key), resource)
