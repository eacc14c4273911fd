"""Writes the generated pages, docs/coverage.md and docs/cli.md, from the code. `--check` only tells whether they differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from pileus.cli.commands.offline import ELSEWHERE, HARMLESS
from pileus.cli.later import LATER
from pileus.cli.main import COMMANDS, cli
from pileus.cloud.kernel import Change, ResourceType
from pileus.cloud.kernel.resources import resource_types
from pileus.cloud.protocol import service_codec
from pileus.cloud.services import REGISTRY

DOCS = Path(__file__).resolve().parents[1] / "docs"
_WRITTEN = "<!-- Written by tools/write_docs.py; change the code, then run it. -->"


def coverage() -> str:
    lines = [
        "# What is emulated",
        "",
        _WRITTEN,
        "",
        "An operation that is not listed answers `NotEmulated` (HTTP 501) and changes nothing; so does a member of a",
        "request that an operation does not honour. A CloudFormation type or property that is not listed is refused",
        "before anything is created. Policies are stored and validated, but not evaluated yet (`--iam off`).",
        "",
        "Kept and shown, but without effect here: DynamoDB's throughput, table class and encryption; API Gateway's",
        "integration and authorizer credentials, logging level, metrics and data trace flags, cache keys; Lambda's",
        "EphemeralStorage, resource policies and the ARN of a caller; SQS's KMS key; the encryption at rest of secrets and",
        "SecureStrings.",
        "",
        "| service | operations | of | CloudFormation types |",
        "| --- | --- | --- | --- |",
    ]
    details: list[str] = []
    for name, entry in sorted(REGISTRY.items()):
        module, _, class_name = entry.target.partition(":")
        service = getattr(import_module(module), class_name)
        known = service_codec(name).operations
        types = _types(module) if entry.cfn_prefixes else {}
        lines.append(f"| [{name}](#{name}) | {len(service.operations)} | {len(known)} | {len(types)} |")
        details += ["", f"## {name}", "", _listed(service.operations)]
        for type_name, kind in sorted(types.items()):
            details += ["", f"`{type_name}`: {_properties(kind)}"]
    return "\n".join([*lines, *details]) + "\n"


def _types(module: str) -> dict[str, ResourceType]:
    try:
        return resource_types(import_module(f"{module.rpartition('.')[0]}.cfn"))
    except ModuleNotFoundError:
        return {}


def _listed(names: object) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) + "."  # type: ignore[call-overload]


def _properties(kind: ResourceType) -> str:
    if "*" in kind.properties:
        return "any property."
    words = [
        f"{name} (stored only)" if change is Change.STORED else name
        for name, change in sorted(kind.properties.items())
    ]
    return ", ".join(words) + "." if words else "no properties."


def command_line() -> str:
    lines = ["# Command line", "", _WRITTEN, ""]
    lines += [
        "Exit codes: 0 done (or stopped with Ctrl-C while it served), 1 the work failed, 2 the input is wrong (the message",
        "says where), 130 interrupted before it was done or ready. Mistakes go to stderr; with `--json` they are an event",
        "`error` on stdout. Colours appear on a terminal only, and not under `NO_COLOR`.",
        "",
    ]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        group = click.Context(cli, info_name="pileus", **cli.context_settings)
        context = click.Context(command, group, name, max_content_width=100, terminal_width=100)
        lines += [f"## pileus {name}", "", "```text", command.get_help(context), "```", ""]
    lines += [
        "## Options of Serverless Framework's dashboard",
        "",
        "Commands on a service take `--app`, `--org`, `--use-local-credentials` and `--debug`, so that scripts go on; there is",
        "no dashboard here that they could name, and no debug log. (`--debug` of `pileus offline` is for debuggers.)",
        "",
        "## Options of serverless-offline",
        "",
        "`--httpPort`, `--websocketPort`, `--lambdaPort`, `--albPort`, `--host`, `--noPrependStageInUrl`,",
        "`--localEnvironment`, `--terminateIdleLambdaTime` and `--ignoreJWTSignature` mean here what they mean there. What",
        "`--reloadHandler`, `--disableCookieValidation` and `--noSponsor` ask for is so anyhow. These change nothing that a",
        "client or a function sees; a warning says so, and the service goes on:",
        "",
        "| option | |",
        "| --- | --- |",
        *(f"| `{name}` | {why} |" for name, why in sorted(HARMLESS.items())),
        "",
        "With these the command ends, and says what to do instead:",
        "",
        "| option | |",
        "| --- | --- |",
        *(f"| `{name}` | {why} |" for name, why in sorted(ELSEWHERE.items())),
        "",
        "## Docker",
        "",
        "`invoke local` runs functions without Docker: `--docker`, `--docker-arg` and `--docker-args` end with these words.",
        "",
        "## Verbs of Serverless Framework that come later",
        "",
        "| verb | until then |",
        "| --- | --- |",
        *(f"| `{name}` | {what} |" for name, what in LATER.items()),
    ]
    return "\n".join(lines) + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    yield DOCS / "coverage.md", coverage()
    yield DOCS / "cli.md", command_line()


def main() -> int:
    stale = []
    for path, text in pages():
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text)
    print(f"written: {', '.join(stale)}" if stale else "up to date")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
