"""What tools read beside a function's configuration (Terraform reads them all): settings that have one value here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, operation
from .base import Config, LambdaBase
from .names import FunctionName

Request = Mapping[str, Any]


class Management(LambdaBase):
    @operation("GetFunctionCodeSigningConfig")
    def get_function_code_signing_config(self, call: Call, request: Request) -> Config:
        """None: CreateFunction refuses one."""
        name = FunctionName.of(call, request["FunctionName"])
        self.version(name)
        return {"CodeSigningConfigArn": "", "FunctionName": name.name}

    @operation("GetRuntimeManagementConfig")
    def get_runtime_management_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        self.version(name)
        return {"UpdateRuntimeOn": "Auto", "FunctionArn": name.qualified_arn}

    @operation("GetFunctionRecursionConfig")
    def get_function_recursion_config(self, call: Call, request: Request) -> Config:
        self.version(FunctionName.of(call, request["FunctionName"]))
        return {"RecursiveLoop": "Terminate"}
