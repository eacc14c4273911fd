"""What answers at a function's URL: the request as a payload 2.0 event, the function's response as an HTTP response.

Written after "Invoking Lambda function URLs" and "Security and auth model" of the Lambda guide.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson

from ...kernel import AwsError, Cloud, HttpRequest, HttpResponse, Principal, StreamedInvocation
from ...kernel.identity import find_credential
from ...protocol import sigv4
from . import url_cors
from .base import Config
from .url_events import url_event
from .url_responses import bad_gateway, from_prelude, from_result
from .urls import Urls

_LIMIT = 6_291_456
_INTEGRATION = "application/vnd.awslambda.http-integration-response"
_END_OF_HEAD = b"\0" * 8
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class Site(NamedTuple):
    """What a URL leads to. arn: of the function or alias."""

    id: str
    region: str
    arn: str
    auth: str
    streams: bool
    cors: Config | None


class UrlPlane(Urls):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._sites: dict[str, Site] = {}

    def forget(self) -> None:
        super().forget()
        self._sites.clear()

    async def serve_url(self, url_id: str, request: HttpRequest, path: str) -> HttpResponse:
        """See kernel.ports.FunctionUrls."""
        request_id = self.ids.uuid()
        site = self._site(url_id)
        if site is None:
            response = HttpResponse(404, {"content-type": "application/json"}, b'{"Message":null}')
        elif site.cors is not None and url_cors.is_preflight(request):
            response = url_cors.preflight(site.cors, request)
        else:
            response = await self._answer(site, request, path, request_id)
            if site.cors is not None:
                url_cors.add(site.cors, request, response)
        response.headers.setdefault("x-amzn-RequestId", request_id)
        return response

    def _site(self, url_id: str) -> Site | None:
        found = self._sites.get(url_id)
        if found is None:
            row = self.store.one("SELECT region, config FROM lambda_url WHERE id=?", (url_id,))
            if row is None:
                return None
            config = orjson.loads(row["config"])
            found = self._sites[url_id] = Site(
                url_id,
                row["region"],
                config["FunctionArn"],
                config["AuthType"],
                config["InvokeMode"] == "RESPONSE_STREAM",
                config.get("Cors") or None,
            )
        return found

    async def _answer(self, site: Site, request: HttpRequest, path: str, request_id: str) -> HttpResponse:
        if len(request.body) > _LIMIT:
            return _refused(413, "RequestEntityTooLargeException", "Request Entity Too Large")
        principal: Principal | None = None
        if site.auth == "AWS_IAM":
            principal = _signer(self.cloud, request)
            if principal is None:
                return _refused(403, "AccessDeniedException", _FORBIDDEN)
        event = url_event(site.id, site.region, principal, request, path, request_id, self.clock.now())
        trace = request.headers.get("x-amzn-trace-id") or self._trace()
        event["headers"]["x-amzn-trace-id"] = trace
        try:
            if site.streams:
                answer = await self.invoke_stream(site.arn, orjson.dumps(event), trace=trace)
                response = await _streamed(answer)
            else:
                result = await self.invoke(site.arn, orjson.dumps(event), trace=trace)
                response = from_result(result.payload, failed=result.function_error is not None)
        except AwsError as error:
            response = _failed(error)
        response.headers.setdefault("x-amzn-Trace-Id", trace.partition(";")[0])
        return response


def _failed(error: AwsError) -> HttpResponse:
    if error.status == 429:
        body = orjson.dumps({**error.members, "message": error.message})
        return HttpResponse(429, {"content-type": "application/json", "x-amzn-ErrorType": error.code}, body)
    return bad_gateway()


def _refused(status: int, code: str, message: str) -> HttpResponse:
    return HttpResponse(
        status,
        {"content-type": "application/json", "x-amzn-ErrorType": code},
        orjson.dumps({"Message": message}),
    )


async def _streamed(answer: StreamedInvocation) -> HttpResponse:
    """A response whose head the function may have written before its body: JSON, then eight zero bytes."""
    chunks = answer.chunks
    if answer.invocation.function_error is not None:
        return bad_gateway()
    if chunks is None:
        payload = answer.invocation.payload
        if answer.content_type != _INTEGRATION:
            return HttpResponse(200, {"content-type": answer.content_type or "application/json"}, payload)
        head, _, rest = payload.partition(_END_OF_HEAD)
        response = from_prelude(head)
        response.body = response.body or rest
        return response
    if answer.content_type != _INTEGRATION:
        return HttpResponse(
            200, {"content-type": answer.content_type or "application/octet-stream"}, stream=chunks
        )
    head = b""
    async for chunk in chunks:
        head += chunk
        if _END_OF_HEAD in head:
            break
    head, _, rest = head.partition(_END_OF_HEAD)
    response = from_prelude(head)
    if response.body:  # no head that could be read
        await _close(chunks)
        return response
    response.body, response.stream = rest, chunks
    return response


async def _close(chunks: AsyncIterator[bytes]) -> None:
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await close()


def _signer(cloud: Cloud, request: HttpRequest) -> Principal | None:
    """Who signed, for the service `lambda`; None where nobody did, or not as it should be. What the caller's policies
    allow is not evaluated yet (`Settings.iam` is `off`)."""
    presigned = "X-Amz-Algorithm=" in request.query
    try:
        if presigned:
            signature = sigv4.from_query(request)
        else:
            authorization = request.headers.get("authorization", "")
            if not authorization.startswith(sigv4.ALGORITHM):
                return None
            signature = sigv4.from_header(authorization, request.headers)
    except sigv4.IncompleteSignature:
        return None
    credential = find_credential(cloud, signature.access_key_id)
    if credential is None or not credential.active or signature.service != "lambda":
        return None
    if credential.session_token is not None and (
        signature.token != credential.session_token
        or (credential.expires is not None and credential.expires <= cloud.clock.now())
    ):
        return None
    key = sigv4.signing_key(
        credential.secret_access_key, signature.scope_date, signature.region, signature.service
    )
    expected = sigv4.calculate(key, request, signature, hashlib.sha256(request.body).hexdigest())
    if not sigv4.is_right(expected, signature):
        return None
    if presigned and signature.expires is not None:
        signed_at = sigv4.timestamp(signature.date)
        return (
            None if signed_at is None or signed_at + signature.expires < time.time() else credential.principal
        )
    return None if sigv4.skew(signature, time.time()) else credential.principal
