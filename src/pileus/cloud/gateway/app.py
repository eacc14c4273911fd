"""The applications behind the ports: `CloudApp` is the cloud's endpoint (AWS's APIs, deployed APIs, `/_pileus/`),
`SiteApp` is one service's own HTTP address (`http://127.0.0.1:3000/{stage}/…`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse
from .connection import Answer
from .identify import api_of_host
from .internal import InternalApi
from .messages import answered, failed, read_body
from .steps import Pipeline


class CloudApp:
    """Everything that listens on the cloud's port."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.pipeline = Pipeline(cloud)
        self.internal = InternalApi(cloud)

    def answer(self, request: HttpRequest) -> Answer:
        path = request.path
        if path.startswith("/_"):
            if path.startswith("/_pileus/"):
                return answered(self._internal(request))
            if path.startswith("/_aws/execute-api/"):
                return answered(self._api_by_path(request))
        if ".execute-api." in request.host:
            return answered(self._api_by_host(request))
        return self.pipeline.answer(request)

    async def _internal(self, request: HttpRequest) -> HttpResponse:
        await read_body(request)
        return await self.internal.answer(request)

    async def _api_by_host(self, request: HttpRequest) -> HttpResponse:
        api_id = cast("str", api_of_host(request.host))
        stage, _, rest = request.path[1:].partition("/")
        await read_body(request)
        return await self.cloud.apis.serve(api_id, stage, request, f"/{rest}")

    async def _api_by_path(self, request: HttpRequest) -> HttpResponse:
        """`/_aws/execute-api/{api id}/{stage}/…`, for clients that can't resolve names under localhost."""
        parts = request.path.split("/", 5)
        if len(parts) < 5:
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
        await read_body(request)
        rest = parts[5] if len(parts) > 5 else ""
        return await self.cloud.apis.serve(parts[3], parts[4], request, f"/{rest}")


class SiteApp:
    """The HTTP address of one deployed API.

    target: gives (api id, stage) now, None while there is no API; it changes when the stack does. prefixed: whether
    the path begins with the stage, as AWS's own URLs do. observer: told of each request that was answered.
    """

    def __init__(
        self,
        cloud: Cloud,
        target: Callable[[], tuple[str, str] | None],
        *,
        prefixed: bool = True,
        observer: Callable[[HttpRequest, HttpResponse, float], None] | None = None,
    ) -> None:
        self.cloud = cloud
        self._target = target
        self._prefixed = prefixed
        self._observer = observer

    async def answer(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        try:
            if request.stream is not None:
                await read_body(request)
            found = self._serve(request)
            response = found if isinstance(found, HttpResponse) else await found
        except ConnectionResetError:
            raise
        except Exception as error:  # noqa: BLE001 - the last boundary; it is logged there
            response = failed(error)
        if self._observer is not None:
            self._observer(request, response, time.perf_counter() - started)
        return response

    def _serve(self, request: HttpRequest) -> Answer:
        target = self._target()
        if target is None:
            words = b'{"message":"this service has no http events"}'
            return HttpResponse(404, {"content-type": "application/json"}, words)
        api_id, stage = target
        path = request.path
        if self._prefixed:
            first, _, rest = path[1:].partition("/")
            if first != stage:
                hint = f'{{"message":"Forbidden","hint":"paths of this service begin with /{stage}/"}}'
                return HttpResponse(403, {"content-type": "application/json"}, hint.encode())
            path = f"/{rest}"
        return self.cloud.apis.serve(api_id, stage, request, path)
