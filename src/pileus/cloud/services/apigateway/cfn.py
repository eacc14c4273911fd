"""The CloudFormation types AWS::ApiGateway::*.

Each class lists the properties that it takes; what is not listed (Body, CanarySetting, CacheClusterEnabled, VpcLink, …) is
refused before anything is created. Everything goes through the API's own operations.
"""

from .stack.apis import Authorizer, Model, RequestValidator, Resource, RestApi
from .stack.methods import Method
from .stack.stages import Deployment, Stage
from .stack.usage import Account, ApiKey, GatewayResponse, UsagePlan, UsagePlanKey

__all__ = [
    "Account",
    "ApiKey",
    "Authorizer",
    "Deployment",
    "GatewayResponse",
    "Method",
    "Model",
    "RequestValidator",
    "Resource",
    "RestApi",
    "Stage",
    "UsagePlan",
    "UsagePlanKey",
]
