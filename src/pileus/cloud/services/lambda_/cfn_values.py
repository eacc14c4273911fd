"""What the CloudFormation types of Lambda share: values as the API wants them, and the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...kernel import StackCall
from .errors import ResourceNotFoundException
from .layers import Layers

Properties = Mapping[str, Any]
_NUMBERS = [
    "Timeout",
    "MemorySize",
    "Size",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumConcurrency",
    "MaximumRetryAttempts",
    "MaximumEventAgeInSeconds",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrentExecutions",
    "MaxAge",
]


def service_of(stack: StackCall) -> Layers:
    return cast("Layers", stack.call.cloud.service("lambda"))


def call_of(stack: StackCall, operation: str) -> Any:
    return stack.call.within("lambda", operation)


def gone_is_fine(stack: StackCall, operation: str, request: Properties) -> None:
    try:
        stack.invoke("lambda", operation, request)
    except ResourceNotFoundException:
        return


def typed(value: Any, key: str = "") -> Any:
    """Numbers, booleans and variables may come as text or the other way round: the API wants them exact."""
    if key == "Variables":
        return {name: _text(each) for name, each in value.items()}
    if isinstance(value, Mapping):
        return {name: typed(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    if key in _NUMBERS and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if key in ("Enabled", "AllowCredentials") and isinstance(value, str):
        return value.lower() == "true"
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
