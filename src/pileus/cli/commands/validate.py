"""`pileus validate`: all that is wrong or doubtful in a service, at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..failure import UserError, show, warn, warning_facts
from ..options import ServiceOptions, service_options
from ..ui import Ui

if TYPE_CHECKING:
    from ...deploy.project import Project
    from ...service import ConfigError

INVALID = 2


@click.command(name="validate", short_help="Check the service; tell all mistakes at once.")
@click.option("--json", "as_json", is_flag=True, help="Print mistakes and warnings as JSON.")
@service_options
def command(service: ServiceOptions, as_json: bool) -> None:
    """Check the service: syntax, variables, schema, what events and resources need, and the files that it names.

    Nothing is written and nothing is asked of AWS but the variables that come from there. Exit code 0 when it can be
    deployed, perhaps with warnings; 2 when not. What configValidationMode makes a warning, or silent, is a warning here.
    """
    name, mistakes, warnings = _checked(service.project())
    ui = Ui.stdout(json=as_json)
    ui.event(
        "validated",
        valid=not mistakes,
        errors=warning_facts(mistakes),
        warnings=warning_facts(warnings),
    )
    if not as_json:
        warn(warnings)
        if mistakes:
            count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "1 mistake"
            show(
                Ui.stderr(),
                UserError(f"{count}: the service can't be deployed like this.", mistakes=mistakes),
            )
    if mistakes:
        sys.exit(INVALID)
    ui.line(f"{name} is valid" + (f", with {len(warnings)} to look at" if warnings else ""))


def _checked(project: Project) -> tuple[str, list[ConfigError], list[ConfigError]]:
    """The service's name, its mistakes and its warnings."""
    from ...deploy.handlers import absent_handlers
    from ...service import ConfigErrors

    try:
        loaded = project.load("warn")
    except ConfigErrors as error:
        return "", list(error.errors), []
    service = loaded.service
    strict = service.config.get("configValidationMode") == "error" and service.setting("name") == "aws"
    mistakes = list(service.mistakes) if strict else []
    warnings = [*loaded.warnings, *absent_handlers(service)]
    try:
        warnings += project.check(service).warnings
    except ConfigErrors as error:
        mistakes += [each for each in error.errors if each not in mistakes]
    return service.name, mistakes, [each for each in warnings if each not in mistakes]
