"""Layers that the service itself publishes, who may use them, and the outputs that name them."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.tree import Json


def compile_layers(c: Compilation) -> None:
    for key, layer in (c.service.config.get("layers") or {}).items():
        _layer(c, key, layer or {})


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
    if layer.get("retain"):
        logical_id += artifact.sha1
        resource["DeletionPolicy"] = "Retain"
    c.add(logical_id, resource)
    for account in layer.get("allowedAccounts") or ():
        _share(c, key, logical_id, str(account), artifact.sha1 if layer.get("retain") else "")
    c.output(f"{naming.layer(key)}QualifiedArn", fn.ref(logical_id), "Current Lambda layer version")
    c.output(f"{naming.layer(key)}Hash", artifact.sha1, "Current Lambda layer hash")
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
