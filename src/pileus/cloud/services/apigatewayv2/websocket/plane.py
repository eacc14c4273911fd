"""The data plane of WebSocket APIs: from a handshake to $connect, from messages to routes, to $disconnect.

Connections live in memory, as sockets do: after a restart of the server there are none, and who sends to one hears
GoneException.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import HttpRequest, HttpResponse, NotEmulated

from ..documents import Kind, served
from .access_log import write_line
from .authorizer import Refused, authorize, identify
from .client import Client, short_id
from .integrations import IntegrationFailed, Outcome, Turn
from .stage import CONNECT, DISCONNECT, Route, SocketStage
from .throttle import Buckets

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

log = logging.getLogger("pileus.apigatewayv2")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_INTERNAL = "Internal server error"


class SocketPlane:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.clock, self.ids = cloud.clock, cloud.ids
        self.clients: dict[str, Client] = {}
        self._stages: dict[tuple[str, str], SocketStage] = {}
        self._buckets = Buckets()
        self._watcher: asyncio.Task[None] | None = None
        self.under_way = 0  # events that functions are working on

    def stage(self, api_id: str, name: str) -> SocketStage | None:
        """The stage as it stands. Its document is compared with the one that was compiled: a deployment changes it."""
        known, store = self._stages.get((api_id, name)), self._cloud.store
        if known is not None:
            row = store.one(
                "SELECT document FROM apigatewayv2_item"
                " WHERE account=? AND region=? AND kind=? AND parent=? AND id=?",
                (known.account, known.region, Kind.STAGE, api_id, name),
            )
            if row is not None and row["document"] == known.raw:
                return known
            del self._stages[api_id, name]
        found = served(store, api_id, name)
        if found is None or found.snapshot["Api"]["ProtocolType"] != "WEBSOCKET":
            return None
        stage = SocketStage(found, orjson.dumps(found.stage))
        self._stages[api_id, name] = stage
        return stage

    # -- $connect -------------------------------------------------------------------------------------------------------

    async def connect(
        self, api_id: str, stage_name: str, request: HttpRequest, accepted: dict[str, str]
    ) -> HttpResponse:
        """The answer to a handshake. accepted: the headers that it is accepted with."""
        now = self.clock.now()
        self.under_way += 1
        try:
            stage = self.stage(api_id, stage_name)
            if stage is None or stage.disabled:
                return _refusal(403, {"message": "Forbidden"})
            if request.query:
                request.replace_undecodable()
            client = Client(self, stage, request, now)
            return await self._admit(client, stage, now, accepted)
        except NotEmulated as refused:
            log.warning("%s", refused.message)
            return _refusal(refused.status, {"message": refused.message})
        finally:
            self.under_way -= 1

    async def _admit(
        self, client: Client, stage: SocketStage, now: float, accepted: dict[str, str]
    ) -> HttpResponse:
        route = stage.routes.get(CONNECT)
        context = client.context(CONNECT, "CONNECT", now)
        headers = dict(accepted)
        if route is None:
            return HttpResponse(101, headers, upgrade=client)
        trace = client.request.headers.get("x-amzn-trace-id") or self._trace(now)
        names = {"connectionId": client.id, "requestId": context["requestId"]}
        status = 200
        try:
            if self._is_throttled(stage, route, now):
                raise Refused(429, "Too Many Requests")
            if route.is_iam:
                identify(self._cloud, client)
                context["identity"] = client.identity()
            elif route.authorizer is not None:
                client.authorizer = await authorize(
                    self._cloud, client, stage, route.authorizer, context, trace
                )
                context["authorizer"] = client.authorizer
            outcome = await self._run(
                client, stage, route, context, client.connect_event(context, trace), trace
            )
            status = outcome.status
            if not 200 <= status < 300:
                return _refusal(status, names)
        except Refused as refused:
            status = refused.status
            return _refusal(status, {"message": refused.message, **names})
        except IntegrationFailed as failed:
            status = failed.status
            return _refusal(status, {"message": _INTERNAL, **names})
        finally:
            write_line(self._cloud, stage, context, status)
        protocol = outcome.headers.get("sec-websocket-protocol")
        if protocol is not None and _TOKEN.fullmatch(protocol) is not None:
            headers["sec-websocket-protocol"] = protocol
        return HttpResponse(101, headers, upgrade=client)

    def add(self, client: Client) -> None:
        self.clients[client.id] = client
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    # -- messages -------------------------------------------------------------------------------------------------------

    async def message(self, client: Client, message: str | bytes) -> None:
        """Runs the message's route; what goes wrong is told to the client in a frame."""
        now = self.clock.now()
        self.under_way += 1
        try:
            stage = self.stage(client.api_id, client.stage_name)
            route = stage.route_for(message) if stage is not None else None
            if stage is None or route is None:
                self._complain(client, short_id(self.ids), "Forbidden")
                return
            await self._through(client, stage, route, message, now)
        except NotEmulated as refused:
            log.warning("%s", refused.message)
            self._complain(client, short_id(self.ids), refused.message)
        finally:
            self.under_way -= 1

    async def _through(
        self, client: Client, stage: SocketStage, route: Route, message: str | bytes, now: float
    ) -> None:
        context = client.context(route.key, "MESSAGE", now, messageId=short_id(self.ids))
        request_id = context["requestId"]
        status = 429
        try:
            if self._is_throttled(stage, route, now):
                self._complain(client, request_id, "Too Many Requests")
                return
            event = client.message_event(context, message)
            outcome = await self._run(client, stage, route, context, event, self._trace(now))
            status = outcome.status
            if route.answers and outcome.body is not None and client.socket is not None:
                client.socket.send(outcome.body)
        except IntegrationFailed as failed:
            status = failed.status
            self._complain(client, request_id, _INTERNAL)
        finally:
            write_line(self._cloud, stage, context, status)

    async def _run(
        self,
        client: Client,
        stage: SocketStage,
        route: Route,
        context: dict[str, Any],
        event: dict[str, Any],
        trace: str,
    ) -> Outcome:
        if route.integration is None:
            if route.key == CONNECT:
                return Outcome()
            raise IntegrationFailed(500)
        if stage.variables:
            event["stageVariables"] = stage.variables
        turn = Turn(client, stage, route.key, context, event, trace)
        return await route.integration.answer(self._cloud, turn)

    @staticmethod
    def _complain(client: Client, request_id: str, message: str) -> None:
        if client.socket is not None:
            words = {"message": message, "connectionId": client.id, "requestId": request_id}
            client.socket.send(orjson.dumps(words).decode())

    # -- $disconnect ------------------------------------------------------------------------------------------------------

    async def gone(self, client: Client, code: int, reason: str) -> None:
        self.clients.pop(client.id, None)
        now = self.clock.now()
        self.under_way += 1
        try:
            stage = self.stage(client.api_id, client.stage_name)
            route = stage.routes.get(DISCONNECT) if stage is not None else None
            if stage is None or route is None:
                return
            more = {"disconnectStatusCode": code, "disconnectReason": reason}
            context = client.context(DISCONNECT, "DISCONNECT", now, **more)
            status = 200
            try:
                await self._run(
                    client, stage, route, context, client.disconnect_event(context), self._trace(now)
                )
            except IntegrationFailed as failed:
                status = failed.status
            write_line(self._cloud, stage, context, status)
        except NotEmulated as refused:
            log.warning("%s", refused.message)
        finally:
            self.under_way -= 1

    async def _watch(self) -> None:
        """Closes connections that are idle, or too old, by the cloud's clock. A later one is never due before."""
        while self.clients:
            now = self.clock.now()
            due = min(client.ends_at() for client in self.clients.values())
            if due > now:
                await self.clock.sleep_until(due)
                continue
            for client in [client for client in self.clients.values() if client.ends_at() <= now]:
                del self.clients[client.id]
                if client.socket is not None:
                    client.socket.close(1001, "Going away")

    async def stop(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    def _is_throttled(self, stage: SocketStage, route: Route, now: float) -> bool:
        if route.limits is None:
            return False
        return not self._buckets.take((stage.api_id, stage.name, route.key), *route.limits, now)

    def _trace(self, now: float) -> str:
        return f"Root=1-{int(now):08x}-{self.ids.hex(24)}"


def _refusal(status: int, words: dict[str, str]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, orjson.dumps(words))
