"""Where in serverless.yml a resource of the compiled template comes from, so that a refusal can point at it.

What the user wrote as a resource stands under `resources`. For what the compiler made, the question is answered by
compiling again without one thing after another: the thing without which the resource (or its property) is not there is
where it comes from. That is slow (a compilation for each), exact, and only done once something is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..compile import Artifacts, compile_service, naming
from ..service import ConfigErrors, Function, Service
from ..service.tree import MISSING, Path, child

#: Settings that make no resource, and no property that could be refused.
_PLAIN = frozenset(
    {
        *(
            "name",
            "stage",
            "region",
            "runtime",
            "handler",
            "events",
            "stackName",
            "environment",
            "tags",
            "stackTags",
        ),
        *(
            "memorySize",
            "timeout",
            "architecture",
            "deploymentMethod",
            "deploymentBucket",
            "iam",
            "description",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What is left out, by its place; the service without it; what a compilation of that is kept under."""

    path: Path
    service: Service
    key: Path


class Origins:
    """Finds places for the resources of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._compiled: dict[Path, Mapping[str, Any]] = {}

    def of(self, logical_id: str, properties: tuple[str, ...] = ()) -> Path | None:
        """The place of a resource, or of the first of its `properties` that has one; None where nothing is its cause."""
        written = self._written(logical_id, properties)
        if written is not None:
            return written
        whole = self._without(_Candidate((), self._service, ()))
        for candidate in self._candidates(logical_id, exactly=bool(properties)):
            template = self._without(candidate)
            if template and whole and _is_gone(whole, template, logical_id, properties):
                return candidate.path
        function = self._function(logical_id)
        return None if function is None else function.path

    def using(self, names: Collection[str]) -> Path | None:
        """The first place that refers to what `names` name, by `Ref`, `Fn::GetAtt` or `Fn::Sub`, or has it as a key."""
        config = self._service.config
        for section in ("resources", "functions", "provider"):
            if (found := next(_references(config.get(section), (section,), names), None)) is not None:
                return found
        return None

    def _written(self, logical_id: str, properties: tuple[str, ...]) -> Path | None:
        """Under `resources`, where the user wrote it."""
        for section in (("Resources",), ("extensions",)):
            path: Path = ("resources", *section, logical_id)
            if _at(self._service.config, path) is MISSING:
                continue
            for name in properties:
                inner: Path = (*path, "Properties", name)
                if _at(self._service.config, inner) is not MISSING:
                    return inner
            if section == ("Resources",):
                return path
        return None

    def _candidates(self, logical_id: str, *, exactly: bool) -> Iterator[_Candidate]:
        """In the order of likelihood. exactly: the event itself is wanted, not the first one of its kind."""
        service = self._service
        for function in service.functions.values():
            if not _is_of(logical_id, function):
                continue
            for key in function.config.keys() - _PLAIN:
                config = {name: value for name, value in function.config.items() if name != key}
                path: Path = (*function.path, key)
                yield _Candidate(path, _with_function(service, replace(function, config=config)), path)
        for layer in service.config.get("layers") or {}:
            layers = {key: value for key, value in service.config["layers"].items() if key != layer}
            path = ("layers", layer)
            yield _Candidate(path, replace(service, config={**service.config, "layers": layers}), path)
        for path, provider in _without_settings(service.provider):
            yield _Candidate(path, replace(service, config={**service.config, "provider": provider}), path)
        for kind in sorted({event.kind for each in service.functions.values() for event in each.events}):
            yield from self._without_events(logical_id, kind, exactly)

    def _without_events(self, logical_id: str, kind: str, exactly: bool) -> Iterator[_Candidate]:
        uses = self._service.events(kind)
        none = self._service
        for function, _ in uses:
            kept = tuple(event for event in function.events if event.kind != kind)
            none = _with_function(none, replace(function, events=kept))
        whole = _Candidate(uses[0][1].path, none, ("events", kind))
        template = self._without(whole)
        if template is None or (logical_id in template["Resources"] and not exactly):
            return
        if exactly or len(uses) == 1:
            for function, event in uses:
                kept = tuple(other for other in function.events if other is not event)
                less = _with_function(self._service, replace(function, events=kept))
                yield _Candidate(event.path, less, event.path)
        yield whole

    def _without(self, candidate: _Candidate) -> Mapping[str, Any] | None:
        """The template that is left; None where that does not compile."""
        found = self._compiled.get(candidate.key)
        if found is None:
            try:
                found = compile_service(
                    candidate.service, Artifacts.synthetic(candidate.service, 0)
                ).update_stack
            except ConfigErrors:
                return None
            self._compiled[candidate.key] = found
        return found

    def _function(self, logical_id: str) -> Function | None:
        """The function that a logical id begins with: the one with the longest name, where several do."""
        own = [each for each in self._service.functions.values() if _is_of(logical_id, each)]
        return max(own, key=lambda each: len(each.key), default=None)


def _is_of(logical_id: str, function: Function) -> bool:
    return logical_id.startswith(naming.normalise(function.key))


def _at(config: Any, path: Path) -> Any:
    for part in path:
        config = child(config, part)
        if config is MISSING:
            return MISSING
    return config


def _is_gone(
    whole: Mapping[str, Any], template: Mapping[str, Any], logical_id: str, properties: tuple[str, ...]
) -> bool:
    """Whether the resource is missing, not only under another name, or all of the properties."""
    resource = template["Resources"].get(logical_id)
    if resource is None:
        kind = whole["Resources"][logical_id].get("Type") if logical_id in whole["Resources"] else None
        return _count(template, kind) < _count(whole, kind)
    left = resource.get("Properties") or {}
    return bool(properties) and not any(name in left for name in properties)


def _count(template: Mapping[str, Any], kind: Any) -> int:
    return sum(resource.get("Type") == kind for resource in template["Resources"].values())


def _without_settings(provider: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each setting of the provider, the inner ones of an object first, with the provider that is left."""
    for key in provider.keys() - _PLAIN:
        value = provider[key]
        rest = {name: item for name, item in provider.items() if name != key}
        if isinstance(value, dict):
            for inner in value:
                yield ("provider", key, inner), {**rest, key: {n: v for n, v in value.items() if n != inner}}
        yield ("provider", key), rest


def _with_function(service: Service, function: Function) -> Service:
    return replace(service, functions={**service.functions, function.key: function})


def _references(value: Any, path: Path, names: Collection[str]) -> Iterator[Path]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _references(item, (*path, position), names)
    if not isinstance(value, dict):
        return
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        attribute = attribute.split(".", 1)
    text = value.get("Fn::Sub")
    written = text[0] if isinstance(text, list) and text else text
    if (
        _is_in(value.get("Ref"), names)
        or (isinstance(attribute, list) and all(_is_in(part, names) for part in attribute))
        or (isinstance(written, str) and any(f"${{{name}}}" in written for name in names))
    ):
        yield path
    for key, item in value.items():
        if key.startswith("Fn::") and key in names:
            yield path
        yield from _references(item, (*path, key), names)


def _is_in(value: Any, names: Collection[str]) -> bool:
    return isinstance(value, str) and value in names
