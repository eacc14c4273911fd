"""CORS at a function's URL: Lambda answers preflights itself, and its headers replace those of the function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import HttpRequest, HttpResponse

Cors = Mapping[str, Any]


def is_preflight(request: HttpRequest) -> bool:
    headers = request.headers
    return request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight(cors: Cors, request: HttpRequest) -> HttpResponse:
    response = HttpResponse(200)
    method = request.headers["access-control-request-method"].strip()
    methods = cors.get("AllowMethods") or []
    if "*" not in methods and method not in methods:
        return response
    add(cors, request, response)
    if "access-control-allow-origin" not in response.headers:
        return response
    response.headers["access-control-allow-methods"] = ",".join(methods)
    if cors.get("AllowHeaders"):
        response.headers["access-control-allow-headers"] = ",".join(cors["AllowHeaders"])
    if cors.get("MaxAge"):
        response.headers["access-control-max-age"] = str(cors["MaxAge"])
    return response


def add(cors: Cors, request: HttpRequest, response: HttpResponse) -> None:
    """The headers of an actual response, in the place of the function's own."""
    for name in [name for name in response.headers if name.startswith("access-control-")]:
        del response.headers[name]
    origin = request.headers.get("origin")
    allowed = cors.get("AllowOrigins") or []
    if origin is None or not ("*" in allowed or origin in allowed):
        return
    # browsers take no wildcard together with credentials
    anyone = "*" in allowed and not cors.get("AllowCredentials")
    response.headers["access-control-allow-origin"] = "*" if anyone else origin
    if not anyone:
        response.headers["vary"] = "Origin"
    if cors.get("AllowCredentials"):
        response.headers["access-control-allow-credentials"] = "true"
    if cors.get("ExposeHeaders"):
        response.headers["access-control-expose-headers"] = ",".join(cors["ExposeHeaders"])
