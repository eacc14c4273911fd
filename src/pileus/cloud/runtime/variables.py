"""The environment variables of an execution environment, as AWS lists them for Lambda."""

from __future__ import annotations

from dataclasses import dataclass

from ..interpreters import base_variables
from .execution import FunctionSpec

#: What differs from one environment of a function to the next; what is imported ahead must not depend on it.
PER_ENVIRONMENT = frozenset(
    {
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "TMPDIR",
        "_X_AMZN_TRACE_ID",
    }
)


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Credentials of the function's role. expires: seconds since the epoch, None for ever."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires: float | None = None


def function_variables(spec: FunctionSpec, endpoint: str, xray: str, python: str) -> dict[str, str]:
    """What all environments of a function share. The function's own variables go first; Lambda's reserved ones win."""
    base = base_variables(python)
    found = {
        "LANG": base["LANG"],
        "TZ": base["TZ"],
        "AWS_ENDPOINT_URL": endpoint,
        # The developer's own profiles are none of the function's business.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **spec.variables,
        "PATH": base["PATH"],
        "HOME": base["HOME"],
        "_HANDLER": spec.handler,
        "AWS_XRAY_DAEMON_ADDRESS": xray,
        "_AWS_XRAY_DAEMON_ADDRESS": xray.partition(":")[0],
        "_AWS_XRAY_DAEMON_PORT": xray.partition(":")[2],
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.variables.get("AWS_DEFAULT_REGION", spec.region),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
        "LAMBDA_TASK_ROOT": str(spec.code),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
    if spec.application_log_level:
        found["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level
    return found


def environment_variables(stream: str, api: str, keys: SessionKeys, scratch: str) -> dict[str, str]:
    """What one environment has for itself. stream: its log stream. api: the address of its Runtime API."""
    return {
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "TMPDIR": scratch,
    }
