"""The service's own addresses: REST and HTTP APIs, the WebSocket API, load balancers, and a further port of the Lambda
API. A port is taken when the service first has something to serve there, which may be after a save."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cloud.gateway.app import InvokeApp, SiteApp
from .addresses import Addresses, reachable

if TYPE_CHECKING:
    from ..cloud.gateway.connection import Application
    from ..cloud.kernel.http import HttpRequest, HttpResponse
    from ..cloud.server import CloudServer
    from ..deploy.local import Deployed
    from .ports import Ports


@dataclass(slots=True)
class Sites:
    """deployed: what runs now. observer: told of each request to one of the APIs."""

    server: CloudServer
    ports: Ports
    prefixed: bool
    deployed: Callable[[], Deployed]
    observer: Callable[[HttpRequest, HttpResponse, float], None]
    _site: str = ""
    _lambda: str | None = None
    _websocket: str | None = None
    _alb: str | None = None

    async def open(self, listener: socket.socket) -> None:
        """Begins to answer. listener: of the REST and HTTP APIs."""
        cloud = self.server.cloud
        app = SiteApp(
            cloud,
            lambda: self.deployed().api,
            http_target=lambda: self.deployed().http_api,
            prefixed=self.prefixed,
            observer=self.observer,
        )
        self._site = await self._serve("http", app.answer, listener)
        beside = self.ports.take_beside("lambda_port", f"the Lambda API answers on {self.server.url}")
        if beside is not None:
            self._lambda = await self._serve(
                "http", InvokeApp(cloud, self.deployed().service.region).answer, beside
            )
        await self.follow()

    async def follow(self) -> None:
        """Takes the ports of what the service has now. Raises UserError where one that the user named is taken."""
        cloud, deployed = self.server.cloud, self.deployed()
        if deployed.websocket is not None and self._websocket is None:
            from ..cloud.gateway.sockets import SocketSite

            listener = self.ports.take_beside("websocket_port", "the WebSocket API answers on --port only")
            if listener is not None:
                app = SocketSite(cloud, lambda: self.deployed().websocket, region=deployed.service.region)
                self._websocket = await self._serve("ws", app.answer, listener)
        if deployed.listeners and self._alb is None:
            from ..cloud.gateway.alb import AlbApp

            listener = self.ports.take_beside("alb_port", "load balancers answer nowhere")
            if listener is not None:
                alb = AlbApp(
                    cloud,
                    lambda: self.deployed().listeners,
                    stage=deployed.service.stage,
                    observer=self.observer,
                )
                self._alb = await self._serve("http", alb.answer, listener)

    @property
    def addresses(self) -> Addresses:
        deployed = self.deployed()
        return Addresses(
            endpoint=self.server.url,
            site=self._site,
            prefix=f"/{deployed.api[1]}" if deployed.api and self.prefixed else "",
            region=deployed.service.region,
            lambda_url=self._lambda,
            websocket=self._websocket,
            alb=self._alb,
            has_rest=deployed.api is not None,
            has_http=deployed.http_api is not None,
        )

    async def _serve(self, scheme: str, application: Application, listener: socket.socket) -> str:
        served = await self.server.serve_site(application, listener)
        return f"{scheme}://{reachable(self.ports.host)}:{served.port}"
