"""Provisioned concurrency: environments of a version or alias that are initialised before events come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ...kernel import Call, operation
from .base import Config
from .configuration import modified
from .errors import (
    InvalidParameterValueException,
    ProvisionedConcurrencyConfigNotFoundException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .invocation import ACCOUNT_CONCURRENCY, Invoking
from .names import LATEST, FunctionName
from .paging import page

Request = Mapping[str, Any]
_KEY = "account=? AND region=? AND name=? AND qualifier=?"
_UNRESERVED = 100


class Provisioned(Invoking):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._kept: dict[str, tuple[Any, int]] = {}  # revision → spec and how many

    @operation("PutProvisionedConcurrencyConfig")
    def put_provisioned_concurrency_config(self, call: Call, request: Request) -> Config:
        name = self._provisioned_name(call, request)
        wanted = request["ProvisionedConcurrentExecutions"]
        self._check_provisioned(name, wanted)
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_provisioned (account,region,name,qualifier,wanted,modified)"
            " VALUES (?,?,?,?,?,?)",
            (*name.key, name.qualifier, wanted, modified(call.now)),
        )
        self.store.after_commit(self.provision_all)
        return {
            "RequestedProvisionedConcurrentExecutions": wanted,
            "AllocatedProvisionedConcurrentExecutions": 0,
            "AvailableProvisionedConcurrentExecutions": 0,
            "Status": "IN_PROGRESS",
            "LastModified": modified(call.now),
        }

    def _check_provisioned(self, name: FunctionName, wanted: int) -> None:
        own = name.qualifier if name.is_version else self.alias(name)["FunctionVersion"]
        if own == LATEST:
            raise InvalidParameterValueException(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        total = wanted
        for row in self._provisioned_of(name):
            if row["qualifier"] == name.qualifier:
                continue
            total += row["wanted"]
            other = name.at(row["qualifier"])
            if name.is_version and not other.is_version and self.alias(other)["FunctionVersion"] == own:
                raise ResourceConflictException("Version is pointed to by a Provisioned Concurrency alias")
            if not name.is_version and other.qualifier == own:
                raise ResourceConflictException(
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                )
        reserved = self.function_row(name)["reserved"]
        if reserved is not None and total > reserved:
            raise InvalidParameterValueException(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                "function"
            )
        if reserved is None and ACCOUNT_CONCURRENCY - total < _UNRESERVED:
            raise InvalidParameterValueException(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{_UNRESERVED}]."
            )

    @operation("GetProvisionedConcurrencyConfig")
    def get_provisioned_concurrency_config(self, call: Call, request: Request) -> Config:
        name = self._provisioned_name(call, request)
        row = self.store.one(
            f"SELECT wanted, modified FROM lambda_provisioned WHERE {_KEY}", (*name.key, name.qualifier)
        )
        if row is None:
            raise ProvisionedConcurrencyConfigNotFoundException(
                "No Provisioned Concurrency Config found for this function"
            )
        return self._shown_provisioned(name, row["wanted"], row["modified"])

    @operation("ListProvisionedConcurrencyConfigs")
    def list_provisioned_concurrency_configs(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        rows, marker = page(
            self.store,
            "SELECT qualifier, wanted, modified FROM lambda_provisioned WHERE account=? AND region=? AND name=?",
            name.key,
            ("qualifier",),
            request,
            default=50,
        )
        shown = [
            {
                "FunctionArn": name.at(row["qualifier"]).qualified_arn,
                **self._shown_provisioned(name.at(row["qualifier"]), row["wanted"], row["modified"]),
            }
            for row in rows
        ]
        return {"ProvisionedConcurrencyConfigs": shown, "NextMarker": marker}

    @operation("DeleteProvisionedConcurrencyConfig")
    def delete_provisioned_concurrency_config(self, call: Call, request: Request) -> Config:
        name = self._provisioned_name(call, request)
        self.store.execute(f"DELETE FROM lambda_provisioned WHERE {_KEY}", (*name.key, name.qualifier))
        self.store.after_commit(self.provision_all)
        return {}

    def _provisioned_name(self, call: Call, request: Request) -> FunctionName:
        name = FunctionName.of(call, request["FunctionName"], request["Qualifier"])
        self.version(name)
        return name

    def _provisioned_of(self, name: FunctionName) -> list[Any]:
        return self.store.all(
            "SELECT qualifier, wanted FROM lambda_provisioned WHERE account=? AND region=? AND name=?",
            name.key,
        )

    def _shown_provisioned(self, name: FunctionName, wanted: int, changed: str) -> Config:
        ready, _, failed = 0, 0, False
        if self._runtime is not None:
            ready, _, failed = self._runtime.provisioned(self.spec(self.version(name).name))
        allocated = min(ready, wanted)
        shown: Config = {
            "RequestedProvisionedConcurrentExecutions": wanted,
            "AllocatedProvisionedConcurrentExecutions": allocated,
            "AvailableProvisionedConcurrentExecutions": allocated,
            "Status": "READY" if allocated == wanted else "FAILED" if failed else "IN_PROGRESS",
            "LastModified": changed,
        }
        if shown["Status"] == "FAILED":
            shown["StatusReason"] = "FUNCTION_ERROR_INIT_FAILURE"
        return shown

    def provisioning(self) -> bool:
        """Whether environments are on their way."""
        runtime = self._runtime
        return runtime is not None and any(runtime.provisioned(spec)[1] for spec, _ in self._kept.values())

    # -- environments -------------------------------------------------------------------------------------------------

    def provision_all(self) -> None:
        """Brings what is kept initialised in line with the settings; there are few of them."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # no loop, no processes: a tool that only looks at the state
            return
        wanted: dict[str, tuple[Any, int]] = {}
        for row in self.store.all("SELECT account, region, name, qualifier, wanted FROM lambda_provisioned"):
            name = FunctionName(row["account"], row["region"], row["name"], row["qualifier"])
            try:
                spec = self.spec(self.version(name).name)
            except ResourceNotFoundException:
                continue
            wanted[spec.revision] = (spec, row["wanted"])
        for revision, (spec, _) in self._kept.items():
            if revision not in wanted:
                self.runtime.provision(spec, 0)
        for revision, (spec, count) in wanted.items():
            if self._kept.get(revision) != (spec, count):
                self.runtime.provision(spec, count)
        self._kept = wanted
