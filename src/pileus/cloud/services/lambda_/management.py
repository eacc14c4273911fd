"""Settings beside a function's configuration: runtime updates, recursion, and code signing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, operation
from .base import Config, LambdaBase
from .configuration import modified
from .errors import (
    CodeSigningConfigNotFoundException,
    CodeVerificationFailedException,
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .names import FunctionName
from .paging import page

Request = Mapping[str, Any]
_SIGNING = "code-signing"
_PLACE = "account=? AND region=? AND id=?"


class Management(LambdaBase):
    @operation("GetRuntimeManagementConfig")
    def get_runtime_management_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        self.version(name)
        return {
            "UpdateRuntimeOn": self.setting(name, "runtime") or "Auto",
            "FunctionArn": name.qualified_arn,
        }

    @operation("PutRuntimeManagementConfig")
    def put_runtime_management_config(self, call: Call, request: Request) -> Config:
        """There is one version of a runtime on a machine, which nobody updates: `Auto` and `FunctionUpdate` are kept."""
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        self.version(name)
        mode = request["UpdateRuntimeOn"]
        if mode == "Manual":
            if not request.get("RuntimeVersionArn"):
                raise InvalidParameterValueException(
                    "RuntimeVersionArn is a required parameter when the runtime update mode is set to Manual."
                )
            raise NotEmulated("lambda PutRuntimeManagementConfig.UpdateRuntimeOn Manual")
        if request.get("RuntimeVersionArn"):
            raise InvalidParameterValueException(
                "RuntimeVersionArn can only be specified when the runtime update mode is set to Manual."
            )
        self.set_setting(name, "runtime", mode)
        return {"UpdateRuntimeOn": mode, "FunctionArn": name.qualified_arn}

    @operation("GetFunctionRecursionConfig")
    def get_function_recursion_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.version(name)
        return {"RecursiveLoop": self.setting(name, "recursion") or "Terminate"}

    @operation("PutFunctionRecursionConfig")
    def put_function_recursion_config(self, call: Call, request: Request) -> Config:
        """See lineage.py."""
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.version(name)
        self.set_setting(name, "recursion", request["RecursiveLoop"])
        return {"RecursiveLoop": request["RecursiveLoop"]}

    # -- code signing -------------------------------------------------------------------------------------------------

    @operation("CreateCodeSigningConfig")
    def create_code_signing_config(self, call: Call, request: Request) -> Config:
        if request.get("Tags"):
            raise NotEmulated("lambda CreateCodeSigningConfig.Tags")
        identifier = f"csc-{call.ids.hex(17)}"
        config = {
            "CodeSigningConfigId": identifier,
            "CodeSigningConfigArn": call.arn(f"code-signing-config:{identifier}"),
            "Description": request.get("Description", ""),
            "AllowedPublishers": request["AllowedPublishers"],
            "CodeSigningPolicies": request.get("CodeSigningPolicies")
            or {"UntrustedArtifactOnDeployment": "Warn"},
        }
        return self._save_signing(call, config)

    def _save_signing(self, call: Call, config: Config) -> Config:
        config["LastModified"] = modified(call.now)
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_code_signing (account,region,id,config) VALUES (?,?,?,?)",
            (call.account, call.region, config["CodeSigningConfigId"], orjson.dumps(config)),
        )
        return {"CodeSigningConfig": config}

    def _signing(self, call: Call, arn: str) -> Config:
        row = self.store.one(
            f"SELECT config FROM lambda_code_signing WHERE {_PLACE}",
            (call.account, call.region, arn.rpartition(":")[2]),
        )
        if row is None:
            raise CodeSigningConfigNotFoundException(f"The code signing configuration cannot be found: {arn}")
        found: Config = orjson.loads(row["config"])
        return found

    @operation("GetCodeSigningConfig")
    def get_code_signing_config(self, call: Call, request: Request) -> Config:
        try:
            return {"CodeSigningConfig": self._signing(call, request["CodeSigningConfigArn"])}
        except CodeSigningConfigNotFoundException as error:
            raise ResourceNotFoundException(error.message) from None

    @operation("UpdateCodeSigningConfig")
    def update_code_signing_config(self, call: Call, request: Request) -> Config:
        config = self.get_code_signing_config(call, request)["CodeSigningConfig"]
        members = ("Description", "AllowedPublishers", "CodeSigningPolicies")
        return self._save_signing(
            call, {**config, **{member: request[member] for member in members if member in request}}
        )

    @operation("DeleteCodeSigningConfig")
    def delete_code_signing_config(self, call: Call, request: Request) -> Config:
        config = self.get_code_signing_config(call, request)["CodeSigningConfig"]
        if self._signed_functions(call, config["CodeSigningConfigArn"]):
            raise ResourceConflictException(
                "Cannot delete a code signing configuration that is used by functions: "
                f"{config['CodeSigningConfigArn']}"
            )
        self.store.execute(
            f"DELETE FROM lambda_code_signing WHERE {_PLACE}",
            (call.account, call.region, config["CodeSigningConfigId"]),
        )
        return {}

    @operation("ListCodeSigningConfigs")
    def list_code_signing_configs(self, call: Call, request: Request) -> Config:
        rows, marker = page(
            self.store,
            "SELECT id, config FROM lambda_code_signing WHERE account=? AND region=?",
            (call.account, call.region),
            ("id",),
            request,
            default=50,
        )
        return {"CodeSigningConfigs": [orjson.loads(row["config"]) for row in rows], "NextMarker": marker}

    @operation("ListFunctionsByCodeSigningConfig")
    def list_functions_by_code_signing_config(self, call: Call, request: Request) -> Config:
        config = self.get_code_signing_config(call, request)["CodeSigningConfig"]
        return {"FunctionArns": self._signed_functions(call, config["CodeSigningConfigArn"])}

    def _signed_functions(self, call: Call, arn: str) -> list[str]:
        rows = self.store.all(
            "SELECT name FROM lambda_setting WHERE account=? AND region=? AND kind=? AND value=? ORDER BY name",
            (call.account, call.region, _SIGNING, orjson.dumps(arn)),
        )
        return [call.arn(f"function:{row['name']}") for row in rows]

    @operation("PutFunctionCodeSigningConfig")
    def put_function_code_signing_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.version(name)
        arn = self._signing(call, request["CodeSigningConfigArn"])["CodeSigningConfigArn"]
        self.set_setting(name, _SIGNING, arn)
        return {"CodeSigningConfigArn": arn, "FunctionName": name.name}

    @operation("GetFunctionCodeSigningConfig")
    def get_function_code_signing_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.version(name)
        return {"CodeSigningConfigArn": self.setting(name, _SIGNING) or "", "FunctionName": name.name}

    @operation("DeleteFunctionCodeSigningConfig")
    def delete_function_code_signing_config(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.version(name)
        self.set_setting(name, _SIGNING, None)
        return {}

    def check_signature(self, call: Call, arn: str | None) -> None:
        """No package here carries a signature: a configuration that enforces one refuses them all."""
        if (
            arn
            and self._signing(call, arn)["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"] == "Enforce"
        ):
            raise CodeVerificationFailedException(
                "Lambda cannot deploy the function. The function or layer might be signed using a signature that the "
                "client is not configured to accept. Check the provided signature for unsigned."
            )
