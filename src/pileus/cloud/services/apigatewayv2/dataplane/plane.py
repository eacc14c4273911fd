"""The data plane of HTTP APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pileus.cloud.kernel import HttpRequest, HttpResponse, NotEmulated

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud


class DataPlane:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def forget(self, api_id: str) -> None:
        """Drops what is kept of an API; it is read again at its next request."""

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        return "$default", path

    def has_route(self, api_id: str, stage: str, method: str, path: str) -> bool:
        return False

    async def serve(self, api_id: str, stage_name: str, request: HttpRequest, path: str) -> HttpResponse:
        raise NotEmulated("apigatewayv2 HTTP APIs")
