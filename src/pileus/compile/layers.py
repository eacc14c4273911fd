"""Layers that the service itself publishes, who may use them, and the outputs that name them."""

import hashlib
import json
from dataclasses import dataclass

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.artifacts import Artifact
from pileus.compile.compilation import Compilation
from pileus.service.model import Function
from pileus.service.tree import Json, get


@dataclass(frozen=True, slots=True)
class OwnLayer:
    """A layer of this service that a function names with `Ref`. `file` is where its archive lies."""

    key: str
    logical_id: str
    file: str

    def settings(self, c: Compilation) -> dict[str, Json]:
        """Its properties without the place of its content, which changes with every deployment."""
        return _lasting(c.resources[self.logical_id]["Properties"])


def own_layers(c: Compilation, function: Function) -> list[OwnLayer]:
    """The service's own layers that a function uses, in its order.

    A layer that is retained has another logical id for each content, so no `Ref` by its plain one finds it.
    """
    by_id = {naming.layer(key): key for key in c.service.config.get("layers") or {}}
    properties = c.resources[naming.function(function.key)]["Properties"]
    layers = properties.get("Layers")
    found: list[OwnLayer] = []
    for item in layers if isinstance(layers, list) else ():
        logical_id = item.get("Ref") if isinstance(item, dict) else None
        if isinstance(logical_id, str) and logical_id in by_id and logical_id in c.resources:
            key = by_id[logical_id]
            artifact = get(c.service.config, "layers", key, "package", "artifact")
            found.append(OwnLayer(key, logical_id, str(artifact or f".serverless/{key}.zip")))
    return found


def compile_layers(c: Compilation) -> None:
    for key, layer in (c.service.config.get("layers") or {}).items():
        layer = layer or {}
        # `artifact` beside `package` is how a plugin says that it brings the files.
        if not (layer.get("path") or get(layer, "package", "artifact") or layer.get("artifact")):
            message = f"the layer '{key}' has neither 'path' nor 'package.artifact'"
            c.mistake(message, ("layers", key), "path: folder-of-the-layer")
        _layer(c, key, layer)


def _layer(c: Compilation, key: str, layer: dict[str, Json]) -> None:
    artifact = c.artifacts.layers[key]
    name = layer.get("name") or (key if layer.get("name") is None else layer["name"])
    properties: dict[str, Json] = {
        "Content": {"S3Bucket": c.bucket, "S3Key": c.s3_key(artifact.file_name)},
        "LayerName": name,
    }
    texts = {
        "Description": "description",
        "LicenseInfo": "licenseInfo",
        "CompatibleRuntimes": "compatibleRuntimes",
        "CompatibleArchitectures": "compatibleArchitectures",
    }
    properties.update({target: layer[source] for target, source in texts.items() if layer.get(source)})
    resource: dict[str, Json] = {"Type": "AWS::Lambda::LayerVersion", "Properties": properties}
    logical_id = naming.layer(key)
    digest = _digest(resource, artifact)
    if layer.get("retain"):
        logical_id += digest
        resource["DeletionPolicy"] = "Retain"
    c.add(logical_id, resource)
    for account in layer.get("allowedAccounts") or ():
        _share(c, key, logical_id, str(account), digest if layer.get("retain") else "")
    c.output(f"{naming.layer(key)}QualifiedArn", fn.ref(logical_id), "Current Lambda layer version")
    c.output(f"{naming.layer(key)}Hash", digest, "Current Lambda layer hash")
    c.output(f"{naming.layer(key)}S3Key", c.s3_key(artifact.file_name), "Current Lambda layer S3Key")


def _share(c: Compilation, key: str, layer_id: str, account: str, digest: str) -> None:
    everyone = account == "*"
    marker = "Wild" if everyone else account
    properties = {
        "Action": "lambda:GetLayerVersion",
        "LayerVersionArn": fn.ref(layer_id),
        "Principal": account,
    }
    resource: dict[str, Json] = {"Type": "AWS::Lambda::LayerVersionPermission", "Properties": properties}
    if digest:
        resource["DeletionPolicy"] = "Retain"
    c.add(f"{naming.normalise(key)}{marker}LambdaLayerPermission{digest}", resource)


def _lasting(properties: dict[str, Json]) -> dict[str, Json]:
    return {**properties, "Content": {"S3Bucket": properties["Content"]["S3Bucket"]}}


def _digest(resource: dict[str, Json], artifact: Artifact) -> str:
    """Of a layer's settings and content: a version of the layer is retained for each."""
    lasting = {**resource, "Properties": _lasting(resource["Properties"])}
    text = json.dumps(lasting, separators=(",", ":"), ensure_ascii=False) + artifact.sha1
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
