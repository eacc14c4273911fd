"""The options that commands on a service share, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pileus.cli.main import command_first, main

SERVICE = """\
service: small
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  region: ${opt:region, 'us-east-1'}
custom:
  param: ${param:size, 'none'}
  format: ${opt:format, 'none'}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "other.yml").write_text(SERVICE.replace("small", "other"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


TAKEN = [
    ("provider.stage", "", "dev"),
    ("provider.stage", "--stage prod", "prod"),
    ("provider.stage", "-s prod", "prod"),
    ("provider.stage", "-sprod", "prod"),
    ("provider.stage", "--stage=prod", "prod"),
    ("provider.region", "-r eu-west-1", "eu-west-1"),
    ("provider.region", "--region eu-west-1", "eu-west-1"),
    ("custom.param", "--param size=3 --param other=4", "'3'"),
    ("custom.param", "--param=size=a=b", "a=b"),
    ("custom.format", "--format text", "text"),
    ("service", "-c other.yml", "other"),
    ("service", "--config other.yml", "other"),
    (
        "service",
        "--aws-profile somebody --verbose --no-verbose --app a --org b --debug=* --use-local-credentials",
        "small",
    ),
]


@pytest.mark.parametrize(("path", "options", "value"), TAKEN, ids=[options for _, options, _ in TAKEN])
def test_options(
    folder: Path, path: str, options: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["print", "--path", path, *options.split()])
    assert capsys.readouterr().out == f"{value}\n"


def test_options_may_stand_before_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--stage", "print", "--verbose", "print", "--path", "provider.stage"])
    assert capsys.readouterr().out == "print\n"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("print --stage a", "print --stage a"),
        ("--stage a print --path b", "print --stage a --path b"),
        ("--stage=a print", "print --stage=a"),
        ("--stage print", "--stage print"),
        ("--version", "--version"),
        ("", ""),
    ],
)
def test_command_first(given: str, read: str) -> None:
    assert command_first(given.split()) == read.split()


REFUSED = [
    ("print --nope", "No such option '--nope'"),
    ("print -x", "No such option '-x'"),
    ("print --aws-s3-accelerate", "--aws-s3-accelerate"),
    ("print --stages x", "--stage"),
    ("print extra", "extra"),
    ("print --stage", "requires an argument"),
    ("print --stage= --path service", "it needs a value"),
    ("print --stage --region eu-west-1", "it needs a value"),
    ("print --stage a --stage b", "it is given more than once"),
    ("print -s a --stage b", "it is given more than once"),
    ("print --param nope", "'nope' is not KEY=VALUE"),
    ("print --path a --path b", "it is given more than once"),
    ("print --format toml", "'toml' is not one of"),
    ("print --transform values", "'values' is not"),
    ("print --config absent.yml", "absent.yml"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[arguments for arguments, _ in REFUSED])
def test_refused(folder: Path, arguments: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert says in err
    assert out == ""


@pytest.mark.parametrize("command", ["print", "info"])
def test_outside_of_a_service(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([command])
    assert ended.value.code == 2
    assert "there is no serverless.yml in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_loads_nothing_that_the_commands_work_with() -> None:
    """`pileus --help` and each command's are for a human who waits: 150 ms."""
    script = (
        "import sys, click; from pileus.cli.main import cli, COMMANDS\n"
        "for name in COMMANDS: cli.get_command(None, name).get_help(click.Context(cli))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pileus.cli.commands.offline" in loaded
    heavy = {
        "botocore",
        "boto3",
        "yaml",
        "uvloop",
        "asyncio",
        "pluggy",
        "pileus.cloud",
        "pileus.service",
        "pileus.deploy",
    }
    assert not loaded & heavy
