"""Integration: what a route leads to; and what becomes of a WebSocket integration's answer."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, NotEmulated, operation

from . import members
from .base import Operations, Request, Result, bare, merge, picked, refuse
from .dataplane.parameters import steps_of
from .documents import Document, Documents, Kind
from .errors import BadRequestException, ConflictException

_REFUSED = ("ConnectionId", "CredentialsArn", "IntegrationSubtype", "TlsConfig")
_FUNCTION = re.compile(
    r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[^/]+|arn:aws[\w-]*:apigateway:.+:lambda:path/.+"
)


class Integrations(Operations):
    @operation("CreateIntegration")
    def create_integration(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        refuse("CreateIntegration", request, *_REFUSED)
        http = api["ProtocolType"] == "HTTP"
        integration = {
            "ConnectionType": "INTERNET",
            "TimeoutInMillis": 30000 if http else 29000,
            **picked(request, members.INTEGRATION),
            "IntegrationId": call.ids.lower(7),
        }
        if integration["IntegrationType"] == "AWS_PROXY" and http:
            integration.setdefault("IntegrationMethod", "POST")
        if not http:
            integration.setdefault("PassthroughBehavior", "WHEN_NO_MATCH")
            integration.setdefault("PayloadFormatVersion", "1.0")
            integration.setdefault(
                "IntegrationResponseSelectionExpression", "${integration.response.statuscode}"
            )
        return self._put_integration(call, api, integration)

    def _put_integration(self, call: Call, api: Document, integration: Document) -> Result:
        _check(api, integration)
        Documents.of(call).put(Kind.INTEGRATION, integration["IntegrationId"], integration, api["ApiId"])
        self.changed(call, api["ApiId"])
        return bare(integration)

    @operation("GetIntegration", reads=True)
    def get_integration(self, call: Call, request: Request) -> Result:
        return bare(self.child(call, Kind.INTEGRATION, request["ApiId"], request["IntegrationId"]))

    @operation("GetIntegrations", reads=True)
    def get_integrations(self, call: Call, request: Request) -> Result:
        return self.page_under(call, Kind.INTEGRATION, request)

    @operation("UpdateIntegration")
    def update_integration(self, call: Call, request: Request) -> Result:
        api = self.api(call, request["ApiId"])
        integration = self.child(call, Kind.INTEGRATION, request["ApiId"], request["IntegrationId"])
        refuse("UpdateIntegration", request, *_REFUSED)
        merge(integration, request, members.INTEGRATION)
        return self._put_integration(call, api, integration)

    @operation("DeleteIntegration")
    def delete_integration(self, call: Call, request: Request) -> None:
        api_id, integration_id = request["ApiId"], request["IntegrationId"]
        self.child(call, Kind.INTEGRATION, api_id, integration_id)
        documents = Documents.of(call)
        for route in documents.all(Kind.ROUTE, api_id):
            if route.get("Target") == f"integrations/{integration_id}":
                raise ConflictException(
                    f"Cannot delete Integration '{integration_id}' because it is referenced by Route(s):"
                    f" '{route['RouteId']}'"
                )
        for response in documents.all(Kind.INTEGRATION_RESPONSE, api_id, f"{integration_id}/"):
            name = f"{integration_id}/{response['IntegrationResponseId']}"
            documents.delete(Kind.INTEGRATION_RESPONSE, name, api_id)
        documents.delete(Kind.INTEGRATION, integration_id, api_id)
        self.changed(call, api_id)

    # -- responses of WebSocket integrations ----------------------------------------------------------------------------

    @operation("CreateIntegrationResponse")
    def create_integration_response(self, call: Call, request: Request) -> Result:
        if self.api(call, request["ApiId"])["ProtocolType"] != "WEBSOCKET":
            raise BadRequestException("Integration responses are supported only for WebSocket APIs")
        self.child(call, Kind.INTEGRATION, request["ApiId"], request["IntegrationId"])
        response = {
            **picked(request, members.INTEGRATION_RESPONSE),
            "IntegrationResponseId": call.ids.lower(7),
        }
        return self._put_response(call, request, response)

    def _put_response(self, call: Call, request: Request, response: Document) -> Result:
        name = f"{request['IntegrationId']}/{response['IntegrationResponseId']}"
        document = {**response, "IntegrationId": request["IntegrationId"]}
        Documents.of(call).put(Kind.INTEGRATION_RESPONSE, name, document, request["ApiId"])
        self.changed(call, request["ApiId"])
        return bare(response)

    def _response(self, call: Call, request: Request) -> Document:
        name = f"{request['IntegrationId']}/{request['IntegrationResponseId']}"
        return bare(self.child(call, Kind.INTEGRATION_RESPONSE, request["ApiId"], name), "IntegrationId")

    @operation("GetIntegrationResponse", reads=True)
    def get_integration_response(self, call: Call, request: Request) -> Result:
        return self._response(call, request)

    @operation("GetIntegrationResponses", reads=True)
    def get_integration_responses(self, call: Call, request: Request) -> Result:
        self.child(call, Kind.INTEGRATION, request["ApiId"], request["IntegrationId"])
        prefix = f"{request['IntegrationId']}/"
        answer = self.page_under(call, Kind.INTEGRATION_RESPONSE, request, prefix)
        return {**answer, "Items": [bare(item, "IntegrationId") for item in answer["Items"]]}

    @operation("UpdateIntegrationResponse")
    def update_integration_response(self, call: Call, request: Request) -> Result:
        response = self._response(call, request)
        merge(response, request, members.INTEGRATION_RESPONSE)
        return self._put_response(call, request, response)

    @operation("DeleteIntegrationResponse")
    def delete_integration_response(self, call: Call, request: Request) -> None:
        self._response(call, request)
        name = f"{request['IntegrationId']}/{request['IntegrationResponseId']}"
        Documents.of(call).delete(Kind.INTEGRATION_RESPONSE, name, request["ApiId"])
        self.changed(call, request["ApiId"])


def _check(api: Document, integration: Document) -> None:
    kind, http = integration["IntegrationType"], api["ProtocolType"] == "HTTP"
    if integration["ConnectionType"] == "VPC_LINK":
        raise NotEmulated("apigatewayv2 private integrations (ConnectionType VPC_LINK)")
    longest = 30000 if http else 29000
    if not 50 <= integration["TimeoutInMillis"] <= longest:
        raise BadRequestException(f"Timeout should be between 50 ms and {longest} ms")
    if not http:
        return
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise BadRequestException(f"IntegrationType {kind} is not supported for HTTP APIs")
    version = integration.get("PayloadFormatVersion")
    if version is None:
        raise BadRequestException("PayloadFormatVersion is a required parameter for integration")
    if version not in (("1.0", "2.0") if kind == "AWS_PROXY" else ("1.0",)):
        raise BadRequestException(f"PayloadFormatVersion {version} is not supported for {kind} integrations")
    if kind == "AWS_PROXY" and integration.get("RequestParameters"):
        raise NotEmulated("apigatewayv2 RequestParameters of AWS_PROXY integrations")
    try:
        for parameters in (
            integration.get("RequestParameters"),
            *(integration.get("ResponseParameters") or {}).values(),
        ):
            steps_of(parameters)
    except ValueError as error:
        raise BadRequestException(str(error)) from None
    uri = integration.get("IntegrationUri") or ""
    if kind == "AWS_PROXY" and _FUNCTION.fullmatch(uri) is None:
        raise BadRequestException(f"Invalid ARN specified in the request {uri}".strip())
    if kind == "HTTP_PROXY":
        if not uri.startswith(("http://", "https://")):
            raise BadRequestException("Invalid HTTP endpoint specified for URI")
        if not integration.get("IntegrationMethod"):
            raise BadRequestException("HttpMethod must be specified for HTTP_PROXY integrations")
