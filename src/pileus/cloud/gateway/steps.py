"""The way of a request, in order:

    identify → route → verify → parse → authorise → call → serialise → record

Each step takes the exchange and adds what it found; a step that refuses raises an AwsError, which is serialised in the
protocol that the client speaks. `route` comes before `verify` because the error of a bad signature is written in the
words of the operation's protocol; nothing of a request's content is looked at before its signature holds.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import orjson

from ..kernel.call import Call
from ..kernel.cloud import Cloud
from ..kernel.errors import AwsError, InternalFailure, NotEmulated
from ..kernel.http import HttpRequest, HttpResponse
from ..protocol import ServiceCodec, service_codec, sigv4
from .authenticate import Authenticator
from .errors import refusal
from .exchange import Exchange
from .identify import ServiceIndex, bucket_of_host, signature_of
from .messages import read_body

log = logging.getLogger("pileus.gateway")


class Pipeline:
    """The steps with what they share: the service index, codecs and derived keys of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._index = ServiceIndex(cloud.registry)
        self._authenticator = Authenticator(cloud)
        self._codecs: dict[str, ServiceCodec] = {}

    async def answer(self, request: HttpRequest) -> HttpResponse:
        exchange = Exchange(request, self.cloud.ids.uuid(), time.perf_counter())
        try:
            self.identify(exchange)
            if request.method == "OPTIONS" and exchange.service == "s3":
                return self.preflight(exchange)
            if request.method == "POST" and exchange.service == "s3" and _is_form(request):
                return await self.post_form(exchange)
            await self.route(exchange)
            self._authenticator.verify(exchange)
            self.parse(exchange)
            self.authorise(exchange)
            result = await self.call(exchange)
            response = self.serialise(exchange, result)
        except AwsError as error:
            response = self.refuse(exchange, error)
        except ConnectionResetError:
            raise
        except Exception:
            log.exception("request %s failed: %s %s", exchange.request_id, request.method, request.path)
            response = self.refuse(
                exchange, InternalFailure("We encountered an internal error. Please try again.")
            )
        exchange.status = response.status
        self.record(exchange)
        return response

    def identify(self, exchange: Exchange) -> None:
        """Finds the service, from the signature's scope or, failing that, target, host and path."""
        request = exchange.http
        try:
            exchange.signature, exchange.presigned = signature_of(request)
        except sigv4.IncompleteSignature as error:
            exchange.service = self._index.find(request, None)
            code = "AuthorizationHeaderMalformed" if exchange.service == "s3" else "IncompleteSignature"
            raise refusal(code, str(error), 400) from None
        exchange.service = self._index.find(request, exchange.signature)
        if exchange.signature is None and request.headers.get("authorization", "").startswith("AWS4-ECDSA"):
            raise NotEmulated("Signature Version 4A (multi-region access points)")
        if exchange.service == "s3":
            if (
                request.headers.get("authorization", "").startswith("AWS ")
                or "AWSAccessKeyId=" in request.query
            ):
                raise refusal(
                    "InvalidRequest",
                    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
                    400,
                )
            exchange.attributes["path"] = request.path
        elif exchange.service not in self.cloud.registry:
            raise NotEmulated(f"the service {exchange.service}")

    async def route(self, exchange: Exchange) -> None:
        """Reads the body and finds the operation. S3's is known by its head alone: a body that it streams stays."""
        request = exchange.http
        exchange.codec = codec = self.codec(exchange.service)
        if exchange.service != "s3":
            await read_body(request)
            exchange.match = codec.identify(request)
            return
        exchange.match = codec.identify(self._path_style(request))
        if not codec.is_streaming_input(exchange.match.operation):
            await read_body(request)

    def preflight(self, exchange: Exchange) -> HttpResponse:
        """A browser asks whether it may call S3 from another origin: no API operation, and never signed."""
        exchange.codec = self.codec("s3")
        bucket = unquote(self._path_style(exchange.http).path).removeprefix("/").partition("/")[0]
        answer: HttpResponse = getattr(self.cloud.service("s3"), "preflight")(bucket, exchange.http)  # noqa: B009
        return answer

    async def post_form(self, exchange: Exchange) -> HttpResponse:
        """An upload by a browser's form: signed by its policy document, and no API operation of the model."""
        request = exchange.http
        exchange.codec = self.codec("s3")
        service: Any = self.cloud.service("s3")
        await read_body(request)
        form = service.read_form(request)
        self._authenticator.verify_form(exchange, form.fields)
        bucket = unquote(self._path_style(request).path).removeprefix("/").partition("/")[0]
        exchange.call = self.cloud.make_call(
            "s3",
            "PostObject",
            account=exchange.account,
            region=exchange.region,
            principal=exchange.principal,
            request_id=exchange.request_id,
            http=request,
        )
        answer: HttpResponse = await service.post_object(exchange.call, bucket, form)
        answer.headers["x-amz-request-id"] = exchange.request_id
        exchange.status = answer.status
        self.record(exchange)
        return answer

    def parse(self, exchange: Exchange) -> None:
        assert exchange.codec is not None
        assert exchange.match is not None
        exchange.parameters = exchange.codec.parse(exchange.match, exchange.http)

    def authorise(self, exchange: Exchange) -> None:
        """Evaluates policies. `--iam off` is the only mode so far: who holds a valid key may do all."""

    async def call(self, exchange: Exchange) -> dict[str, Any] | None:
        assert exchange.match is not None
        operation = exchange.match.operation
        handler = self.cloud.service(exchange.service).handler(operation)
        if handler is None:
            raise NotEmulated(f"{exchange.service} {operation}")
        exchange.call = call = Call(
            self.cloud,
            exchange.service,
            operation,
            exchange.account,
            exchange.region,
            exchange.principal,
            exchange.request_id,
            self.cloud.clock.now(),
            exchange.http.headers.get("x-amzn-trace-id"),
            exchange.http,
            exchange.attributes,
        )
        answer: dict[str, Any] | None
        if handler.waits:
            answer = await handler.method(call, exchange.parameters)
        elif handler.reads:
            answer = handler.method(call, exchange.parameters)
        else:
            with self.cloud.store.transaction():
                answer = handler.method(call, exchange.parameters)
        return answer

    def serialise(self, exchange: Exchange, result: dict[str, Any] | None) -> HttpResponse:
        assert exchange.codec is not None
        assert exchange.match is not None
        return exchange.codec.serialise(exchange.match, result, request_id=exchange.request_id)

    def refuse(self, exchange: Exchange, error: AwsError) -> HttpResponse:
        exchange.error_code = error.code
        if exchange.codec is None:
            return _plain_error(exchange, error)
        form = exchange.match or _protocol(exchange.codec, exchange.http)
        return exchange.codec.error(
            form, error, request_id=exchange.request_id, resource=exchange.attributes.get("path", "")
        )

    def record(self, exchange: Exchange) -> None:
        """Tells the observers (the terminal, the console) of a finished call."""
        if exchange.call is None or not self.cloud.observers:
            return
        seconds = time.perf_counter() - exchange.started
        for observer in self.cloud.observers:
            observer(exchange.call, exchange.status, exchange.error_code, seconds)

    def codec(self, service: str) -> ServiceCodec:
        codec = self._codecs.get(service)
        if codec is None:
            opaque = self.cloud.service(service).opaque_shapes
            codec = service_codec(service, cache_dir=self.cloud.settings.cache, opaque=opaque)
            self._codecs[service] = codec
        return codec

    @staticmethod
    def _path_style(request: HttpRequest) -> HttpRequest:
        """A virtual-hosted S3 request with its bucket moved into the path, for the router alone."""
        bucket = bucket_of_host(request.host)
        if bucket is None:
            return request
        return replace(request, path=f"/{bucket}{request.path}")


def _is_form(request: HttpRequest) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


def _protocol(codec: ServiceCodec, request: HttpRequest) -> str:
    """What the client speaks, of those that the service has, where its operation is not known."""
    headers = request.headers
    if "smithy-protocol" in headers:
        wanted = "smithy-rpc-v2-cbor"
    elif "x-amz-target" in headers:
        wanted = "json"
    elif headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        wanted = "query"
    else:
        wanted = codec.protocols[0]
    return wanted if wanted in codec.protocols else codec.protocols[0]


def _plain_error(exchange: Exchange, error: AwsError) -> HttpResponse:
    """An error before anything about the client's protocol is known: by the shape of its request."""
    content_type = exchange.http.headers.get("content-type", "")
    headers = {"x-amzn-requestid": exchange.request_id}
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.code}</Code><Message>{_escape(error.message)}"
            f"</Message></Error><RequestId>{exchange.request_id}</RequestId></ErrorResponse>"
        )
        return HttpResponse(error.status, {**headers, "content-type": "text/xml"}, text.encode())
    if exchange.service == "s3":
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code><Message>'
            f"{_escape(error.message)}</Message><RequestId>{exchange.request_id}</RequestId></Error>"
        )
        return HttpResponse(error.status, {**headers, "content-type": "application/xml"}, text.encode())
    body = orjson.dumps({"__type": error.code, "message": error.message})
    return HttpResponse(
        error.status,
        {**headers, "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code},
        body,
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
