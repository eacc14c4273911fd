"""The options that every command on a service has, with Serverless Framework's names and rules: `--stage`, `--region`,
`--param`, `--config`, `--aws-profile`, `--verbose`; and checks of options that several commands have. An option that a
command does not know is a mistake.

Nothing here, and nothing at the top of a command's module, imports what the command works with: `--help` answers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..deploy.project import Project

#: Options of Serverless Framework's dashboard, which Pileus does not have; scripts may pass them on.
DASHBOARD = ("app", "org")


_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """given: what `${opt:}` sees: the options by their long names. profile: of AWS's configuration files."""

    given: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    config_name: str | None = None
    profile: str | None = None
    verbose: bool = False

    def project(self, **more: str | None) -> Project:
        """The folder in which the command was called. more: the command's own options, for `${opt:}`."""
        from ..deploy.project import Project
        from ..deploy.remote_values import AwsValues

        given = {**self.given, **{name: value for name, value in more.items() if value is not None}}
        return Project(
            Path.cwd(),
            options=given,
            params=self.params,
            config_name=self.config_name,
            resolver=AwsValues(),
        )


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of every service; they arrive as its argument `service`."""
    return _with_options(_debug_log(command))


def service_options_but_debug(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command whose `--debug` is its own."""
    return _with_options(command)


def _debug_log(command: Callable[..., Any]) -> Callable[..., Any]:
    """v3's `--debug`, whose log there is not here: taken, so that scripts go on."""
    option = click.option("--debug", is_flag=False, flag_value="*", hidden=True, expose_value=False)
    with_debug: Callable[..., Any] = option(command)
    return with_debug


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def with_options(**values: Any) -> Any:
        taken = {
            name: values.pop(name) for name in ("stage", "region", "aws_profile", "config_name", *DASHBOARD)
        }
        values.pop("use_local_credentials")
        named = {name.removesuffix("_name").replace("_", "-"): value for name, value in taken.items()}
        service = ServiceOptions(
            given={name: value for name, value in named.items() if value is not None},
            params=values.pop("param"),
            config_name=taken["config_name"],
            profile=taken["aws_profile"],
            verbose=values.pop("verbose"),
        )
        return command(service=service, **values)

    for option in reversed(_OPTIONS):
        option(with_options)
    return with_options


def once(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option with a value that is given once: a second one would silently win, and an empty one, or the next
    option's name, would silently be a value."""
    return click.option(*names, multiple=True, callback=_once, **attributes)


def check_port(ctx: click.Context, parameter: click.Parameter, value: int) -> int:
    if not 0 <= value <= _HIGHEST_PORT:
        raise click.BadParameter(f"{value} is not between 0 and {_HIGHEST_PORT}.")
    return value


def check_iam(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value != "off":
        raise click.BadParameter(
            f"'{value}' is not available yet: policies are stored but not evaluated in this version, "
            "so only --iam off tells the truth."
        )
    return value


def _once(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    if len(values) > 1:
        raise click.BadParameter("it is given more than once.")
    if values and (not values[0] or values[0].startswith("--")):
        raise click.BadParameter("it needs a value.")
    return values[0] if values else None


def pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{value}' is not KEY=VALUE")
        pairs[name] = text
    return pairs


_OPTIONS = (
    once("--stage", "-s", metavar="TEXT", help="Stage; provider.stage or 'dev' by default."),
    once("--region", "-r", metavar="TEXT", help="Region; provider.region by default."),
    click.option(
        "--param",
        multiple=True,
        callback=pairs,
        metavar="KEY=VALUE",
        help="A value for ${param:KEY}. Repeatable.",
    ),
    once(
        "--config",
        "-c",
        "config_name",
        metavar="FILE",
        help="Name of the configuration file; serverless.yml by default.",
    ),
    once("--aws-profile", metavar="NAME", help="Profile of AWS's configuration files."),
    click.option("--verbose/--no-verbose", default=False, help="Tell more."),
    *(once(f"--{name}", hidden=True) for name in DASHBOARD),
    click.option("--use-local-credentials", is_flag=True, hidden=True),
)
