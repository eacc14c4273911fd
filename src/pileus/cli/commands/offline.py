"""`pileus offline`: the whole service on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...plugins import offline_settings
from ..early import early_interpreter
from ..failure import UserError
from ..options import ServiceOptions, check_port, once, service_options_but_debug
from ..ui import Ui

#: Options of serverless-offline that have no place here, with what to do instead.
ELSEWHERE = {f"--{name}": why for name, why in offline_settings.ELSEWHERE.items()}
#: Those that change nothing that a client or a function sees: told, and it goes on.
HARMLESS = {f"--{name}": why for name, why in offline_settings.HARMLESS.items()}
_SHORT = {"--httpsProtocol": "-H", "--noTimeout": "-t", "--prefix": "-p"}


def _port(*names: str, default: int, shows: str) -> Callable[[Any], Any]:
    return click.option(
        *names, callback=check_port, metavar="PORT", default=default, show_default=True, help=shows
    )


def _not_here(name: str, why: str, *, harmless: bool) -> Callable[[Any], Any]:
    def answer(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is None:
            return
        if not harmless:
            raise UserError(f"{name} is an option of serverless-offline that Pileus does not have.", hint=why)
        said = f"{name} has no effect: {why}"
        if "--json" in sys.argv:
            Ui.stdout(json=True).event("warning", message=said)
        else:
            Ui.stderr().warning(said)

    short = (_SHORT[name],) if name in _SHORT else ()
    return click.option(name, *short, name.lstrip("-").lower(), hidden=True, is_flag=False, flag_value="",
                        default=None, callback=answer, expose_value=False)  # fmt: skip


@click.command(name="offline", short_help="Run the whole serverless.yml on this machine.")
@click.argument("start", required=False, type=click.Choice(["start"]), metavar="[start]")
@click.option("--host", "-o", default="127.0.0.1", show_default=True, help="Address to listen on.")
@_port("--http-port", "--httpPort", default=3000, shows="Port of the REST and HTTP APIs; 0 takes a free one.")
@_port("--port", default=4566, shows="Port of the AWS endpoint; 0 takes a free one.")
@_port("--websocket-port", "--websocketPort", default=3001, shows="Port of the WebSocket API.")
@_port("--lambda-port", "--lambdaPort", default=3002, shows="A further port of the Lambda API.")
@_port("--alb-port", "--albPort", default=3003, shows="Port of the load balancer.")
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
    help="Serve the REST API without /{stage}.",
)
@click.option(
    "--debug",
    multiple=True,
    is_flag=False,
    flag_value="*",
    metavar="[FUNCTION]",
    help="Let a debugger attach to this function, or to all. Repeatable.",
)
@click.option(
    "--debug-port",
    type=click.IntRange(0, 65_000),
    metavar="PORT",
    help="Where debuggers attach to the first function, the next one's is one higher; 5678 (Python) and 9229 "
    "(Node.js) by default, 0 takes free ones.",
)
@once("--exec", "execute", metavar="COMMAND", help="Run this once all is ready, and end with its exit code.")
@click.option(
    "--local-environment",
    "--localEnvironment",
    "local_environment",
    is_flag=True,
    help="Let functions see the variables of this shell, too (AWS does not).",
)
@click.option(
    "--terminate-idle-lambda-time",
    "--terminateIdleLambdaTime",
    "idle",
    type=click.FloatRange(1),
    metavar="SECONDS",
    help="When an idle environment ends; 600 by default.",
)
@click.option(
    "--ignore-jwt-signature",
    "--ignoreJWTSignature",
    "trust_tokens",
    is_flag=True,
    help="Let JWT authorizers believe tokens whoever signed them (AWS checks).",
)
@click.option("--reloadHandler", "--reload-handler", "reload_handler", is_flag=True, hidden=True)
@click.option("--disableCookieValidation", "cookies", is_flag=True, hidden=True, expose_value=False)
@click.option("--noSponsor", "sponsor", is_flag=True, hidden=True, expose_value=False)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
@service_options_but_debug
def command(
    service: ServiceOptions,
    start: str | None,
    host: str,
    state: Path | None,
    ephemeral: bool,
    python: str | None,
    bare: bool,
    debug: tuple[str, ...],
    debug_port: int | None,
    execute: str | None,
    local_environment: bool,
    idle: float | None,
    trust_tokens: bool,
    reload_handler: bool,
    as_json: bool,
    **ports: int,
) -> None:
    """Run the whole serverless.yml on this machine: API, functions, tables, buckets, queues, events, schedules, mail.

    Code is mounted: a saved handler is what the next request runs. Ctrl-C stops; the state stays in .pileus.
    """
    folder = Path.cwd()
    started = early_interpreter(folder) if python is None else None  # before anything else is imported
    from ..execute import words_of
    from ..offline import OfflineOptions, run
    from ..serving import serve

    settings = OfflineOptions(
        folder=folder,
        service=service,
        host=host,
        ports=ports,
        state=None if ephemeral else (state or folder / ".pileus"),
        python=python,
        prefixed=not bare,
        given=_given("host", "bare", "idle", "local_environment", "trust_tokens", *ports),
        execute=words_of(execute) if execute is not None else (),
        debug=tuple("*" if name == "start" else name for name in debug),
        debug_port=debug_port,
        idle=idle,
        local_environment=local_environment,
        trust_tokens=trust_tokens,
        started=started,
    )
    try:
        code = serve(run(settings, Ui.stdout(json=as_json)))
    finally:
        if started is not None:
            started.close()
    if code:
        sys.exit(code)


def _given(*names: str) -> frozenset[str]:
    """Those of the options that stand on the command line: settings in serverless.yml don't override them."""
    written = click.core.ParameterSource.COMMANDLINE
    source = click.get_current_context().get_parameter_source
    return frozenset(name for name in names if source(name) is written)


for _name, _why in ELSEWHERE.items():
    command = _not_here(_name, _why, harmless=False)(command)
for _name, _why in HARMLESS.items():
    command = _not_here(_name, _why, harmless=True)(command)
