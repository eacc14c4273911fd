"""What all parts of the Lambda service share: finding a function, its version and its runtime."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...kernel import AwsError, Principal, Row, Service
from ...runtime import EnvironmentFailed, FunctionSpec, Runtime, RuntimeHooks
from ...runtime.logs import Lines
from ...runtime.variables import SessionKeys
from .errors import ResourceNotFoundException
from .names import LATEST, FunctionName
from .schema import MIGRATIONS

log = logging.getLogger("pileus.lambda")

Config = dict[str, Any]
PRINCIPAL = "lambda.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a function as it is stored. code: see code.Code."""

    name: FunctionName  # qualified with the version
    config: Config
    code: Config


class LambdaBase(Service):
    name = "lambda"
    migrations = MIGRATIONS

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._runtime: Runtime | None = None
        self._specs: dict[FunctionName, FunctionSpec] = {}
        #: Called with (spec, log stream, [(ms, line)]) as functions write: how the terminal shows them.
        self.log_observers: list[Any] = []
        #: Called with a line for the user.
        self.note_observers: list[Any] = []

    # -- the store ------------------------------------------------------------------------------------------------

    def function_row(self, name: FunctionName) -> Row:
        row = self.store.one(
            "SELECT tags,reserved,last_version FROM lambda_function WHERE account=? AND region=? AND name=?",
            name.key,
        )
        if row is None:
            raise ResourceNotFoundException(f"Function not found: {name.qualified_arn}")
        return row

    def version(self, name: FunctionName) -> Version:
        """The version that `name` means: an alias counts as the version it points at."""
        if not name.is_version:
            name = name.at(self.alias(name)["FunctionVersion"])
        row = self.store.one(
            "SELECT config,code FROM lambda_version WHERE account=? AND region=? AND name=? AND number=?",
            (*name.key, name.number),
        )
        if row is None:
            raise ResourceNotFoundException(f"Function not found: {name.qualified_arn}")
        config = orjson.loads(row["config"])
        return Version(name.at(config["Version"]), config, orjson.loads(row["code"]))

    def alias(self, name: FunctionName) -> Config:
        row = self.store.one(
            "SELECT config FROM lambda_alias WHERE account=? AND region=? AND name=? AND alias=?",
            (*name.key, name.qualifier),
        )
        if row is None:
            self.function_row(name.at(""))
            raise ResourceNotFoundException(f"Cannot find alias arn: {name.qualified_arn}")
        found: Config = orjson.loads(row["config"])
        return found

    def setting(self, name: FunctionName, kind: str) -> Any:
        """One of the settings that few functions have (JSON), or None."""
        row = self.store.one(
            "SELECT value FROM lambda_setting WHERE account=? AND region=? AND name=? AND qualifier=? AND kind=?",
            (*name.key, name.qualifier, kind),
        )
        return None if row is None else orjson.loads(row["value"])

    def set_setting(self, name: FunctionName, kind: str, value: Any) -> None:
        """value: None takes it away."""
        key = (*name.key, name.qualifier, kind)
        if value is None:
            self.store.execute(
                "DELETE FROM lambda_setting WHERE account=? AND region=? AND name=? AND qualifier=? AND kind=?",
                key,
            )
        else:
            self.store.execute(
                "INSERT OR REPLACE INTO lambda_setting (account,region,name,qualifier,kind,value)"
                " VALUES (?,?,?,?,?,?)",
                (*key, orjson.dumps(value)),
            )
        self.changed(name)

    def save(self, name: FunctionName, config: Config, code: Config) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_version (account,region,name,number,config,code) VALUES (?,?,?,?,?,?)",
            (*name.key, name.number, orjson.dumps(config), orjson.dumps(code)),
        )
        self.changed(name)

    def changed(self, name: FunctionName) -> None:
        """Drops what is known of the function, and its environments, once the change is on disk."""
        old = [spec for known, spec in self._specs.items() if known.key == name.key]
        self.forget()
        self.store.on_rollback(self.forget)
        self.store.after_commit(self.forget)
        self.store.after_commit(self.provision_all)
        if self._runtime is not None:
            for spec in old:
                self.store.after_commit(lambda spec=spec: self._retire_if_changed(spec))  # type: ignore[misc]

    def provision_all(self) -> None:
        """Has the environments of provisioned concurrency follow a change."""
        raise NotImplementedError

    def forget(self) -> None:
        self._specs.clear()

    def _retire_if_changed(self, spec: FunctionSpec) -> None:
        name = FunctionName(spec.account, spec.region, spec.name, spec.version)
        try:
            now = self.spec(name)
        except ResourceNotFoundException:
            now = None
        if now != spec and self._runtime is not None:
            self._runtime.retire(spec)

    # -- the runtime ----------------------------------------------------------------------------------------------

    def spec(self, name: FunctionName) -> FunctionSpec:
        """name: qualified with a version (or nothing: $LATEST)."""
        found = self._specs.get(name)
        if found is None:
            found = self._specs[name] = _spec(self.version(name))
        return found

    @property
    def runtime(self) -> Runtime:
        """Made when the first function needs it; there must be a running event loop."""
        if self._runtime is None:
            settings = self.cloud.settings
            self._runtime = Runtime(
                RuntimeHooks(
                    clock=self.clock.now,
                    endpoint=lambda: settings.endpoint,
                    xray=self._xray_daemon,
                    credentials=self._credentials,
                    suffix=lambda: self.ids.hex(32),
                    note=self._note,
                    scratch=self.store.root / "scratch",
                    python=settings.python,
                    started=settings.started,
                )
            )
            self._runtime.observers.append(self._logged)
        return self._runtime

    def _xray_daemon(self) -> str:
        self.cloud.service("xray")  # which binds the daemon's socket when it starts
        return self.cloud.settings.xray_daemon or "127.0.0.1:2000"

    def _credentials(self, spec: FunctionSpec) -> SessionKeys:
        try:
            found = self.assume(spec.role, spec.name, spec.account, spec.region, spec.arn)
        except AwsError as error:
            text = f"The role defined for the function cannot be assumed by Lambda: {error.message}"
            raise EnvironmentFailed(text) from error
        return SessionKeys(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"]
        )

    def assume(self, role: str, session: str, account: str, region: str, source_arn: str) -> Config:
        """Credentials of the function's role, as the function gets them."""
        request = {"RoleArn": role, "RoleSessionName": session, "DurationSeconds": 3600}
        principal = Principal.service(PRINCIPAL, account, source_arn)
        answer = self.cloud.call(
            "sts", "AssumeRole", request, account=account, region=region, principal=principal
        )
        found: Config = answer["Credentials"]
        return found

    def _logged(self, spec: FunctionSpec, stream: str, lines: Lines) -> None:
        for observer in self.log_observers:
            observer(spec, stream, lines)
        self.cloud.logs.append(spec.account, spec.region, spec.log_group, stream, lines)

    def _note(self, text: str) -> None:
        log.warning("%s", text)
        for observer in self.note_observers:
            observer(text)


def _spec(version: Version) -> FunctionSpec:
    name, config, code = version.name, version.config, version.code
    logging_config = config["LoggingConfig"]
    return FunctionSpec(
        arn=name.arn,
        name=name.name,
        version=name.qualifier or LATEST,
        account=name.account,
        region=name.region,
        revision=f"{name.qualified_arn} {config['RevisionId']}",
        runtime=config.get("Runtime", ""),
        handler=config.get("Handler", ""),
        code=Path(code["folder"]),
        timeout=float(config["Timeout"]),
        memory=config["MemorySize"],
        variables=config.get("Environment", {}).get("Variables", {}),
        role=config["Role"],
        log_group=logging_config["LogGroup"],
        log_format=logging_config["LogFormat"],
        application_log_level=logging_config.get("ApplicationLogLevel", ""),
        system_log_level=logging_config.get("SystemLogLevel", "INFO"),
        reload=bool(code.get("mounted")),
        layers=tuple(map(Path, code.get("layers", ()))),
    )
