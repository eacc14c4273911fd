"""Functions: create, read, update, delete, list; where their code comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import orjson

from ...kernel import AwsError, Call, HttpRequest, HttpResponse, NotEmulated, operation
from . import code, configuration
from .base import Config
from .code import Code, check_total
from .errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .management import Management
from .names import LATEST, FunctionName
from .paging import page

Request = Mapping[str, Any]
_LOCATION_LASTS = 600
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Functions(Management):
    @operation("CreateFunction")
    async def create_function(self, call: Call, request: Request) -> Config:
        configuration.check(request, "CreateFunction")
        package = await self._fetch(call, request["Code"], "CreateFunction")
        with self.store.transaction():
            return self.create(call, request, package)

    def create(self, call: Call, request: Request, package: Code) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        if len(name.name) > 64:
            raise InvalidParameterValueException(
                f"1 validation error detected: Value '{name.name}' at 'functionName' failed to satisfy constraint: "
                "Member must have length less than or equal to 64"
            )
        if not request.get("Runtime") or not request.get("Handler"):
            raise InvalidParameterValueException(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        self._check_role(request["Role"], name)
        self._check_dead_letters(request)
        if self._exists(name):
            raise ResourceConflictException(f"Function already exist: {name.name}")
        self.check_signature(call, request.get("CodeSigningConfigArn"))
        self.store.execute(
            "INSERT INTO lambda_function (account,region,name,tags) VALUES (?,?,?,?)",
            (*name.key, orjson.dumps(request.get("Tags") or {})),
        )
        config = configuration.initial(request, name.name, name.arn)
        self._store_latest(call, name, *self._layered(call, request, config, package.to_json()))
        if arn := request.get("CodeSigningConfigArn"):
            self.set_setting(name, "code-signing", arn)
        if request.get("Publish"):
            return self.publish(call, name, request.get("Description"))
        self._prepare(name)
        return self.version(name).config

    def _check_role(self, role: str, name: FunctionName) -> None:
        try:
            self.assume(role, name.name, name.account, name.region, name.arn)
        except NotEmulated:
            raise
        except AwsError:
            raise InvalidParameterValueException(
                "The role defined for the function cannot be assumed by Lambda."
            ) from None

    def _check_dead_letters(self, request: Request) -> None:
        target = request.get("DeadLetterConfig", {}).get("TargetArn")
        service = target.split(":")[2] if target else "sqs"
        if service not in self.cloud.registry:
            raise NotEmulated(f"lambda DeadLetterConfig.TargetArn of {service}")

    def _exists(self, name: FunctionName) -> bool:
        return (
            self.store.one("SELECT 1 FROM lambda_function WHERE account=? AND region=? AND name=?", name.key)
            is not None
        )

    def _store_latest(self, call: Call, name: FunctionName, config: Config, package: Config) -> None:
        config = {
            **config,
            "CodeSha256": package["sha256"],
            "CodeSize": package["size"],
            "RevisionId": call.ids.uuid(),
            "LastModified": configuration.modified(call.now),
        }
        self.save(name.at(LATEST), config, package)

    def _layered(
        self, call: Call, request: Request, config: Config, package: Config
    ) -> tuple[Config, Config]:
        """Configuration and code with the layers that the request names; as they are, where it names none."""
        if "Layers" not in request:
            return config, package
        shown, folders, size = self.use_layers(call, request["Layers"], package)
        config = {key: value for key, value in config.items() if key != "Layers"}
        if shown:
            config["Layers"] = shown
        return config, {**package, "layers": folders, "layer_bytes": size}

    def _prepare(self, name: FunctionName) -> None:
        """Has the interpreter that the function will need started and warmed, where a loop runs already."""
        spec = self.spec(name.at(LATEST))
        self.store.after_commit(lambda: self.warm(spec))

    async def _fetch(self, call: Call, source: Request, operation_name: str) -> Code:
        """The code that a request names, unpacked."""
        package = self.package_at_hand(source, operation_name)
        if package is None:
            package = code.unpacked(await self._from_s3(call, source), self._code_folder)
        return package

    def package_at_hand(self, source: Request, operation_name: str) -> Code | None:
        """The code where it need not be fetched: it came with the request, or is mounted."""
        if source.get("ImageUri"):
            raise NotEmulated(f"lambda {operation_name}.ImageUri")
        content = source.get("ZipFile")
        if content is not None and (source.get("S3Bucket") or source.get("S3Key")):
            raise InvalidParameterValueException(
                "Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        if source.get("S3Key") is not None and source.get("S3Bucket") is not None:
            mounted = self.cloud.mounts.get(source["S3Key"])
            if mounted is None:
                return None
            if Path(mounted).is_file():  # an archive that the user brings
                return code.unpacked(Path(mounted).read_bytes(), self._code_folder)
            return code.mounted(mounted)
        if content is None:
            raise InvalidParameterValueException("Please provide a source for function code.")
        code.check_upload(content, operation_name)
        return code.unpacked(content, self._code_folder)

    @property
    def _code_folder(self) -> Any:
        return self.store.root / "functions"

    async def _from_s3(self, call: Call, source: Request) -> bytes:
        wanted = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
        if source.get("S3ObjectVersion"):
            wanted["VersionId"] = source["S3ObjectVersion"]
        try:
            found = await self.cloud.call_async("s3", "GetObject", wanted, within=call)
        except NotEmulated:
            raise
        except AwsError as error:
            raise InvalidParameterValueException(
                f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
            ) from None
        body = found["Body"]
        if isinstance(body, bytes):
            return body
        if hasattr(body, "__aiter__"):
            return b"".join([chunk async for chunk in body])
        return b"".join(body)

    def location(self, call: Call, package: Config) -> str:
        """Where the package can be fetched from for ten minutes, unsigned; a mounted folder lies where it lies."""
        if not package["zip"]:
            return f"file://{package['folder']}"
        digest = PurePath(package["folder"]).name
        expires = int(self.clock.now()) + _LOCATION_LASTS
        return f"{call.base_url}/_aws/lambda/code/{digest}?Expires={expires}"

    def serve_code(self, request: HttpRequest) -> HttpResponse:
        """The package behind a `location`: who knows its digest has been told."""
        digest, expires = request.path.rpartition("/")[2], request.param("Expires") or ""
        package = self._code_folder / f"{digest}.zip"
        live = expires.isdecimal() and int(expires) > self.clock.now()
        if not live or not _DIGEST.fullmatch(digest) or not package.is_file():
            return HttpResponse(403, {"content-type": "application/json"}, b'{"message":"Forbidden"}')
        return HttpResponse(200, {"content-type": "application/zip"}, package.read_bytes())

    # -- reading ----------------------------------------------------------------------------------------------------

    @operation("GetFunction")
    def get_function(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        row = self.function_row(name)
        version = self.version(name)
        result: Config = {
            "Configuration": self._shown(name, version.config),
            "Code": {"RepositoryType": "S3", "Location": self.location(call, version.code)},
        }
        if tags := orjson.loads(row["tags"]):
            result["Tags"] = tags
        if row["reserved"] is not None:
            result["Concurrency"] = {"ReservedConcurrentExecutions": row["reserved"]}
        return result

    @operation("GetFunctionConfiguration")
    def get_function_configuration(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        return self._shown(name, self.version(name).config)

    @staticmethod
    def _shown(name: FunctionName, config: Config) -> Config:
        """As asked for: a qualified name gets the qualified ARN."""
        return {**config, "FunctionArn": name.qualified_arn} if name.qualifier else config

    @operation("ListFunctions")
    def list_functions(self, call: Call, request: Request) -> Config:
        every = request.get("FunctionVersion") == "ALL"
        rows, marker = page(
            self.store,
            "SELECT name, number, config FROM lambda_version WHERE account=? AND region=?"
            + ("" if every else " AND number=0"),
            (call.account, call.region),
            ("name", "number"),
            request,
            default=50,
        )
        found = [orjson.loads(row["config"]) for row in rows]
        if every:
            found = [
                self._shown(FunctionName.of(call, f"{c['FunctionName']}:{c['Version']}"), c) for c in found
            ]
        return {"Functions": found, "NextMarker": marker}

    # -- changing -----------------------------------------------------------------------------------------------------

    @operation("UpdateFunctionCode")
    async def update_function_code(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self._check_revision(self.version(name).config, request)
        if request.get("PublishTo"):
            raise NotEmulated("lambda UpdateFunctionCode.PublishTo")
        package = await self._fetch(call, request, "UpdateFunctionCode")
        with self.store.transaction():
            return self.update_code(call, name, request, package)

    def update_code(self, call: Call, name: FunctionName, request: Request, package: Code) -> Config:
        self.check_signature(call, self.setting(name, "code-signing"))
        version = self.version(name)
        config = version.config
        kept: Config = {key: version.code[key] for key in ("layers", "layer_bytes") if key in version.code}
        check_total(package.to_json(), kept.get("layer_bytes", 0))
        if request.get("Architectures"):
            config["Architectures"] = request["Architectures"]
        if request.get("DryRun"):
            return {**config, "CodeSha256": package.sha256, "CodeSize": package.size}
        self._store_latest(call, name, config, {**package.to_json(), **kept})
        if request.get("Publish"):
            return self.publish(call, name, None)
        self._prepare(name)
        return self.version(name).config

    @operation("UpdateFunctionConfiguration")
    def update_function_configuration(self, call: Call, request: Request) -> Config:
        configuration.check(request, "UpdateFunctionConfiguration")
        name = FunctionName.of(call, request["FunctionName"]).at("")
        version = self.version(name)
        self._check_revision(version.config, request)
        if "Role" in request:
            self._check_role(request["Role"], name)
        self._check_dead_letters(request)
        config = configuration.apply(version.config, request)
        self._store_latest(call, name, *self._layered(call, request, config, version.code))
        self._prepare(name)
        return self.version(name).config

    @staticmethod
    def _check_revision(config: Config, request: Request) -> None:
        if request.get("RevisionId") not in (None, config["RevisionId"]):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )

    @operation("DeleteFunction")
    def delete_function(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        self.function_row(name)
        if name.qualifier == LATEST:
            raise InvalidParameterValueException(
                "$LATEST version cannot be deleted without deleting the function."
            )
        if name.qualifier:
            self._delete_version(name)
        else:
            self.changed(name)
            for table in (
                "function",
                "version",
                "alias",
                "permission",
                "event_invoke",
                "url",
                "provisioned",
                "setting",
            ):
                self.store.execute(
                    f"DELETE FROM lambda_{table} WHERE account=? AND region=? AND name=?", name.key
                )
        return {"StatusCode": 204}

    def _delete_version(self, name: FunctionName) -> None:
        if not name.is_version:
            raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
        for row in self.store.all(
            "SELECT alias, config FROM lambda_alias WHERE account=? AND region=? AND name=?", name.key
        ):
            alias = orjson.loads(row["config"])
            weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            if alias["FunctionVersion"] == name.qualifier or name.qualifier in weights:
                raise ResourceConflictException(
                    f"Version cannot be deleted while it is in use by the following aliases: [{row['alias']}]"
                )
        deleted = self.store.execute(
            "DELETE FROM lambda_version WHERE account=? AND region=? AND name=? AND number=?",
            (*name.key, name.number),
        )
        if not deleted.rowcount:
            raise ResourceNotFoundException(f"Function not found: {name.qualified_arn}")
        self.store.execute(
            "DELETE FROM lambda_provisioned WHERE account=? AND region=? AND name=? AND qualifier=?",
            (*name.key, name.qualifier),
        )
        self.changed(name)

    # -- provided by the other parts ------------------------------------------------------------------------------

    def publish(self, call: Call, name: FunctionName, description: str | None) -> Config:
        raise NotImplementedError

    def use_layers(
        self, call: Call, arns: Sequence[str], package: Config
    ) -> tuple[list[Config], list[str], int]:
        raise NotImplementedError

    def warm(self, spec: Any) -> None:
        raise NotImplementedError
