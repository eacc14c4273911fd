"""What `pileus offline` does: deploy the folder into a cloud of its own, serve, and follow the files."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..cloud.server import CloudServer
from ..deploy import running
from ..deploy.aws_only import aws_only
from ..deploy.local import Deployed, LocalDeployment
from ..deploy.saves import Saves
from ..deploy.stack import DeploymentFailed
from ..deploy.summary import coverage
from ..service import LoadedService
from .addresses import Addresses
from .debugging import Debugged, debugged, tell
from .early import named_interpreter
from .execute import executed, local_variables
from .failure import UserError, facts, mistakes_told, show, warn, warning_facts
from .options import ServiceOptions
from .ports import Ports
from .report import Report
from .serving import open_server, settings_for, until_stopped, warn_open_host
from .sites import Sites
from .ui import Ui

if TYPE_CHECKING:
    from ..cloud.interpreters import Started
    from ..cloud.kernel import Cloud


@dataclass(frozen=True, slots=True)
class OfflineOptions:
    """state: None keeps it in memory. prefixed: whether URLs begin with the stage. ports: by their names in
    `ports.PORTS`. given: the options that the command line sets, by their names in Python. execute: a command to run
    once the service is ready, in words. debug: see debugging.py. idle: seconds after which an idle environment goes.
    local_environment: functions see the variables of this shell, too. trust_tokens: JWT authorizers don't check signatures. started: an interpreter for functions that comes
    up meanwhile."""

    folder: Path
    service: ServiceOptions
    host: str
    ports: Mapping[str, int]
    state: Path | None
    python: str | None
    prefixed: bool
    given: frozenset[str] = frozenset()
    execute: tuple[str, ...] = ()
    debug: tuple[str, ...] = ()
    debug_port: int | None = None
    idle: float | None = None
    local_environment: bool = False
    trust_tokens: bool = False
    started: Started | None = None

    def with_defaults(self, settings: Mapping[str, Any]) -> OfflineOptions:
        """With the settings of serverless.yml where the command line says nothing."""
        own = {name: value for name, value in settings.items() if name not in self.given}
        return replace(
            self,
            host=own.get("host", self.host),
            ports={name: own.get(name, port) for name, port in self.ports.items()},
            given=self.given | (own.keys() & self.ports.keys()),
            prefixed=not own["bare"] if "bare" in own else self.prefixed,
            idle=own.get("idle", self.idle),
            local_environment=own.get("local_environment", self.local_environment),
            trust_tokens=own.get("trust_tokens", self.trust_tokens),
        )


async def run(options: OfflineOptions, ui: Ui) -> int:
    """Returns the exit code: that of --exec's command, else 0."""
    offline, code = Offline(options, ui), 0
    try:
        await offline.start()
        ui.gather(asyncio.get_running_loop().call_later)
        following = asyncio.create_task(offline.follow_files())
        if options.execute:
            code = await executed(options.execute, offline.addresses.variables(), to_stderr=ui.json)
        else:
            await until_stopped()
        following.cancel()
        ui.line("Stopping …")
        ui.flush()
    finally:
        await offline.stop()
        ui.flush()
    return code


class Offline:
    """One run: the cloud, the deployed service in it, and what is printed about them."""

    def __init__(self, options: OfflineOptions, ui: Ui) -> None:
        self._options = options
        self._ui = ui
        self._report = Report(ui)
        self._settings = settings_for(options.host, options.state, options.state is None)
        self._settings.python = named_interpreter(options.python)
        self._settings.started = options.started
        self._server: CloudServer | None = None
        self._ports: Ports | None = None
        self._deployed: Deployed | None = None
        self._debugged: list[Debugged] = []
        self._sites: Sites | None = None
        self._saves = Saves(())
        self._deployment = LocalDeployment(
            self._cloud,
            options.folder,
            options=options.service.given,
            params=options.service.params,
            config_name=options.service.config_name,
        )

    @property
    def deployed(self) -> Deployed:
        assert self._deployed is not None
        return self._deployed

    @property
    def addresses(self) -> Addresses:
        assert self._sites is not None
        return self._sites.addresses

    async def start(self) -> None:
        """Until all of it answers. Mistakes in the files are told before a port or the state is touched."""
        began = time.perf_counter()
        warn_open_host(Ui.stderr(), self._options.host)
        loaded = self._load()
        self._take_settings(loaded)
        self._saves = Saves(loaded.files)
        self._ports = self._open_ports()
        site = self._ports.take("http_port")
        cloud = self._cloud()
        assert self._server is not None
        await self._server.start()
        self._prepare_functions(loaded)
        for each in self._debugged:
            await each.debugger.start()
        for setting in aws_only(loaded.service):
            self._report.note(f"{setting} takes effect in AWS only")
        self._deployed = await self._deploy(loaded)
        self._trust_tokens(cloud)
        self._sites = Sites(
            self._server, self._ports, self._options.prefixed, lambda: self.deployed, self._report.request
        )
        await self._sites.open(site)
        if self._options.state is not None:
            service = loaded.service
            running.note(self._options.state, self._server.url, service.name, service.stage, service.region)
        state = str(self._options.state or "in memory")
        covered = coverage(cloud, self.deployed.template)
        tell(self._ui, self._debugged)
        self._report.started(self.deployed, covered, self.addresses, state, time.perf_counter() - began)

    def _prepare_functions(self, loaded: LoadedService) -> None:
        """What functions get beside what the template says, and who hears of them."""
        functions = cast("Any", self._cloud().service("lambda"))
        functions.log_observers.append(self._report.function_wrote)
        functions.note_observers.append(self._report.note)
        hooks = functions.runtime.hooks
        options = self._options
        if options.debug:
            self._debugged = debugged(
                loaded.service, options.debug, options.debug_port, self._settings.python, self._report.note
            )
        hooks.debuggers = {each.function.name: each.debugger for each in self._debugged}
        hooks.local = local_variables(os.environ if self._options.local_environment else {})
        if self._options.idle is not None:
            hooks.idle = self._options.idle
        self._deployment.start_interpreters(loaded.service)

    def _trust_tokens(self, cloud: Cloud) -> None:
        """Of an HTTP API whose JWT authorizers were asked to believe what tokens say."""
        if self._options.trust_tokens and self.deployed.http_api is not None:
            cast("Any", cloud.service("apigatewayv2")).trust_tokens(self.deployed.http_api[0], True)
            self._report.note(
                "ignoreJWTSignature: every token is believed, whoever signed it; AWS checks the signature"
            )

    def _take_settings(self, loaded: LoadedService) -> None:
        """What serverless.yml says about this command, in the section of serverless-offline."""
        extensions = loaded.service.extensions
        if extensions is None:
            return
        before = self._options
        self._options = before.with_defaults(extensions.offline_options())
        if self._options.host != before.host:
            self._settings.host = self._options.host
            warn_open_host(Ui.stderr(), self._options.host)

    async def stop(self) -> None:
        if self._options.state is not None and self._deployed is not None:
            running.forget(self._options.state)
        for each in self._debugged:
            each.debugger.stop()
        if self._ports is not None:
            self._ports.close()
        if self._server is not None:
            await self._server.stop()

    def _open_ports(self) -> Ports:
        options = self._options
        ports = Ports(self._settings.host, options.ports, options.given, self._report.note)
        ports.check()
        return ports

    def _cloud(self) -> Cloud:
        """The cloud, opened when it is first needed: at the start, or by a variable that asks it."""
        if self._server is None:
            self._server = open_server(self._settings, self._options.ports["port"])
        return self._server.cloud

    def _load(self) -> LoadedService:
        with mistakes_told():
            loaded = self._deployment.load()
        if loaded.warnings and self._ui.json:
            for fact in warning_facts(loaded.warnings):
                self._ui.event("warning", **fact)
        else:
            warn(loaded.warnings)
        return loaded

    async def _deploy(self, loaded: LoadedService) -> Deployed:
        try:
            with mistakes_told():
                template = self._deployment.compile(loaded.service)
                plan = self._deployment.plan(loaded.service, template)
                return await self._deployment.execute(loaded, plan)
        except DeploymentFailed as error:
            raise UserError(
                f"the stack {error.stack} is {error.status}; nothing of the failed change was kept.",
                mistakes=error.mistakes,
            ) from None

    # -- changes of serverless.yml ------------------------------------------------------------------------------------

    async def follow_files(self) -> None:
        """Deploys again when a file of the configuration is saved; a mistake is told, and what runs goes on."""
        saves = self._saves
        while True:
            await saves.next()
            began, before = time.perf_counter(), self.deployed
            try:
                loaded = self._load()
                saves.follow(before.loaded.files | loaded.files)
                self._deployed = await self._deploy(loaded)
                self._trust_tokens(self._cloud())
                assert self._sites is not None
                await self._sites.follow()
            except UserError as error:
                self._tell(error)
                continue
            saves.follow(loaded.files)
            self._report.updated(before, self.deployed, self.addresses, time.perf_counter() - began)

    def _tell(self, error: UserError) -> None:
        if self._ui.json:
            self._ui.event("deploy-failed", **facts(error))
            return
        self._ui.flush()
        show(Ui.stderr(), error)
        self._ui.line("The service goes on as it was.")
