"""The service's folder in the place of its packages: what the template calls `S3Key` is the code as it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..cloud.kernel import AwsError
from ..compile.artifacts import layer_file_name
from ..service.tree import get

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..service import Service


#: Where a type names its package.
_PACKAGE_OF = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}


def packages(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """logical id → `Code` or `Content`, of the functions and layers whose package is in S3."""
    found = {}
    for logical_id, resource in template["Resources"].items():
        code = (resource.get("Properties") or {}).get(_PACKAGE_OF.get(resource.get("Type"), ""))
        if isinstance(code, dict) and "S3Key" in code:
            found[logical_id] = code
    return found


def mount(cloud: Cloud, service: Service, template: Mapping[str, Any]) -> None:
    """Every package of a function that the template names stands for the service's folder, every layer's for its own."""
    layers = _layer_folders(service)
    for code in packages(template).values():
        key = str(code["S3Key"])
        cloud.mounts[key] = str(layers.get(key.rpartition("/")[2], service.directory))
    _tell_builds(cloud, service)


def _tell_builds(cloud: Cloud, service: Service) -> None:
    """How the functions of this folder are built that plugins build."""
    from ..cloud.runtime.bundles import Recipe

    root = str(service.directory.resolve())
    builds = {} if service.extensions is None else service.extensions.built(service)
    if not builds:
        return
    recipes = cast("Any", cloud.service("lambda")).runtime.bundles.recipes
    for stale in [key for key in recipes if key[0] == root]:
        del recipes[stale]
    for key, build in builds.items():
        handler = str(service.functions[key].get("handler"))
        recipes[root, handler] = Recipe(build.source, build.arguments, build.place)


def _layer_folders(service: Service) -> dict[str, Path]:
    """File name of a layer's package → what it is made of: a folder, or the user's own archive."""
    found = {}
    for key, layer in (service.config.get("layers") or {}).items():
        artifact = get(layer, "package", "artifact")
        # a plugin's layer (`artifact` alone) holds dependencies, which the project's own interpreter has already
        path = artifact or get(layer, "path") or f".serverless/{key}"
        found[layer_file_name(service, key)] = service.directory / str(path)
    return found


def is_mounted(cloud: Cloud, service: Service) -> bool:
    """Whether the functions that are there run from this folder; not, when it was moved together with its state."""
    from ..cloud.services.lambda_.code import mounted

    wanted = mounted(str(service.directory)).sha256
    for function in service.functions.values():
        request = {"FunctionName": function.name}
        try:
            found = cloud.call("lambda", "GetFunctionConfiguration", request, region=service.region)
        except AwsError:
            continue
        return bool(found["CodeSha256"] == wanted)
    return True
