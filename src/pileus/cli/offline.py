"""What `pileus offline` does: deploy the folder into a cloud of its own, serve, and follow the files."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..cloud.gateway.app import SiteApp
from ..cloud.server import CloudServer, bind
from ..deploy.aws_only import aws_only
from ..deploy.local import Deployed, LocalDeployment
from ..deploy.saves import Saves
from ..deploy.stack import DeploymentFailed
from ..deploy.summary import coverage
from ..service import LoadedService
from .early import named_interpreter
from .failure import UserError, facts, mistakes_told, show, warn, warning_facts
from .options import ServiceOptions
from .report import Report
from .serving import listening, open_server, settings_for, until_stopped, warn_open_host
from .ui import Ui

if TYPE_CHECKING:
    from ..cloud.interpreters import Started
    from ..cloud.kernel import Cloud


@dataclass(frozen=True, slots=True)
class OfflineOptions:
    """state: None keeps it in memory. prefixed: whether URLs begin with the stage. given: those of `host`, `http_port`
    and `bare` that the command line sets. started: an interpreter for functions that comes up meanwhile."""

    folder: Path
    service: ServiceOptions
    host: str
    http_port: int
    port: int
    state: Path | None
    python: str | None
    prefixed: bool
    given: frozenset[str] = frozenset()
    started: Started | None = None

    def with_defaults(self, settings: Mapping[str, Any]) -> OfflineOptions:
        """With the settings of serverless.yml where the command line says nothing."""
        own = {name: value for name, value in settings.items() if name not in self.given}
        return replace(
            self,
            host=own.get("host", self.host),
            http_port=own.get("http_port", self.http_port),
            prefixed=not own["bare"] if "bare" in own else self.prefixed,
        )


async def run(options: OfflineOptions, ui: Ui) -> None:
    offline = Offline(options, ui)
    try:
        await offline.start()
        ui.gather(asyncio.get_running_loop().call_later)
        following = asyncio.create_task(offline.follow_files())
        await until_stopped()
        following.cancel()
        ui.line("Stopping …")
        ui.flush()
    finally:
        await offline.stop()
        ui.flush()


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
        self._socket: socket.socket | None = None
        self._deployed: Deployed | None = None
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

    async def start(self) -> None:
        """Until all of it answers. Mistakes in the files are told before a port or the state is touched."""
        began = time.perf_counter()
        warn_open_host(Ui.stderr(), self._options.host)
        loaded = self._load()
        self._take_settings(loaded)
        self._saves = Saves(loaded.files)
        self._socket = self._bind()
        cloud = self._cloud()
        assert self._server is not None
        await self._server.start()
        functions = cast("Any", cloud.service("lambda"))
        functions.log_observers.append(self._report.function_wrote)
        functions.note_observers.append(self._report.note)
        self._deployment.start_interpreters(loaded.service)
        for setting in aws_only(loaded.service):
            self._report.note(f"{setting} takes effect in AWS only")
        self._deployed = await self._deploy(loaded)
        app = SiteApp(cloud, self._target, prefixed=self._options.prefixed, observer=self._report.request)
        site = await self._server.serve_site(app.answer, self._socket)
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(
            self._settings.host, self._settings.host
        )
        url = f"http://{host}:{site.port}" + self._prefix()
        state = str(self._options.state or "in memory")
        covered = coverage(cloud, self.deployed.template)
        self._report.started(
            self.deployed, covered, url, self._server.url, state, time.perf_counter() - began
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
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            await self._server.stop()

    def _bind(self) -> socket.socket:
        options = self._options
        if options.http_port and options.http_port == options.port:
            raise UserError(
                f"--http-port and --port are both {options.port}.",
                hint="give the API and the AWS endpoint their own.",
            )
        with listening("--http-port", self._settings.host, options.http_port):
            return bind(self._settings.host, options.http_port)

    def _cloud(self) -> Cloud:
        """The cloud, opened when it is first needed: at the start, or by a variable that asks it."""
        if self._server is None:
            self._server = open_server(self._settings, self._options.port)
        return self._server.cloud

    def _prefix(self) -> str:
        api = self.deployed.api
        return f"/{api[1]}" if api and self._options.prefixed else ""

    def _target(self) -> tuple[str, str] | None:
        """The API that the service's HTTP port serves now; a save may bring one, or take it."""
        return self.deployed.api

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
            except UserError as error:
                self._tell(error)
                continue
            saves.follow(loaded.files)
            self._report.updated(before, self.deployed, time.perf_counter() - began)

    def _tell(self, error: UserError) -> None:
        if self._ui.json:
            self._ui.event("deploy-failed", **facts(error))
            return
        self._ui.flush()
        show(Ui.stderr(), error)
        self._ui.line("The service goes on as it was.")
