"""The data plane: the ordered list of steps from a request to its answer.

find the stage → route → size → throttle → resource policy → authorise → API key → validate → integrate → finish
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel import HttpRequest, HttpResponse, NotEmulated

from ..documents import Documents, Kind
from ..policy import Decision, names_of
from .authorizer import Authorizers, condition_keys
from .cognito import Tokens
from .compiled import Method, compile_api
from .exchange import Exchange
from .keys import Keys
from .lookup import access_log_line, lookup
from .quota import Buckets
from .responses import GatewayFailure, failure_response
from .services import Credentials
from .signature import verify
from .stage import ServedStage

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MAX_BODY = 10 * 1024 * 1024
_FORBIDDEN = GatewayFailure("WAF_FILTERED", "Forbidden")


class DataPlane:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._stages: dict[tuple[str, str], ServedStage] = {}
        self._authorizers = Authorizers(cloud)
        self._tokens = Tokens(cloud)
        self._keys = Keys(cloud)
        self._buckets = Buckets()
        self._credentials = Credentials()

    # -- what is kept in memory is dropped when it changes --------------------------------------------------------------

    def forget_stage(self, api_id: str, stage: str) -> None:
        self._stages.pop((api_id, stage), None)
        self._authorizers.flush(api_id, stage)

    def forget_api(self, api_id: str) -> None:
        for name in [name for name in self._stages if name[0] == api_id]:
            del self._stages[name]
        self._authorizers.flush_api(api_id)

    def forget_keys(self) -> None:
        self._keys.forget()

    def flush_authorizers(self, api_id: str, stage: str) -> None:
        self._authorizers.flush(api_id, stage)

    # -- one request ----------------------------------------------------------------------------------------------------

    async def serve(self, api_id: str, stage_name: str, request: HttpRequest, path: str) -> HttpResponse:
        """path: percent-encoded, after the stage, beginning with `/`."""
        cloud = self._cloud
        stage = self._stages.get((api_id, stage_name)) or self._load(api_id, stage_name)
        now = cloud.clock.now()
        drawn = cloud.ids.hex(78)  # one draw for all three ids: this is every request's way
        request_id = f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:32]}"
        extended_id = b64encode(bytes.fromhex(drawn[56:])).decode("ascii")
        if stage is None or stage.api.disabled:
            response = failure_response(_FORBIDDEN, {}, lambda name: None)
            response.headers["x-amzn-RequestId"] = request_id
            response.headers["x-amz-apigw-id"] = extended_id
            return response
        if request.query:
            request.replace_undecodable()
        trace = request.headers.get("x-amzn-trace-id") or f"Root=1-{int(now):08x}-{drawn[32:56]}"
        exchange = Exchange(stage, request, path, request_id, extended_id, now, trace)
        if stage.tracing:
            self._begin_trace(exchange)
        try:
            response = await self._answer(exchange)
        except GatewayFailure as failure:
            exchange.error = failure
            response = failure_response(failure, stage.api.responses, lambda name: lookup(exchange, name))
        except NotEmulated as refusal:
            response = _refused(refusal)
        return self._finish(exchange, response)

    def owns(self, api_id: str) -> bool:
        row = self._cloud.store.one("SELECT 1 FROM apigateway_item WHERE kind=? AND id=?", (Kind.API, api_id))
        return row is not None

    def has_route(self, api_id: str, stage_name: str, method: str, path: str) -> bool:
        stage = self._stages.get((api_id, stage_name)) or self._load(api_id, stage_name)
        return stage is not None and stage.api.router.find(path, method) is not None

    async def try_method(
        self, stage: ServedStage, request: HttpRequest, path: str, request_id: str
    ) -> tuple[HttpResponse, Exchange]:
        """One request to a method without who may call it and how often: what TestInvokeMethod does."""
        now, trace = (
            self._cloud.clock.now(),
            f"Root=1-{int(self._cloud.clock.now()):08x}-{self._cloud.ids.hex(24)}",
        )
        exchange = Exchange(stage, request, path, request_id, request_id, now, trace)
        try:
            method = self._route(exchange)
            _require(exchange, method)
            _validate(request, method)
            response = await method.integration.answer(self._cloud, exchange)
        except GatewayFailure as failure:
            exchange.error = failure
            response = failure_response(failure, stage.api.responses, lambda name: lookup(exchange, name))
        response.headers["X-Amzn-Trace-Id"] = trace
        return response, exchange

    def trial_stage(
        self, snapshot: Mapping[str, Any], place: tuple[str, str], variables: dict[str, str]
    ) -> ServedStage:
        """Raises what `compile_api` does."""
        stage = {
            "stageName": "test-invoke-stage",
            "deploymentId": "",
            "variables": variables,
            "tracingEnabled": False,
        }
        return ServedStage(compile_api(snapshot, *place), stage, self._credentials)

    def _load(self, api_id: str, stage_name: str) -> ServedStage | None:
        store = self._cloud.store
        row = store.one(
            "SELECT account,region FROM apigateway_item WHERE kind=? AND id=?", (Kind.API, api_id)
        )
        if row is None:
            return None
        documents = Documents(store, row["account"], row["region"])
        stage = documents.find(Kind.STAGE, stage_name, api_id)
        snapshot = documents.find(Kind.SNAPSHOT, stage["deploymentId"], api_id) if stage else None
        if stage is None or snapshot is None:
            return None
        served = ServedStage(compile_api(snapshot, row["account"], row["region"]), stage, self._credentials)
        self._stages[api_id, stage_name] = served
        return served

    async def _answer(self, exchange: Exchange) -> HttpResponse:
        method = self._route(exchange)
        request = exchange.request
        if len(request.body) > _MAX_BODY:
            raise GatewayFailure("REQUEST_TOO_LARGE", "Request Too Long")
        self._throttle(exchange, method)
        if method.is_iam:
            exchange.principal = verify(self._cloud, request)
        self._apply_policy(exchange)
        if method.authorizer is not None:
            await self._authorizers.authorize(exchange, method.authorizer)
        elif method.pools is not None:
            await self._tokens.authorize(exchange, method.pools, method.scopes)
        if method.needs_key:
            self._keys.admit(exchange, method)
        if exchange.stage.api.minimum_compression is not None and request.body:
            _decompress(request)
        if method.required:
            _require(exchange, method)
        if method.schemas:
            _validate(request, method)
        if exchange.stage.access_log is None:
            return await method.integration.answer(self._cloud, exchange)
        return await self._timed(exchange, method)

    async def _timed(self, exchange: Exchange, method: Method) -> HttpResponse:
        """For the access log: how long the integration took, and what it answered."""
        clock, status = self._cloud.clock, None
        started = clock.now()
        try:
            response = await method.integration.answer(self._cloud, exchange)
            status = response.status
            return response
        finally:
            exchange.integration = (int((clock.now() - started) * 1000), status)

    def _route(self, exchange: Exchange) -> Method:
        found = exchange.stage.api.router.find(exchange.path, exchange.request.method)
        if found is None:
            raise GatewayFailure("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        exchange.method, exchange.parameters = found
        return exchange.method

    def _throttle(self, exchange: Exchange, method: Method) -> None:
        stage, verb = exchange.stage, exchange.request.method
        limits = stage.throttle(method, verb)
        if limits is None:
            return
        bucket = (stage.api_id, stage.name, method.resource_path, verb)
        if not self._buckets.take(bucket, *limits, exchange.now):
            raise GatewayFailure("THROTTLED", "Too Many Requests")

    def _apply_policy(self, exchange: Exchange) -> None:
        """The resource policy. With none of its own authorisation a method needs an allow, else no deny will do."""
        stage, method = exchange.stage, exchange.method
        if stage.api.policy is None or method is None:
            return
        caller = exchange.principal
        who = names_of(caller.arn, caller.account) if caller is not None else frozenset()
        decision = stage.api.policy.decide(exchange.arn, condition_keys(exchange), who)
        if decision is Decision.ALLOW:
            return
        if decision is Decision.NONE and method.is_iam:
            return
        masked = f"********{stage.account[-4:]}"
        resource = exchange.arn.replace(stage.account, masked, 1)
        explicit = " with an explicit deny" if decision is Decision.DENY else ""
        raise GatewayFailure(
            "ACCESS_DENIED",
            f"User: {caller.arn if caller is not None else 'anonymous'} is not authorized to perform: execute-api:Invoke on resource: {resource}{explicit}",
        )

    def _finish(self, exchange: Exchange, response: HttpResponse) -> HttpResponse:
        headers, stage = response.headers, exchange.stage
        headers["x-amzn-RequestId"] = exchange.request_id
        headers["x-amz-apigw-id"] = exchange.extended_id
        if exchange.error is None:
            headers["X-Amzn-Trace-Id"] = exchange.trace
        if stage.api.minimum_compression is not None:
            _compress(exchange.request, response, stage.api.minimum_compression)
        if stage.access_log is not None:
            self._log_access(exchange, response)
        if stage.tracing:
            self._end_trace(exchange, response)
        return response

    def _log_access(self, exchange: Exchange, response: HttpResponse) -> None:
        assert exchange.stage.access_log is not None
        group, template = exchange.stage.access_log
        now = self._cloud.clock.now()
        latency = int((now - exchange.now) * 1000)
        line = access_log_line(exchange, template, response.status, len(response.body), latency)
        stream = f"{exchange.stage.api_id}-{exchange.stage.name}"
        self._cloud.logs.append(*exchange.stage.place, group, stream, [(int(now * 1000), line)])

    def _begin_trace(self, exchange: Exchange) -> None:
        """The segment's id becomes the parent of what the function records."""
        if "Sampled=" not in exchange.trace:
            exchange.trace = f"{exchange.trace};Sampled=1"
        if "Parent=" not in exchange.trace:
            root, _, rest = exchange.trace.partition(";")
            exchange.trace = f"{root};Parent={self._cloud.ids.hex(16)};{rest}"

    def _end_trace(self, exchange: Exchange, response: HttpResponse) -> None:
        parts = dict(part.partition("=")[::2] for part in exchange.trace.split(";"))
        if parts.get("Sampled") != "1":
            return
        stage, request = exchange.stage, exchange.request
        document = {
            "name": f"{stage.api_id}/{stage.name}",
            "id": parts.get("Parent") or self._cloud.ids.hex(16),
            "trace_id": parts.get("Root", ""),
            "start_time": exchange.now,
            "end_time": self._cloud.clock.now(),
            "origin": "AWS::ApiGateway::Stage",
            "http": {
                "request": {
                    "method": request.method,
                    "url": f"{request.base_url}/{stage.name}{exchange.path}",
                    "client_ip": request.client,
                    "user_agent": request.headers.get("user-agent", ""),
                },
                "response": {"status": response.status, "content_length": len(response.body)},
            },
            "aws": {
                "api_gateway": {
                    "account_id": stage.account,
                    "request_id": exchange.request_id,
                    "rest_api_id": stage.api_id,
                    "stage": stage.name,
                }
            },
            "error": 400 <= response.status < 500,
            "fault": response.status >= 500,
            "throttle": response.status == 429,
        }
        self._cloud.traces.put_segment(*stage.place, document)


def _require(exchange: Exchange, method: Method) -> None:
    request = exchange.request
    missing = []
    for place, name in method.required:
        if place in ("header", "multivalueheader"):
            present = name.lower() in request.headers
        else:
            present = name in request.params
        if not present:
            missing.append(name)
    if missing:
        raise GatewayFailure(
            "BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]"
        )


def _validate(request: HttpRequest, method: Method) -> None:
    """A content type without a model is not validated."""
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    schema = method.schemas.get(content_type)
    if schema is None:
        return
    problems = schema.problems(request.body)
    if problems:
        raise GatewayFailure(
            "BAD_REQUEST_BODY", "Invalid request body", validation=f"[{', '.join(problems)}]"
        )


def _decompress(request: HttpRequest) -> None:
    encoding = request.headers.get("content-encoding", "").lower()
    if encoding not in ("gzip", "deflate"):
        return
    inflater = zlib.decompressobj(31 if encoding == "gzip" else 15)
    try:
        body = inflater.decompress(request.body, _MAX_BODY + 1)
    except zlib.error:
        raise GatewayFailure("BAD_REQUEST_BODY", "Invalid request body") from None
    if len(body) > _MAX_BODY:
        raise GatewayFailure("REQUEST_TOO_LARGE", "Request Too Long")
    request.body = body
    del request.headers["content-encoding"]


def _compress(request: HttpRequest, response: HttpResponse, minimum: int) -> None:
    accepted = request.headers.get("accept-encoding", "").lower()
    if len(response.body) < max(minimum, 1) or any(n.lower() == "content-encoding" for n in response.headers):
        return
    if "gzip" in accepted:
        response.body = gzip.compress(response.body, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    elif "deflate" in accepted:
        response.body = zlib.compress(response.body)
        response.headers["Content-Encoding"] = "deflate"


def _refused(refusal: NotEmulated) -> HttpResponse:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}
    return HttpResponse(refusal.status, headers, orjson.dumps({"message": refusal.message}))
