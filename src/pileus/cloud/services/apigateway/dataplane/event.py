"""The event of a Lambda proxy integration (payload format 1.0 of REST APIs), and of a REQUEST authorizer.

Source: "Lambda proxy integrations in API Gateway", section "Input format", in the developer guide.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson

from .exchange import Exchange


def proxy_event(exchange: Exchange) -> bytes:
    """AWS gives null, not an empty map, for what a request lacks."""
    request, method, stage = exchange.request, exchange.method, exchange.stage
    assert method is not None
    headers, many_headers = exchange.headers()
    single, many = _query(exchange)
    body: str | None = None
    is_base64 = False
    if request.body:
        if stage.is_binary(request.headers.get("content-type", "application/json")):
            body, is_base64 = b64encode(request.body).decode("ascii"), True
        else:
            body = request.body.decode("utf-8", "replace")
    return orjson.dumps(
        {
            "resource": method.resource_path,
            "path": exchange.path,
            "httpMethod": request.method,
            "headers": headers,
            "multiValueHeaders": many_headers,
            "queryStringParameters": single or None,
            "multiValueQueryStringParameters": many or None,
            "pathParameters": exchange.parameters or None,
            "stageVariables": stage.variables or None,
            "requestContext": exchange.request_context(),
            "body": body,
            "isBase64Encoded": is_base64,
        }
    )


def authorizer_event(exchange: Exchange) -> dict[str, Any]:
    """A REQUEST authorizer gets the same without a body, and empty maps where there is nothing."""
    method = exchange.method
    assert method is not None
    headers, many_headers = exchange.headers()
    single, many = _query(exchange)
    return {
        "type": "REQUEST",
        "methodArn": exchange.arn,
        "resource": method.resource_path,
        "path": exchange.path,
        "httpMethod": exchange.request.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": single,
        "multiValueQueryStringParameters": many,
        "pathParameters": exchange.parameters,
        "stageVariables": exchange.stage.variables,
        "requestContext": exchange.request_context(),
    }


def _query(exchange: Exchange) -> tuple[dict[str, str], dict[str, list[str]]]:
    if not exchange.request.query:
        return {}, {}
    many = exchange.request.params
    return {name: values[-1] for name, values in many.items()}, many
