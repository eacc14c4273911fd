"""A whole service in an embedded cloud, beside a test: what the fixture `pileus_service` gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import orjson

from ..cloud.gateway.app import SiteApp
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
        self._api_url = ""
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
        """The REST API, with its stage."""
        if not self._api_url:
            raise RuntimeError("this service has no http events, so there is no API to call")
        return self._api_url

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
        if self.deployed.api is None:
            return
        site = await self.server.serve_site(SiteApp(cloud, self._target).answer, bind("127.0.0.1", 0))
        self._api_url = f"http://127.0.0.1:{site.port}/{self.deployed.api[1]}"

    def _target(self) -> tuple[str, str]:
        return cast("tuple[str, str]", self.deployed.api)


class FunctionFailed(Exception):
    """A function raised. result: its error document, with errorType, errorMessage and stackTrace."""

    def __init__(self, function: str, result: Any) -> None:
        super().__init__(f"{function}: {result}")
        self.function, self.result = function, result
