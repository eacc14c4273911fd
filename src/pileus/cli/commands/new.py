"""`pileus new`: a production-grade service in a new folder."""

from __future__ import annotations

from pathlib import Path

import click

from ...templates import is_service_name, write_service
from ..failure import UserError
from ..ui import Ui


@click.command(name="new", short_help="Write a production-grade service into a new folder.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="Name of the service in serverless.yml; the folder's name by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the written files as JSON.")
def command(folder: Path, name: str | None, as_json: bool) -> None:
    """Write a production-grade Python service into FOLDER: users, auth, products, media, notifications, tasks.

    It runs at once with `pileus offline`, and deploys to AWS as it is.
    """
    ui = Ui.stdout(json=as_json)
    service = name or folder.resolve().name
    if not is_service_name(service):
        raise UserError(
            f"'{service}' cannot be the name of a service.",
            hint="a name begins with a letter and has letters, digits and '-', 40 at most: give one with --name.",
        )
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty.", hint="choose a new folder; nothing was written.")
    try:
        written = write_service(folder, service)
    except OSError as error:
        raise UserError(f"could not write {error.filename}: {error.strerror}.") from None
    ui.event("written", folder=str(folder), service=service, files=[str(path) for path in written])
    ui.line(f"{ui.style(service, 'bold')}: {len(written)} files in {folder}")
    ui.line()
    ui.line("Next:")
    ui.line(f"  cd {folder}")
    ui.line("  python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    ui.line("  pileus offline")
