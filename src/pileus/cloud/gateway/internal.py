"""`/_pileus/…`: what the embedded cloud offers beside AWS's APIs, to the command line, tests and the console.

Loopback only, and unsigned: it is the developer's own side door. Each endpoint is one method, found by name.
"""

from __future__ import annotations

import ipaddress
from typing import Any, cast

import orjson

from ... import __version__
from ..kernel.cloud import Cloud
from ..kernel.http import HttpRequest, HttpResponse

_LONGEST_WAIT = 3600.0
_FURTHEST_TRAVEL = 100 * 366 * 86_400.0


class BadRequest(Exception):
    """What the caller sent makes no sense."""


class InternalApi:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def answer(self, request: HttpRequest) -> HttpResponse:
        name, _, rest = request.path.removeprefix("/_pileus/").partition("/")
        origin = request.headers.get("origin")
        if origin is not None or "sec-fetch-site" in request.headers:
            # a web page must not drive the cloud from a browser
            return _json(403, {"message": "the side door does not answer web pages"})
        if not _is_local(request.host):
            # nor one that has its own name resolve to this machine
            return _json(403, {"message": f"the side door does not answer as {request.host}"})
        method = getattr(self, f"{request.method.lower()}_{name.replace('-', '_')}", None)
        if method is None or not name.replace("-", "").isalpha():
            return _json(404, {"message": f"no such endpoint: {request.method} {request.path}"})
        try:
            return cast("HttpResponse", await method(request, rest))
        except BadRequest as error:
            return _json(400, {"message": str(error)})

    async def get_health(self, request: HttpRequest, rest: str) -> HttpResponse:
        """The version, and that the cloud answers."""
        return _json(
            200, {"status": "running", "version": __version__, "account": self.cloud.settings.account}
        )

    async def post_drain(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Waits until no event is under way, `?timeout=SECONDS` at most (30)."""
        seconds = _number(request.param("timeout") or 30.0, "timeout", _LONGEST_WAIT)
        try:
            await self.cloud.drain(seconds)
        except TimeoutError:
            return _json(504, {"message": f"events are still under way after {seconds:g} s"})
        return _json(200, {"status": "quiet"})

    async def post_travel(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Moves the clock: `{"seconds": N}`."""
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise BadRequest("the body must be JSON") from None
        if not isinstance(body, dict):
            raise BadRequest("the body must be an object")
        seconds = _number(body.get("seconds"), "seconds", _FURTHEST_TRAVEL)
        try:
            await self.cloud.travel(seconds)
        except TimeoutError:
            return _json(504, {"message": "events are still under way", "now": self.cloud.clock.now()})
        return _json(200, {"now": self.cloud.clock.now()})

    async def get_outbox(self, request: HttpRequest, rest: str) -> HttpResponse:
        """The mails that SES took, oldest first: to, subject, body, and the raw MIME text."""
        return _json(200, {"messages": cast("Any", self.cloud.service("ses")).outbox()})

    async def put_cfn_response(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Where a custom resource's function sends its answer; `rest` is the token of its ResponseURL."""
        known = cast("Any", self.cloud.service("cloudformation")).custom_resource_response(rest, request.body)
        return HttpResponse(200 if known else 404)


def _number(value: Any, name: str, most: float) -> float:
    """From JSON or a query. Raises BadRequest where it is none, or none that makes sense."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadRequest(f"{name} must be a number") from None
    if not 0 <= number <= most:
        raise BadRequest(f"{name} must be between 0 and {most:g}")
    return number


def _is_local(host: str) -> bool:
    """Whether a Host header is an address, or a name that no stranger can give: without a dot, or below localhost."""
    name = host.lower()
    name = name.partition("]")[0].removeprefix("[") if name.startswith("[") else name.partition(":")[0]
    if not name or "." not in name or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, orjson.dumps(body))
