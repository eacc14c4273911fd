"""`/_pileus/…`: what the embedded cloud offers beside AWS's APIs, to the command line, tests and the console.

Loopback only, and unsigned: it is the developer's own side door. Each endpoint is one method, found by name.
"""

from __future__ import annotations

from typing import Any, cast

import orjson

from ... import __version__
from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse


class InternalApi:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def answer(self, request: HttpRequest) -> HttpResponse:
        name, _, rest = request.path.removeprefix("/_pileus/").partition("/")
        origin = request.headers.get("origin")
        if origin is not None or "sec-fetch-site" in request.headers:
            # a web page must not drive the cloud from a browser
            return _json(403, {"message": "the side door does not answer web pages"})
        method = getattr(self, f"{request.method.lower()}_{name.replace('-', '_')}", None)
        if method is None or not name.replace("-", "").isalpha():
            return _json(404, {"message": f"no such endpoint: {request.method} {request.path}"})
        return cast("HttpResponse", await method(request, rest))

    async def get_health(self, request: HttpRequest, rest: str) -> HttpResponse:
        """The version, and that the cloud answers."""
        return _json(
            200, {"status": "running", "version": __version__, "account": self.cloud.settings.account}
        )

    async def post_drain(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Waits until no event is under way."""
        await self.cloud.drain(_seconds(request, 30.0))
        return _json(200, {"status": "quiet"})

    async def post_travel(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Moves the clock: `{"seconds": N}`."""
        body = orjson.loads(request.body or b"{}")
        await self.cloud.travel(float(body["seconds"]))
        return _json(200, {"now": self.cloud.clock.now()})

    async def get_outbox(self, request: HttpRequest, rest: str) -> HttpResponse:
        """The mails that SES took, oldest first: to, subject, body, and the raw MIME text."""
        return _json(200, {"messages": cast("Any", self.cloud.service("ses")).outbox()})

    async def put_cfn_response(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Where a custom resource's function sends its answer; `rest` is the token of its ResponseURL."""
        known = cast("Any", self.cloud.service("cloudformation")).custom_resource_response(rest, request.body)
        return HttpResponse(200 if known else 404)


def _seconds(request: HttpRequest, default: float) -> float:
    text = request.param("timeout")
    return float(text) if text else default


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, orjson.dumps(body))
