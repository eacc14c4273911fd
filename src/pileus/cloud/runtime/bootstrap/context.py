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
    """What is the same for all events of an environment is on the class, see `set_up`."""

    log_group_name: str | None = None
    log_stream_name: str | None = None
    function_name: str | None = None
    memory_limit_in_mb: str | None = None
    function_version: str | None = None
    client_context: ClientContext | None = None
    identity = CognitoIdentity({})

    def __init__(self, headers: dict[str, str], request_id: str) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self._epoch_deadline_time_in_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", "0"))
        client = headers.get("Lambda-Runtime-Client-Context")
        if client:
            self.client_context = ClientContext(json.loads(client))
        identity = headers.get("Lambda-Runtime-Cognito-Identity")
        if identity:
            values = json.loads(identity)
            self.identity = CognitoIdentity(
                {
                    "cognito_identity_id": values.get("cognitoIdentityId"),
                    "cognito_identity_pool_id": values.get("cognitoIdentityPoolId"),
                }
            )

    @classmethod
    def set_up(cls) -> None:
        """Once the environment's variables are there."""
        environ = os.environ
        cls.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        cls.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        cls.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        cls.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        cls.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")

    def get_remaining_time_in_millis(self) -> int:
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message: Any) -> None:
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        return f"LambdaContext({vars(self)!r})"
