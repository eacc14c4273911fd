"""Method: with its integration and responses, one property each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import REPLACE, UPDATE, Created, ResourceType, StackCall

from .calls import Properties, camel, flag, flags, invoke, number, remove, texts


class Method(ResourceType):
    type_name = "AWS::ApiGateway::Method"
    properties = {
        "ApiKeyRequired": UPDATE,
        "AuthorizationType": UPDATE,
        "AuthorizationScopes": UPDATE,
        "AuthorizerId": UPDATE,
        "HttpMethod": REPLACE,
        "Integration": UPDATE,
        "MethodResponses": UPDATE,
        "OperationName": UPDATE,
        "RequestModels": UPDATE,
        "RequestParameters": UPDATE,
        "RequestValidatorId": UPDATE,
        "ResourceId": REPLACE,
        "RestApiId": REPLACE,
    }
    required = ("HttpMethod", "ResourceId", "RestApiId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        where = {
            "restApiId": properties["RestApiId"],
            "resourceId": properties["ResourceId"],
            "httpMethod": properties["HttpMethod"],
        }
        invoke(
            stack,
            "PutMethod",
            **where,
            authorizationType=properties.get("AuthorizationType") or "NONE",
            authorizerId=properties.get("AuthorizerId"),
            authorizationScopes=properties.get("AuthorizationScopes"),
            apiKeyRequired=flag(properties.get("ApiKeyRequired")),
            operationName=properties.get("OperationName"),
            requestModels=properties.get("RequestModels"),
            requestParameters=flags(properties.get("RequestParameters")),
            requestValidatorId=properties.get("RequestValidatorId"),
        )
        for response in properties.get("MethodResponses") or ():
            invoke(
                stack,
                "PutMethodResponse",
                **where,
                statusCode=str(response["StatusCode"]),
                responseModels=response.get("ResponseModels"),
                responseParameters=flags(response.get("ResponseParameters")),
            )
        if properties.get("Integration"):
            self._integrate(stack, where, properties["Integration"])
        name = f"{where['restApiId']}|{where['resourceId']}|{where['httpMethod']}"
        return Created(name)

    def _integrate(self, stack: StackCall, where: Mapping[str, Any], integration: Properties) -> None:
        invoke(
            stack,
            "PutIntegration",
            **where,
            type=integration["Type"],
            integrationHttpMethod=integration.get("IntegrationHttpMethod"),
            uri=integration.get("Uri"),
            connectionType=integration.get("ConnectionType"),
            connectionId=integration.get("ConnectionId"),
            credentials=integration.get("Credentials"),
            requestParameters=texts(integration.get("RequestParameters")),
            requestTemplates=texts(integration.get("RequestTemplates")),
            passthroughBehavior=integration.get("PassthroughBehavior"),
            contentHandling=integration.get("ContentHandling"),
            timeoutInMillis=number(integration.get("TimeoutInMillis")),
            cacheNamespace=integration.get("CacheNamespace"),
            cacheKeyParameters=integration.get("CacheKeyParameters"),
            responseTransferMode=integration.get("ResponseTransferMode"),
            tlsConfig=flags(camel(integration.get("TlsConfig"))),
        )
        for response in integration.get("IntegrationResponses") or ():
            invoke(
                stack,
                "PutIntegrationResponse",
                **where,
                statusCode=str(response["StatusCode"]),
                selectionPattern=response.get("SelectionPattern"),
                responseParameters=texts(response.get("ResponseParameters")),
                responseTemplates=texts(response.get("ResponseTemplates")),
                contentHandling=response.get("ContentHandling"),
            )

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        """Put anew as a whole: methods have no identity beyond their place."""
        self.delete(stack, physical_id, old)
        return self.create(stack, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        remove(
            stack,
            "DeleteMethod",
            restApiId=properties["RestApiId"],
            resourceId=properties["ResourceId"],
            httpMethod=properties["HttpMethod"],
        )
