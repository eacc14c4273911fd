"""Per function: a version for each change, the alias that events go to, invocation settings, and its URL."""

import base64
import hashlib
import json

from pileus.compile import collation, destinations, naming, urls
from pileus.compile import intrinsics as fn
from pileus.compile.compilation import Compilation
from pileus.compile.function import image_uri
from pileus.compile.layers import own_layers
from pileus.service.model import Function
from pileus.service.tree import Json

_UNVERSIONED = ("Code", "Tags", "ReservedConcurrentExecutions")


def publish(c: Compilation, function: Function) -> None:
    """Add all that comes after the function itself and names it."""
    if is_versioned(c, function):
        _version(c, function)
    urls.compile_url(c, function)
    destinations.compile_invoke_config(c, function)


def is_versioned(c: Compilation, function: Function) -> bool:
    if function.key in c.aliases or any(event.kind == "cloudFront" for event in function.events):
        return True
    return keeps_versions(c, function)


def keeps_versions(c: Compilation, function: Function) -> bool:
    """Whether old versions stay when a new one comes; without it, only what an alias needs is there."""
    own = function.get("versionFunction")
    default = c.service.setting("versionFunctions")
    return bool(own) if own is not None else default is not False


def version_id(c: Compilation, function: Function) -> str:
    """The logical id of a function's version: it changes with the code and with every versioned setting."""
    return naming.version(function.key, _digest(c, function))


def _digest(c: Compilation, function: Function) -> str:
    """Digest of the code, of the service's own layers in use, and of all settings that a version freezes.

    Byte for byte what the framework computes, so that moving to Pileus with the same archive makes no new version.
    """
    properties = c.resources[naming.function(function.key)]["Properties"]
    versioned = {name: value for name, value in properties.items() if name not in _UNVERSIONED}
    layers = own_layers(c, function)
    versioned["layerConfigurations"] = [
        {"name": layer.key, "properties": layer.settings(c), "ref": layer.logical_id} for layer in layers
    ]
    digest = hashlib.sha256(code_sha256(c, function).encode())
    for layer in sorted(layers, key=lambda layer: layer.file):
        digest.update(c.artifacts.layers[layer.key].sha256.encode())
    digest.update(
        json.dumps(collation.ordered(versioned), separators=(",", ":"), ensure_ascii=False).encode()
    )
    return base64.b64encode(digest.digest()).decode()


def code_sha256(c: Compilation, function: Function) -> str:
    """Of a zip in base64, of an image the hexadecimal digest in its URI."""
    if function.get("image") is not None:
        return (image_uri(c, function) or "").rpartition("sha256:")[2]
    return c.artifacts.of_function(function.key).sha256


def _version(c: Compilation, function: Function) -> None:
    reference = fn.ref(naming.function(function.key))
    logical_id = version_id(c, function)
    properties: dict[str, Json] = {"FunctionName": reference, "CodeSha256": code_sha256(c, function)}
    if function.get("description"):
        properties["Description"] = function.config["description"]
    resource: dict[str, Json] = {"Type": "AWS::Lambda::Version"}
    if keeps_versions(c, function) or function.key not in c.aliases:
        resource["DeletionPolicy"] = "Retain"
    resource["Properties"] = properties
    c.add(logical_id, resource)
    name = naming.qualified_arn_output(function.key)
    c.output(name, fn.ref(logical_id), "Current Lambda function version")
    alias = c.aliases.get(function.key)
    if alias is None:
        return
    settings: dict[str, Json] = {
        "FunctionName": reference,
        "FunctionVersion": fn.get_att(logical_id, "Version"),
        "Name": alias.name,
    }
    if alias.name == "provisioned":
        count = function.config["provisionedConcurrency"]
        settings["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": count}
    depends_on = naming.function(function.key)
    c.add(alias.logical_id, {"Type": "AWS::Lambda::Alias", "Properties": settings, "DependsOn": depends_on})
