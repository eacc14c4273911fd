"""`pileus offline`: the whole service on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...plugins.offline_settings import ELSEWHERE as SETTINGS_ELSEWHERE
from ..early import early_interpreter
from ..failure import UserError
from ..options import ServiceOptions, check_port, service_options
from ..ui import Ui

#: Options of serverless-offline that have no place here, with what to do instead.
ELSEWHERE = {f"--{name}": why for name, why in SETTINGS_ELSEWHERE.items()}


def _elsewhere(name: str, why: str) -> Callable[[Any], Any]:
    def refuse(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            raise UserError(f"{name} is an option of serverless-offline that Pileus does not have.", hint=why)

    return click.option(name, name.lstrip("-").lower(), hidden=True, is_flag=False, flag_value="", default=None,
                        callback=refuse, expose_value=False)  # fmt: skip


@click.command(name="offline", short_help="Run the whole serverless.yml on this machine.")
@click.argument("start", required=False, type=click.Choice(["start"]), metavar="[start]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--http-port",
    "--httpPort",
    callback=check_port,
    metavar="PORT",
    default=3000,
    show_default=True,
    help="Port of the service's HTTP API; 0 takes a free one.",
)
@click.option(
    "--port",
    callback=check_port,
    metavar="PORT",
    default=4566,
    show_default=True,
    help="Port of the AWS endpoint; 0 takes a free one.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the durable state; .pileus beside serverless.yml by default.",
)
@click.option("--ephemeral", is_flag=True, help="Keep the state in memory only.")
@click.option("--python", "python", help="Interpreter for Python functions; the project's .venv by default.")
@click.option(
    "--no-prepend-stage-in-url",
    "--noPrependStageInUrl",
    "bare",
    is_flag=True,
    help="Serve the API without /{stage}.",
)
@click.option("--reloadHandler", "--reload-handler", "reload_handler", is_flag=True, hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
@service_options
def command(
    service: ServiceOptions,
    start: str | None,
    host: str,
    http_port: int,
    port: int,
    state: Path | None,
    ephemeral: bool,
    python: str | None,
    bare: bool,
    reload_handler: bool,
    as_json: bool,
) -> None:
    """Run the whole serverless.yml on this machine: API, functions, tables, buckets, queues, events, schedules, mail.

    Code is mounted: a saved handler is what the next request runs. Ctrl-C stops; the state stays in .pileus.
    """
    folder = Path.cwd()
    started = early_interpreter(folder) if python is None else None  # before anything else is imported
    from ..offline import OfflineOptions, run
    from ..serving import serve

    settings = OfflineOptions(
        folder=folder,
        service=service,
        host=host,
        http_port=http_port,
        port=port,
        state=None if ephemeral else (state or folder / ".pileus"),
        python=python,
        prefixed=not bare,
        given=_given("host", "http_port", "bare"),
        started=started,
    )
    try:
        serve(run(settings, Ui.stdout(json=as_json)))
    finally:
        if started is not None:
            started.close()


def _given(*names: str) -> frozenset[str]:
    """Those of the options that stand on the command line: settings in serverless.yml don't override them."""
    written = click.core.ParameterSource.COMMANDLINE
    source = click.get_current_context().get_parameter_source
    return frozenset(name for name in names if source(name) is written)


for _name, _why in ELSEWHERE.items():
    command = _elsewhere(_name, _why)(command)
