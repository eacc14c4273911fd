"""One request under way: what every step reads and adds to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import HttpRequest, Principal

if TYPE_CHECKING:
    from .compiled import Method
    from .stage import ServedStage

_NAMES = """Accept Accept-Charset Accept-Encoding Accept-Language Access-Control-Request-Headers
 Access-Control-Request-Method Authorization Cache-Control Content-Disposition Content-Encoding Content-Language
 Content-MD5 Content-Type Cookie Date DNT Forwarded From Host If-Match If-Modified-Since If-None-Match If-Range
 If-Unmodified-Since Idempotency-Key Max-Forwards Origin Pragma Range Referer Sec-Fetch-Dest Sec-Fetch-Mode
 Sec-Fetch-Site Sec-Fetch-User Upgrade-Insecure-Requests User-Agent Via X-Amz-Date X-Amz-Security-Token
 X-Amz-Content-Sha256 X-Amz-User-Agent X-Amzn-Trace-Id X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto
 X-Forwarded-Host X-Requested-With X-HTTP-Method-Override"""
#: How clients write the headers that are theirs, for requests that came over no connection.
_SPELLING: Mapping[str, str] = {name.lower(): name for name in _NAMES.split()}
#: Between the client and API Gateway only: no integration sees them.
_HOP = frozenset(
    [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
SENT: Mapping[str, str | None] = {**_SPELLING, **dict.fromkeys(_HOP)}
_OWN = ("host", "user-agent", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
#: What API Gateway writes in its own way. All else of a client is passed on as it came.
_WRITTEN: Mapping[str, str | None] = {name: SENT[name] for name in (*_OWN, *_HOP)}


@lru_cache(8)
def request_time(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


@dataclass(slots=True)
class Exchange:
    """path: percent-encoded, after the stage. trace: the X-Amzn-Trace-Id header that goes to the integration.

    integration: milliseconds that it took and the status of its answer, where the stage has an access log.
    authorizer: the `$context.authorizer` map. principal: who signed, of an AWS_IAM method. status, error: of the answer, for the access log.
    """

    stage: ServedStage
    request: HttpRequest
    path: str
    request_id: str
    extended_id: str
    now: float
    trace: str
    method: Method | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    authorizer: dict[str, Any] | None = None
    principal: Principal | None = None
    usage_key: str | None = None
    api_key: str | None = None
    api_key_id: str | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    request_overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Any = None
    integration: tuple[int, int | None] | None = None
    _headers: tuple[dict[str, str], dict[str, list[str]]] | None = None
    _context: dict[str, Any] | None = None

    @property
    def arn(self) -> str:
        """The method that is asked for, as policies name it."""
        return (
            f"{self.stage.arn}/{self.request.method}{self.path if self.path[:1] == '/' else '/' + self.path}"
        )

    def content_type(self) -> str:
        return self.request.headers.get("content-type", "application/json")

    def headers(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """The client's headers as an integration sees them, single and multi-valued, with what the way adds."""
        if self._headers is None:
            request = self.request
            single: dict[str, str] = {}
            multi: dict[str, list[str]] = {}
            written = request.spelling
            known, written = (SENT, {}) if written is None else (_WRITTEN, written)
            for name, value in request.headers.items():
                spelling = known[name] if name in known else written.get(name, name)
                if spelling is not None:
                    single[spelling] = value
                    multi[spelling] = [value]
            if request.repeated is not None:
                for name, values in request.repeated.items():  # the single-valued map has the last value
                    spelling = known[name] if name in known else written.get(name, name)
                    if spelling is not None:
                        single[spelling] = values[-1]
                        multi[spelling] = list(values)
            way, client = request.headers.get("x-forwarded-for"), request.client
            way = f"{way}, {client}" if way else client
            scheme = request.scheme
            port = request.host.partition(":")[2] or ("443" if scheme == "https" else "80")
            single["X-Amzn-Trace-Id"] = self.trace
            single["X-Forwarded-For"] = way
            single["X-Forwarded-Port"] = port
            single["X-Forwarded-Proto"] = scheme
            multi["X-Amzn-Trace-Id"] = [self.trace]
            multi["X-Forwarded-For"] = [way]
            multi["X-Forwarded-Port"] = [port]
            multi["X-Forwarded-Proto"] = [scheme]
            self._headers = (single, multi)
        return self._headers

    def identity(self) -> dict[str, Any]:
        request = self.request
        identity: dict[str, Any] = {
            "cognitoIdentityPoolId": None,
            "accountId": None,
            "cognitoIdentityId": None,
            "caller": None,
            "sourceIp": request.client,
            "principalOrgId": None,
            "accessKey": None,
            "cognitoAuthenticationType": None,
            "cognitoAuthenticationProvider": None,
            "userArn": None,
            "userAgent": request.headers.get("user-agent"),
            "user": None,
        }
        if self.principal is not None:
            identity["accountId"] = self.principal.account
            identity["accessKey"] = self.principal.access_key_id
            identity["caller"] = identity["user"] = self.principal.user_id
            identity["userArn"] = self.principal.arn
        if self.api_key is not None:
            identity["apiKey"] = self.api_key
            identity["apiKeyId"] = self.api_key_id
        return identity

    def request_context(self) -> dict[str, Any]:
        """`requestContext` of an event. Keys that the stage and the method fix come ready made."""
        request, stage = self.request, self.stage
        method = self.method
        host = request.host
        name = host.partition(":")[0]
        context: dict[str, Any] = {
            "resourceId": method.resource_id if method else None,
            "resourcePath": method.resource_path if method else None,
            "httpMethod": request.method,
            "extendedRequestId": self.extended_id,
            "requestTime": request_time(int(self.now)),
            "path": f"/{stage.name}{self.path}",
            "accountId": stage.account,
            "protocol": "HTTP/1.1",
            "stage": stage.name,
            "domainPrefix": name.partition(".")[0],
            "requestTimeEpoch": int(self.now * 1000),
            "requestId": self.request_id,
            "identity": self.identity(),
            "domainName": host or name,
            "deploymentId": stage.deployment_id,
            "apiId": stage.api_id,
        }
        if self.authorizer is not None:
            context["authorizer"] = self.authorizer
        if method is not None and method.operation_name:
            context["operationName"] = method.operation_name
        return context
