"""A mistake of the user's ends a command with what is wrong, where, and the remedy: exit code 2, and nothing left."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from offline_process import SERVICE, offline_refused, refused, run, write_service

from pileus.cli.main import main


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service")


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


# -- files ----------------------------------------------------------------------------------------------------------------


def test_a_folder_without_a_service_stays_as_it_was(tmp_path: Path) -> None:
    said = refused(tmp_path, "offline", "--port", "0", "--http-port", "0")
    assert f"there is no serverless.yml in {tmp_path}" in said
    assert "pileus new" in said
    assert list(tmp_path.iterdir()) == []


FILES = [
    # (in the file, instead of which, the place and the words, the excerpt or the remedy)
    ("  runtime", "   runtime", "serverless.yml:4:11: error: not valid YAML", "check the indentation"),
    (
        "  hello:",
        "  hello: {handler: a.b}\n  hello:",
        "serverless.yml:7:3: error: the key 'hello' occurs twice",
        "^^^^^",
    ),
    (
        "small",
        "${env:NOT_SET_ANYWHERE}",
        "serverless.yml:1:10: error: the environment variable",
        "give a fallback",
    ),
    ("small", "${self:custom.nothing}", "the configuration has no 'custom.nothing'", "give a fallback"),
    ("small", "${param:nothing}", "the parameter 'nothing' is given neither", "--param"),
    ("small", "${opt:nothing}", "the option --nothing is not given", "give a fallback"),
    ("small", "${nothing:x}", "unknown variable source 'nothing'", "sources are self, opt"),
    ("small", "${self:service}", "a circle of variables", "1 | service: ${self:service}"),
    (
        "handler.hello",
        "handlr.hello",
        "the handler's file handlr.py does not exist",
        "did you mean 'handler.hello'?",
    ),
    ("handler.hello", "handler.helo", "defines no 'helo'", "did you mean 'hello'?"),
    ("service:", "frameworkVersion: '4'\nservice:", "'4' does not include 3", "frameworkVersion: '3'"),
    ("python3.11", "ruby3.3", "the runtime ruby3.3, which can't run here", "4 |   runtime: ruby3.3"),
    ("http: GET /hello", "sns: orders", "the event 'sns' can't be delivered here yet", "docs/coverage.md"),
]


@pytest.mark.parametrize(("before", "after", "says", "shows"), FILES, ids=[after for _, after, _, _ in FILES])
def test_a_mistake_in_the_file(service: Path, before: str, after: str, says: str, shows: str) -> None:
    write_service(service, SERVICE.replace(before, after, 1))
    said = offline_refused(service)
    assert says in said
    assert shows in said


def test_all_mistakes_are_told_at_once(service: Path) -> None:
    two = SERVICE.replace("handler.hello", "handlr.hello") + "  more:\n    handler: nowhere.more\n"
    write_service(service, two)
    assert offline_refused(service).count(": error: ") == 2


def test_an_unknown_property_is_an_error_where_the_mode_says_so(service: Path) -> None:
    wrong = SERVICE.replace("    handler", "    memorysize: 3\n    handler")
    write_service(service, "configValidationMode: error\n" + wrong)
    said = offline_refused(service)
    assert "serverless.yml:8:5: error: unknown property 'memorysize'" in said
    assert "did you mean 'memorySize'?" in said


def test_a_stack_that_fails_is_told_with_the_resource_and_the_reason(service: Path) -> None:
    queue = "{Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: 99999999}}"
    write_service(service, SERVICE + f"resources: {{Resources: {{Q: {queue}}}}}\n")
    said = offline_refused(service)
    assert "serverless.yml:10:" in said
    assert "Q (AWS::SQS::Queue): Invalid value for the parameter VisibilityTimeout" in said
    assert "the stack small-dev is ROLLBACK_COMPLETE" in said


# -- ports and hosts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--port", "--http-port"])
def test_a_port_in_use_is_named_with_its_option(service: Path, taken: str, option: str) -> None:
    said = refused(service, "offline", "--ephemeral", "--port", "0", "--http-port", "0", option, taken)
    assert f"port {taken} on 127.0.0.1 is in use." in said
    assert f"another one with {option} " in said


def test_a_port_in_use_of_the_cloud_alone(tmp_path: Path, taken: str) -> None:
    assert f"port {taken} on 127.0.0.1 is in use." in refused(
        tmp_path, "cloud", "--ephemeral", "--port", taken
    )


def test_both_ports_the_same(service: Path) -> None:
    assert "--http-port and --port are both 4999" in offline_refused(
        service, "--port", "4999", "--http-port", "4999"
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.9"])
def test_a_host_that_is_not_here(service: Path, host: str) -> None:
    said = offline_refused(service, "--host", host)
    assert f"can't listen on {host}" in said
    assert "--host takes an address of this machine" in said


# -- the state --------------------------------------------------------------------------------------------------------------


def with_state(service: Path, *arguments: str) -> str:
    return refused(service, "offline", "--port", "0", "--http-port", "0", *arguments)


def test_a_state_in_use_names_the_process(service: Path) -> None:
    (service / ".pileus").mkdir()
    with (service / ".pileus/lock").open("w") as lock:
        lock.write("4242")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = with_state(service)
    assert "is in use by process 4242" in said
    assert "--state DIR" in said


@pytest.mark.parametrize("part", ["bus", "sqs"])
def test_a_state_of_a_newer_version_is_not_touched(service: Path, part: str) -> None:
    (service / ".pileus").mkdir()
    with sqlite3.connect(service / ".pileus/state.db") as db:
        db.execute("CREATE TABLE schema_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL)")
        db.execute("INSERT INTO schema_version VALUES (?, 999)", (part,))
    db.close()
    said = with_state(service)
    assert f"written by a newer Pileus ({part} 999)" in said
    assert "upgrade Pileus" in said


def test_a_state_that_is_no_database(service: Path) -> None:
    (service / ".pileus").mkdir()
    (service / ".pileus/state.db").write_text("x" * 5000)
    assert "file is not a database" in with_state(service)


def test_a_state_that_is_a_file(service: Path) -> None:
    (service / ".pileus").write_text("")
    assert "the state can't be kept in" in with_state(service)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_state_that_may_not_be_written(service: Path) -> None:
    service.chmod(0o500)
    try:
        assert "Permission denied" in with_state(service)
    finally:
        service.chmod(0o700)


def test_a_state_where_nothing_can_be_made(service: Path) -> None:
    assert "the state can't be kept in /proc/nothing" in with_state(service, "--state", "/proc/nothing")


# -- the command line -------------------------------------------------------------------------------------------------------

USAGE = [
    (["ofline"], "Did you mean 'offline'?"),
    (["wrong"], "'pileus --help' lists the commands"),
    (["offline", "--prot", "1"], "--port"),
    (["offline", "strat"], "'strat' is not 'start'"),
    (["offline", "--param", "novalue"], "'novalue' is not KEY=VALUE"),
    (["offline", "--port", "70000"], "70000 is not between 0 and 65535"),
    (["offline", "--port", "x"], "'x' is not a valid integer"),
    (["offline", "--python", "nowhere"], "the interpreter nowhere does not exist"),
    (["offline", "--python", "/bin/ls"], "/bin/ls is not a Python that functions can run on"),
    (["offline", "--useDocker"], "without Docker: leave it out"),
    (["offline", "--noAuth"], "authorizers run as they do in AWS"),
    (["offline", "--corsAllowOrigin", "*"], "CORS is what 'cors' of the events says"),
    (["offline", "-t"], "timeouts are enforced as in AWS"),
    (["offline", "--lambdaPort", "70000"], "70000 is not between 0 and 65535"),
    (["offline", "--terminateIdleLambdaTime", "0"], "0.0 is not in the range"),
    (["offline", "--exec", ""], "it needs a value"),
    (["cloud", "--iam", "enforce"], "only --iam off tells the truth"),
    (["new"], "Missing argument 'FOLDER'"),
    (["new", "1x"], "'1x' cannot be the name of a service"),
]


@pytest.mark.parametrize(("arguments", "says"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_a_wrong_command_line(
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert says in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["offline", "--json", "--prot", "1"], ["new", "--json", "1x"]])
def test_for_machines_a_wrong_command_line_is_an_event(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert err == ""
    event = json.loads(out)
    assert event["event"] == "error"
    assert event["message"]


def test_for_machines_a_mistake_is_an_event_with_its_place(service: Path) -> None:
    write_service(service, SERVICE.replace("handler.hello", "handlr.hello"))
    done = run(service, "offline", "--ephemeral", "--port", "0", "--http-port", "0", "--json")
    assert done.returncode == 2
    assert done.stderr == ""
    event = json.loads(done.stdout)
    assert event["errors"] == [
        {
            "message": "the handler's file handlr.py does not exist",
            "file": str(service / "serverless.yml"),
            "line": 7,
            "column": 14,
            "path": "functions.hello.handler",
            "hint": "did you mean 'handler.hello'?",
        }
    ]
