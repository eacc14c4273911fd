"""What a deployed service has, as data for the start-up report: routes, event sources, resources, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compile import naming
from ..service import Event, Function, Service
from .refusals import coverage_of

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud


@dataclass(frozen=True, slots=True)
class Route:
    """api: the kind of its event, or `url`. path: without the slash it begins with; of a WebSocket API the route's key,
    of a function URL the whole address."""

    method: str
    path: str
    function: str
    notes: tuple[str, ...]
    api: str = "http"


@dataclass(frozen=True, slots=True)
class Source:
    kind: str
    what: str
    function: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """stored: `LogicalId.Property` that are kept without effect. A refused one would have stopped the deployment."""

    resources: int
    types: Mapping[str, int]
    stored: tuple[str, ...]


def routes(service: Service, outputs: Mapping[str, str]) -> list[Route]:
    """Of all APIs, in the order of their kinds. outputs: of the stack, for the addresses of function URLs."""
    found = []
    for kind in _ROUTED:
        for function, event in service.events(kind):
            method, path = _ROUTED[kind](event)
            found.append(Route(method, path, function.key, _notes(event), kind))
    for function in service.functions.values():
        if function.get("url"):
            address = outputs.get(naming.function_url(function.key), "")
            found.append(Route("ANY", address, function.key, _url_notes(function), "url"))
    return found


def sources(service: Service) -> list[Source]:
    return [
        Source(event.kind, _what(event), function.key)
        for function in service.functions.values()
        for event in function.events
        if event.kind not in _ROUTED
    ]


def functions_without_events(service: Service) -> list[Function]:
    """Functions that nothing in this file calls: neither an event nor, as its authorizer, a route."""
    authorizers = {_authorizer(event) for kind in _ROUTED for _, event in service.events(kind)}
    return [
        each
        for each in service.functions.values()
        if not each.events and not each.get("url") and each.key not in authorizers
    ]


def coverage(cloud: Cloud, template: Mapping[str, Any]) -> Coverage:
    """Of a template that was taken as a whole."""
    found = coverage_of(cloud, template)
    types = Counter(item.type for item in found)
    stored = tuple(f"{item.logical_id}.{name}" for item in found for name in item.stored)
    return Coverage(len(found), types, stored)


def _http(event: Event) -> tuple[str, str]:
    if isinstance(event.config, str):
        method, _, path = event.config.strip().partition(" ")
    else:
        method, path = str(event.get("method")), str(event.get("path"))
    return method.upper(), path.strip().strip("/")


def _http_api(event: Event) -> tuple[str, str]:
    if isinstance(event.config, str):
        method, _, path = event.config.strip().partition(" ")
    else:
        method, path = str(event.get("method") or "*"), str(event.get("path") or "")
    method = "ANY" if method == "*" else method.upper()
    return method, path.strip().strip("/") or ("" if path else "*")


def _websocket(event: Event) -> tuple[str, str]:
    return "", str(event.config if isinstance(event.config, str) else event.get("route"))


def _alb(event: Event) -> tuple[str, str]:
    conditions = event.get("conditions") or {}
    method, path = conditions.get("method") or "ANY", conditions.get("path") or "*"
    return _short(method), _short(path).strip("/")


_ROUTED: Mapping[str, Callable[[Event], tuple[str, str]]] = {
    "http": _http,
    "httpApi": _http_api,
    "websocket": _websocket,
    "alb": _alb,
}


def _url_notes(function: Function) -> tuple[str, ...]:
    url = function.get("url")
    settings = url if isinstance(url, dict) else {}
    notes = [f"authorizer {settings['authorizer']}"] if settings.get("authorizer") else []
    return (*notes, "streams") if settings.get("invokeMode") == "RESPONSE_STREAM" else tuple(notes)


def _notes(event: Event) -> tuple[str, ...]:
    authorizer = _authorizer(event)
    notes = [f"authorizer {authorizer}"] if authorizer else []
    if isinstance(event.config, dict) and event.get("private"):
        notes.append("API key")
    return tuple(notes)


def _authorizer(event: Event) -> str:
    """The name of a route's authorizer, or its kind; empty without one."""
    authorizer = event.get("authorizer") if isinstance(event.config, dict) else None
    if isinstance(authorizer, dict):
        authorizer = authorizer.get("name") or authorizer.get("type")
    return str(authorizer or "")


def _what(event: Event) -> str:
    config = event.config
    if isinstance(config, str):
        return config
    if not isinstance(config, dict):
        return ""
    for name in ("rate", "bucket", "arn", "topicName", "pattern", "eventBus", "path"):
        if name in config:
            return _short(config[name])
    return ""


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_short(entry) for entry in value)
    if isinstance(value, dict):
        for name in ("Ref", "Fn::Sub"):
            if name in value:
                return str(value[name])
        if "Fn::GetAtt" in value:
            target = value["Fn::GetAtt"]
            return ".".join(target) if isinstance(target, list) else str(target)
        return ", ".join(value)
    return str(value)
