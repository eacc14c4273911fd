"""`pileus invoke`: calls a deployed function."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..failure import UserError, mistakes_told, warn
from ..invocation import FAILED, Given, chosen_place, event_options, function_of, tell_answer
from ..options import ServiceOptions, once, service_options
from ..ui import Ui

if TYPE_CHECKING:
    from ...deploy.invoke import Answer

_RULE = "-" * 68


@click.command(name="invoke", short_help="Call a deployed function, in AWS or in the embedded cloud.")
@click.option(
    "--function", "-f", required=True, metavar="NAME", help="The function, by its name in serverless.yml."
)
@once("--qualifier", "-q", metavar="TEXT", help="Version or alias.")
@click.option(
    "--type",
    "-t",
    "kind",
    type=click.Choice(["RequestResponse", "Event", "DryRun"]),
    default="RequestResponse",
    show_default=True,
    help="Wait for the answer, leave the event, or only check that it could be called.",
)
@click.option("--log", "-l", is_flag=True, help="Print the end of the log, too.")
@event_options(short_context=False)
@service_options
def command(
    service: ServiceOptions,
    function: str,
    qualifier: str | None,
    kind: str,
    log: bool,
    data: str | None,
    path: str | None,
    raw: bool,
    event: str | None,
    context: str | None,
    context_path: str | None,
) -> None:
    """Call a deployed function and print what it answers, as JSON.

    It is called at AWS_ENDPOINT_URL where that is set, else in the 'pileus offline' that runs in this folder (with the
    stage that --stage asks for), else in AWS. --aws-profile means AWS.

    Exit code 1: the function failed, and its error is what is printed; or it could not be called.
    """
    given = Given(data, path, raw, event, context, context_path)
    where = chosen_place(service, Ui.stderr())
    with mistakes_told():
        loaded = service.project(function=function).load()
    warn(loaded.warnings)
    name = function_of(loaded.service, function).name
    payload, client_context = given.payload(loaded.service.region), given.client_context()
    from botocore.exceptions import BotoCoreError, ClientError

    from ...deploy.invoke import Place, client, invoke

    if where.offline not in (None, loaded.service.stage):
        where = Place()
    profile = service.profile or loaded.service.setting("profile")
    try:
        lambda_client = client("lambda", where, loaded.service.region, None if where.endpoint else profile)
        answer = invoke(
            lambda_client, name, payload, kind=kind, qualifier=qualifier, log=log, context=client_context
        )
    except ClientError as error:
        _refused(error.response["Error"], name, where.endpoint)
    except BotoCoreError as error:
        raise UserError(
            f"{error}.",
            hint="start 'pileus offline' here, name a cloud by AWS_ENDPOINT_URL, or give AWS credentials.",
        ) from None
    _tell(answer, kind, log)


def _refused(error: dict[str, str], name: str, endpoint: str | None) -> None:
    ui = Ui.stderr()
    ui.error(f"{name} can't be called: {error.get('Message') or error.get('Code')} ({error.get('Code')})")
    if error.get("Code") == "ResourceNotFoundException":
        ui.hint(
            f"it is not deployed {f'at {endpoint}' if endpoint else 'in AWS'}; 'pileus invoke local' runs it here."
        )
    sys.exit(FAILED)


def _tell(answer: Answer, kind: str, log: bool) -> None:
    if log and answer.log:
        Ui.stderr().lines([_RULE, answer.log.rstrip("\n"), _RULE])
    if kind != "RequestResponse":
        Ui.stderr().line("The event was taken." if kind == "Event" else "It could be called.")
        return
    tell_answer(answer.payload, error=answer.error)
