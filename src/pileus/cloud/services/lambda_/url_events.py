"""The event of a request to a function's URL: payload format 2.0, as the Lambda guide documents it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from ...kernel import HttpRequest, Principal

_TEXT = ("text/", "application/json", "application/xml", "application/javascript")


def url_event(
    url_id: str,
    region: str,
    principal: Principal | None,
    request: HttpRequest,
    path: str,
    request_id: str,
    now: float,
) -> dict[str, Any]:
    """principal: who signed, for AWS_IAM. path: percent-encoded. now: seconds since the epoch."""
    request.replace_undecodable()
    domain = f"{url_id}.lambda-url.{region}.on.aws"
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    port = request.host.rpartition(":")[2] if ":" in request.host else "80"
    headers.update(
        {
            "host": domain,
            "x-forwarded-for": ", ".join(filter(None, (headers.get("x-forwarded-for"), request.client))),
            "x-forwarded-port": port,
            "x-forwarded-proto": request.scheme,
        }
    )
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
    }
    if cookies := request.headers.get("cookie"):
        event["cookies"] = [
            cookie.strip() for cookie in cookies.replace(",", ";").split(";") if cookie.strip()
        ]
    if request.params:
        event["queryStringParameters"] = {key: ",".join(each) for key, each in request.params.items()}
    event["requestContext"] = {
        "accountId": "anonymous" if principal is None else principal.account,
        "apiId": url_id,
        "domainName": domain,
        "domainPrefix": url_id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.client,
            "userAgent": request.headers.get("user-agent"),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }
    if principal is not None:
        event["requestContext"]["authorizer"] = {"iam": _identity(principal)}
    binary = False
    if request.body:
        event["body"], binary = _body(request)
    event["isBase64Encoded"] = binary
    return event


def _identity(principal: Principal) -> dict[str, Any]:
    return {
        "accessKey": principal.access_key_id,
        "accountId": principal.account,
        "callerId": principal.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": principal.arn,
        "userId": principal.user_id,
    }


def _body(request: HttpRequest) -> tuple[str, bool]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(_TEXT) or kind.endswith(("+json", "+xml")):
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True
