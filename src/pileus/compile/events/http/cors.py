"""CORS: what an event asks for, and the preflight method that answers for all events of a path."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.rest_api import Api
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint

_HEADERS = (
    *("Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token"),
    *("X-Amz-User-Agent", "X-Amzn-Trace-Id"),
)
_ANY = "DELETE,GET,HEAD,PATCH,POST,PUT"


@dataclass(frozen=True, slots=True)
class Cors:
    """`origins` are those of the list, `origin` the single one, which may hold several with commas between."""

    origin: str
    origins: tuple[str, ...]
    headers: tuple[str, ...]
    methods: tuple[str, ...]
    credentials: bool
    max_age: int | None
    cache_control: str | None

    def under(self, later: "Cors") -> "Cors":
        """This one, and an event of the same path that comes later: its lists go first."""
        return Cors(
            origin=later.origin,
            origins=_union(later.origins, self.origins),
            headers=_union(later.headers, self.headers),
            methods=_union(later.methods, self.methods),
            credentials=self.credentials or later.credentials,
            max_age=later.max_age if later.max_age is not None else self.max_age,
            cache_control=later.cache_control or self.cache_control,
        )

    @property
    def matched(self) -> tuple[str, ...]:
        """Origins that are matched one by one; with none, the single one goes out as it is."""
        if self.origins or "," not in self.origin:
            return self.origins
        return tuple(part.strip() for part in self.origin.split(","))


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def cors_of(cors: Json, method: str) -> Cors | None:
    if not cors:
        return None
    given = cors if isinstance(cors, dict) else {}
    origin = given.get("origin") or "*"
    origins = tuple(given.get("origins") or ())
    headers = given.get("headers")
    if headers is None:
        headers = _HEADERS
    elif isinstance(headers, str):
        headers = (headers,)
    methods = _union(tuple(given.get("methods") or ()), ("OPTIONS", method))
    credentials = bool(given.get("allowCredentials"))
    max_age = given.get("maxAge")
    return Cors(origin, origins, tuple(headers), methods, credentials, max_age, given.get("cacheControl"))


def compile_preflights(
    c: Compilation, api: Api, found: list["Endpoint"], resource_ids: dict[str, Json]
) -> list[str]:
    """An OPTIONS method for each path with CORS; their logical ids."""
    by_path: dict[str, Cors] = {}
    for endpoint in found:
        if endpoint.cors:
            before = by_path.get(endpoint.path)
            by_path[endpoint.path] = before.under(endpoint.cors) if before else endpoint.cors
    ids: list[str] = []
    for path, cors in by_path.items():
        logical_id = naming.rest_method(path, "options")
        c.add(logical_id, _preflight(cors, resource_ids[path], api.id))
        ids.append(logical_id)
    return ids


def _preflight(cors: Cors, resource_id: Json, api_id: Json) -> dict[str, Json]:
    matched = cors.matched
    headers: dict[str, str] = {
        "Access-Control-Allow-Origin": matched[0] if matched else cors.origin,
        "Access-Control-Allow-Headers": ",".join(cors.headers),
        "Access-Control-Allow-Methods": ",".join(cors.methods).replace("ANY", _ANY),
    }
    if cors.credentials:
        headers["Access-Control-Allow-Credentials"] = "true"
    if cors.max_age is not None and cors.max_age > 0:
        headers["Access-Control-Max-Age"] = str(cors.max_age)
    if cors.cache_control:
        headers["Cache-Control"] = cors.cache_control
    prefix = "method.response.header."
    response = {
        "StatusCode": "200",
        "ResponseParameters": {f"{prefix}{name}": f"'{value}'" for name, value in headers.items()},
        "ResponseTemplates": {"application/json": _origin_template(matched)},
    }
    integration = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": "{statusCode:200}"},
        "ContentHandling": "CONVERT_TO_TEXT",
        "IntegrationResponses": [response],
    }
    method_response = {
        "StatusCode": "200",
        "ResponseParameters": {f"{prefix}{name}": True for name in headers},
        "ResponseModels": {},
    }
    properties = {
        "AuthorizationType": "NONE",
        "HttpMethod": "OPTIONS",
        "MethodResponses": [method_response],
        "RequestParameters": {},
        "Integration": integration,
        "ResourceId": resource_id,
        "RestApiId": api_id,
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _origin_template(origins: tuple[str, ...]) -> str:
    """The mapping template that answers with the caller's origin when it is one of several.

    Its text decides whether a deployed preflight is seen as changed, so it is the one that v3 deploys.
    """
    if not origins:
        return ""
    tests = " || ".join(f'$origin.matches("{_pattern(origin)}")' for origin in origins)
    return (
        '#set($origin = $input.params("Origin"))\n'
        '#if($origin == "") #set($origin = $input.params("origin")) #end\n'
        f"#if({tests}) #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) #end"
    )


def _pattern(origin: str) -> str:
    return origin.replace(".", "[.]").replace("*", ".+")
