"""The ASGI callables: `CloudApp` is the cloud's endpoint (AWS's APIs, deployed APIs, `/_pileus/`), `SiteApp` is one
service's own HTTP address (`http://127.0.0.1:3000/{stage}/…`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse
from .identify import api_of_host
from .internal import InternalApi
from .messages import Receive, Scope, Send, answered, read_body, read_head, respond
from .steps import Pipeline


class CloudApp:
    """Everything that listens on the cloud's port."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.pipeline = Pipeline(cloud)
        self.internal = InternalApi(cloud)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = read_head(scope, receive)
        await respond(send, request.method, await answered(self._answer(request)))

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path = request.path
        if path.startswith("/_"):
            if path.startswith("/_pileus/"):
                await read_body(request)
                return await self.internal.answer(request)
            if path.startswith("/_aws/execute-api/"):
                return await self._api_by_path(request)
        if ".execute-api." in request.host:
            api_id = cast("str", api_of_host(request.host))
            stage, _, rest = path[1:].partition("/")
            await read_body(request)
            return await self.cloud.apis.serve(api_id, stage, request, f"/{rest}")
        return await self.pipeline.answer(request)

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

    target: gives (api id, stage) now; it changes when the stack is replaced. prefixed: whether the path begins with
    the stage, as AWS's own URLs do. observer: told of each finished request.
    """

    def __init__(
        self,
        cloud: Cloud,
        target: Callable[[], tuple[str, str]],
        *,
        prefixed: bool = True,
        observer: Callable[[HttpRequest, HttpResponse, float], None] | None = None,
    ) -> None:
        self.cloud = cloud
        self._target = target
        self._prefixed = prefixed
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = read_head(scope, receive)
        response = await answered(self._answer(request))
        await respond(send, request.method, response)
        if self._observer is not None:
            self._observer(request, response, time.perf_counter() - started)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        await read_body(request)
        api_id, stage = self._target()
        path = request.path
        if self._prefixed:
            first, _, rest = path[1:].partition("/")
            if first != stage:
                hint = f'{{"message":"Forbidden","hint":"paths of this service begin with /{stage}/"}}'
                return HttpResponse(403, {"content-type": "application/json"}, hint.encode())
            path = f"/{rest}"
        return await self.cloud.apis.serve(api_id, stage, request, path)
