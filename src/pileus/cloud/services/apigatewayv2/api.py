"""The service: its operations, grouped by what they are about, and the data planes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from pileus.cloud.kernel import Cloud, HttpRequest, HttpResponse

from .apis import Apis
from .authorizers import Authorizers
from .dataplane.plane import DataPlane
from .deployments import Deployments, Models
from .documents import owner
from .domains import Domains
from .integrations import Integrations
from .routes import Routes
from .schema import MIGRATIONS
from .stages import Stages
from .tags import Tags


class ApiGatewayV2(Apis, Routes, Integrations, Authorizers, Stages, Deployments, Models, Tags, Domains):
    """Implements `ApiDataPlane` (kernel/ports.py) for the others."""

    name = "apigatewayv2"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.plane = DataPlane(cloud)

    def trust_tokens(self, api_id: str, trusting: bool) -> None:
        """Whether JWT authorizers of the API leave signatures alone; until the cloud stops."""
        (self.plane.issuers.trusting.add if trusting else self.plane.issuers.trusting.discard)(api_id)

    def owns(self, api_id: str) -> bool:
        return owner(self.store, api_id) is not None

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        """See `kernel.ports.ApiDataPlane`. A path that begins with no stage's name is `$default`'s."""
        return self.plane.stage_of(api_id, path)

    def serve(
        self, api_id: str, stage: str, request: HttpRequest, path: str
    ) -> Coroutine[Any, Any, HttpResponse]:
        """See `kernel.ports.ApiDataPlane`."""
        return self.plane.serve(api_id, stage, request, path)

    def has_route(self, api_id: str, stage: str, method: str, path: str) -> bool:
        return self.plane.has_route(api_id, stage, method, path)
