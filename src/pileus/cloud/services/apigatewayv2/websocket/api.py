"""`apigatewaymanagementapi`: what a backend does with connected clients (`POST /@connections/{id}`); and the port through
which the gateway brings new ones."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from pileus.cloud.kernel import Call, Cloud, HttpRequest, HttpResponse, Service, operation

from .client import Client
from .errors import GoneException, LimitExceededException, PayloadTooLargeException
from .plane import SocketPlane

Request = Mapping[str, Any]
_MOST = 128 * 1024
#: What may wait for a client that does not read, before the sender hears of it.
_UNSENT = 1024 * 1024


class ApiGatewayManagementApi(Service):
    """Implements `SocketDataPlane` (kernel/ports.py) for the gateway."""

    name = "apigatewaymanagementapi"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        cloud.service("apigatewayv2")  # whose documents say what is served
        self.plane = SocketPlane(cloud)

    def connect(
        self, api_id: str, stage: str, request: HttpRequest, accepted: dict[str, str]
    ) -> Coroutine[Any, Any, HttpResponse]:
        """See `kernel.ports.SocketDataPlane`."""
        return self.plane.connect(api_id, stage, request, accepted)

    def is_busy(self) -> bool:
        return self.plane.under_way > 0

    async def stop(self) -> None:
        await self.plane.stop()

    @operation("PostToConnection", reads=True)
    def post_to_connection(self, call: Call, request: Request) -> None:
        """What is UTF-8 goes out as text, anything else as binary."""
        client = self._client(request)
        data: bytes = request["Data"]
        if len(data) > _MOST:
            raise PayloadTooLargeException("The data has exceeded the maximum size allowed.")
        socket = client.socket
        assert socket is not None
        if socket.unsent > _UNSENT:
            raise LimitExceededException("The client does not read what has been sent to it.")
        try:
            socket.send(data.decode())
        except UnicodeDecodeError:
            socket.send(data)
        client.touched()

    @operation("GetConnection", reads=True)
    def get_connection(self, call: Call, request: Request) -> dict[str, Any]:
        client = self._client(request)
        identity = client.identity()
        return {
            "ConnectedAt": client.connected_at,
            "Identity": {"SourceIp": identity["sourceIp"], "UserAgent": identity.get("userAgent", "")},
            "LastActiveAt": client.active_at,
        }

    @operation("DeleteConnection", reads=True)
    def delete_connection(self, call: Call, request: Request) -> None:
        client = self._client(request)
        del self.plane.clients[client.id]
        assert client.socket is not None
        client.socket.close(1000, "Connection Closed Normally")

    def _client(self, request: Request) -> Client:
        client = self.plane.clients.get(request["ConnectionId"])
        if client is None or client.socket is None:
            raise GoneException("")
        return client
