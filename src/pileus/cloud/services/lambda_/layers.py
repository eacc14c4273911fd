"""Layers: their versions, and what of them a function finds below /opt."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ...kernel import Call, NotEmulated, operation
from . import configuration
from .base import Config
from .code import MAX_UNPACKED, Code, check_total
from .errors import AccessDeniedException, InvalidParameterValueException, ResourceNotFoundException
from .functions import Functions
from .paging import page

Request = Mapping[str, Any]
_MOST = 5
_NAME = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?(?P<name>[a-zA-Z0-9-_]+)"
)
_VERSION_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+):(?P<version>\d+)"
)
_SHOWN = ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")
_PLACE = "account=? AND region=? AND name=?"
_LARGEST = 2**63 - 1


class LayerName(NamedTuple):
    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:layer:{self.name}"


@dataclass(frozen=True, slots=True)
class UsedLayer:
    """A layer version as a function uses it. unpacked: bytes, which count for the function's limit."""

    arn: str
    size: int
    folder: str
    mounted: bool
    unpacked: int


class Layers(Functions):
    @operation("PublishLayerVersion")
    async def publish_layer_version(self, call: Call, request: Request) -> Config:
        package = await self._fetch(call, request["Content"], "PublishLayerVersion")
        with self.store.transaction():
            return self.publish_layer(call, request, package)

    def publish_layer(self, call: Call, request: Request, package: Code) -> Config:
        layer = layer_name(call, request["LayerName"])
        if (layer.account, layer.region) != (call.account, call.region):
            raise AccessDeniedException(
                f"User: {call.principal.arn} is not authorized to perform: lambda:PublishLayerVersion on resource: "
                f"{layer.arn}"
            )
        row = self.store.one(f"SELECT last_version FROM lambda_layer WHERE {_PLACE}", layer)
        number = 1 if row is None else row["last_version"] + 1
        self.store.execute("INSERT OR REPLACE INTO lambda_layer VALUES (?,?,?,?)", (*layer, number))
        config: Config = {
            "LayerArn": layer.arn,
            "LayerVersionArn": f"{layer.arn}:{number}",
            "Version": number,
            "Description": "",
            "CreatedDate": configuration.modified(call.now),
            **{member: request[member] for member in _SHOWN if member in request},
        }
        self.store.execute(
            "INSERT INTO lambda_layer_version (account,region,name,number,config,code) VALUES (?,?,?,?,?,?)",
            (*layer, number, orjson.dumps(config), orjson.dumps(package.to_json())),
        )
        return self._shown_layer(call, config, package.to_json())

    def _shown_layer(self, call: Call, config: Config, package: Config) -> Config:
        content = {
            "Location": self.location(call, package),
            "CodeSha256": package["sha256"],
            "CodeSize": package["size"],
        }
        return {**config, "Content": content}

    @operation("GetLayerVersion")
    def get_layer_version(self, call: Call, request: Request) -> Config:
        layer = layer_name(call, request["LayerName"])
        return self._shown_layer(call, *self._layer_version(call, layer, request["VersionNumber"]))

    @operation("GetLayerVersionByArn")
    def get_layer_version_by_arn(self, call: Call, request: Request) -> Config:
        found = _VERSION_ARN.fullmatch(request["Arn"])
        if found is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        layer = LayerName(found["account"], found["region"], found["name"])
        return self._shown_layer(call, *self._layer_version(call, layer, int(found["version"])))

    def _layer_version(self, call: Call, layer: LayerName, number: int) -> tuple[Config, Config]:
        """The configuration and code of a version that the caller's account may read."""
        row = self.store.one(
            f"SELECT config,code FROM lambda_layer_version WHERE {_PLACE} AND number=?",
            (*layer, min(number, _LARGEST)),
        )
        if layer.account != call.account and not (row and self.is_shared(layer, number, call.account)):
            raise AccessDeniedException(
                f"User: {call.principal.arn} is not authorized to perform: lambda:GetLayerVersion on resource: "
                f"{layer.arn}:{number} because no resource-based policy allows the lambda:GetLayerVersion action"
            )
        if row is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        return orjson.loads(row["config"]), orjson.loads(row["code"])

    def is_shared(self, layer: LayerName, number: int, account: str) -> bool:
        """Whether the version's policy lets `account` use it."""
        raise NotImplementedError

    @operation("DeleteLayerVersion")
    def delete_layer_version(self, call: Call, request: Request) -> Config:
        """Functions that use it keep it: their own rows say where it lies."""
        key = (*layer_name(call, request["LayerName"]), min(request["VersionNumber"], _LARGEST))
        self.store.execute(f"DELETE FROM lambda_layer_version WHERE {_PLACE} AND number=?", key)
        self.store.execute(f"DELETE FROM lambda_layer_permission WHERE {_PLACE} AND number=?", key)
        return {}

    @operation("ListLayerVersions")
    def list_layer_versions(self, call: Call, request: Request) -> Config:
        """Newest first."""
        layer = layer_name(call, request["LayerName"])
        rows, marker = page(
            self.store,
            f"SELECT -number AS newest, config FROM lambda_layer_version WHERE {_PLACE}",
            layer,
            ("-number",),
            request,
            default=50,
            names=("newest",),
        )
        found = [orjson.loads(row["config"]) for row in rows]
        return {
            "LayerVersions": [_listed(each) for each in found if _suits(each, request)],
            "NextMarker": marker,
        }

    @operation("ListLayers")
    def list_layers(self, call: Call, request: Request) -> Config:
        """Each layer with its latest version that is left; layers without one are not shown."""
        rows, marker = page(
            self.store,
            "SELECT name, (SELECT config FROM lambda_layer_version v WHERE v.account=l.account AND v.region=l.region"
            " AND v.name=l.name ORDER BY number DESC LIMIT 1) AS config"
            " FROM lambda_layer l WHERE account=? AND region=?",
            (call.account, call.region),
            ("name",),
            request,
            default=50,
        )
        latest = [(row["name"], orjson.loads(row["config"])) for row in rows if row["config"] is not None]
        shown = [
            {"LayerName": name, "LayerArn": each["LayerArn"], "LatestMatchingVersion": _listed(each)}
            for name, each in latest
            if _suits(each, request)
        ]
        return {"Layers": shown, "NextMarker": marker}

    # -- what a function has of them --------------------------------------------------------------------------------

    def use_layers(
        self, call: Call, arns: Sequence[str], package: Config
    ) -> tuple[list[Config], list[str], int]:
        """The `Layers` of a configuration, the folders that stand for /opt (the first wins), and their unpacked bytes."""
        if len(arns) > _MOST:
            raise InvalidParameterValueException(f"Cannot reference more than {_MOST} layers.")
        used = [self._used(call, arn) for arn in arns]
        _check_different(used)
        size = sum(layer.unpacked for layer in used)
        if size > MAX_UNPACKED:
            raise InvalidParameterValueException(
                f"Layers consume more than the available size of {MAX_UNPACKED} bytes"
            )
        check_total(package, size)
        shown = [{"Arn": layer.arn, "CodeSize": layer.size} for layer in used]
        return shown, opt_folders(used, self._code_folder), size

    def _used(self, call: Call, arn: str) -> UsedLayer:
        found = _VERSION_ARN.fullmatch(arn)
        if found is None:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.")
        layer = LayerName(found["account"], found["region"], found["name"])
        if layer.region != call.region:
            raise InvalidParameterValueException(
                f"The layer version {arn} is in another region ({layer.region}) than the function ({call.region})."
            )
        known = self.store.one(f"SELECT 1 FROM lambda_layer WHERE {_PLACE}", layer)
        if layer.account != call.account and known is None:
            hint = f"Publish it here with the access key id {layer.account}, or leave it out."
            raise NotEmulated(f"lambda Layers of other accounts, which are not here ({arn})", hint)
        try:
            _, package = self._layer_version(call, layer, int(found["version"]))
        except ResourceNotFoundException:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.") from None
        return UsedLayer(
            arn, package["size"], package["folder"], package["mounted"], package.get("unpacked", 0)
        )


def _check_different(used: Iterable[UsedLayer]) -> None:
    seen: dict[str, str] = {}
    for layer in used:
        name = layer.arn.rpartition(":")[0]
        if name in seen:
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[name]} and {layer.arn} are versions of the same layer."
            )
        seen[name] = layer.arn


def opt_folders(used: Sequence[UsedLayer], root: Path) -> list[str]:
    """Lambda unpacks layers into /opt one over the other, so that a later one wins. Packages are merged the same way,
    once; folders that somebody works in stay apart, and are searched in that order."""
    if len(used) > 1 and not any(layer.mounted for layer in used):
        names = "\n".join(Path(layer.folder).name for layer in used)
        merged = root / f"opt-{hashlib.sha256(names.encode()).hexdigest()}"
        if not merged.is_dir():
            incoming = root / f"{merged.name}.{os.getpid()}.incoming"
            shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir(parents=True)
            for layer in used:
                _lay_over(Path(layer.folder), incoming)
            incoming.rename(merged)
        return [str(merged)]
    return list(dict.fromkeys(layer.folder for layer in reversed(used)))


def _lay_over(source: Path, target: Path) -> None:
    """Files are linked, not copied: a package lies unpacked once."""
    for entry in os.scandir(source):
        path = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if path.is_symlink() or path.is_file():
                path.unlink()
            path.mkdir(exist_ok=True)
            _lay_over(Path(entry.path), path)
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        os.link(entry.path, path, follow_symlinks=False)


def layer_name(call: Call, text: str) -> LayerName:
    found = _NAME.fullmatch(text)
    if found is None:
        raise InvalidParameterValueException(f"Invalid Layer name: {text}")
    return LayerName(found["account"] or call.account, found["region"] or call.region, found["name"])


def _listed(config: Config) -> Config:
    return {key: value for key, value in config.items() if key != "LayerArn"}


def _suits(config: Config, request: Request) -> bool:
    return all(
        wanted is None or wanted in config.get(member, ())
        for wanted, member in (
            (request.get("CompatibleRuntime"), "CompatibleRuntimes"),
            (request.get("CompatibleArchitecture"), "CompatibleArchitectures"),
        )
    )
