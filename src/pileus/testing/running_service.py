"""A whole service in an embedded cloud, beside a test: what the fixture `pileus_service` gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..cloud.gateway.app import SiteApp
from ..cloud.gateway.sockets import SocketSite
from ..cloud.kernel import Settings
from ..cloud.server import bind
from ..deploy.local import Deployed, LocalDeployment
from .embedded import EmbeddedCloud

_DEPLOY_TIMEOUT = 120.0


class RunningService(EmbeddedCloud):
    """The serverless.yml of `directory`, deployed and served, in memory.

    deployed: names, outputs and physical ids of the stack.
    """

    deployed: Deployed

    def __init__(
        self,
        directory: Path,
        *,
        options: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(settings=Settings())
        self._api_url = self._http_api_url = self._websocket_url = ""
        self._directory = directory
        self._options = options or {}
        self._params = params or {}

    def start(self) -> RunningService:
        super().start()
        try:
            self.run(self._deploy(), timeout=_DEPLOY_TIMEOUT)
        except BaseException:
            self.stop()
            raise
        return self

    def __enter__(self) -> RunningService:
        return self.start()

    @property
    def api_url(self) -> str:
        """The REST API, with its stage; of a service without one, the HTTP API."""
        if not self._api_url:
            raise RuntimeError("this service has no http events, so there is no API to call")
        return self._api_url

    @property
    def http_api_url(self) -> str:
        """The HTTP API, which has no stage in its paths."""
        if not self._http_api_url:
            raise RuntimeError("this service has no httpApi events, so there is no HTTP API to call")
        return self._http_api_url

    @property
    def websocket_url(self) -> str:
        """`ws://…` of the WebSocket API."""
        if not self._websocket_url:
            raise RuntimeError("this service has no websocket events, so there is no API to connect to")
        return self._websocket_url

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client for the cloud, in the service's region."""
        options.setdefault("region_name", self.deployed.service.region)
        return super().client(service, **options)

    def invoke(self, function: str, event: Any = None) -> Any:
        """Calls a function by its key in serverless.yml, waits, and returns its result.

        Raises FunctionFailed where the function did.
        """
        name = self.deployed.service.functions[function].name
        answer = self.client("lambda").invoke(FunctionName=name, Payload=orjson.dumps(event))
        result = orjson.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise FunctionFailed(function, result)
        return result

    async def _deploy(self) -> None:
        cloud = self.cloud
        deployment = LocalDeployment(
            lambda: cloud, self._directory, options=self._options, params=self._params
        )
        self.deployed = await deployment.deploy()
        if self.deployed.websocket is not None:
            sockets = SocketSite(cloud, lambda: self.deployed.websocket)
            served = await self.server.serve_site(sockets.answer, bind("127.0.0.1", 0))
            self._websocket_url = f"ws://127.0.0.1:{served.port}"
        rest, http = self.deployed.api, self.deployed.http_api
        if rest is None and http is None:
            return
        app = SiteApp(cloud, lambda: self.deployed.api, http_target=lambda: self.deployed.http_api)
        site = await self.server.serve_site(app.answer, bind("127.0.0.1", 0))
        base = f"http://127.0.0.1:{site.port}"
        self._api_url = base if rest is None else f"{base}/{rest[1]}"
        self._http_api_url = "" if http is None else base


class FunctionFailed(Exception):
    """A function raised. result: its error document, with errorType, errorMessage and stackTrace."""

    def __init__(self, function: str, result: Any) -> None:
        super().__init__(f"{function}: {result}")
        self.function, self.result = function, result
