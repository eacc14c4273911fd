"""`pileus info`: what the service has, and what of it is deployed."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from ..failure import UserError, mistakes_told, warn
from ..options import ServiceOptions, service_options
from ..ui import Ui

if TYPE_CHECKING:
    from ...deploy.info import Information
    from ...service import Service

FAILED = 1


@click.command(name="info", short_help="Tell what the service has, and what of it is deployed.")
@click.option("--conceal", is_flag=True, help="Hide the values of API keys.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@service_options
def command(service: ServiceOptions, conceal: bool, as_json: bool) -> None:
    """Tell the service's endpoints, functions and layers; --verbose adds the outputs of its stack.

    With AWS credentials the stack is asked (AWS_ENDPOINT_URL names another cloud than AWS), and exit code 1 says that it
    is not deployed. Without credentials the addresses have {api-id} in the place of what a deployment gives.
    """
    project = service.project()
    with mistakes_told():
        loaded = project.load()
    warn(loaded.warnings)
    found, problem = _asked(loaded.service, service.profile)
    if conceal:
        found = replace(found, api_keys=dict.fromkeys(found.api_keys, ""))
    ui = Ui.stdout(json=as_json)
    ui.event("info", **asdict(found), **({"error": problem} if problem else {}))
    _tell(ui, found, verbose=service.verbose)
    if problem:
        Ui.stderr().error(problem)
        sys.exit(FAILED)


def _asked(service: Service, profile: str | None) -> tuple[Information, str]:
    """What there is to tell, and why it is not what a deployment has."""
    from ...deploy.info import deployed, information

    profile = profile or service.setting("profile")
    session = _session(profile)
    if session is None:
        return information(service), ""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = deployed(service, session)
    except (BotoCoreError, ClientError) as error:
        return information(service), f"the stack can't be asked: {error}"
    if found.status == "not deployed":
        return found, f"the stack {found.stack} does not exist in {found.region}."
    return found, ""


def _session(profile: str | None) -> Any:
    """Botocore's session, None where there are no credentials."""
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        session = botocore.session.Session(profile=profile)
        return session if session.get_credentials() is not None else None
    except BotoCoreError as error:
        raise UserError(f"{error}.", hint="--aws-profile names a profile of ~/.aws/config.") from None


def _tell(ui: Ui, found: Information, *, verbose: bool) -> None:
    status = found.status or "not asked: no AWS credentials"
    ui.table(
        [
            ["service:", found.service],
            ["stage:", found.stage],
            ["region:", found.region],
            ["stack:", f"{found.stack} ({status})"],
        ],
        indent=0,
    )
    lists = {
        "api keys": [f"{name}: {value}" if value else name for name, value in found.api_keys.items()],
        "endpoints": [f"{kind} - {address}" for kind, address in found.endpoints],
        "functions": [f"{key}: {name}" for key, name in found.functions.items()],
        "layers": [f"{key}: {arn}" for key, arn in found.layers.items()],
    }
    if verbose:
        lists["stack outputs"] = [f"{key}: {value}" for key, value in found.outputs.items()]
    for title, entries in lists.items():
        if entries:
            ui.line(f"{title}:")
            for entry in entries:
                ui.line(f"  {entry}")
