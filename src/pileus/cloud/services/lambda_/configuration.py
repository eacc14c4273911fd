"""A function's configuration: defaults, AWS's rules for it, and what is refused because it would have no effect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from ...kernel import NotEmulated
from .errors import InvalidParameterValueException

#: The runtimes that AWS still takes; the protocol refuses names that never were one.
RUNTIMES = [
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "provided.al2",
    "provided.al2023",
]
_RUNS = re.compile(r"python3\.\d+|nodejs\d+\.x|provided(\.al2(023)?)?")
#: Snapshots need java11, python3.12 or dotnet8 and later.
_NO_SNAPSHOT = frozenset(
    each
    for each in RUNTIMES
    if each.startswith(("nodejs", "ruby", "provided"))
    or each in ("python3.8", "python3.9", "python3.10", "python3.11", "java8.al2", "dotnet6")
)
_RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)
_NOT_EMULATED = [
    "KMSKeyArn",
    "FileSystemConfigs",
    "ImageConfig",
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "PublishTo",
]


def check(request: Mapping[str, Any], operation: str) -> None:
    """Refuses what the rest could not honour, then what AWS refuses."""
    for member in _NOT_EMULATED:
        if request.get(member):
            raise NotEmulated(f"lambda {operation}.{member}")
    if request.get("VpcConfig", {}).get("SubnetIds") or request.get("VpcConfig", {}).get("SecurityGroupIds"):
        raise NotEmulated(f"lambda {operation}.VpcConfig")
    if request.get("PackageType", "Zip") != "Zip":
        raise NotEmulated(f"lambda {operation}.PackageType Image")
    runtime = request.get("Runtime")
    if request.get("SnapStart", {}).get("ApplyOn", "None") != "None" and runtime in _NO_SNAPSHOT:
        raise InvalidParameterValueException(f"{runtime} is not supported for SnapStart enabled functions.")
    if runtime is not None:
        check_runtime_name(runtime)
        if not _RUNS.fullmatch(runtime):
            raise NotEmulated(f"lambda {operation}.Runtime {runtime}")
    if request.get("Timeout", 0) > 900:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{request['Timeout']}' at 'timeout' failed to satisfy constraint: "
            "Member must have value less than or equal to 900"
        )
    if request.get("MemorySize", 0) > 10_240:
        raise InvalidParameterValueException(
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240"
        )
    if request.get("EphemeralStorage", {}).get("Size", 512) > 10_240:
        raise InvalidParameterValueException(
            "'EphemeralStorage' value failed to satisfy constraint: Member must have value less than or equal to 10240"
        )
    _check_variables(request.get("Environment", {}).get("Variables", {}))
    _check_logging(request.get("LoggingConfig", {}))


def check_runtime_name(runtime: str) -> None:
    if runtime not in RUNTIMES:
        raise InvalidParameterValueException(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )


def _check_variables(variables: Mapping[str, str]) -> None:
    unable = "Lambda was unable to configure your environment variables because the environment variables you have provided"
    if reserved := sorted(_RESERVED & variables.keys()):
        raise InvalidParameterValueException(
            f"{unable} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = orjson.dumps(variables).decode()
    if len(measured.encode()) > 4096:
        raise InvalidParameterValueException(f"{unable} exceeded the 4KB limit. String measured: {measured}")


def _check_logging(config: Mapping[str, Any]) -> None:
    if config.get("LogFormat", "Text") == "Text" and (
        config.get("ApplicationLogLevel") or config.get("SystemLogLevel")
    ):
        raise InvalidParameterValueException(
            "To use ApplicationLogLevel and SystemLogLevel, LogFormat must be set to JSON."
        )


def initial(request: Mapping[str, Any], name: str, arn: str) -> dict[str, Any]:
    """The configuration of a function that is being created, with AWS's defaults."""
    config: dict[str, Any] = {
        "FunctionName": name,
        "FunctionArn": arn,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": request.get("Architectures") or ["x86_64"],
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    return apply(config, request)


def apply(config: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the request's changes; members that are absent stay."""
    changed = dict(config)
    for member in ("Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "TracingConfig"):
        if member in request:
            changed[member] = request[member]
    if "EphemeralStorage" in request:
        changed["EphemeralStorage"] = dict(request["EphemeralStorage"])
    if "Environment" in request:
        variables = request["Environment"].get("Variables", {})
        changed.pop("Environment", None)
        if variables:
            changed["Environment"] = {"Variables": dict(variables)}
    if "SnapStart" in request:  # kept, and shown; an environment starts the same way
        apply_on = request["SnapStart"].get("ApplyOn", "None")
        changed["SnapStart"] = {"ApplyOn": apply_on, "OptimizationStatus": "Off"}
    if "DeadLetterConfig" in request:
        target = request["DeadLetterConfig"].get("TargetArn")
        changed.pop("DeadLetterConfig", None)
        if target:
            changed["DeadLetterConfig"] = {"TargetArn": target}
    if "LoggingConfig" in request:
        changed["LoggingConfig"] = _logging(request["LoggingConfig"], changed["FunctionName"])
    if str(changed.get("Runtime", "")).startswith("python"):
        changed["RuntimeVersionConfig"] = {
            "RuntimeVersionArn": f"{changed['FunctionArn'].split(':function:')[0].rsplit(':', 1)[0]}::runtime:"
            + f"{changed['Runtime']}".encode().hex().ljust(64, "0")
        }
    return changed


def _logging(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "LogFormat": config.get("LogFormat", "Text"),
        "LogGroup": config.get("LogGroup") or f"/aws/lambda/{name}",
    }
    if found["LogFormat"] == "JSON":
        found["ApplicationLogLevel"] = config.get("ApplicationLogLevel", "INFO")
        found["SystemLogLevel"] = config.get("SystemLogLevel", "INFO")
    return found


def modified(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
