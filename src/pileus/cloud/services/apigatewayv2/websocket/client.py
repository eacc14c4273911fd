"""One connected client, and the events that its connection makes.

Source: the events as API Gateway sends them; "Lambda proxy integrations for WebSocket APIs" in the developer guide.
"""

from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import HttpRequest, Principal
from pileus.cloud.kernel.sockets import Socket

if TYPE_CHECKING:
    from pileus.cloud.kernel import Ids

    from .plane import SocketPlane
    from .stage import SocketStage

#: Between the client and API Gateway only: functions don't see them.
_HOP = frozenset({"connection", "upgrade", "content-length", "keep-alive", "proxy-connection", "te", "transfer-encoding"})  # fmt: skip
IDLE_SECONDS = 600.0
LIFE_SECONDS = 7200.0


def short_id(ids: Ids) -> str:
    """Connections, messages and requests are all named like this."""
    return urlsafe_b64encode(ids.bytes(11)).decode("ascii")


class Client:
    """The `SocketListener` of one connection. authorizer: what the authorizer said at $connect, in every event since."""

    def __init__(self, plane: SocketPlane, stage: SocketStage, request: HttpRequest, now: float) -> None:
        self._plane = plane
        self.id = short_id(plane.ids)
        self.api_id, self.stage_name = stage.api_id, stage.name
        self.request = request
        self.authorizer: dict[str, Any] | None = None
        self.principal: Principal | None = None  # who signed, of an API that asks for it
        self.socket: Socket | None = None
        self.connected_at = self.active_at = now

    # -- SocketListener ---------------------------------------------------------------------------------------------

    def opened(self, socket: Socket) -> None:
        self.socket = socket
        self._plane.add(self)

    def touched(self) -> None:
        self.active_at = self._plane.clock.now()

    async def received(self, message: str | bytes) -> None:
        await self._plane.message(self, message)

    async def closed(self, code: int, reason: str) -> None:
        await self._plane.gone(self, code, reason)

    def ends_at(self) -> float:
        """When it is closed, if nothing happens until then."""
        return min(self.active_at + IDLE_SECONDS, self.connected_at + LIFE_SECONDS)

    # -- events -----------------------------------------------------------------------------------------------------

    def identity(self) -> dict[str, str]:
        agent = self.request.headers.get("user-agent")
        found = {"userAgent": agent} if agent is not None else {}
        found["sourceIp"] = self.request.client
        if (who := self.principal) is not None:
            found |= {
                "accountId": who.account,
                "accessKey": who.access_key_id,
                "caller": who.user_id,
                "user": who.user_id,
                "userArn": who.arn,
            }
        return found

    def context(self, route: str, kind: str, now: float, **more: Any) -> dict[str, Any]:
        """`requestContext`. more: what events of this kind have beside."""
        request_id = short_id(self._plane.ids)
        context: dict[str, Any] = {
            "routeKey": route,
            **more,
            "eventType": kind,
            "extendedRequestId": request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "messageDirection": "IN",
            "stage": self.stage_name,
            "connectedAt": int(self.connected_at * 1000),
            "requestTimeEpoch": int(now * 1000),
            "identity": self.identity(),
            "requestId": request_id,
            "domainName": self.request.host,
            "connectionId": self.id,
            "apiId": self.api_id,
        }
        if self.authorizer is not None:
            context["authorizer"] = self.authorizer
        return context

    def handshake(self, trace: str) -> dict[str, Any]:
        """The headers and query of the handshake, as $connect and its authorizer see them."""
        request = self.request
        written = request.spelling
        many: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            if name not in _HOP:
                repeated = (request.repeated or {}).get(name)
                many[_spelled(name) if written is None else written.get(name, name)] = repeated or [value]
        way = request.headers.get("x-forwarded-for")
        port = request.host.rpartition(":")[2] if ":" in request.host else ""
        many["X-Amzn-Trace-Id"] = [trace]
        many["X-Forwarded-For"] = [f"{way}, {request.client}" if way else request.client]
        many["X-Forwarded-Port"] = [port or ("443" if request.scheme == "https" else "80")]
        many["X-Forwarded-Proto"] = [request.scheme]
        found: dict[str, Any] = {
            "headers": {name: values[-1] for name, values in many.items()},
            "multiValueHeaders": many,
        }
        if request.query:
            found["queryStringParameters"] = {name: values[-1] for name, values in request.params.items()}
            found["multiValueQueryStringParameters"] = request.params
        return found

    def connect_event(self, context: dict[str, Any], trace: str) -> dict[str, Any]:
        return {**self.handshake(trace), "requestContext": context, "isBase64Encoded": False}

    def message_event(self, context: dict[str, Any], message: str | bytes) -> dict[str, Any]:
        binary = isinstance(message, bytes)
        body = b64encode(message).decode("ascii") if isinstance(message, bytes) else message
        return {"requestContext": context, "body": body, "isBase64Encoded": binary}

    def disconnect_event(self, context: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Host": self.request.host,
            "x-api-key": "",
            "X-Forwarded-For": self.request.client,
            "x-restapi": "",
        }
        return {
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "requestContext": context,
            "isBase64Encoded": False,
        }


def _spelled(name: str) -> str:
    """How clients write a header's name, where it is not known how this one did."""
    return "-".join("WebSocket" if part == "websocket" else part.capitalize() for part in name.split("-"))
