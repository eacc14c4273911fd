"""`pileus invoke local`: one run of a function on this machine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..early import early_interpreter, named_interpreter
from ..failure import UserError, mistakes_told, warn
from ..invocation import Given, chosen_place, event_options, function_of, tell_answer
from ..options import ServiceOptions, once, pairs, service_options
from ..ui import Ui

if TYPE_CHECKING:
    from ...cloud.interpreters import Started
    from ...cloud.kernel import Cloud
    from ...deploy.invoke import Answer
    from ...deploy.local import LocalDeployment
    from ...service import LoadedService

_FRAME = ("START RequestId: ", "END RequestId: ")


def _no_docker(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        raise UserError(
            "functions run without Docker: --docker and --docker-arg are not needed.",
            hint="leave them out; --env sets variables.",
        )


@click.command(name="invoke local", short_help="Run a function once on this machine.")
@click.option(
    "--function", "-f", required=True, metavar="NAME", help="The function, by its name in serverless.yml."
)
@event_options(short_context=True)
@click.option(
    "--env", "-e", "variables", multiple=True, callback=pairs, metavar="NAME=VALUE",
    help="An environment variable over the function's own. Repeatable.",
)  # fmt: skip
@once("--python", metavar="FILE", help="Interpreter for Python functions; the project's .venv by default.")
@click.option("--docker", is_flag=True, hidden=True, callback=_no_docker, expose_value=False)
@click.option("--docker-arg", "--docker-args", hidden=True, callback=_no_docker, expose_value=False)
@service_options
def command(
    service: ServiceOptions,
    function: str,
    data: str | None,
    path: str | None,
    raw: bool,
    event: str | None,
    context: str | None,
    context_path: str | None,
    variables: dict[str, str],
    python: str | None,
) -> None:
    """Run a function once on this machine and print what it returns, as JSON; its log goes to stderr.

    It runs as in Lambda, with its timeout, memory, role and variables, and IS_LOCAL=true. Its calls go to the cloud at
    AWS_ENDPOINT_URL, else to the 'pileus offline' that runs in this folder, else to a cloud in memory with all of this
    service, which ends with the run.

    Exit code 1: the function failed, and its error is what is printed.
    """
    started = early_interpreter(Path.cwd()) if python is None else None
    try:
        given = Given(data, path, raw, event, context, context_path)
        answer = _run(service, function, given, variables, python, started)
    finally:
        if started is not None:
            started.close()
    tell_answer(answer.payload, error=answer.error)


def _run(
    options: ServiceOptions,
    function: str,
    given: Given,
    variables: dict[str, str],
    python: str | None,
    started: Started | None,
) -> Answer:
    ui = Ui.stderr()
    where = chosen_place(options, ui)
    from ...deploy.invoke_local import Run, against, in_own_cloud
    from ..serving import settings_for

    settings = settings_for("127.0.0.1", None, ephemeral=True)
    settings.python, settings.started = named_interpreter(python), started
    log = Log(ui, verbose=options.verbose)
    event = given.payload(options.given.get("region", "us-east-1"))
    run = Run(function, event, variables, given.client_context())
    if where.endpoint:
        with mistakes_told():
            loaded = options.project(function=function).load(purpose="offline")
        if where.offline in (None, loaded.service.stage):
            _check(loaded, function)
            return _finished(against(loaded.service, where, settings, run, log.take))
    given_options = {**options.given, "function": function}

    def deployment(cloud: Callable[[], Cloud]) -> LocalDeployment:
        from ...deploy.local import LocalDeployment

        return LocalDeployment(
            cloud, Path.cwd(), options=given_options, params=options.params, config_name=options.config_name
        )

    def check(loaded: LoadedService) -> None:
        _check(loaded, function)

    return _finished(in_own_cloud(deployment, check, settings, run, log.take))


def _check(loaded: LoadedService, function: str) -> None:
    warn(loaded.warnings)
    function_of(loaded.service, function)


def _finished(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What becomes of the run; Ctrl-C ends it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from ...cloud.kernel import AwsError
    from ...deploy.stack import DeploymentFailed
    from ..serving import serve

    try:
        with mistakes_told():
            return serve(work)
    except DeploymentFailed as error:
        raise UserError(f"the stack {error.stack} is {error.status}.", mistakes=error.mistakes) from None
    except (AwsError, BotoCoreError, ClientError) as error:
        raise UserError(f"the function can't be run: {error}.") from None


class Log:
    """Prints what the function writes; of Lambda's own lines the report, and all of them with --verbose."""

    def __init__(self, ui: Ui, *, verbose: bool) -> None:
        self._ui, self._verbose = ui, verbose

    def take(self, lines: list[tuple[int, str]]) -> None:
        for _, line in lines:
            if self._verbose or not line.startswith(_FRAME):
                self._ui.line(line.rstrip())
