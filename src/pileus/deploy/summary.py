"""What a deployed service has, as data for the start-up report: routes, event sources, resources, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..service import Event, Function, Service
from .refusals import coverage_of

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    function: str
    notes: tuple[str, ...]


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


def routes(service: Service) -> list[Route]:
    found = []
    for function, event in service.events("http"):
        method, path = _http(event)
        found.append(Route(method, path, function.key, _notes(event)))
    return found


def sources(service: Service) -> list[Source]:
    return [
        Source(event.kind, _what(event), function.key)
        for function in service.functions.values()
        for event in function.events
        if event.kind != "http"
    ]


def functions_without_events(service: Service) -> list[Function]:
    """Functions that nothing in this file calls: neither an event nor, as its authorizer, a route."""
    authorizers = {_authorizer(event) for _, event in service.events("http")}
    return [each for each in service.functions.values() if not each.events and each.key not in authorizers]


def coverage(cloud: Cloud, template: Mapping[str, Any]) -> Coverage:
    """Of a template that was taken as a whole."""
    found = coverage_of(cloud, template)
    types = Counter(item.type for item in found)
    stored = tuple(f"{item.logical_id}.{name}" for item in found for name in item.stored)
    return Coverage(len(found), types, stored)


def _http(event: Event) -> tuple[str, str]:
    if isinstance(event.config, str):
        method, _, path = event.config.partition(" ")
        return method.upper(), path.strip("/")
    return str(event.get("method")).upper(), str(event.get("path")).strip("/")


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
