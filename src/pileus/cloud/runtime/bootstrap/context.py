"""The context object that a handler gets, with the attributes that AWS documents."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


class _Record:
    """Attributes from a dictionary, None where it lacks them."""

    _names: tuple[str, ...] = ()

    def __init__(self, values: dict[str, Any]) -> None:
        for name in self._names:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self)!r})"


class CognitoIdentity(_Record):
    _names = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Record):
    _names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext:
    def __init__(self, document: dict[str, Any]) -> None:
        self.custom = document.get("custom")
        self.env = document.get("env")
        self.client = Client(document["client"]) if document.get("client") else None


class LambdaContext:
    def __init__(self, headers: dict[str, str], request_id: str) -> None:
        environ = os.environ
        self.aws_request_id = request_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        identity = headers.get("lambda-runtime-cognito-identity")
        values = json.loads(identity) if identity else {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": values.get("cognitoIdentityId"),
                "cognito_identity_pool_id": values.get("cognitoIdentityPoolId"),
            }
        )

    def get_remaining_time_in_millis(self) -> int:
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message: Any) -> None:
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        return f"LambdaContext({vars(self)!r})"
