"""What stands behind a method: the function as a proxy, another HTTP server, or a fixed answer."""

from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint

_MAPPED = ("HTTP", "MOCK")


def integration(
    c: Compilation, endpoint: "Endpoint", parameters: dict[str, tuple[bool, Json]]
) -> dict[str, Json]:
    kind = endpoint.integration
    settings: dict[str, Json] = {"IntegrationHttpMethod": "POST", "Type": kind}
    if kind == "AWS_PROXY":
        alias = c.aliases.get(endpoint.function.key)
        arn = fn.get_att(naming.function(endpoint.function.key))
        settings["Uri"] = fn.invocation_uri(arn, ":", alias.name) if alias else fn.invocation_uri(arn)
        return settings
    if kind in ("HTTP", "HTTP_PROXY"):
        settings["IntegrationHttpMethod"] = str(endpoint.get("request", "method") or endpoint.method).upper()
        settings["Uri"] = endpoint.get("request", "uri")
        if str(endpoint.get("connectionType")).upper().replace("-", "_") == "VPC_LINK":
            settings["ConnectionType"] = "VPC_LINK"
            settings["ConnectionId"] = endpoint.get("connectionId")
        if mapped := _mapped(parameters):
            settings["RequestParameters"] = mapped
    if kind in _MAPPED:
        if endpoint.get("request", "passThrough"):
            settings["PassthroughBehavior"] = endpoint.get("request", "passThrough")
        if endpoint.get("request", "contentHandling"):
            settings["ContentHandling"] = endpoint.get("request", "contentHandling")
        if endpoint.get("request", "template"):
            settings["RequestTemplates"] = dict(endpoint.get("request", "template"))
        settings["IntegrationResponses"] = _integration_responses(c, endpoint)
    return settings


def _mapped(parameters: dict[str, tuple[bool, Json]]) -> dict[str, Json]:
    return {
        name.replace("method.", "integration.", 1): mapped or name for name, (_, mapped) in parameters.items()
    }


def _status_codes(endpoint: "Endpoint") -> dict[str, Json]:
    codes: dict[str, Json] = endpoint.get("response", "statusCodes") or {}
    if codes and not any((settings or {}).get("pattern") == "" for settings in codes.values()):
        codes = {"200": {"pattern": ""}, **codes}
    return dict(sorted(codes.items()))


def _integration_responses(c: Compilation, endpoint: "Endpoint") -> list[Json]:
    codes = _status_codes(endpoint)
    if not codes:
        message = "this integration needs 'response.statusCodes'"
        c.mistake(message, endpoint.event.path, "response: {statusCodes: {200: {pattern: ''}}}")
    responses: list[Json] = []
    for code, settings in codes.items():
        settings = settings or {}
        response: dict[str, Json] = {"StatusCode": code, "SelectionPattern": settings.get("pattern") or ""}
        parameters: dict[str, Json] = {}
        if endpoint.cors:
            parameters["method.response.header.Access-Control-Allow-Origin"] = (
                f"'{endpoint.cors.first_origin}'"
            )
        for name, value in _headers(endpoint, settings).items():
            parameters[f"method.response.header.{name}"] = value
        response["ResponseParameters"] = parameters
        default = endpoint.get("response", "template") if response["SelectionPattern"] == "" else None
        template = settings.get("template") or default
        if isinstance(template, str):
            template = {"application/json": template}
        response["ResponseTemplates"] = template or {}
        if endpoint.get("response", "contentHandling"):
            response["ContentHandling"] = endpoint.get("response", "contentHandling")
        responses.append(response)
    return responses


def _headers(endpoint: "Endpoint", settings: dict[str, Json]) -> dict[str, Json]:
    return {**(endpoint.get("response", "headers") or {}), **(settings.get("headers") or {})}


def method_responses(endpoint: "Endpoint") -> list[Json]:
    if endpoint.integration not in _MAPPED:
        return []
    responses: list[Json] = []
    for code, settings in _status_codes(endpoint).items():
        names = ["Access-Control-Allow-Origin"] if endpoint.cors else []
        names += _headers(endpoint, settings or {})
        parameters = {f"method.response.header.{name}": True for name in names}
        responses.append({"ResponseParameters": parameters, "ResponseModels": {}, "StatusCode": code})
    return responses
