"""Where WebSocket clients come in: at the cloud's endpoint, under the host or the path of their API, and at the port of
a service of its own (`ws://localhost:3001`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse
from ..kernel.ports import SocketDataPlane
from .connection import Answer
from .identify import api_of_host, is_connections
from .messages import answered
from .steps import Pipeline

_BY_PATH = "/_aws/execute-api/"


class Sockets:
    """Handshakes, on their way to the data plane."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @staticmethod
    def address(request: HttpRequest) -> tuple[str, str] | None:
        """(API id, stage) of a handshake at the cloud's endpoint; None for what is none."""
        from .websocket import wants_websocket  # late: only who serves WebSockets needs it

        if not wants_websocket(request):
            return None
        if request.path.startswith(_BY_PATH):
            api_id, _, path = request.path.removeprefix(_BY_PATH).partition("/")
        else:
            api_id, path = api_of_host(request.host) or "", request.path[1:]
        return (api_id, path.removesuffix("/")) if api_id else None

    def connect(self, api_id: str, stage: str, request: HttpRequest) -> Answer:
        from .websocket import handshake_headers, handshake_problem

        problem = handshake_problem(request)
        if problem is not None:
            return problem
        plane = cast("SocketDataPlane", self._cloud.service("apigatewaymanagementapi"))
        return answered(plane.connect(api_id, stage, request, handshake_headers(request)))


class SocketSite:
    """The WebSocket port of one service: handshakes at `/` or `/{stage}`, and `[/{stage}]/@connections/{id}`.

    target: gives (api id, stage) now, None while there is no WebSocket API; it changes when the stack does. pipeline:
    of the cloud's endpoint. region: with it, whoever reaches this port may send to connections, with any key or none,
    as users of serverless-offline do.
    """

    def __init__(
        self,
        cloud: Cloud,
        target: Callable[[], tuple[str, str] | None],
        pipeline: Pipeline | None = None,
        *,
        region: str | None = None,
    ) -> None:
        self._sockets = Sockets(cloud)
        opened = None if region is None else ("apigatewaymanagementapi", region)
        self._pipeline = pipeline or Pipeline(cloud, opened=opened)
        self._target = target

    def answer(self, request: HttpRequest) -> Answer:
        from .websocket import wants_websocket

        target = self._target()
        if wants_websocket(request):
            if target is None or request.path.strip("/") not in ("", target[1]):
                return _json(403, b'{"message":"Forbidden"}')
            return self._sockets.connect(*target, request)
        if is_connections(request.path):
            return self._pipeline.answer(request)
        response = _json(426, b'{"message":"Upgrade Required"}')
        response.headers["upgrade"] = "websocket"
        return response


def _json(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, body)
