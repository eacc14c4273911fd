"""One request under way: what every step reads and adds to, and `requestContext` in both payload formats."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pileus.cloud.kernel import HttpRequest, Principal

if TYPE_CHECKING:
    from .stage import Route, ServedStage

#: Between the client and API Gateway only: no integration sees them.
_HOP = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


@lru_cache(8)
def request_time(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


@lru_cache(512)
def spelled(name: str) -> str:
    """A header's name as payload format 1.0 has it; clients' own `x-` names stay as the server gives them."""
    own = name.startswith("x-") and not name.startswith(("x-amz", "x-forwarded-"))
    return name if own else name.title()


@dataclass(slots=True)
class Exchange:
    """raw_path: percent-encoded, after the stage. trace: the X-Amzn-Trace-Id header that goes to the integration.

    claims, scopes: of a JWT. lambda_context: what a function that authorises said. principal: who signed.
    """

    stage: ServedStage
    request: HttpRequest
    raw_path: str
    request_id: str
    now: float
    trace: str
    route: Route | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    claims: dict[str, str] | None = None
    scopes: list[str] | None = None
    lambda_context: dict[str, Any] | None = None
    principal_id: str | None = None
    principal: Principal | None = None
    integration_status: int | None = None
    integration_latency: int | None = None
    error: Any = None
    _headers: dict[str, str] | None = None

    @property
    def path(self) -> str:
        """Decoded, with the stage where URLs begin with it."""
        path = f"{self.stage.prefix}{self.raw_path}"
        return unquote(path) if "%" in path else path

    @property
    def route_key(self) -> str:
        return self.route.key if self.route is not None else ""

    @property
    def arn(self) -> str:
        """What is asked for, as policies name it."""
        return f"{self.stage.arn}/{self.request.method}{self.raw_path}"

    def headers(self) -> dict[str, str]:
        """The client's headers as an integration sees them, lower-case, with what the way adds."""
        if self._headers is None:
            request = self.request
            headers = {name: value for name, value in request.headers.items() if name not in _HOP}
            headers.setdefault("content-length", str(len(request.body)))
            way = headers.get("x-forwarded-for")
            headers["x-amzn-trace-id"] = self.trace
            headers["x-forwarded-for"] = f"{way}, {request.client}" if way else request.client
            port = request.host.partition(":")[2]
            headers["x-forwarded-port"] = port or ("443" if request.scheme == "https" else "80")
            headers["x-forwarded-proto"] = request.scheme
            self._headers = headers
        return self._headers

    def context_2(self) -> dict[str, Any]:
        """`requestContext` of payload format 2.0."""
        stage, request, path, host = self.stage, self.request, self.path, self.request.host
        context: dict[str, Any] = {
            "accountId": stage.account,
            "apiId": stage.api_id,
            "domainName": host,
            "domainPrefix": host.partition(":")[0].partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": self.request_id,
            "routeKey": self.route_key,
            "stage": stage.name,
            "time": request_time(int(self.now)),
            "timeEpoch": int(self.now * 1000),
        }
        authorizer = self._authorizer_2()
        if authorizer is not None:
            context["authorizer"] = authorizer
        return context

    def _authorizer_2(self) -> dict[str, Any] | None:
        if self.claims is not None:
            return {"jwt": {"claims": self.claims, "scopes": self.scopes}}
        if self.lambda_context is not None:
            return {"lambda": self.lambda_context or None}
        if self.principal is not None:
            who = self.principal
            iam = {
                "accessKey": who.access_key_id,
                "accountId": who.account,
                "callerId": who.user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": who.arn,
                "userId": who.user_id,
            }
            return {"iam": iam}
        return None

    def context_1(self) -> dict[str, Any]:
        """`requestContext` of payload format 1.0."""
        stage, request, who = self.stage, self.request, self.principal
        host = request.host
        identity = {
            "accessKey": who.access_key_id if who else None,
            "accountId": who.account if who else None,
            "caller": who.user_id if who else None,
            "cognitoAmr": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": request.client,
            "user": who.user_id if who else None,
            "userAgent": request.headers.get("user-agent", ""),
            "userArn": who.arn if who else None,
        }
        context: dict[str, Any] = {
            "accountId": stage.account,
            "apiId": stage.api_id,
            "domainName": host,
            "domainPrefix": host.partition(":")[0].partition(".")[0],
            "extendedRequestId": self.request_id,
            "httpMethod": request.method,
            "identity": identity,
            "path": self.path,
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": request_time(int(self.now)),
            "requestTimeEpoch": int(self.now * 1000),
            "resourceId": self.route_key,
            "resourcePath": self.route.path if self.route is not None else "",
            "stage": stage.name,
        }
        if self.claims is not None:
            context["authorizer"] = {"claims": self.claims, "scopes": self.scopes}
        elif self.lambda_context is not None:
            context["authorizer"] = {**self.lambda_context}
            if self.principal_id is not None:
                context["authorizer"]["principalId"] = self.principal_id
        return context
