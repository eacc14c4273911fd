"""The data plane of HTTP APIs: the ordered list of steps from a request to its answer.

find the stage → CORS preflight → route → size → throttle → authorise → integrate → CORS headers → access log
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import orjson

from pileus.cloud.kernel import HttpRequest, HttpResponse, NotEmulated

from ..documents import Documents, Kind, owner, served
from .answers import Refused, forbidden, internal, not_found, too_large, too_many
from .authorizer import LambdaAuthorizer, LambdaAuthorizers
from .exchange import Exchange
from .iam import signer
from .jwt import Issuers, JwtAuthorizer
from .stage import Route, ServedStage
from .variables import access_log_line

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MAX_BODY = 10 * 1024 * 1024


class DataPlane:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._stages: dict[tuple[str, str], ServedStage] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._authorizers = LambdaAuthorizers(cloud)
        self.issuers = Issuers(cloud)

    def forget(self, api_id: str) -> None:
        """Drops what is kept of an API; it is read again at its next request."""
        self._names.pop(api_id, None)
        for name in [name for name in self._stages if name[0] == api_id]:
            del self._stages[name]
        self._authorizers.forget(api_id)

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        """(stage, the rest of the path); a path that begins with no stage's name is `$default`'s."""
        names = self._names.get(api_id)
        if names is None:
            names = self._read_names(api_id)
        first, _, rest = path[1:].partition("/")
        return (first, f"/{rest}") if first in names else ("$default", path)

    def _read_names(self, api_id: str) -> frozenset[str]:
        place = owner(self._cloud.store, api_id)
        if place is None:
            return frozenset()
        stages = Documents(self._cloud.store, *place).all(Kind.STAGE, api_id)
        names = self._names[api_id] = frozenset(stage["StageName"] for stage in stages)
        return names

    def has_route(self, api_id: str, stage_name: str, method: str, path: str) -> bool:
        stage = self._stages.get((api_id, stage_name)) or self._load(api_id, stage_name)
        return stage is not None and stage.router.find(method, path) is not None

    def _load(self, api_id: str, stage_name: str) -> ServedStage | None:
        found = served(self._cloud.store, api_id, stage_name)
        if found is None or found.snapshot["Api"]["ProtocolType"] != "HTTP":
            return None
        stage = self._stages[api_id, stage_name] = ServedStage(found)
        return stage

    # -- one request ----------------------------------------------------------------------------------------------------

    async def serve(self, api_id: str, stage_name: str, request: HttpRequest, path: str) -> HttpResponse:
        """path: percent-encoded, after the stage, beginning with `/`."""
        stage = self._stages.get((api_id, stage_name)) or self._load(api_id, stage_name)
        now = self._cloud.clock.now()
        drawn = self._cloud.ids.hex(46)  # one draw for both ids: this is every request's way
        request_id = urlsafe_b64encode(bytes.fromhex(drawn[:22])).decode("ascii")
        if stage is None or (stage.disabled and _at_default_endpoint(request)):
            response = not_found().response()
            response.headers["apigw-requestid"] = request_id
            return response
        if request.query:
            request.replace_undecodable()
        trace = request.headers.get("x-amzn-trace-id") or f"Root=1-{int(now):08x}-{drawn[22:]}"
        exchange = Exchange(stage, request, path, request_id, now, trace)
        try:
            response = await self._answer(exchange)
        except Refused as refusal:
            exchange.error = refusal
            response = refusal.response()
        except NotEmulated as refusal:
            response = _not_emulated(refusal)
        if stage.cors is not None and exchange.route is not None:
            stage.cors.finish(request, response)
        response.headers["apigw-requestid"] = request_id
        if stage.access_log is not None:
            self._log_access(exchange, response)
        return response

    async def _answer(self, exchange: Exchange) -> HttpResponse:
        stage, request = exchange.stage, exchange.request
        if stage.cors is not None and (preflight := stage.cors.preflight(request)) is not None:
            return preflight
        found = stage.router.find(request.method, exchange.raw_path)
        if found is None:
            raise not_found()
        route, exchange.parameters = found
        exchange.route = route
        if len(request.body) > _MAX_BODY:
            raise too_large()
        if route.bucket is not None and not route.bucket.take(exchange.now):
            raise too_many()
        if route.kind != "NONE":
            await self._authorize(exchange, route)
        if route.integration is None:
            raise internal("the route has no integration")
        if stage.access_log is None:
            return await route.integration.answer(self._cloud, exchange)
        started = self._cloud.clock.now()
        try:
            return await route.integration.answer(self._cloud, exchange)
        finally:
            exchange.integration_latency = int((self._cloud.clock.now() - started) * 1000)

    async def _authorize(self, exchange: Exchange, route: Route) -> None:
        """Raises Refused unless the request may go on."""
        if route.kind == "AWS_IAM":
            exchange.principal = signer(self._cloud, exchange.request)
        elif isinstance(route.authorizer, JwtAuthorizer):
            await self.issuers.authorize(exchange, route.authorizer, route.scopes)
        elif isinstance(route.authorizer, LambdaAuthorizer):
            await self._authorizers.authorize(exchange, route.authorizer)
        else:
            raise forbidden(reason="the route's authorizer is gone")

    def _log_access(self, exchange: Exchange, response: HttpResponse) -> None:
        assert exchange.stage.access_log is not None
        group, template = exchange.stage.access_log
        now = self._cloud.clock.now()
        answer = {
            "status": str(response.status),
            "responseLength": str(len(response.body)),
            "responseLatency": str(int((now - exchange.now) * 1000)),
        }
        line = access_log_line(exchange, template, answer)
        stage = exchange.stage
        stream = f"{stage.api_id}-{stage.name.lstrip('$')}"
        self._cloud.logs.append(stage.account, stage.region, group, stream, [(int(now * 1000), line)])


def _at_default_endpoint(request: HttpRequest) -> bool:
    """Whether it came to the execute-api endpoint: a port of the service's own stands for its custom domain."""
    return ".execute-api." in request.host or request.path.startswith("/_aws/execute-api/")


def _not_emulated(refusal: NotEmulated) -> HttpResponse:
    headers = {"content-type": "application/json", "x-amzn-errortype": refusal.code}
    return HttpResponse(refusal.status, headers, orjson.dumps({"message": refusal.message}))
