"""The events of Lambda integrations and authorizers, in payload formats 1.0 and 2.0.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" and "Control access to HTTP APIs with AWS Lambda
authorizers" in the developer guide. Format 2.0 leaves out what a request lacks, 1.0 says null.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from .exchange import Exchange, spelled

_TEXT = frozenset(
    (
        "application/json",
        "application/javascript",
        "application/xml",
        "application/graphql",
        "application/ld+json",
    )
)


def event_2(exchange: Exchange, *, with_body: bool = True) -> dict[str, Any]:
    request, stage = exchange.request, exchange.stage
    headers = exchange.headers()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": exchange.route_key,
        "rawPath": exchange.path,
        "rawQueryString": request.query,
    }
    cookie = headers.get("cookie")
    if cookie is not None:
        event["cookies"] = _cookies(cookie)
        headers = {name: value for name, value in headers.items() if name != "cookie"}
    event["headers"] = headers
    if request.query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in request.params.items()}
    event["requestContext"] = exchange.context_2()
    if exchange.parameters:
        event["pathParameters"] = exchange.parameters
    if stage.variables:
        event["stageVariables"] = stage.variables
    if with_body:
        if request.body:
            event["body"], event["isBase64Encoded"] = body_of(exchange)
        else:
            event["isBase64Encoded"] = False
    return event


def event_1(exchange: Exchange, *, with_body: bool = True) -> dict[str, Any]:
    request, stage = exchange.request, exchange.stage
    headers = {spelled(name): value for name, value in exchange.headers().items()}
    query = request.params if request.query else {}
    event: dict[str, Any] = {
        "version": "1.0",
        "resource": exchange.route.path if exchange.route is not None else "",
        "path": exchange.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": exchange.context_1(),
        "pathParameters": exchange.parameters or None,
        "stageVariables": stage.variables or None,
    }
    if with_body:
        event["body"], event["isBase64Encoded"] = body_of(exchange) if request.body else (None, False)
    return event


def authorizer_event(exchange: Exchange, version: str, identity: tuple[str, ...]) -> dict[str, Any]:
    """identity: the values of the identity sources."""
    if version == "2.0":
        event = event_2(exchange, with_body=False)
        return {
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": exchange.arn,
            "identitySource": list(identity) or None,
            **{name: value for name, value in event.items() if name != "version"},
        }
    event = event_1(exchange, with_body=False)
    source = ",".join(identity) or None
    return {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": exchange.arn,
        "identitySource": source,
        "authorizationToken": source,
        **{name: value for name, value in event.items() if name != "version"},
    }


def _cookies(header: str) -> list[str]:
    """Several Cookie headers come joined by commas, which no cookie may hold unquoted; cookies of one by `; `."""
    return [part.strip() for part in header.split(";") if part.strip()]


def body_of(exchange: Exchange) -> tuple[str, bool]:
    """(body, whether it is base64): text types come as they are, everything else encoded, also forms."""
    request = exchange.request
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = not kind or kind in _TEXT or kind.startswith("text/") or kind.endswith(("+json", "+xml"))
    if is_text and "content-encoding" not in request.headers:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(request.body).decode("ascii"), True
