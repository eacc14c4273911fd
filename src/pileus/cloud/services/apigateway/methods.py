"""Method, Integration and their responses: what a resource does with a request.

They live in their resource's document, under `resourceMethods`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pileus.cloud.kernel import Call, NotEmulated, operation

from .base import Request, Result
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException, NotFoundException
from .patch import EDIT, Patch, apply, boolean, integer, maps, values
from .resources import Resources

HTTP_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
_INTEGRATION_TYPES = ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY")
_REQUEST_PARAMETER = re.compile(
    r"method\.request\.(?:querystring|path|header|multivaluequerystring|multivalueheader)\.\S+"
)
_LAMBDA_URI = re.compile(
    r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/(?:2015-03-31/functions/.+/invocations"
    r"|2021-11-15/functions/.+/response-streaming-invocations)"
)
_METHOD_PATCHES = (
    *values("authorizationType", "authorizerId", "operationName", "requestValidatorId"),
    *values("apiKeyRequired", convert=boolean),
    *maps("requestParameters", convert=boolean),
    *maps("requestModels"),
    Patch("/authorizationScopes", "authorizationScopes", operations=EDIT, kind="set"),
)
_INTEGRATION_PATCHES = (
    *values("type", "httpMethod", "uri", "credentials", "passthroughBehavior", "contentHandling"),
    *values("connectionType", "connectionId", "cacheNamespace"),
    *values("timeoutInMillis", convert=integer),
    *maps("requestParameters", "requestTemplates"),
    Patch("/cacheKeyParameters/*", "cacheKeyParameters", operations=EDIT, kind="set"),
    Patch("/responseTransferMode", refused=True, operations=EDIT),
)
_METHOD_RESPONSE_PATCHES = (
    *maps("responseParameters", convert=boolean),
    *maps("responseModels"),
)
_INTEGRATION_RESPONSE_PATCHES = (
    *values("selectionPattern", "contentHandling"),
    *maps("responseParameters", "responseTemplates"),
)
_STATUS = re.compile(r"[1-5]\d\d")


class Methods(Resources):
    def method(self, call: Call, request: Request) -> tuple[Document, Document]:
        """The resource and its method that the request names."""
        resource = self.resource(call, request["restApiId"], request["resourceId"])
        method = (resource.get("resourceMethods") or {}).get(request["httpMethod"])
        if method is None:
            raise NotFoundException("Invalid Method identifier specified")
        return resource, method

    def integration(self, call: Call, request: Request) -> tuple[Document, Document]:
        resource, method = self.method(call, request)
        integration = method.get("methodIntegration")
        if integration is None:
            raise NotFoundException("Invalid Integration identifier specified")
        return resource, integration

    # -- methods ----------------------------------------------------------------------------------------------------

    @operation("PutMethod")
    def put_method(self, call: Call, request: Request) -> Result:
        api_id, name = request["restApiId"], request["httpMethod"]
        self.api(call, api_id)
        resource = self.resource(call, api_id, request["resourceId"])
        if name not in HTTP_METHODS:
            raise BadRequestException(
                f"Invalid HttpMethod specified. Valid options are {','.join(HTTP_METHODS)}"
            )
        methods = resource.setdefault("resourceMethods", {})
        if name in methods:
            raise ConflictException("Method already exists for this resource")
        method = bare(
            {
                "httpMethod": name,
                "authorizationType": request["authorizationType"],
                "authorizerId": request.get("authorizerId"),
                "authorizationScopes": list(request.get("authorizationScopes") or ()) or None,
                "apiKeyRequired": bool(request.get("apiKeyRequired", False)),
                "requestValidatorId": request.get("requestValidatorId"),
                "operationName": request.get("operationName"),
                "requestParameters": dict(request.get("requestParameters") or {}) or None,
                "requestModels": dict(request.get("requestModels") or {}) or None,
            }
        )
        self._check_method(call, api_id, method)
        methods[name] = method
        self.put_resource(call, api_id, resource)
        return method

    def _check_method(self, call: Call, api_id: str, method: Document) -> None:
        documents = Documents.of(call)
        kind = method["authorizationType"]
        if kind not in ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"):
            raise BadRequestException(
                "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM,"
                " COGNITO_USER_POOLS"
            )
        authorizer = documents.find(Kind.AUTHORIZER, method.get("authorizerId") or "", api_id)
        by_pools = authorizer is not None and authorizer["type"] == "COGNITO_USER_POOLS"
        if kind in ("CUSTOM", "COGNITO_USER_POOLS") and (
            authorizer is None or by_pools is not (kind == "COGNITO_USER_POOLS")
        ):
            raise BadRequestException(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS"
                " requires a valid authorizer."
            )
        validator = method.get("requestValidatorId")
        if validator and not documents.find(Kind.VALIDATOR, validator, api_id):
            raise BadRequestException("Invalid Request Validator identifier specified")
        for name in (method.get("requestModels") or {}).values():
            if documents.find(Kind.MODEL, name, api_id) is None:
                raise BadRequestException(f"Invalid model identifier specified: {name}")
        _check_parameters(method.get("requestParameters") or (), _REQUEST_PARAMETER)

    @operation("GetMethod")
    def get_method(self, call: Call, request: Request) -> Result:
        return self.method(call, request)[1]

    @operation("UpdateMethod")
    def update_method(self, call: Call, request: Request) -> Result:
        resource, method = self.method(call, request)
        apply(method, request.get("patchOperations"), _METHOD_PATCHES, "UpdateMethod")
        self._check_method(call, request["restApiId"], method)
        self.put_resource(call, request["restApiId"], resource)
        return method

    @operation("DeleteMethod")
    def delete_method(self, call: Call, request: Request) -> None:
        resource, _ = self.method(call, request)
        del resource["resourceMethods"][request["httpMethod"]]
        if not resource["resourceMethods"]:
            del resource["resourceMethods"]
        self.put_resource(call, request["restApiId"], resource)

    # -- method responses -------------------------------------------------------------------------------------------

    @operation("PutMethodResponse")
    def put_method_response(self, call: Call, request: Request) -> Result:
        resource, method = self.method(call, request)
        responses = method.setdefault("methodResponses", {})
        if request["statusCode"] in responses:
            raise ConflictException("Response already exists for this resource")
        response = bare(
            {
                "statusCode": _status(request["statusCode"]),
                "responseParameters": dict(request.get("responseParameters") or {}) or None,
                "responseModels": dict(request.get("responseModels") or {}) or None,
            }
        )
        responses[response["statusCode"]] = response
        self.put_resource(call, request["restApiId"], resource)
        return response

    @operation("GetMethodResponse")
    def get_method_response(self, call: Call, request: Request) -> Result:
        return _response(self.method(call, request)[1], "methodResponses", request)

    @operation("UpdateMethodResponse")
    def update_method_response(self, call: Call, request: Request) -> Result:
        resource, method = self.method(call, request)
        response = _response(method, "methodResponses", request)
        apply(response, request.get("patchOperations"), _METHOD_RESPONSE_PATCHES, "UpdateMethodResponse")
        self.put_resource(call, request["restApiId"], resource)
        return response

    @operation("DeleteMethodResponse")
    def delete_method_response(self, call: Call, request: Request) -> None:
        resource, method = self.method(call, request)
        _response(method, "methodResponses", request)
        del method["methodResponses"][request["statusCode"]]
        self.put_resource(call, request["restApiId"], resource)

    # -- integrations -----------------------------------------------------------------------------------------------

    @operation("PutIntegration")
    def put_integration(self, call: Call, request: Request) -> Result:
        resource, method = self.method(call, request)
        if request.get("responseTransferMode", "BUFFERED") != "BUFFERED":
            raise NotEmulated("apigateway PutIntegration.responseTransferMode STREAM")
        integration = bare(
            {
                "type": request["type"],
                "httpMethod": request.get("integrationHttpMethod"),
                "uri": request.get("uri"),
                "connectionType": request.get("connectionType"),
                "connectionId": request.get("connectionId"),
                "credentials": request.get("credentials"),
                "requestParameters": dict(request.get("requestParameters") or {}) or None,
                "requestTemplates": dict(request.get("requestTemplates") or {}) or None,
                "passthroughBehavior": request.get("passthroughBehavior") or "WHEN_NO_MATCH",
                "contentHandling": request.get("contentHandling"),
                "timeoutInMillis": request.get("timeoutInMillis", 29000),
                "cacheNamespace": request.get("cacheNamespace") or resource["id"],
                "cacheKeyParameters": list(request.get("cacheKeyParameters") or ()),
                "tlsConfig": request.get("tlsConfig"),
            }
        )
        _check_integration(integration)
        method["methodIntegration"] = integration
        self.put_resource(call, request["restApiId"], resource)
        return integration

    @operation("GetIntegration")
    def get_integration(self, call: Call, request: Request) -> Result:
        return self.integration(call, request)[1]

    @operation("UpdateIntegration")
    def update_integration(self, call: Call, request: Request) -> Result:
        resource, integration = self.integration(call, request)
        apply(integration, request.get("patchOperations"), _INTEGRATION_PATCHES, "UpdateIntegration")
        _check_integration(integration)
        self.put_resource(call, request["restApiId"], resource)
        return integration

    @operation("DeleteIntegration")
    def delete_integration(self, call: Call, request: Request) -> None:
        self.integration(call, request)
        resource, method = self.method(call, request)
        del method["methodIntegration"]
        self.put_resource(call, request["restApiId"], resource)

    # -- integration responses --------------------------------------------------------------------------------------

    @operation("PutIntegrationResponse")
    def put_integration_response(self, call: Call, request: Request) -> Result:
        resource, integration = self.integration(call, request)
        method = resource["resourceMethods"][request["httpMethod"]]
        status = _status(request["statusCode"])
        if status not in (method.get("methodResponses") or {}):
            raise NotFoundException("Invalid Response status code specified")
        parameters = dict(request.get("responseParameters") or {})
        _check_response_parameters(parameters, method["methodResponses"][status])
        templates = {k: v or "" for k, v in (request.get("responseTemplates") or {}).items()}
        response = bare(
            {
                "statusCode": status,
                "selectionPattern": request.get("selectionPattern"),
                "responseParameters": parameters or None,
                "responseTemplates": templates or None,
                "contentHandling": request.get("contentHandling"),
            }
        )
        integration.setdefault("integrationResponses", {})[status] = response
        self.put_resource(call, request["restApiId"], resource)
        return response

    @operation("GetIntegrationResponse")
    def get_integration_response(self, call: Call, request: Request) -> Result:
        return _response(self.integration(call, request)[1], "integrationResponses", request)

    @operation("UpdateIntegrationResponse")
    def update_integration_response(self, call: Call, request: Request) -> Result:
        resource, integration = self.integration(call, request)
        response = _response(integration, "integrationResponses", request)
        operations = request.get("patchOperations")
        apply(response, operations, _INTEGRATION_RESPONSE_PATCHES, "UpdateIntegrationResponse")
        self.put_resource(call, request["restApiId"], resource)
        return response

    @operation("DeleteIntegrationResponse")
    def delete_integration_response(self, call: Call, request: Request) -> None:
        resource, integration = self.integration(call, request)
        _response(integration, "integrationResponses", request)
        del integration["integrationResponses"][request["statusCode"]]
        self.put_resource(call, request["restApiId"], resource)


def _status(status: Any) -> str:
    text = str(status)
    if _STATUS.fullmatch(text) is None:
        raise BadRequestException("Invalid Response status code specified")
    return text


def _response(holder: Document, member: str, request: Request) -> Document:
    found: Document | None = (holder.get(member) or {}).get(request["statusCode"])
    if found is None:
        raise NotFoundException("Invalid Response status code specified")
    return found


def _check_parameters(names: Iterable[str], pattern: re.Pattern[str]) -> None:
    for name in names:
        if pattern.fullmatch(name) is None:
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors :"
                f" [Invalid mapping expression parameter specified: {name}]"
            )


def _check_response_parameters(parameters: Document, response: Document) -> None:
    declared = response.get("responseParameters") or {}
    for name in parameters:
        if name not in declared:
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors :"
                f" [Invalid mapping expression parameter specified: {name}]"
            )


def _check_integration(integration: Document) -> None:
    kind = integration["type"]
    if kind not in _INTEGRATION_TYPES:
        raise BadRequestException(f"Invalid integration type specified: {kind}")
    if kind != "MOCK" and not integration.get("httpMethod"):
        raise BadRequestException("Enumeration value for HttpMethod must be non-empty")
    uri = integration.get("uri") or ""
    if kind in ("AWS", "AWS_PROXY"):
        if not uri.startswith("arn:"):
            raise BadRequestException("Invalid ARN specified in the request")
        if kind == "AWS_PROXY" and _LAMBDA_URI.fullmatch(uri) is None:
            raise BadRequestException(
                "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream"
                " invocations."
            )
    if kind in ("HTTP", "HTTP_PROXY") and not uri.startswith(("http://", "https://", "${", "{")):
        raise BadRequestException("Invalid HTTP endpoint specified for URI")
    if not 50 <= int(integration["timeoutInMillis"]) <= 300_000:
        raise BadRequestException("Timeout should be between 50 ms and 29000 ms")
    if integration["passthroughBehavior"] not in ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"):
        raise BadRequestException(
            f"Invalid passthrough behavior specified: {integration['passthroughBehavior']}"
        )
