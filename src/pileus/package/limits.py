"""Lambda's limits on what a function brings along, checked before anything is written or uploaded.

Numbers and words are AWS's (Lambda developer guide, "Lambda quotas"; the API's own messages).
"""

import json
from collections.abc import Mapping

from pileus.compile import naming
from pileus.package.explain import Item, items_of, shares
from pileus.package.plan import Kind, PackagePlan
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.model import Function, Service
from pileus.service.tree import Json, Path, get

UNZIPPED = 262_144_000
LAYERS = 5
ENVIRONMENT = 4096
HANDLER = 128
_NAMED = 5


def check_limits(plan: PackagePlan) -> None:
    """Raises ConfigErrors with every function and layer that Lambda would refuse."""
    items = {artifact.target: items_of(artifact) for artifact in plan.artifacts}
    layers = {target.key: found for target, found in items.items() if target.kind is Kind.LAYER}
    errors = [
        _too_large(plan.service, f"the layer '{key}'", ("layers", key), {f"layer {key}": found})
        for key, found in layers.items()
        if _size(found) > UNZIPPED
    ]
    for function in plan.service.functions.values():
        errors += _settings(plan.service, function)
        artifact = plan.of_function(function.key)
        if artifact is None:
            continue
        parts = {"": items[artifact.target]}
        for key in _own_layers(plan.service, function, layers):
            parts[f"layer {key}"] = layers[key]
        if sum(map(_size, parts.values())) > UNZIPPED and all(
            _size(part) <= UNZIPPED for name, part in parts.items() if name
        ):
            errors.append(_too_large(plan.service, f"the function '{function.key}'", function.path, parts))
    if errors:
        raise ConfigErrors(errors)


def _size(items: list[Item]) -> int:
    return sum(item.unzipped for item in items)


def _too_large(service: Service, what: str, path: Path, parts: Mapping[str, list[Item]]) -> ConfigError:
    size = sum(map(_size, parts.values()))
    named = [
        (share.unzipped, f"{share.name} ({name})" if name else share.name)
        for name, items in parts.items()
        for share in shares(items)
    ]
    named.sort(key=lambda each: (-each[0], each[1]))
    largest = ", ".join(f"{name} {megabytes(size)} MB" for size, name in named[:_NAMED])
    layers = " with its layers" if len(parts) > 1 else ""
    message = (
        f"{what} is {megabytes(size)} MB unzipped{layers}; "
        f"Lambda wants less than {megabytes(UNZIPPED)} MB ({UNZIPPED} bytes)"
    )
    return service.mistake(message, path, f"the largest: {largest}", key=True)


def megabytes(size: int) -> str:
    """Bytes in MB of 1024², as AWS counts."""
    return f"{size / 1_048_576:.1f}"


def _layers_of(service: Service, function: Function) -> tuple[list[Json], Path]:
    """A function's layers, else the provider's, and where they stand."""
    for path, layers in (
        ((*function.path, "layers"), function.get("layers")),
        (("provider", "layers"), service.setting("layers")),
    ):
        if isinstance(layers, list) and layers:
            return layers, path
    return [], ()


def _own_layers(service: Service, function: Function, layers: Mapping[str, object]) -> list[str]:
    """The keys of those layers of a function that this service publishes."""
    by_id = {naming.layer(key): key for key in layers}
    references = (get(layer, "Ref") for layer in _layers_of(service, function)[0])
    return [by_id[reference] for reference in references if isinstance(reference, str) and reference in by_id]


def _settings(service: Service, function: Function) -> list[ConfigError]:
    errors: list[ConfigError] = []
    layers, path = _layers_of(service, function)
    if len(layers) > LAYERS:
        message = f"the function '{function.key}' has {len(layers)} layers; Lambda allows {LAYERS}"
        errors.append(service.mistake(message, path, key=True))
    handler = function.get("handler")
    if isinstance(handler, str) and len(handler) > HANDLER:
        message = f"the handler of the function '{function.key}' is {len(handler)} characters long; Lambda allows {HANDLER}"
        errors.append(service.mistake(message, (*function.path, "handler")))
    errors += _environment(service, function)
    return errors


def _environment(service: Service, function: Function) -> list[ConfigError]:
    """Lambda measures the variables as JSON. What is known only in AWS counts as empty here."""
    own, shared = function.get("environment"), service.setting("environment")
    written = {
        **(shared if isinstance(shared, dict) else {}),
        **(own if isinstance(own, dict) else {}),
    }
    texts = {
        name: "" if isinstance(value, dict) else str(value)
        for name, value in written.items()
        if value is not None
    }
    size = len(json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))
    if size <= ENVIRONMENT:
        return []
    largest = sorted(texts, key=lambda name: (-len(texts[name]), name))[:_NAMED]
    message = (
        f"the environment variables of the function '{function.key}' take {size} bytes; "
        f"Lambda allows 4 KB ({ENVIRONMENT})"
    )
    path = (*function.path, "environment") if isinstance(own, dict) else ("provider", "environment")
    return [service.mistake(message, path, f"the largest: {', '.join(largest)}", key=True)]
