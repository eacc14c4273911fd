"""`pileus cloud`: the embedded cloud alone and empty."""

from __future__ import annotations

from pathlib import Path

import click

from ..options import check_iam, check_port
from ..ui import Ui


@click.command(name="cloud", short_help="Run the embedded cloud alone, for any AWS client.")
@click.option(
    "--port",
    callback=check_port,
    metavar="PORT",
    default=4566,
    show_default=True,
    help="Port of the AWS endpoint; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".pileus"),
    show_default=True,
    help="Folder of the durable state.",
)
@click.option("--ephemeral", is_flag=True, help="Keep the state in memory only.")
@click.option(
    "--iam",
    type=click.Choice(["enforce", "warn", "off"]),
    default="off",
    show_default=True,
    callback=check_iam,
    help="How policies are applied. Only 'off' so far: signatures are checked, policies are stored.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
def command(port: int, host: str, state: Path, ephemeral: bool, iam: str, as_json: bool) -> None:
    """Run the embedded cloud alone and empty, for boto3, the AWS CLI, SDKs and Terraform.

    Ctrl-C stops it. What was answered with success is in the state folder, also after a crash.
    """
    from ..serving import serve, warn_open_host

    ui = Ui.stdout(json=as_json)
    warn_open_host(Ui.stderr(), host)
    serve(_run(ui, port, host, state, ephemeral))


async def _run(ui: Ui, port: int, host: str, state: Path, ephemeral: bool) -> None:
    from ..serving import open_server, settings_for, until_stopped

    async with open_server(settings_for(host, state, ephemeral), port) as server:
        kept = "in memory" if ephemeral else str(state)
        ui.line(f"Pileus cloud: account {server.cloud.settings.account}, state {kept}")
        ui.line()
        ui.line(f"  export AWS_ENDPOINT_URL={server.url}")
        ui.line("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1")
        ui.line()
        ui.line(f"Server ready: {server.url}")
        ui.event("ready", url=server.url, account=server.cloud.settings.account, state=kept)
        await until_stopped()
        ui.line("Stopping …")
