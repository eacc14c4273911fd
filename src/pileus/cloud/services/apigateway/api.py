"""The service: its operations, grouped by what they are about, and the data plane."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from pileus.cloud.kernel import Call, Cloud, HttpRequest, HttpResponse, operation

from .account import Account
from .apis import RestApis
from .authorizers import Authorizers
from .base import Request, Result
from .dataplane.plane import DataPlane
from .deployments import Deployments
from .gateway_responses import GatewayResponses
from .models import Models
from .schema import MIGRATIONS
from .trials import Trials
from .usage_plans import UsagePlans


class ApiGateway(RestApis, Trials, Models, Authorizers, Deployments, GatewayResponses, UsagePlans, Account):
    """Implements `ApiDataPlane` (kernel/ports.py) for the others."""

    name = "apigateway"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.plane = DataPlane(cloud)

    @operation("CreateRestApi")
    def create_rest_api(self, call: Call, request: Request) -> Result:
        api = super().create_rest_api(call, request)
        self.add_built_in(call, api["id"])
        return api

    def serve(
        self, api_id: str, stage: str, request: HttpRequest, path: str
    ) -> Coroutine[Any, Any, HttpResponse]:
        """See `kernel.ports.ApiDataPlane`."""
        return self.plane.serve(api_id, stage, request, path)

    def owns(self, api_id: str) -> bool:
        return self.plane.owns(api_id)

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        """See `kernel.ports.ApiDataPlane`: the first segment, always."""
        stage, _, rest = path[1:].partition("/")
        return stage, f"/{rest}"

    def has_route(self, api_id: str, stage: str, method: str, path: str) -> bool:
        return self.plane.has_route(api_id, stage, method, path)
