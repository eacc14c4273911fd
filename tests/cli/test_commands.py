"""Finding the command: names of two words, options before it, and verbs of v3 that are not there yet."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from pileus.cli.later import LATER
from pileus.cli.main import COMMANDS, cli, command_first, main


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--stage", "prod", "package"], ["package", "--stage", "prod"]),
        (
            ["--stage", "prod", "invoke", "local", "-f", "x"],
            ["invoke", "local", "--stage", "prod", "-f", "x"],
        ),
        (["--verbose", "invoke", "-f", "local"], ["invoke", "--verbose", "-f", "local"]),
        (["invoke", "local", "-f", "x"], ["invoke", "local", "-f", "x"]),
        (["-s", "prod", "deploy", "list"], ["deploy", "list", "-s", "prod"]),
        (["--stage", "package", "print"], ["print", "--stage", "package"]),
    ],
)
def test_options_may_stand_before_the_command(given: list[str], expected: list[str]) -> None:
    assert command_first(given) == expected


def test_a_command_of_two_words_is_found() -> None:
    context = click.Context(cli)
    name, command, rest = cli.resolve_command(context, ["invoke", "local", "-f", "x"])
    assert (name, command and command.name, rest) == ("invoke local", "invoke local", ["-f", "x"])
    name, command, rest = cli.resolve_command(context, ["invoke", "-f", "local"])
    assert (name, command and command.name, rest) == ("invoke", "invoke", ["-f", "local"])


VERBS = [
    ("deploy", "serverless deploy --package .serverless"),
    ("deploy function -f x", "aws lambda update-function-code"),
    ("deploy list functions", "serverless deploy list"),
    ("--stage prod deploy", "serverless deploy --package .serverless"),
    ("logs -f x", "aws logs tail"),
    ("metrics", "serverless metrics"),
    ("rollback", "serverless rollback --timestamp"),
    ("rollback function -f x", "serverless rollback function"),
    ("prune -n 3", "serverless prune"),
    ("remove", "delete the folder .pileus"),
]


@pytest.mark.parametrize(("verb", "says"), VERBS, ids=[verb for verb, _ in VERBS])
def test_a_verb_that_comes_later_says_what_to_do_now(
    verb: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(verb.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "comes with a later version" in err
    assert says in err


def test_a_verb_that_is_there_has_left_the_table() -> None:
    assert LATER.keys() & COMMANDS.keys() == set()


def test_help_loads_no_command() -> None:
    code = (
        "import sys\nfrom pileus.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('pileus.cli.commands.', 'pileus.cloud', 'botocore'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
    assert "invoke local" in said


@pytest.mark.parametrize("name", ["invoke", "invoke local", "generate-event", "offline"])
def test_a_commands_help_loads_nothing_of_its_work(name: str) -> None:
    code = (
        f"import sys\nfrom pileus.cli.main import main\ntry: main({name.split()!r} + ['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('pileus.cloud.', 'pileus.deploy', 'botocore', 'yaml'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
