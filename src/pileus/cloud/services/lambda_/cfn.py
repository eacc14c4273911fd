"""Lambda in CloudFormation: Function, Version, Alias, Permission, EventSourceMapping, EventInvokeConfig."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from ...kernel import REPLACE, STORED, UPDATE, Change, Created, ResourceType, StackCall
from . import configuration
from .cfn_layers import LayerVersion, LayerVersionPermission
from .cfn_urls import Url
from .cfn_values import Properties, call_of, gone_is_fine, service_of, typed
from .names import FunctionName

__all__ = ["LayerVersion", "LayerVersionPermission", "Url"]  # found here, as every type of the service

#: What a property that is taken out of a template goes back to.
_DEFAULTS: Mapping[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "DeadLetterConfig": {"TargetArn": ""},
    "LoggingConfig": {},
    "Layers": [],
}
_CONFIGURATION = ("Role", "Handler", "Runtime", *_DEFAULTS)
_PROVISIONED = "ProvisionedConcurrencyConfig"
_AT_CREATION = ("Architectures", "PackageType", "SnapStart")


class Function(ResourceType):
    type_name = "AWS::Lambda::Function"
    properties: ClassVar[Mapping[str, Change]] = {
        "FunctionName": REPLACE,
        "PackageType": REPLACE,
        **dict.fromkeys(_CONFIGURATION, UPDATE),
        "Code": UPDATE,
        "Architectures": UPDATE,
        "ReservedConcurrentExecutions": UPDATE,
        "Tags": UPDATE,
        # There is no network to attach to, no key to encrypt with, no snapshot to start from, and one runtime version.
        "VpcConfig": STORED,
        "KmsKeyArn": STORED,
        "SnapStart": STORED,
        "RuntimeManagementConfig": STORED,
    }
    required = ("Code", "Role")
    attributes = ("Arn", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus")

    def create(self, stack: StackCall, properties: Properties) -> Any:
        request = {
            **typed({key: properties[key] for key in (*_CONFIGURATION, *_AT_CREATION) if key in properties}),
            "FunctionName": properties.get("FunctionName") or stack.generated_name(64),
            "Code": _code(properties),
            "Tags": stack.all_tags(properties),
        }
        service = service_of(stack)
        package = service.package_at_hand(request["Code"], "CreateFunction")
        if package is None:
            return self._create_from_s3(stack, request, properties)
        configuration.check(request, "CreateFunction")
        return self._created(
            stack, service.create(call_of(stack, "CreateFunction"), request, package), properties
        )

    async def _create_from_s3(self, stack: StackCall, request: Properties, properties: Properties) -> Created:
        cloud = stack.call.cloud
        config = await cloud.call_async("lambda", "CreateFunction", request, within=stack.call)
        with cloud.store.transaction():
            return self._created(stack, config, properties)

    def _created(self, stack: StackCall, config: Properties, properties: Properties) -> Created:
        name = config["FunctionName"]
        if "ReservedConcurrentExecutions" in properties:
            wanted = int(properties["ReservedConcurrentExecutions"])
            stack.invoke(
                "lambda",
                "PutFunctionConcurrency",
                {"FunctionName": name, "ReservedConcurrentExecutions": wanted},
            )
        return _function_result(config)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Any:
        before, after = _settings(old), _settings(new)
        request = {
            "FunctionName": physical_id,
            **{key: value for key, value in after.items() if before[key] != value},
        }
        if len(request) > 1:
            stack.invoke("lambda", "UpdateFunctionConfiguration", request)
        self._update_concurrency(stack, physical_id, old, new)
        self._update_tags(stack, physical_id, new)
        changed = ("Code", "Architectures")
        if all(old.get(key) == new.get(key) for key in changed):
            return _function_result(
                stack.invoke("lambda", "GetFunctionConfiguration", {"FunctionName": physical_id})
            )
        code_request = {"FunctionName": physical_id, **_code(new)}
        if "Architectures" in new:
            code_request["Architectures"] = new["Architectures"]
        service = service_of(stack)
        package = service.package_at_hand(code_request, "UpdateFunctionCode")
        if package is None:
            return self._update_from_s3(stack, code_request)
        call = call_of(stack, "UpdateFunctionCode")
        name = FunctionName.of(call, physical_id)
        return _function_result(service.update_code(call, name, code_request, package))

    async def _update_from_s3(self, stack: StackCall, request: Properties) -> Created:
        config = await stack.call.cloud.call_async("lambda", "UpdateFunctionCode", request, within=stack.call)
        return _function_result(config)

    def _update_concurrency(self, stack: StackCall, name: str, old: Properties, new: Properties) -> None:
        wanted = new.get("ReservedConcurrentExecutions")
        if wanted is not None:
            request = {"FunctionName": name, "ReservedConcurrentExecutions": int(wanted)}
            stack.invoke("lambda", "PutFunctionConcurrency", request)
        elif "ReservedConcurrentExecutions" in old:
            stack.invoke("lambda", "DeleteFunctionConcurrency", {"FunctionName": name})

    def _update_tags(self, stack: StackCall, name: str, new: Properties) -> None:
        arn = stack.call.arn(f"function:{name}", service="lambda")
        wanted = stack.all_tags(new)
        known = stack.invoke("lambda", "ListTags", {"Resource": arn})["Tags"]
        if stale := [key for key in known if key not in wanted]:
            stack.invoke("lambda", "UntagResource", {"Resource": arn, "TagKeys": stale})
        stack.invoke("lambda", "TagResource", {"Resource": arn, "Tags": wanted})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        gone_is_fine(stack, "DeleteFunction", {"FunctionName": physical_id})


class Version(ResourceType):
    type_name = "AWS::Lambda::Version"
    properties: ClassVar[Mapping[str, Change]] = {
        "FunctionName": REPLACE,
        "CodeSha256": REPLACE,
        "Description": REPLACE,
        "ProvisionedConcurrencyConfig": REPLACE,
    }
    required = ("FunctionName",)
    attributes = ("Version", "FunctionArn")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = {key: value for key, value in properties.items() if key != _PROVISIONED}
        config = stack.invoke("lambda", "PublishVersion", request)
        arn = config["FunctionArn"]
        _provision(stack, arn, config["Version"], properties, {})
        return Created(arn, {"Version": config["Version"], "FunctionArn": arn})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        name, _, number = physical_id.rpartition(":")
        gone_is_fine(stack, "DeleteFunction", {"FunctionName": name, "Qualifier": number})


class Alias(ResourceType):
    type_name = "AWS::Lambda::Alias"
    properties: ClassVar[Mapping[str, Change]] = {
        "FunctionName": REPLACE,
        "Name": REPLACE,
        "FunctionVersion": UPDATE,
        "Description": UPDATE,
        "RoutingConfig": UPDATE,
        "ProvisionedConcurrencyConfig": UPDATE,
    }
    required = ("FunctionName", "FunctionVersion", "Name")
    attributes = ("AliasArn",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        made = stack.invoke("lambda", "CreateAlias", _alias(properties))
        _provision(stack, made["AliasArn"], made["Name"], properties, {})
        return self._done(made)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        request = {"Description": "", "RoutingConfig": {}, **_alias(new)}
        changed = stack.invoke("lambda", "UpdateAlias", request)
        _provision(stack, changed["AliasArn"], changed["Name"], new, old)
        return self._done(changed)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        name, _, alias = physical_id.rpartition(":")
        gone_is_fine(stack, "DeleteAlias", {"FunctionName": name, "Name": alias})

    @staticmethod
    def _done(alias: Properties) -> Created:
        return Created(alias["AliasArn"], {"AliasArn": alias["AliasArn"]})


class Permission(ResourceType):
    type_name = "AWS::Lambda::Permission"
    properties: ClassVar[Mapping[str, Change]] = dict.fromkeys(
        (
            "FunctionName",
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
            "EventSourceToken",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "PrincipalOrgID",
        ),
        REPLACE,
    )
    required = ("FunctionName", "Action", "Principal")
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        sid = stack.generated_name(100)
        stack.invoke("lambda", "AddPermission", {**_function(properties), "StatementId": sid})
        return Created(sid, {"Id": sid})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        name = {
            key: value for key, value in _function(properties).items() if key in ("FunctionName", "Qualifier")
        }
        gone_is_fine(stack, "RemovePermission", {**name, "StatementId": physical_id})


class EventSourceMapping(ResourceType):
    type_name = "AWS::Lambda::EventSourceMapping"
    properties: ClassVar[Mapping[str, Change]] = {
        "EventSourceArn": REPLACE,
        "FunctionName": UPDATE,
        "Enabled": UPDATE,
        "BatchSize": UPDATE,
        "MaximumBatchingWindowInSeconds": UPDATE,
        "FunctionResponseTypes": UPDATE,
        "ScalingConfig": UPDATE,
    }
    required = ("FunctionName",)
    attributes = ("Id", "EventSourceMappingArn")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        return self._done(stack.invoke("lambda", "CreateEventSourceMapping", typed(properties)))

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        defaults = {
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "FunctionResponseTypes": [],
            "ScalingConfig": {},
            "Enabled": True,
        }
        request = {**defaults, **typed(new), "UUID": physical_id}
        request.pop("EventSourceArn", None)
        return self._done(stack.invoke("lambda", "UpdateEventSourceMapping", request))

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        gone_is_fine(stack, "DeleteEventSourceMapping", {"UUID": physical_id})

    @staticmethod
    def _done(mapping: Properties) -> Created:
        arn = mapping["EventSourceMappingArn"]
        return Created(mapping["UUID"], {"Id": mapping["UUID"], "EventSourceMappingArn": arn})


class EventInvokeConfig(ResourceType):
    type_name = "AWS::Lambda::EventInvokeConfig"
    properties: ClassVar[Mapping[str, Change]] = {
        "FunctionName": REPLACE,
        "Qualifier": REPLACE,
        "MaximumRetryAttempts": UPDATE,
        "MaximumEventAgeInSeconds": UPDATE,
        "DestinationConfig": UPDATE,
    }
    required = ("FunctionName", "Qualifier")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        stack.invoke("lambda", "PutFunctionEventInvokeConfig", typed(properties))
        return Created(stack.generated_name(64))

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        stack.invoke("lambda", "PutFunctionEventInvokeConfig", typed(new))
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        request = {"FunctionName": properties["FunctionName"], "Qualifier": properties["Qualifier"]}
        gone_is_fine(stack, "DeleteFunctionEventInvokeConfig", request)


def _function_result(config: Properties) -> Created:
    snap_start = config["SnapStart"]
    attributes = {
        "Arn": config["FunctionArn"],
        "SnapStartResponse.ApplyOn": snap_start["ApplyOn"],
        "SnapStartResponse.OptimizationStatus": snap_start["OptimizationStatus"],
    }
    return Created(config["FunctionName"], attributes)


def _settings(properties: Properties) -> dict[str, Any]:
    found = {**_DEFAULTS, **{key: properties[key] for key in _CONFIGURATION if key in properties}}
    return cast("dict[str, Any]", typed({**dict.fromkeys(("Handler", "Runtime"), None), **found}))


def _code(properties: Properties) -> dict[str, Any]:
    """The request's code. Inline text becomes the one file `index.py` of a package that is the same each time."""
    code = dict(properties["Code"])
    if isinstance(text := code.get("ZipFile"), str):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            suffix = "js" if str(properties.get("Runtime", "")).startswith("nodejs") else "py"
            entry = zipfile.ZipInfo(f"index.{suffix}", (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
        code["ZipFile"] = buffer.getvalue()
    return code


def _function(properties: Properties) -> dict[str, Any]:
    request = typed(properties)
    if isinstance(request.get("InvokedViaFunctionUrl"), str):
        request["InvokedViaFunctionUrl"] = request["InvokedViaFunctionUrl"] == "true"
    return cast("dict[str, Any]", request)


def _provision(stack: StackCall, arn: str, qualifier: str, new: Properties, old: Properties) -> None:
    """Brings an alias's or version's provisioned concurrency in line with its properties."""
    target = {"FunctionName": arn, "Qualifier": qualifier}
    if wanted := typed(new.get(_PROVISIONED) or {}).get("ProvisionedConcurrentExecutions"):
        request = {**target, "ProvisionedConcurrentExecutions": wanted}
        stack.invoke("lambda", "PutProvisionedConcurrencyConfig", request)
    elif old.get(_PROVISIONED):
        stack.invoke("lambda", "DeleteProvisionedConcurrencyConfig", target)


def _alias(properties: Properties) -> dict[str, Any]:
    """CloudFormation lists the weights; the API maps them."""
    request = {key: value for key, value in properties.items() if key != _PROVISIONED}
    routing = properties.get("RoutingConfig")
    if routing:
        weights = routing.get("AdditionalVersionWeights", [])
        mapped = {weight["FunctionVersion"]: float(weight["FunctionWeight"]) for weight in weights}
        request["RoutingConfig"] = {"AdditionalVersionWeights": mapped}
    return request
