"""Published versions and the aliases that point at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, operation
from .base import Config, LambdaBase
from .errors import InvalidParameterValueException, PreconditionFailedException, ResourceConflictException
from .names import LATEST, FunctionName
from .paging import page

Request = Mapping[str, Any]
_UNVERSIONED = ("Version", "FunctionArn", "RevisionId", "LastModified", "Description", "SnapStart")


class Versions(LambdaBase):
    @operation("PublishVersion")
    def publish_version(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        version = self.version(name)
        latest = version.config
        # Mounted code changes under us, and the digest of a package that was never made can't hold.
        wanted = None if version.code["mounted"] else request.get("CodeSha256")
        if wanted not in (None, latest["CodeSha256"]):
            raise InvalidParameterValueException(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                f"({latest['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST."
            )
        if request.get("RevisionId") not in (None, latest["RevisionId"]):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )
        return self.publish(call, name, request.get("Description"))

    def publish(self, call: Call, name: FunctionName, description: str | None) -> Config:
        """A copy of $LATEST under the next number; the last one, where nothing has changed since."""
        latest = self.version(name)
        last = self.function_row(name)["last_version"]
        if last and (same := self._unchanged(name.at(str(last)), latest.config)) is not None:
            return same
        number = str(last + 1)
        published = name.at(number)
        config = {
            **latest.config,
            "Version": number,
            "FunctionArn": published.qualified_arn,
            "RevisionId": call.ids.uuid(),
        }
        if config["SnapStart"]["ApplyOn"] == "PublishedVersions":
            config["SnapStart"] = {**config["SnapStart"], "OptimizationStatus": "On"}
        if description is not None:
            config["Description"] = description
        self.store.execute(
            "UPDATE lambda_function SET last_version=? WHERE account=? AND region=? AND name=?",
            (last + 1, *name.key),
        )
        self.save(published, config, latest.code)
        return config

    def _unchanged(self, last: FunctionName, latest: Config) -> Config | None:
        row = self.store.one(
            "SELECT config FROM lambda_version WHERE account=? AND region=? AND name=? AND number=?",
            (*last.key, last.number),
        )
        if row is None:
            return None
        found: Config = orjson.loads(row["config"])
        same = all(
            found.get(key) == latest.get(key)
            for key in found.keys() | latest.keys()
            if key not in _UNVERSIONED
        )
        return found if same else None

    @operation("ListVersionsByFunction")
    def list_versions_by_function(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        rows, marker = page(
            self.store,
            "SELECT number, config FROM lambda_version WHERE account=? AND region=? AND name=?",
            name.key,
            ("number",),
            request,
            default=50,
        )
        found = [orjson.loads(row["config"]) for row in rows]
        versions = [{**each, "FunctionArn": name.at(each["Version"]).qualified_arn} for each in found]
        return {"Versions": versions, "NextMarker": marker}

    # -- aliases ----------------------------------------------------------------------------------------------------

    @operation("CreateAlias")
    def create_alias(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at(request["Name"])
        self.function_row(name.at(""))
        if self.store.one(
            "SELECT 1 FROM lambda_alias WHERE account=? AND region=? AND name=? AND alias=?",
            (*name.key, name.qualifier),
        ):
            raise ResourceConflictException(f"Alias already exists: {name.qualified_arn}")
        alias = {
            "AliasArn": name.qualified_arn,
            "Name": name.qualifier,
            "FunctionVersion": request["FunctionVersion"],
            "Description": request.get("Description", ""),
        }
        return self._save_alias(call, name, alias, request)

    def _save_alias(self, call: Call, name: FunctionName, alias: Config, request: Request) -> Config:
        self.version(name.at(alias["FunctionVersion"]))
        if "RoutingConfig" in request:
            alias.pop("RoutingConfig", None)
            weights = request["RoutingConfig"].get("AdditionalVersionWeights")
            if weights:
                self._check_routing(name, alias, weights)
                alias["RoutingConfig"] = {"AdditionalVersionWeights": dict(weights)}
        alias["RevisionId"] = call.ids.uuid()
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_alias (account,region,name,alias,config) VALUES (?,?,?,?,?)",
            (*name.key, name.qualifier, orjson.dumps(alias)),
        )
        self.changed(name)
        return alias

    def _check_routing(self, name: FunctionName, alias: Config, weights: Mapping[str, float]) -> None:
        if alias["FunctionVersion"] == LATEST or LATEST in weights:
            raise InvalidParameterValueException(
                "$LATEST is not supported for an alias pointing to more than 1 version"
            )
        if len(weights) > 1:
            raise InvalidParameterValueException(
                "Number of items in AdditionalVersionWeights cannot be greater than 1"
            )
        for version, weight in weights.items():
            if version == alias["FunctionVersion"]:
                raise InvalidParameterValueException(
                    f"Invalid function version {version}. Function version {version} is already included in routing "
                    "configuration."
                )
            if not 0.0 <= weight <= 1.0:
                raise InvalidParameterValueException(
                    f"Value '{weight}' for weight must be a value between 0.0 and 1.0"
                )
            self.version(name.at(version))

    @operation("GetAlias")
    def get_alias(self, call: Call, request: Request) -> Config:
        return self.alias(FunctionName.of(call, request["FunctionName"]).at(request["Name"]))

    @operation("UpdateAlias")
    def update_alias(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at(request["Name"])
        alias = self.alias(name)
        if request.get("RevisionId") not in (None, alias["RevisionId"]):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )
        for member in ("FunctionVersion", "Description"):
            if member in request:
                alias[member] = request[member]
        return self._save_alias(call, name, alias, request)

    @operation("DeleteAlias")
    def delete_alias(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at(request["Name"])
        self.function_row(name.at(""))
        for table in ("permission", "event_invoke", "url", "provisioned"):
            self.store.execute(
                f"DELETE FROM lambda_{table} WHERE account=? AND region=? AND name=? AND qualifier=?",
                (*name.key, name.qualifier),
            )
        self.store.execute(
            "DELETE FROM lambda_alias WHERE account=? AND region=? AND name=? AND alias=?",
            (*name.key, name.qualifier),
        )
        self.changed(name)
        return {}

    @operation("ListAliases")
    def list_aliases(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        rows, marker = page(
            self.store,
            "SELECT alias, config FROM lambda_alias WHERE account=? AND region=? AND name=?",
            name.key,
            ("alias",),
            request,
            default=50,
        )
        found = [orjson.loads(row["config"]) for row in rows]
        if (version := request.get("FunctionVersion")) is not None:
            found = [each for each in found if each["FunctionVersion"] == version]
        return {"Aliases": found, "NextMarker": marker}
