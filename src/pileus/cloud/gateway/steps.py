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

from ..kernel.call import Call, Principal
from ..kernel.cloud import Cloud
from ..kernel.errors import AwsError, InternalFailure, NotEmulated
from ..kernel.http import HttpRequest, HttpResponse
from ..kernel.service import Handler
from ..protocol import ServiceCodec, service_codec, sigv4
from .authenticate import Authenticator
from .connection import Answer
from .errors import refusal
from .exchange import Exchange
from .identify import ServiceIndex, after_stage, bucket_of_host, signature_of
from .messages import read_body

log = logging.getLogger("pileus.gateway")


class Pipeline:
    """The steps with what they share: the service index, codecs and derived keys of one cloud.

    opened: (service, region) that all requests are for, and that anybody may ask who gets here, with any key or none.
    """

    def __init__(self, cloud: Cloud, *, opened: tuple[str, str] | None = None) -> None:
        self.cloud = cloud
        self._index = ServiceIndex(cloud.registry)
        self._authenticator = Authenticator(cloud)
        self._codecs: dict[str, ServiceCodec] = {}
        self._opened = opened
        self._verify = self._authenticator.verify if opened is None else self._welcome

    def answer(self, request: HttpRequest) -> Answer:
        """A response where nothing has to wait, else a coroutine that will give it."""
        exchange = Exchange(request, self.cloud.ids.uuid(), time.perf_counter())
        if self._opened is not None:
            exchange.service, exchange.region = self._opened
        return self._go(exchange) if request.stream is None else self._receive(exchange)

    def _go(self, exchange: Exchange) -> Answer:
        try:
            self.identify(exchange)
            if exchange.service == "s3" and (other := self.beside_the_api(exchange)) is not None:
                return other
            self.route(exchange)
            self._verify(exchange)
            self.parse(exchange)
            self.authorise(exchange)
            handler = self.handler(exchange)
            if handler.waits:
                return self._wait(exchange, handler)
            return self.serialise(exchange, self.call(exchange, handler))
        except Exception as error:  # noqa: BLE001 - the boundary: turned into an answer, a bug also into a log entry
            return self._failed(exchange, error)

    async def _receive(self, exchange: Exchange) -> HttpResponse:
        """The body is still coming: it is read first, unless the operation (an upload to S3) streams it."""
        try:
            self.identify(exchange)
            if not self._streams(exchange):
                await read_body(exchange.http)
        except Exception as error:  # noqa: BLE001 - as in _go
            return self._failed(exchange, error)
        answer = self._go(exchange)
        return answer if isinstance(answer, HttpResponse) else await answer

    async def _wait(self, exchange: Exchange, handler: Handler) -> HttpResponse:
        try:
            return self.serialise(exchange, await handler.method(exchange.call, exchange.parameters))
        except Exception as error:  # noqa: BLE001 - as in _go
            return self._failed(exchange, error)

    def _streams(self, exchange: Exchange) -> bool:
        if exchange.service != "s3" or exchange.http.method not in ("PUT", "POST") or _is_form(exchange.http):
            return False
        self.route(exchange)
        assert exchange.codec is not None
        assert exchange.match is not None
        return exchange.codec.is_streaming_input(exchange.match.operation)

    def _failed(self, exchange: Exchange, error: Exception) -> HttpResponse:
        if isinstance(error, ConnectionResetError):
            raise error
        if isinstance(error, UnicodeEncodeError):
            error = _not_utf8(exchange.service)
        elif not isinstance(error, AwsError):
            request = exchange.http
            log.error(
                "request %s failed: %s %s", exchange.request_id, request.method, request.path, exc_info=error
            )
            error = InternalFailure("We encountered an internal error. Please try again.")
        return self.refuse(exchange, error)

    def identify(self, exchange: Exchange) -> None:
        """Finds the service, from the signature's scope or, failing that, target, host and path."""
        if exchange.service:
            return
        request = exchange.http
        try:
            exchange.signature, exchange.presigned = signature_of(request)
        except sigv4.IncompleteSignature as error:
            exchange.service = self._index.find(request, None)
            code = "IncompleteSignature"
            if exchange.service == "s3":
                by_header = request.headers.get("authorization", "").startswith(sigv4.ALGORITHM)
                code = "AuthorizationHeaderMalformed" if by_header else "AuthorizationQueryParametersError"
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

    def route(self, exchange: Exchange) -> None:
        """Finds the operation."""
        if exchange.match is None:
            request = exchange.http
            exchange.codec = codec = self.codec(exchange.service)
            if exchange.service == "s3":
                request = self._path_style(request)
            elif exchange.service == "apigatewaymanagementapi":
                request = after_stage(request)
            exchange.match = codec.identify(request)

    def beside_the_api(self, exchange: Exchange) -> Answer | None:
        """What S3 answers beside its API's operations."""
        if exchange.http.method == "OPTIONS":
            return self.preflight(exchange)
        if exchange.http.method == "POST" and _is_form(exchange.http):
            return self._post_form(exchange)
        return None

    def preflight(self, exchange: Exchange) -> HttpResponse:
        """A browser asks whether it may call S3 from another origin: no API operation, and never signed."""
        exchange.codec = self.codec("s3")
        bucket = unquote(self._path_style(exchange.http).path).removeprefix("/").partition("/")[0]
        answer: HttpResponse = getattr(self.cloud.service("s3"), "preflight")(bucket, exchange.http)  # noqa: B009
        return answer

    async def _post_form(self, exchange: Exchange) -> HttpResponse:
        try:
            return await self.post_form(exchange)
        except Exception as error:  # noqa: BLE001 - as in _go
            return self._failed(exchange, error)

    async def post_form(self, exchange: Exchange) -> HttpResponse:
        """An upload by a browser's form: signed by its policy document, and no API operation of the model."""
        request = exchange.http
        exchange.codec = self.codec("s3")
        service: Any = self.cloud.service("s3")
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
        return self.record(exchange, answer)

    def _welcome(self, exchange: Exchange) -> None:
        """Whoever asks an opened service is the account's root."""
        exchange.account = self.cloud.settings.account
        exchange.principal = Principal.root(exchange.account)

    def parse(self, exchange: Exchange) -> None:
        assert exchange.codec is not None
        assert exchange.match is not None
        exchange.parameters = exchange.codec.parse(exchange.match, exchange.http)

    def authorise(self, exchange: Exchange) -> None:
        """Evaluates policies. `--iam off` is the only mode so far: who holds a valid key may do all."""

    def handler(self, exchange: Exchange) -> Handler:
        """The method that answers, and the call that it is given."""
        assert exchange.match is not None
        operation = exchange.match.operation
        handler = self.cloud.service(exchange.service).handler(operation)
        if handler is None:
            raise NotEmulated(f"{exchange.service} {operation}")
        exchange.call = Call(
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
        return handler

    def call(self, exchange: Exchange, handler: Handler) -> dict[str, Any] | None:
        answer: dict[str, Any] | None
        if handler.reads:
            answer = handler.method(exchange.call, exchange.parameters)
        else:
            with self.cloud.store.transaction():
                answer = handler.method(exchange.call, exchange.parameters)
        return answer

    def serialise(self, exchange: Exchange, result: dict[str, Any] | None) -> HttpResponse:
        assert exchange.codec is not None
        assert exchange.match is not None
        response = exchange.codec.serialise(exchange.match, result, request_id=exchange.request_id)
        return self.record(exchange, response)

    def refuse(self, exchange: Exchange, error: AwsError) -> HttpResponse:
        exchange.error_code = error.code
        if not error.message.isascii():  # it may quote what can't be written, either
            error.message = error.message.encode("utf-8", "replace").decode()
        if exchange.codec is None:
            return _plain_error(exchange, error)
        form = exchange.match or _protocol(exchange.codec, exchange.http)
        resource = exchange.attributes.get("path", "")
        response = exchange.codec.error(form, error, request_id=exchange.request_id, resource=resource)
        return self.record(exchange, response)

    def record(self, exchange: Exchange, response: HttpResponse) -> HttpResponse:
        """Tells the observers (the terminal, the console) of a finished call."""
        if exchange.call is not None and self.cloud.observers:
            seconds = time.perf_counter() - exchange.started
            for observer in self.cloud.observers:
                observer(exchange.call, response.status, exchange.error_code, seconds)
        return response

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


def _not_utf8(service: str) -> AwsError:
    """Texts keep bytes that are no UTF-8 as lone surrogates, which nothing can store or answer with."""
    if service == "s3":
        return refusal("InvalidURI", "Couldn't parse the specified URI.", 400)
    return refusal("SerializationException", "The request is not valid UTF-8.", 400)


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
