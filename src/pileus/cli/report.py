"""What `pileus offline` prints about a service: what there is at the start, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..deploy.local import Deployed
from ..deploy.summary import Coverage, Route, functions_without_events, routes, sources

if TYPE_CHECKING:
    from ..cloud.kernel.http import HttpRequest, HttpResponse
    from .addresses import Addresses
    from .ui import Ui


class Report:
    """Prints for people, or as events for machines: `ui` decides."""

    def __init__(self, ui: Ui) -> None:
        self._ui = ui

    def started(
        self, deployed: Deployed, covered: Coverage, addresses: Addresses, state: str, seconds: float
    ) -> None:
        ui, service = self._ui, deployed.service
        ui.line(f"{ui.style(service.name, 'bold')}  stage {service.stage}, region {service.region}")
        self._routes(deployed, addresses)
        self._sources(deployed)
        self._resources(covered)
        ui.line()
        ui.line(f"  AWS endpoint  {addresses.endpoint}   (AWS_ENDPOINT_URL; key and secret: test)")
        if addresses.lambda_url:
            ui.line(f"  Lambda API    {addresses.lambda_url}")
        ui.line(f"  State         {state}")
        ui.line()
        ready = addresses.main
        ui.line(f"Server ready: {ready}" + ui.style(f"  ({seconds:.2f} s)", "dim"))
        ui.event(
            "ready",
            url=ready,
            endpoint=addresses.endpoint,
            rest=addresses.rest if addresses.has_rest else None,
            http_api=addresses.site if addresses.has_http else None,
            websocket=addresses.websocket,
            lambda_api=addresses.lambda_url,
            load_balancer=addresses.alb,
            service=service.name,
            stage=service.stage,
            region=service.region,
            seconds=round(seconds, 3),
            outputs=dict(deployed.outputs),
        )

    def _routes(self, deployed: Deployed, addresses: Addresses) -> None:
        """One table for each kind of API that there is, under its address."""
        ui, found = self._ui, routes(deployed.service, deployed.outputs)
        titles = {
            "http": ("Routes", addresses.rest),
            "httpApi": ("HTTP API", addresses.site),
            "websocket": ("WebSocket", addresses.websocket or "not served"),
            "alb": ("Load balancer", addresses.alb or "not served"),
            "url": ("Function URLs", ""),
        }
        if not found:
            ui.line()
            ui.line("No API: no function has an http, httpApi, websocket or alb event.")
        for api, (title, address) in titles.items():
            of_api = [route for route in found if route.api == api]
            if of_api:
                ui.line()
                ui.line(f"{title}  {address}".rstrip())
                ui.table([_row(route) for route in of_api])
        for route in found:
            ui.event("route", method=route.method, path=route.path, function=route.function, api=route.api)

    def _sources(self, deployed: Deployed) -> None:
        ui, found = self._ui, sources(deployed.service)
        if found:
            ui.line()
            ui.line("Events")
            ui.table([[source.kind, source.what, source.function] for source in found])
        for source in found:
            ui.event("source", type=source.kind, what=source.what, function=source.function)
        rest = functions_without_events(deployed.service)
        if rest:
            ui.line()
            ui.paragraphs([("Functions without events", ", ".join(each.key for each in rest))], indent=0)

    def _resources(self, covered: Coverage) -> None:
        ui = self._ui
        services: dict[str, list[str]] = {}
        for kind, count in sorted(covered.types.items()):
            service, _, name = kind.removeprefix("AWS::").rpartition("::")
            services.setdefault(service, []).append(f"{count} {name}" if count > 1 else name)
        ui.line()
        ui.line(f"Resources  {covered.resources}, all emulated")
        ui.paragraphs([(service, ", ".join(names)) for service, names in services.items()])
        if covered.stored:
            ui.paragraphs([("Kept without effect here", ", ".join(covered.stored))])
        ui.event(
            "coverage",
            resources=covered.resources,
            types=dict(covered.types),
            stored=list(covered.stored),
            refused=[],
        )

    def updated(self, before: Deployed, after: Deployed, addresses: Addresses, seconds: float) -> None:
        ui = self._ui
        if after.changed:
            ui.line(f"Configuration changed: stack updated in {seconds:.2f} s")
        else:
            ui.line("Configuration saved: nothing to change")
        if after.websocket is not None and before.websocket is None and addresses.websocket:
            ui.line(f"WebSocket  {addresses.websocket}")
        old, new = routes(before.service, before.outputs), routes(after.service, after.outputs)
        kept = {(route.api, route.method, route.path) for route in new}
        gone = [route for route in old if (route.api, route.method, route.path) not in kept]
        ui.table([["+", *_row(route)] for route in new if route not in old])
        ui.table([["-", *_row(route)] for route in gone])
        if gone and after.api is not None:
            ui.line("  (a removed route answers until the next deployment, as in AWS)")
        ui.event("deployed", seconds=round(seconds, 3), changed=after.changed)

    def request(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        ui = self._ui
        if ui.json:
            ui.event("request", method=request.method, path=request.path, status=response.status,
                     milliseconds=round(seconds * 1000, 2))  # fmt: skip
            return
        status, duration = str(response.status), f"  {seconds * 1000:.1f} ms"
        if ui.colour:
            colour = "green" if response.status < 400 else "yellow" if response.status < 500 else "red"
            status, duration = ui.style(status, colour), ui.style(duration, "dim")
        ui.line(f"{request.method} {request.path} → {status}{duration}")

    def function_wrote(self, spec: Any, stream: str, lines: list[tuple[int, str]]) -> None:
        ui = self._ui
        if ui.json:
            for moment, line in lines:
                ui.event("log", function=spec.name, stream=stream, time=moment, message=line)
            return
        name = ui.style(spec.name, "cyan")
        ui.lines([f"{name} | {line.rstrip()}" for _, line in lines])

    def note(self, text: str) -> None:
        self._ui.line(f"note: {text}")
        self._ui.event("note", message=text)


def _row(route: Route) -> list[str]:
    notes = ", ".join(route.notes)
    if route.api == "websocket":
        return [route.path, route.function, notes]
    path = route.path if route.api == "url" or route.path.startswith("*") else f"/{route.path}"
    return [route.method, path, route.function, notes]
