"""The applications behind the ports: `CloudApp` is the cloud's endpoint (AWS's APIs, deployed APIs, `/_pileus/`),
`SiteApp` is one service's own HTTP address (`http://127.0.0.1:3000/{stage}/…`), `InvokeApp` where its functions are
invoked (`http://127.0.0.1:3002`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse
from ..kernel.ports import FunctionUrls
from .connection import Answer
from .identify import api_of_host, is_connections, is_invocation
from .internal import InternalApi
from .messages import answered, failed, read_body
from .sockets import Sockets
from .steps import Pipeline


class CloudApp:
    """Everything that listens on the cloud's port."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.pipeline = Pipeline(cloud)
        self.internal = InternalApi(cloud)
        self.sockets = Sockets(cloud)

    def answer(self, request: HttpRequest) -> Answer:
        path = request.path
        if "upgrade" in request.headers and (found := self.sockets.address(request)) is not None:
            return self.sockets.connect(*found, request)
        if "connections/" in path and is_connections(path):
            return self.pipeline.answer(request)
        if path.startswith("/_"):
            if path.startswith("/_pileus/"):
                return answered(self._internal(request))
            if path.startswith("/_aws/execute-api/"):
                return answered(self._api_by_path(request))
            if path.startswith("/_aws/lambda"):
                return answered(self._function_by_path(request))
        if ".execute-api." in request.host:
            return answered(self._api_by_host(request))
        if ".lambda-url." in request.host:
            return answered(self._function_by_host(request))
        return self.pipeline.answer(request)

    async def _internal(self, request: HttpRequest) -> HttpResponse:
        await read_body(request)
        return await self.internal.answer(request)

    async def _api_by_host(self, request: HttpRequest) -> HttpResponse:
        api_id = cast("str", api_of_host(request.host))
        stage, path = self.cloud.apis.stage_of(api_id, request.path)
        await read_body(request)
        return await self.cloud.apis.serve(api_id, stage, request, path)

    async def _api_by_path(self, request: HttpRequest) -> HttpResponse:
        """`/_aws/execute-api/{api id}/…`, for clients that can't resolve names under localhost."""
        parts = request.path.split("/", 4)
        if len(parts) < 5:
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
        await read_body(request)
        stage, path = self.cloud.apis.stage_of(parts[3], f"/{parts[4]}")
        return await self.cloud.apis.serve(parts[3], stage, request, path)

    async def _function_by_host(self, request: HttpRequest) -> HttpResponse:
        """A function's URL: `{id}.lambda-url.{region}.localhost`."""
        await read_body(request)
        return await self._functions.serve_url(request.host.partition(".")[0], request, request.path)

    async def _function_by_path(self, request: HttpRequest) -> HttpResponse:
        """`/_aws/lambda-url/{id}/…`, the same by path; and `/_aws/lambda/code/{digest}`, a package to download."""
        await read_body(request)
        if request.path.startswith("/_aws/lambda/code/"):
            return self._functions.serve_code(request)
        _, _, kind, identifier, *rest = [*request.path.split("/", 4), ""][:5]
        if kind != "lambda-url":
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
        return await self._functions.serve_url(identifier, request, f"/{rest[0]}")

    @property
    def _functions(self) -> FunctionUrls:
        return cast("FunctionUrls", self.cloud.service("lambda"))


class InvokeApp:
    """The port that is known for the Lambda API: whoever reaches it may invoke functions, with any key or none, as users
    of serverless-offline do. All else is as on the cloud's own port, where requests are signed: also an invocation that
    a web page asks for (browsers say so in `origin`), or every page that is open could run the functions."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = CloudApp(cloud)
        self._invocations = Pipeline(cloud, opened=("lambda", region))

    def answer(self, request: HttpRequest) -> Answer:
        invokes = request.method == "POST" and is_invocation(request.path) and "origin" not in request.headers
        return self._invocations.answer(request) if invokes else self._cloud.answer(request)


class SiteApp:
    """The HTTP address of one deployed API.

    target: gives (api id, stage) of the REST API now, None while there is none; it changes when the stack does.
    http_target: the same of the HTTP API, which has no stage in its paths. prefixed: whether the REST API's paths
    begin with the stage, as AWS's own URLs do. observer: told of each request that was answered.
    """

    def __init__(
        self,
        cloud: Cloud,
        target: Callable[[], tuple[str, str] | None],
        *,
        http_target: Callable[[], tuple[str, str] | None] | None = None,
        prefixed: bool = True,
        observer: Callable[[HttpRequest, HttpResponse, float], None] | None = None,
    ) -> None:
        self.cloud = cloud
        self._target = target
        self._http_target = http_target
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
        apis, path = self.cloud.apis, request.path
        target, http = self._target(), self._http_target() if self._http_target is not None else None
        if target is None:
            if http is None:
                words = b'{"message":"this service has no http events"}'
                return HttpResponse(404, {"content-type": "application/json"}, words)
            return apis.serve(*http, request, path)
        api_id, stage = target
        own: str | None = path  # the path in the REST API; None where it can't be one of its own
        if self._prefixed:
            first, _, rest = path[1:].partition("/")
            own = f"/{rest}" if first == stage else None
        if http is not None:
            taken = own is not None and apis.has_route(api_id, stage, request.method, own)
            # What neither has is the REST API's to refuse, if it is under its stage.
            refused = own is not None and self._prefixed and not apis.has_route(*http, request.method, path)
            if not taken and not refused:
                return apis.serve(*http, request, path)
        if own is None:
            hint = f'{{"message":"Forbidden","hint":"paths of this service begin with /{stage}/"}}'
            return HttpResponse(403, {"content-type": "application/json"}, hint.encode())
        return apis.serve(api_id, stage, request, own)
