"""The REST API itself, or the one from elsewhere that the service adds to."""

from dataclasses import dataclass, field

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.tree import Json, Path


@dataclass(frozen=True, slots=True)
class Api:
    """`id` and `root` as template values; `known` maps paths that exist elsewhere to their resource ids."""

    id: Json
    root: Json
    known: dict[str, Json] = field(default_factory=dict)
    external: bool = False


def compile_rest_api(c: Compilation) -> Api:
    settings = c.service.setting("apiGateway") or {}
    if settings.get("restApiId"):
        return _external(c, settings)
    service, stage = c.service.name, c.service.stage
    name = f"{service}-{stage}" if settings.get("shouldStartNameWithService") else f"{stage}-{service}"
    properties: dict[str, Json] = {"Name": c.service.setting("apiName") or name}
    if settings.get("binaryMediaTypes"):
        properties["BinaryMediaTypes"] = settings["binaryMediaTypes"]
    if settings.get("disableDefaultEndpoint") is not None:
        properties["DisableExecuteApiEndpoint"] = settings["disableDefaultEndpoint"]
    properties["EndpointConfiguration"] = _endpoint(c)
    policy = settings.get("resourcePolicy")
    # An empty policy is written out, so that one that was there before is taken away.
    properties["Policy"] = {"Version": "2012-10-17", "Statement": policy} if policy else ""
    if source := settings.get("apiKeySourceType"):
        properties["ApiKeySourceType"] = source.upper()
    if settings.get("minimumCompressionSize") is not None:
        properties["MinimumCompressionSize"] = settings["minimumCompressionSize"]
    if settings.get("description"):
        properties["Description"] = settings["description"]
    c.add(naming.REST_API, {"Type": "AWS::ApiGateway::RestApi", "Properties": properties})
    return Api(fn.ref(naming.REST_API), fn.get_att(naming.REST_API, "RootResourceId"))


def _endpoint(c: Compilation) -> dict[str, Json]:
    kind = str(c.service.setting("endpointType") or "EDGE").upper()
    configuration: dict[str, Json] = {"Types": [kind]}
    endpoints = c.service.setting("vpcEndpointIds")
    if endpoints is not None:
        if kind != "PRIVATE":
            message = "VPC endpoints are for private APIs only"
            c.mistake(message, ("provider", "vpcEndpointIds"), "set 'endpointType: PRIVATE'")
        configuration["VpcEndpointIds"] = endpoints
    return configuration


def _external(c: Compilation, settings: dict[str, Json]) -> Api:
    path: Path = ("provider", "apiGateway", "restApiId")
    if not settings.get("restApiRootResourceId"):
        c.mistake("an API from elsewhere needs 'restApiRootResourceId' too", path)
    for names in (("logs", "restApi"), ("tracing", "apiGateway")):
        if c.service.setting(*names):
            message = f"'{'.'.join(names)}' has no effect on an API from elsewhere"
            c.mistake(message, ("provider", *names), "set it where the API is made")
    resources = settings.get("restApiResources") or {}
    if isinstance(resources, list):
        resources = {item["path"]: item["resourceId"] for item in resources}
    known = {path.strip("/"): resource_id for path, resource_id in resources.items()}
    return Api(settings["restApiId"], settings.get("restApiRootResourceId"), known, external=True)
