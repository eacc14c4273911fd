"""What stands behind a method: the function as a proxy or behind templates, another HTTP server, or a fixed answer."""

from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.mapping import default_templates
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint

_MAPPED = ("AWS", "HTTP", "MOCK")
_ANYWHERE = r"[\s\S]*"


def _failure(code: str) -> dict[str, Json]:
    return {"pattern": rf"{_ANYWHERE}\[{code}\]{_ANYWHERE}"}


#: Responses of `integration: lambda` when none are given: a function answers 404 by an error with "[404]" in it.
_STATUS_CODES: dict[str, Json] = {
    "200": {"pattern": ""},
    **{code: _failure(code) for code in ("400", "401", "403", "404", "422")},
    "500": {
        "pattern": rf"{_ANYWHERE}(Process\s?exited\s?before\s?completing\s?request|\[500\]){_ANYWHERE}",
    },
    "502": _failure("502"),
    "504": {
        "pattern": rf"({_ANYWHERE}\[504\]{_ANYWHERE})|(.*Task timed out after \d+\.\d+ seconds$)",
    },
}


def integration(
    c: Compilation, endpoint: "Endpoint", parameters: dict[str, tuple[bool, Json]]
) -> dict[str, Json]:
    kind = endpoint.integration
    settings: dict[str, Json] = {"IntegrationHttpMethod": "POST", "Type": kind}
    if kind in ("AWS", "AWS_PROXY"):
        alias = c.aliases.get(endpoint.function.key)
        arn = fn.get_att(naming.function(endpoint.function.key))
        settings["Uri"] = fn.invocation_uri(arn, ":", alias.name) if alias else fn.invocation_uri(arn)
    elif kind in ("HTTP", "HTTP_PROXY"):
        method = endpoint.get("request", "method") if kind == "HTTP" else None
        settings["IntegrationHttpMethod"] = str(method or endpoint.method).upper()
        settings["Uri"] = endpoint.get("request", "uri")
        if endpoint.is_vpc_link:
            settings["ConnectionType"] = "VPC_LINK"
            settings["ConnectionId"] = endpoint.get("connectionId")
    if kind in _MAPPED:
        _request(endpoint, settings)
        settings["IntegrationResponses"] = _integration_responses(endpoint)
    mapped = _mapped(parameters) if kind in ("AWS", "HTTP", "HTTP_PROXY") else {}
    if endpoint.get("async"):
        mapped["integration.request.header.X-Amz-Invocation-Type"] = "'Event'"
    if mapped:
        settings["RequestParameters"] = mapped
    return settings


def _request(endpoint: "Endpoint", settings: dict[str, Json]) -> None:
    """How the request is translated for what stands behind the method."""
    pass_through = endpoint.get("request", "passThrough")
    templates: dict[str, Json] = {}
    if endpoint.integration == "AWS":
        pass_through = pass_through or "NEVER"
        templates = {**default_templates(endpoint.get("authorizer", "claims") or [])}
    if pass_through:
        settings["PassthroughBehavior"] = pass_through
    if endpoint.get("request", "contentHandling"):
        settings["ContentHandling"] = endpoint.get("request", "contentHandling")
    given = endpoint.get("request", "template")
    templates |= given if isinstance(given, dict) else {}
    templates = {name: template for name, template in templates.items() if template is not None}
    if templates:
        settings["RequestTemplates"] = templates


def _mapped(parameters: dict[str, tuple[bool, Json]]) -> dict[str, Json]:
    return {
        name.replace("method.", "integration.", 1): mapped or name for name, (_, mapped) in parameters.items()
    }


def _status_codes(endpoint: "Endpoint") -> dict[str, Json]:
    given = endpoint.get("response", "statusCodes")
    if given is None:
        return {} if endpoint.integration == "MOCK" else _STATUS_CODES
    codes: dict[str, Json] = {str(code): settings for code, settings in dict(given).items()}
    if not any((settings or {}).get("pattern") == "" for settings in codes.values()):
        codes = {"200": {"pattern": ""}, **codes}
    return dict(sorted(codes.items()))


def _integration_responses(endpoint: "Endpoint") -> list[Json]:
    responses: list[Json] = []
    for code, settings in _status_codes(endpoint).items():
        settings = settings or {}
        response: dict[str, Json] = {"StatusCode": code, "SelectionPattern": settings.get("pattern") or ""}
        response["ResponseParameters"] = {
            f"method.response.header.{name}": value for name, value in _headers(endpoint, settings).items()
        }
        template = settings.get("template") or endpoint.get("response", "template")
        if template and (isinstance(template, str) or "template" not in settings):
            template = {"application/json": template}
        response["ResponseTemplates"] = template or {}
        if endpoint.get("response", "contentHandling") and response["SelectionPattern"] == "":
            response["ContentHandling"] = endpoint.get("response", "contentHandling")
        responses.append(response)
    return responses


def _headers(endpoint: "Endpoint", settings: dict[str, Json]) -> dict[str, Json]:
    """Headers of a response: those of CORS, of all responses, and of this one."""
    headers: dict[str, Json] = {}
    if endpoint.cors:
        origins = ",".join(endpoint.cors.origins) or endpoint.cors.origin
        headers["Access-Control-Allow-Origin"] = f"'{origins}'"
        if endpoint.cors.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
    return {**headers, **(endpoint.get("response", "headers") or {}), **(settings.get("headers") or {})}


def method_responses(endpoint: "Endpoint") -> list[Json]:
    if endpoint.integration not in _MAPPED:
        return []
    responses: list[Json] = []
    for code, settings in _status_codes(endpoint).items():
        names = _headers(endpoint, settings or {})
        parameters = {f"method.response.header.{name}": True for name in names}
        responses.append({"ResponseParameters": parameters, "ResponseModels": {}, "StatusCode": code})
    return responses
