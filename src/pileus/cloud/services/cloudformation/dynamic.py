"""Dynamic references, `{{resolve:service:key}}`, in resolved properties.

Those to Parameter Store's plain text are resolved when properties are evaluated; those to secrets are kept as they
stand and resolved for each call, so that no secret lies in a stack's tables and a new secret is no change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from ...kernel import Call
from .errors import TemplateError

_REFERENCE: Final = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]*)\}\}")


def resolve_plain(call: Call, value: Any) -> Any:
    """value with `{{resolve:ssm:…}}` replaced."""
    return _replace(value, lambda service, key: _ssm(call, key) if service == "ssm" else None)


def resolve_secret(call: Call, value: Any, where: str) -> Any:
    """value with `{{resolve:secretsmanager:…}}` replaced. where: the resource, for refusals."""

    def resolve(service: str, key: str) -> str | None:
        if service == "ssm-secure":
            # CloudFormation takes these in a short list of properties only, none of them of a type that is here
            raise TemplateError(f"SSM Secure reference is not supported in: [{where}]")
        return _secret(call, key) if service == "secretsmanager" else None

    return _replace(value, resolve)


def _replace(value: Any, resolve: Callable[[str, str], str | None]) -> Any:
    if isinstance(value, str):
        if "{{resolve:" not in value:
            return value
        return _REFERENCE.sub(lambda match: _or_same(resolve(match[1], match[2]), match[0]), value)
    if isinstance(value, dict):
        return {key: _replace(child, resolve) for key, child in value.items()}
    if isinstance(value, list):
        return [_replace(child, resolve) for child in value]
    return value


def _or_same(found: str | None, original: str) -> str:
    return original if found is None else found


def _ssm(call: Call, key: str) -> str:
    parameter = call.cloud.call("ssm", "GetParameter", {"Name": key}, within=call)["Parameter"]
    if parameter["Type"] == "SecureString":
        raise TemplateError(
            f"Non-secure ssm prefix was used for secure parameter: {key.partition(':')[0]}. Use ssm-secure instead."
        )
    return str(parameter["Value"])


def _secret(call: Call, key: str) -> str:
    """key: `secret-id[:SecretString[:json-key[:version-stage[:version-id]]]]`; the id may be an ARN."""
    parts = key.split(":")
    length = 7 if key.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:length]), parts[length:]
    kind, json_key, stage, version = (*rest, "", "", "", "")[:4]
    if kind not in ("", "SecretString"):
        raise TemplateError(f"Secrets Manager dynamic reference {key}: only SecretString can be referenced")
    request = {"SecretId": secret_id}
    if stage:
        request["VersionStage"] = stage
    if version:
        request["VersionId"] = version
    text = call.cloud.call("secretsmanager", "GetSecretValue", request, within=call).get("SecretString")
    if text is None:
        raise TemplateError(f"Secret {secret_id} has no SecretString")
    if not json_key:
        return str(text)
    try:
        found = orjson.loads(text)[json_key]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise TemplateError(
            f"Could not find a value associated with JSONKey in SecretString (secret {secret_id}, key {json_key})"
        ) from None
    return found if isinstance(found, str) else orjson.dumps(found).decode()
