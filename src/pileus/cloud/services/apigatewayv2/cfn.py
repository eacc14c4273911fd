"""The CloudFormation types AWS::ApiGatewayV2::*.

Each class lists the properties that it takes; what is not listed (Body, CredentialsArn, TlsConfig, …) is refused before
anything is created, as are the types that are not here (DomainName, ApiMapping, VpcLink). Everything goes through the
API's own operations.
"""

from .stack.apis import Api, Deployment, Stage
from .stack.parts import Authorizer, Integration, IntegrationResponse, Model, Route, RouteResponse

__all__ = [
    "Api",
    "Authorizer",
    "Deployment",
    "Integration",
    "IntegrationResponse",
    "Model",
    "Route",
    "RouteResponse",
    "Stage",
]
