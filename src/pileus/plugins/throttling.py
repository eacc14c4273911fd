"""serverless-api-gateway-throttling: rates of the REST API's stage and of its endpoints.

They are no part of the template (it has no stage): they are set on the stage after each deployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..compile import intrinsics as fn
from ..compile import naming
from ..service import Service
from ..service.extensions import Configuration, Purpose
from ..service.tree import Json, get
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ..compile.compilation import Compilation

_SECTION = "apiGatewayThrottling"
_RATES = {"maxRequestsPerSecond": "rateLimit", "maxConcurrentRequests": "burstLimit"}
_METHODS = ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
#: API Gateway's value for no limit but the account's.
_UNLIMITED = "-1"


@hookimpl
def schema() -> dict[str, Json]:
    rates: dict[str, Json] = {name: {"type": "number"} for name in _RATES}
    at_event = {"type": "object", "properties": {**rates, "disabled": {"type": "boolean"}}}
    return {
        "custom": {_SECTION: {"type": "object", "properties": rates}},
        "event.http": {"throttling": at_event},
        "event.httpApi": {"throttling": at_event},
    }


@hookimpl
def configure(configuration: Configuration, purpose: Purpose) -> None:
    shared = configuration.get("custom", _SECTION)
    for key, function in (configuration.get("functions") or {}).items():
        for position, event in enumerate(function.get("events") or ()):
            path = ("functions", key, "events", position)
            if get(event, "httpApi", "throttling") is not None:
                configuration.warn(
                    "throttling of an HTTP API's routes is not set by Pileus",
                    (*path, "httpApi", "throttling"),
                    "set it with 'aws apigatewayv2 update-stage' after the deployment",
                    key=True,
                )
            elif purpose == "offline" and shared is None and get(event, "http", "throttling") is not None:
                _not_enforced(configuration, (*path, "http", "throttling"))
    if shared is not None and purpose == "offline":
        _not_enforced(configuration, ("custom", _SECTION))


@hookimpl
def compiled(compilation: Compilation) -> None:
    """The outputs that the Node plugin reads the ids of the APIs from."""
    provider = compilation.service.provider
    apis = (
        ("Rest", "REST", naming.REST_API, get(provider, "apiGateway", "restApiId")),
        ("Http", "HTTP", naming.HTTP_API, get(provider, "httpApi", "id")),
    )
    for name, words, logical_id, given in apis:
        if given or logical_id in compilation.resources:
            value = given or fn.ref(logical_id)
            compilation.output(f"{name}ApiIdForApigThrottling", value, f"{words} API ID")


@hookimpl
def stage_settings(service: Service) -> list[dict[str, str]]:
    patches = list(_rates("/*/*", get(service.config, "custom", _SECTION)))
    for _, event in service.events("http"):
        settings = event.get("throttling")
        method, path = str(event.get("method")).upper(), str(event.get("path")).strip("/")
        place = "/~1" + path.replace("~", "~0").replace("/", "~1")
        for name in _METHODS if method == "ANY" else (method,):
            patches += _rates(f"{place}/{name}", settings)
    return patches


def _rates(place: str, settings: Json) -> Iterator[dict[str, str]]:
    if not isinstance(settings, dict):
        return
    for name, limit in _RATES.items():
        value = _UNLIMITED if settings.get("disabled") else settings.get(name)
        if value is not None:
            yield {"op": "replace", "path": f"{place}/throttling/{limit}", "value": str(value)}


def _not_enforced(configuration: Configuration, path: tuple[str | int, ...]) -> None:
    configuration.warn(
        "the stage gets these rates, and requests are not held to them here",
        path,
        "they take effect in AWS",
        key=True,
    )
