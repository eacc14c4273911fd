"""`pileus package`: the archives of the code and the templates, in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..failure import UserError, mistakes_told, warn, warning_facts
from ..options import ServiceOptions, once, service_options
from ..progress import Progress
from ..ui import Ui

if TYPE_CHECKING:
    from ...deploy.project import Packaged
    from ...package import ArtifactSizes
    from ...service import LoadedService


@click.command(name="package", short_help="Package the service into a folder, ready to deploy.")
@once("--package", "-p", "folder", metavar="DIR", help="Folder to write to; .serverless by default.")
@click.option("--explain", is_flag=True, help="Tell where the megabytes of each archive come from.")
@click.option("--minify-template", is_flag=True, help="Write the templates without spaces.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@service_options
def command(
    service: ServiceOptions, folder: str | None, explain: bool, minify_template: bool, as_json: bool
) -> None:
    """Package the service: both CloudFormation templates, serverless-state.json, and the archives of the code.

    They appear together or not at all. An unchanged service gives the same bytes again.
    """
    from ...deploy.output_folder import NotReplaceable

    project = service.project(package=folder)
    out = Path(folder or ".serverless")
    with mistakes_told(), Progress(Ui.stderr()) as progress:
        progress("Reading the service")
        loaded = project.load()
        if not as_json:
            warn(loaded.warnings)
        try:
            packaged = project.package(loaded.service, out, progress, minified=minify_template)
        except NotReplaceable as error:
            raise UserError(
                f"{error}: it is no package, and would be lost.",
                hint="name a new folder with --package, or delete this one.",
            ) from None
        except OSError as error:
            raise UserError(f"can't write to {out}: {error.strerror} ({error.filename}).") from None
        seconds = progress.seconds
    if not as_json:
        warn(packaged.warnings)
    _tell(Ui.stdout(json=as_json), loaded, packaged, out, seconds, explain)


def _tell(
    ui: Ui, loaded: LoadedService, packaged: Packaged, out: Path, seconds: float, explain: bool
) -> None:
    service, built = loaded.service, packaged.built
    sizes = {each.file_name: each for each in built.explain.artifacts}
    ui.line(f"{ui.style(service.name, 'bold')}  stage {service.stage}, region {service.region}")
    for file in built.files:
        reused = "  unchanged" if file.reused else ""
        ui.table([[file.file.name, _megabytes(file.size), f"{_megabytes(file.unzipped)} unzipped{reused}"]])
        if explain and file.file.name in sizes:
            _explain(ui, sizes[file.file.name])
    ui.line(f"Packaged into {out}" + ui.style(f"  ({seconds:.2f} s)", "dim"))
    ui.event(
        "packaged",
        folder=str(packaged.out),
        service=service.name,
        stage=service.stage,
        region=service.region,
        seconds=round(seconds, 3),
        artifacts=[
            {
                "file": file.file.name,
                "kind": file.target.kind.value,
                "key": file.target.key,
                "bytes": file.size,
                "unzipped": file.unzipped,
                "sha256": file.sha256,
                "unchanged": file.reused,
                **({"shares": _shares(sizes[file.file.name])} if explain and file.file.name in sizes else {}),
            }
            for file in built.files
        ],
        warnings=warning_facts([*loaded.warnings, *packaged.warnings]),
    )


def _explain(ui: Ui, sizes: ArtifactSizes) -> None:
    head = ["", "zipped", "unzipped", "files"]
    rows = [
        [each.name, _megabytes(each.zipped), _megabytes(each.unzipped), str(each.files)]
        for each in sizes.shares
    ]
    ui.table([head, *rows], indent=4)


def _shares(sizes: ArtifactSizes) -> list[dict[str, str | int]]:
    return [
        {"name": each.name, "files": each.files, "bytes": each.zipped, "unzipped": each.unzipped}
        for each in sizes.shares
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
