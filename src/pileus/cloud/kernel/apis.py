"""Which service serves an API: REST, or HTTP and WebSocket. All ids are of one kind, as in AWS; the first request tells."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from .http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from .ports import ApiDataPlane
    from .service import Service

#: In the order in which they are asked; the first also answers for ids that nobody has.
_SERVICES = ("apigateway", "apigatewayv2")


class Apis:
    """An `ApiDataPlane` for every API of the cloud. service: gives a service by its name."""

    def __init__(self, service: Callable[[str], Service]) -> None:
        self._service = service
        #: Ids are never given twice: what is known stays true.
        self._known: dict[str, ApiDataPlane] = {}

    def serve(
        self, api_id: str, stage: str, request: HttpRequest, path: str
    ) -> Coroutine[Any, Any, HttpResponse]:
        return (self._known.get(api_id) or self._find(api_id)).serve(api_id, stage, request, path)

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        return (self._known.get(api_id) or self._find(api_id)).stage_of(api_id, path)

    def owns(self, api_id: str) -> bool:
        return self._find(api_id).owns(api_id)

    def has_route(self, api_id: str, stage: str, method: str, path: str) -> bool:
        return (self._known.get(api_id) or self._find(api_id)).has_route(api_id, stage, method, path)

    def _find(self, api_id: str) -> ApiDataPlane:
        for name in _SERVICES:
            plane = cast("ApiDataPlane", self._service(name))
            if plane.owns(api_id):
                self._known[api_id] = plane
                return plane
        return cast("ApiDataPlane", self._service(_SERVICES[0]))
