"""serverless-plugin-warmup: for each warmer under `custom.warmup`, a function on a schedule that invokes the functions
which it keeps warm, with a role that allows that.

Locally environments stay warm between requests, so `pileus offline` runs no warmers, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..compile import intrinsics as fn
from ..compile import naming
from ..service import ConfigErrors
from ..service.extensions import Configuration, Purpose
from ..service.tree import Json, get
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ..package import PackagePlan

_RUNTIME = "nodejs24.x"
_PAYLOAD = {"source": "serverless-plugin-warmup"}
#: Settings of warmers that functions may have for themselves.
_OF_FUNCTIONS = ("enabled", "alias", "clientContext", "payload", "payloadRaw", "concurrency")
_TEXTS = {
    "logs": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/",
    "function": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:",
}
_INTERFACES = (
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DetachNetworkInterface", "ec2:DeleteNetworkInterface"),
)


def _schemas() -> tuple[dict[str, Json], dict[str, Json]]:
    """The properties of a warmer at a function, and those of one under `custom`."""
    at_function: dict[str, Json] = {
        "enabled": {
            "anyOf": [
                {"type": "boolean"},
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
            ]
        },
        "alias": {"type": "string"},
        "clientContext": {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "string"}},
                {"const": False},
            ]
        },
        "payload": {"anyOf": [{"type": "object"}, {"type": "string"}]},
        "payloadRaw": {"type": "boolean"},
        "concurrency": {"type": "integer", "minimum": 0},
    }
    of_warmer: dict[str, Json] = {
        **at_function,
        "folderName": {"type": "string"},
        "cleanFolder": {"type": "boolean"},
        "roleName": {"type": "string"},
        "prewarm": {"type": "boolean"},
        "verbose": {"type": "boolean"},
        "events": {"type": "array"},
        "package": {"type": "object"},
        "vpc": {"anyOf": [{"const": False}, {"$ref": "definitions.json#vpc"}]},
        "architecture": {"$ref": "definitions.json#architecture"},
        "environment": {"type": "object"},
        "logRetentionInDays": {"$ref": "definitions.json#logRetentionInDays"},
        "memorySize": {"$ref": "definitions.json#memorySize"},
        "name": {"type": "string", "maxLength": 64},
        "role": {"$ref": "definitions.json#role"},
        "tags": {"$ref": "definitions.json#tags"},
        "timeout": {"$ref": "definitions.json#timeout"},
        "tracing": {"anyOf": [{"enum": ["Active", "PassThrough"]}, {"type": "boolean"}]},
    }
    return at_function, of_warmer


def _warmers(properties: dict[str, Json]) -> Json:
    one = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"warmup": {"type": "object", "additionalProperties": one}}


class Plugin:
    """Remembers the warmers between the configuration and the archives."""

    def __init__(self) -> None:
        self._sources: dict[str, tuple[str, bytes]] = {}

    @hookimpl
    def schema(self) -> dict[str, Json]:
        at_function, of_warmer = _schemas()
        return {"custom": _warmers(of_warmer), "function": _warmers(at_function)}

    @hookimpl
    def configure(self, configuration: Configuration, purpose: Purpose) -> None:
        warmers = configuration.get("custom", "warmup") or {}
        _check(configuration, warmers)
        if purpose == "print":
            return
        functions: dict[str, Json] = configuration.config.get("functions") or {}
        added = {}
        for name, settings in warmers.items():
            settings = settings or {}
            warmed = list(_warmed(configuration, name, settings, functions))
            if not warmed:
                continue
            if purpose == "offline":
                configuration.warn(
                    f"the warmer '{name}' does not run here: environments stay warm between requests",
                    ("custom", "warmup", name),
                    "it is made when the service is packaged",
                    key=True,
                )
                continue
            key = f"warmUpPlugin{naming.upper_first(name)}"
            added[key] = _function(configuration, name, settings, warmed)
            folder = f"{settings.get('folderName') or '.warmup'}/{name}"
            self._sources[key] = (f"{folder}/index.mjs", _source(configuration, settings, warmed))
        functions.update(added)

    @hookimpl
    def replaced(self) -> list[str]:
        return list(self._sources)

    @hookimpl
    def packaged(self, plan: PackagePlan, progress: Callable[[str], None]) -> PackagePlan:
        from ..package import FileSource

        files: dict[Any, list[FileSource]] = {}
        for key, (path, text) in self._sources.items():
            artifact = plan.of_function(key)
            if artifact is not None:
                files.setdefault(artifact.target, []).append(FileSource.of_bytes(path, text))
        return plan.adding(files)


def _check(configuration: Configuration, warmers: dict[str, Json]) -> None:
    mistakes = []
    for key, function in (configuration.get("functions") or {}).items():
        for name in function.get("warmup") or {}:
            if name not in warmers:
                message = (
                    f"the function '{key}' is to be warmed by '{name}', which custom.warmup does not have"
                )
                path = ("functions", key, "warmup", name)
                mistakes.append(configuration.mistake(message, path, key=True))
    for name, settings in warmers.items():
        for setting, why in (
            ("tracing", "the warmer's own calls are not traced: X-Ray's SDK is not packaged"),
        ):
            if get(settings, setting):
                configuration.warn(
                    f"'{setting}' of the warmer '{name}': {why}", ("custom", "warmup", name, setting)
                )
    if mistakes:
        raise ConfigErrors(mistakes)


def _warmed(
    configuration: Configuration, name: str, settings: dict[str, Json], functions: dict[str, Json]
) -> Iterator[dict[str, Json]]:
    """What the warmer is told of each function that it warms."""
    for function in functions.values():
        own = get(function, "warmup", name) or {}
        merged = {
            key: own[key] if key in own else settings[key]
            for key in _OF_FUNCTIONS
            if key in own or key in settings
        }
        if not _enabled(merged.get("enabled"), configuration.stage):
            continue
        raw = merged.get("payloadRaw")
        payload = merged.get("payload", _PAYLOAD)
        payload = payload if raw and isinstance(payload, str) else json.dumps(payload, separators=(",", ":"))
        context = merged.get("clientContext")
        if context is None:
            context = payload
        elif context is not False:
            context = json.dumps(context, separators=(",", ":"))
        yield {
            "name": function["name"],
            "alias": merged.get("alias"),
            "concurrency": merged.get("concurrency", 1),
            "payload": payload,
            "context": context or None,
        }


def _enabled(setting: Json, stage: str) -> bool:
    return setting is True or setting == stage or (isinstance(setting, list) and stage in setting)


def _function(
    configuration: Configuration, name: str, settings: dict[str, Json], warmed: list[dict[str, Json]]
) -> dict[str, Json]:
    """The warmer as a function of the configuration; its role goes to the user's resources."""
    folder = f"{settings.get('folderName') or '.warmup'}/{name}"
    service, stage = configuration.name, configuration.stage
    function: dict[str, Json] = {
        "description": f'Serverless WarmUp Plugin (warmer "{name}")',
        "events": settings.get("events") or [{"schedule": "rate(5 minutes)"}],
        "handler": f"{folder}/index.warmUp",
        "memorySize": settings.get("memorySize") or 128,
        "name": settings.get("name") or f"{service}-{stage}-warmup-plugin-{name}",
        "runtime": _RUNTIME,
        "package": settings.get("package") or {"individually": True, "patterns": ["!**", f"{folder}/**"]},
        "timeout": settings.get("timeout") or 10,
        "layers": [],
        # Its program is made here, and is no source of the project that a bundler could find.
        "skipEsbuild": True,
    }
    for key in ("architecture", "tags", "tracing", "logRetentionInDays"):
        if settings.get(key) is not None:
            function[key] = settings[key]
    if settings.get("environment"):
        function["environment"] = settings["environment"]
    elif configuration.get("provider", "environment"):
        # Nothing of the provider's variables: a null takes one away.
        function["environment"] = dict.fromkeys(configuration.get("provider", "environment"))
    if settings.get("vpc") is not None:
        outside: Json = {"securityGroupIds": [], "subnetIds": []}
        function["vpc"] = outside if settings["vpc"] is False else settings["vpc"]
    if settings.get("role") is not None:
        function["role"] = settings["role"]
    else:
        function["role"] = f"WarmUpPlugin{naming.upper_first(name)}Role"
        resources = configuration.config.setdefault("resources", {}) or {}
        configuration.config["resources"] = resources
        resources["Resources"] = resources.get("Resources") or {}
        resources["Resources"][function["role"]] = _role(
            configuration, name, settings, function["name"], warmed
        )
    return function


def _role(
    configuration: Configuration,
    name: str,
    settings: dict[str, Json],
    function_name: str,
    warmed: list[dict[str, Json]],
) -> dict[str, Json]:
    service, stage = configuration.name, configuration.stage
    arns = [fn.sub(f"{_TEXTS['function']}{each['name']}*") for each in warmed]
    logs = f"{_TEXTS['logs']}{function_name}"
    statements = [
        _allow(["logs:CreateLogGroup", "logs:CreateLogStream"], [fn.sub(f"{logs}:*")]),
        _allow(["logs:PutLogEvents"], [fn.sub(f"{logs}:*:*")]),
        _allow(["lambda:InvokeFunction"], arns),
        _allow(list(_INTERFACES), "*"),
    ]
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    policy = {
        "PolicyName": fn.join("-", [service, stage, "warmer", name.lower(), "policy"]),
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }
    properties = {
        "Path": "/",
        "RoleName": settings.get("roleName")
        or fn.join("-", [service, stage, fn.REGION, name.lower(), "role"]),
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [policy],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _allow(actions: Json, resources: Json) -> dict[str, Json]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _source(configuration: Configuration, settings: dict[str, Json], warmed: list[dict[str, Json]]) -> bytes:
    """The warmer's program: the template beside this module with what it warms as JSON, which is JavaScript too."""
    template = files(__package__).joinpath("warmer.mjs").read_text("utf-8")
    told = {
        "region": configuration.region,
        "verbose": settings.get("verbose", True) is not False,
        "functions": warmed,
    }
    return template.replace("/*WARMER*/ null", json.dumps(told, indent=2)).encode()
