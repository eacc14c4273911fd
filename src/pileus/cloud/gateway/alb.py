"""`AlbApp`: the address of a service's application load balancers (`http://127.0.0.1:3003/…`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from ..kernel.http import HttpRequest, HttpResponse
from .messages import failed, read_body

if TYPE_CHECKING:
    from ..kernel.cloud import Cloud
    from ..services.elbv2.api import ElasticLoadBalancing


class AlbApp:
    """All listeners of a service on one port.

    listeners: gives the ARNs now; they change when the stack does. stage: a load balancer has no stages, but users of
    serverless-offline write it before the path: where no rule takes a path that begins with it, the path after it counts.
    observer: told of each request that was answered.
    """

    def __init__(
        self,
        cloud: Cloud,
        listeners: Callable[[], Sequence[str]],
        *,
        stage: str = "",
        observer: Callable[[HttpRequest, HttpResponse, float], None] | None = None,
    ) -> None:
        self._balancing = cast("ElasticLoadBalancing", cloud.service("elbv2"))
        self._listeners = listeners
        self._prefix = f"/{stage}" if stage else ""
        self._observer = observer

    async def answer(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        try:
            await read_body(request)
            response = await self._serve(request)
        except ConnectionResetError:
            raise
        except Exception as error:  # noqa: BLE001 - the last boundary; it is logged there
            response = failed(error)
        if self._observer is not None:
            self._observer(request, response, time.perf_counter() - started)
        return response

    async def _serve(self, request: HttpRequest) -> HttpResponse:
        plane, listeners, path = self._balancing.plane, self._listeners(), request.path
        prefix = self._prefix
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            shorter = path[len(prefix) :] or "/"
            if not plane.finds(listeners, request, path) and plane.finds(listeners, request, shorter):
                path = shorter
        return await plane.serve(listeners, request, path)
