"""What `pileus offline` does: start the cloud, deploy the folder into it, serve, and follow the files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..cloud.gateway.app import SiteApp
from ..cloud.kernel import AwsError
from ..cloud.server import CloudServer, bind
from ..deploy.local import Deployed, LocalDeployment
from ..deploy.stack import DeploymentFailed
from ..deploy.summary import coverage, functions_without_events, routes, sources
from ..service import ConfigErrors, render
from .failure import UserError
from .serving import settings_for, until_stopped, warn_open_host
from .ui import Ui

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..cloud.kernel.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class OfflineOptions:
    """state: None keeps it in memory. prefixed: whether URLs begin with the stage."""

    folder: Path
    options: Mapping[str, str]
    params: Mapping[str, str]
    config_name: str | None
    host: str
    http_port: int
    port: int
    state: Path | None
    python: str | None
    prefixed: bool


async def run(options: OfflineOptions, ui: Ui) -> None:
    started = time.perf_counter()
    warn_open_host(Ui.stderr(), options.host)
    settings = settings_for(options.host, options.state, options.state is None)
    settings.python = options.python
    site_socket = bind(settings.host, options.http_port)
    try:
        server = CloudServer(settings, options.port)
    except BaseException:
        site_socket.close()
        raise
    deployment = LocalDeployment(
        server.cloud,
        options.folder,
        options=options.options,
        params=options.params,
        config_name=options.config_name,
    )
    offline = Offline(server.cloud, deployment, options, ui)
    try:
        loaded = offline.load()
        await server.start()
        offline.follow_functions()
        await offline.deploy(loaded)
        app = SiteApp(server.cloud, offline.target, prefixed=options.prefixed, observer=offline.request_done)
        site = await server.serve_site(app, site_socket)
        offline.report(server.url, site.port, time.perf_counter() - started)
        ui.gather(asyncio.get_running_loop().call_later)
        watcher = asyncio.create_task(offline.follow_files())
        await until_stopped()
        watcher.cancel()
        ui.line("Stopping …")
    finally:
        ui.flush()
        site_socket.close()
        await server.stop()
        ui.flush()


class Offline:
    """One run: the deployed service, and what is printed about it."""

    def __init__(self, cloud: Cloud, deployment: LocalDeployment, options: OfflineOptions, ui: Ui) -> None:
        self._cloud = cloud
        self._deployment = deployment
        self._options = options
        self._ui = ui
        self._deployed: Deployed | None = None

    @property
    def deployed(self) -> Deployed:
        assert self._deployed is not None
        return self._deployed

    def target(self) -> tuple[str, str]:
        """The API that the service's HTTP port serves now."""
        return self.deployed.api or ("", "")

    def load(self) -> Any:
        try:
            loaded = self._deployment.load()
        except ConfigErrors as error:
            raise UserError(str(error), detail=error.render(Path.cwd())) from None
        if loaded.warnings and not self._ui.json:
            self._ui.line(render(loaded.warnings, Path.cwd(), kind="warning"))
            self._ui.line()
        return loaded

    async def deploy(self, loaded: Any) -> None:
        try:
            template = self._deployment.compile(loaded.service)
            plan = self._deployment.plan(loaded.service, template)
            self._deployed = await self._deployment.execute(loaded, plan)
        except ConfigErrors as error:
            raise UserError(str(error), detail=error.render(Path.cwd())) from None
        except DeploymentFailed as error:
            reasons = [f"  {logical} ({kind}): {reason}" for logical, kind, reason in error.reasons[:5]]
            raise UserError(
                f"the stack {error.stack} could not be created ({error.status}).",
                detail="\n".join([f"error: the stack {error.stack} is {error.status}:", *reasons]),
                hint="correct the resource in serverless.yml; nothing of the failed change was kept.",
            ) from None
        except AwsError as error:
            raise UserError(
                error.message or error.code,
                hint="remove it from serverless.yml, or see docs/coverage.md for what there is.",
            ) from None

    # -- reports ----------------------------------------------------------------------------------------------------

    def report(self, endpoint: str, http_port: int, seconds: float) -> None:
        ui, deployed = self._ui, self.deployed
        service = deployed.service
        host = "127.0.0.1" if self._options.host in ("0.0.0.0", "localhost") else self._options.host
        site = f"http://{host}:{http_port}" + (
            f"/{deployed.api[1]}" if deployed.api and self._options.prefixed else ""
        )
        ui.line(f"{ui.style(service.name, 'bold')}  stage {service.stage}, region {service.region}")
        self._report_routes(site)
        self._report_sources()
        self._report_resources()
        ui.line()
        ui.line(f"  AWS endpoint  {endpoint}   (AWS_ENDPOINT_URL; key and secret: test)")
        ui.line(f"  State         {self._options.state or 'in memory'}")
        ui.line()
        ready = site if deployed.api else endpoint
        ui.line(f"Server ready: {ready}" + ui.style(f"  ({seconds:.2f} s)", "dim"))
        ui.event(
            "ready",
            url=ready,
            endpoint=endpoint,
            service=service.name,
            stage=service.stage,
            region=service.region,
            seconds=round(seconds, 3),
            outputs=dict(deployed.outputs),
        )

    def _report_routes(self, site: str) -> None:
        found = routes(self.deployed.service)
        if not found:
            return
        self._ui.line()
        self._ui.line("Routes")
        self._ui.table(
            [
                [route.method, f"{site}/{route.path}", route.function, ", ".join(route.notes)]
                for route in found
            ]
        )
        for route in found:
            self._ui.event("route", method=route.method, path=route.path, function=route.function)

    def _report_sources(self) -> None:
        found = sources(self.deployed.service)
        if found:
            self._ui.line()
            self._ui.line("Events")
            self._ui.table([[source.kind, source.what, source.function] for source in found])
        for source in found:
            self._ui.event("source", type=source.kind, what=source.what, function=source.function)
        rest = functions_without_events(self.deployed.service)
        if rest:
            self._ui.line()
            self._ui.line(f"Functions without events: {', '.join(function.key for function in rest)}")

    def _report_resources(self) -> None:
        ui = self._ui
        found = coverage(self._cloud, self.deployed.template)
        ui.line()
        ui.line("Resources")
        ui.table([[str(count), kind] for kind, count in sorted(found.types.items())])
        stored = (
            f", {len(found.stored)} properties stored only: {', '.join(found.stored)}" if found.stored else ""
        )
        ui.line(f"  {found.resources} resources, all emulated{stored}; none refused")
        ui.event(
            "coverage",
            resources=found.resources,
            types=dict(found.types),
            stored=list(found.stored),
            refused=[],
        )

    def request_done(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        ui = self._ui
        if ui.json:
            ui.event("request", method=request.method, path=request.path, status=response.status,
                     milliseconds=round(seconds * 1000, 2))  # fmt: skip
            return
        colour = "green" if response.status < 400 else "yellow" if response.status < 500 else "red"
        ui.line(f"{request.method} {request.path} → {ui.style(str(response.status), colour)}"
                + ui.style(f"  {seconds * 1000:.1f} ms", "dim"))  # fmt: skip

    def follow_functions(self) -> None:
        """Shows what functions write, as it comes."""
        functions = cast("Any", self._cloud.service("lambda"))
        functions.log_observers.append(self._function_wrote)
        functions.note_observers.append(lambda text: self._ui.line(f"note: {text}"))

    def _function_wrote(self, spec: Any, stream: str, lines: list[tuple[int, str]]) -> None:
        for moment, line in lines:
            if self._ui.json:
                self._ui.event("log", function=spec.name, stream=stream, time=moment, message=line)
            else:
                self._ui.line(f"{self._ui.style(spec.name, 'cyan')} | {line.rstrip()}")

    # -- changes of serverless.yml ------------------------------------------------------------------------------------

    async def follow_files(self) -> None:
        """Deploys again when a file of the configuration is saved; a mistake is told, and what runs goes on."""
        from watchfiles import awatch

        while True:
            files = {path.resolve() for path in self.deployed.loaded.files}
            folders = {str(path.parent) for path in files if path.parent.is_dir()}
            async for changes in awatch(*folders, recursive=False, debounce=50, step=20):
                if any(Path(path).resolve() in files for _, path in changes):
                    break
            await self._deploy_again()

    async def _deploy_again(self) -> None:
        began = time.perf_counter()
        try:
            await self.deploy(self.load())
        except UserError as error:
            errors = Ui.stderr()
            errors.line(error.detail or error.message)
            if error.hint:
                errors.hint(error.hint)
            self._ui.event("deploy-failed", message=error.message)
            self._ui.line("The service goes on as it was.")
            return
        seconds = time.perf_counter() - began
        self._ui.line(f"Configuration changed: stack updated in {seconds:.2f} s")
        self._ui.event("deployed", seconds=round(seconds, 3))
