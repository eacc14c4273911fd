"""`pileus`: finds the command and loads nothing else.

A new command is one file in cli/commands/ with a click command named `command`, and a line in COMMANDS. A name of two
words (`invoke local`) is a command of its own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from .. import __version__

#: Command → (module, one line of help). The help stands here so that `pileus --help` imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "new": ("new", "Write a production-grade service into a new folder."),
    "offline": ("offline", "Run the whole serverless.yml on this machine."),
    "package": ("package", "Package the service into a folder, ready to deploy."),
    "print": ("print", "Print the resolved configuration."),
    "validate": ("validate", "Check the service; tell all mistakes at once."),
    "info": ("info", "Tell what the service has, and what of it is deployed."),
    "schema": ("schema", "Print the JSON Schema of serverless.yml, for editors."),
    "invoke": ("invoke", "Call a deployed function, in AWS or in the embedded cloud."),
    "invoke local": ("invoke_local", "Run a function once on this machine."),
    "generate-event": ("generate_event", "Print an event as AWS sends it, for 'invoke'."),
    "cloud": ("cloud", "Run the embedded cloud alone, for any AWS client."),
}

INTERRUPTED = 130
#: Options before a command that are followed by their values.
_VALUED = frozenset(
    ["--stage", "-s", "--region", "-r", "--param", "--config", "-c", "--aws-profile", "--app", "--org"]
)


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = COMMANDS.get(name)
        if found is None:
            return None
        command: click.Command = import_module(f"{__package__}.commands.{found[0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if (name := " ".join(args[:2])) in COMMANDS:
            return name, self.get_command(ctx, name), args[2:]
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            from .later import later

            if (verb := later(args)) is not None:
                words = f"'pileus {verb[0]}' comes with a later version. {verb[1][0].upper()}{verb[1][1:]}"
                raise click.UsageError(words, ctx=error.ctx) from None

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " 'pileus --help' lists the commands."
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx=error.ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="pileus %(version)s")
def cli() -> None:
    """The toolkit for serverless services on AWS: the whole of a serverless.yml on one machine.

    Exit codes: 0 done, 1 the work failed, 2 the input is wrong (the message says where), 130 interrupted before it was
    done or ready.
    """


def command_first(arguments: list[str]) -> list[str]:
    """`--stage prod package` as `package --stage prod`: options may stand before the command, too."""
    if not arguments or not arguments[0].startswith("-"):
        return arguments
    from .later import LATER

    after = 0
    for position, word in enumerate(arguments):
        if word.startswith("-"):
            after = position + 1 if word in _VALUED else 0
        elif position != after and (word in COMMANDS or word in LATER):
            words = 2 if " ".join(arguments[position : position + 2]) in {**COMMANDS, **LATER} else 1
            end = position + words
            return [*arguments[position:end], *arguments[:position], *arguments[end:]]
    return arguments


def main(argv: list[str] | None = None) -> Any:
    arguments = command_first(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    from .failure import UserError, report

    try:
        return cli.main(args=arguments, prog_name="pileus", standalone_mode=False)
    except click.ClickException as error:
        if not as_json or not isinstance(error, click.UsageError):
            error.show()
            sys.exit(error.exit_code)
        sys.exit(report(UserError(error.format_message()), json=True))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except UserError as error:
        sys.exit(report(error, json=as_json))


if __name__ == "__main__":
    main()
