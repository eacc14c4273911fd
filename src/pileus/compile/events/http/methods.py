"""A method for each endpoint: authorisation, integration, and validation of the request."""

from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http import integrations
from pileus.compile.events.http.rest_api import Api
from pileus.service.merge import merge
from pileus.service.tree import Json, get

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint


def compile_method(c: Compilation, api: Api, endpoint: "Endpoint", resource_ids: dict[str, Json]) -> str:
    """Add the method; its logical id."""
    parameters = request_parameters(endpoint)
    properties: dict[str, Json] = {
        "HttpMethod": endpoint.method,
        "RequestParameters": {name: required for name, (required, _) in parameters.items()},
        "ResourceId": resource_ids[endpoint.path],
        "RestApiId": api.id,
        "ApiKeyRequired": bool(endpoint.get("private")),
    }
    if endpoint.get("operationId"):
        properties["OperationName"] = endpoint.get("operationId")
    properties |= _authorization(endpoint)
    properties["Integration"] = integrations.integration(c, endpoint, parameters)
    properties["MethodResponses"] = integrations.method_responses(endpoint)
    models = _models(c, endpoint)
    if models or any(required is True for required, _ in parameters.values()):
        properties["RequestValidatorId"] = fn.ref(naming.rest_validator(c.service.name))
    if models:
        properties["RequestModels"] = {kind: fn.ref(model) for kind, (model, _) in models.items()}
    method: dict[str, Json] = {"Type": "AWS::ApiGateway::Method", "Properties": properties}
    method["DependsOn"] = _dependencies(c, endpoint)
    before = c.resources.get(endpoint.id)
    # An OPTIONS event on a path with CORS is laid over the preflight that stands there already.
    c.add(
        endpoint.id, merge(before, method) if before is not None and endpoint.method == "OPTIONS" else method
    )
    return endpoint.id


def request_parameters(endpoint: "Endpoint") -> dict[str, tuple[bool, Json]]:
    """`method.request.querystring.page` → (is it required, what it is mapped from when not from itself)."""
    found: dict[str, tuple[bool, Json]] = {}
    given = endpoint.get("request", "parameters") or {}
    if endpoint.integration == "MOCK":
        # As v3 does: it leaves out the translation here, so that the groups stand in for their parameters.
        return dict.fromkeys(given, (True, None))
    for group, kind in (("querystrings", "querystring"), ("paths", "path"), ("headers", "header")):
        for name, value in (given.get(group) or {}).items():
            settings = value if isinstance(value, dict) else {"required": value}
            required = settings.get("required", True)
            found[f"method.request.{kind}.{name}"] = (required, settings.get("mappedValue"))
    return found


def _authorization(endpoint: "Endpoint") -> dict[str, Json]:
    authorizer = endpoint.authorizer
    if authorizer is None:
        return {"AuthorizationType": "NONE"}
    if authorizer.kind == "AWS_IAM":
        return {"AuthorizationType": "AWS_IAM"}
    cognito = authorizer.kind == "COGNITO_USER_POOLS"
    settings: dict[str, Json] = {"AuthorizationType": authorizer.kind if cognito else "CUSTOM"}
    settings["AuthorizerId"] = fn.ref(authorizer.id) if authorizer.made_here else authorizer.external_id
    if authorizer.scopes:
        settings["AuthorizationScopes"] = list(authorizer.scopes)
    return settings


def _dependencies(c: Compilation, endpoint: "Endpoint") -> list[str]:
    authorizer = endpoint.authorizer
    if authorizer is not None and authorizer.made_here:
        # As in v3, waiting for the authorizer takes the place of waiting for the permission.
        depends_on = [authorizer.id]
    else:
        depends_on = [naming.permission(endpoint.function.key, "ApiGateway")]
    if alias := c.aliases.get(endpoint.function.key):
        depends_on.append(alias.logical_id)
    return depends_on


def compile_validation(c: Compilation, api: Api, found: list["Endpoint"]) -> None:
    """The one validator that methods refer to, and their models."""
    methods = [c.resources[endpoint.id]["Properties"] for endpoint in found]
    if any("RequestValidatorId" in properties for properties in methods):
        properties = {
            "RestApiId": api.id,
            "ValidateRequestBody": True,
            "ValidateRequestParameters": True,
            "Name": f"{c.service.name}-{c.service.stage} | Validate request body and querystring parameters",
        }
        validator = {"Type": "AWS::ApiGateway::RequestValidator", "Properties": properties}
        c.add(naming.rest_validator(c.service.name), validator)
    for endpoint in found:
        for content_type, (logical_id, schema) in _models(c, endpoint).items():
            # A model that is shared is of one type, whatever the methods take it for.
            shared = not logical_id.startswith(endpoint.id)
            _add_model(c, api, logical_id, "application/json" if shared else content_type, schema)


def _models(c: Compilation, endpoint: "Endpoint") -> dict[str, tuple[str, Json]]:
    """Content type → the logical id of its model, and its schema; models of the provider are shared."""
    schemas = endpoint.get("request", "schemas") or {}
    shared = c.service.setting("apiGateway", "request", "schemas") or {}
    models: dict[str, tuple[str, Json]] = {}
    for content_type, schema in schemas.items():
        if isinstance(schema, str) and schema in shared:
            models[content_type] = naming.rest_model(schema), shared[schema]
        else:
            models[content_type] = naming.rest_method_model(endpoint.id, content_type), schema
    return models


def _add_model(c: Compilation, api: Api, logical_id: str, content_type: str, schema: Json) -> None:
    properties: dict[str, Json] = {"RestApiId": api.id, "ContentType": content_type}
    described = isinstance(schema, dict) and get(schema, "schema") is not None
    properties["Schema"] = schema["schema"] if described else schema
    if described and schema.get("name"):
        properties["Name"] = schema["name"]
    if described and schema.get("description"):
        properties["Description"] = schema["description"]
    c.add(logical_id, {"Type": "AWS::ApiGateway::Model", "Properties": properties})
