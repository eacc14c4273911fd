"""`pileus offline --exec COMMAND`: runs it once all is ready, and ends with its exit code."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from offline_process import PATIENCE, PILEUS, descendants, environment, write_service

from pileus.cli.execute import local_variables, words_of
from pileus.cli.failure import UserError


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service")


def offline(service: Path, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PILEUS, "offline", "start", "--ephemeral", "--port", "0", "--httpPort", "0", "--exec", command, *more],
        cwd=service, env=environment(), text=True, capture_output=True, timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("npm test", ("npm", "test")),
        ("sh -c 'a && b'", ("sh", "-c", "a && b")),
        ("echo $HOME", ("echo", "$HOME")),
    ],
)
def test_words_are_split_and_nothing_is_expanded(command: str, words: tuple[str, ...]) -> None:
    assert words_of(command) == words


@pytest.mark.parametrize(("command", "says"), [("", "needs a command"), ("sh -c 'a", "can't be split")])
def test_what_is_no_command(command: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        words_of(command)


def test_it_runs_against_the_service_and_its_exit_code_is_ours(service: Path) -> None:
    script = (
        "import os, urllib.request as u\n"
        "print('said', u.urlopen(os.environ['PILEUS_URL'] + '/hello').read().decode())\n"
        "print('endpoint', os.environ['AWS_ENDPOINT_URL'])\n"
        "raise SystemExit(7)\n"
    )
    (service / "script.py").write_text(script)
    done = offline(service, "python3 script.py")
    assert done.returncode == 7, done.stderr
    assert "said one\n" in done.stdout
    assert "endpoint http://127.0.0.1:" in done.stdout


def test_for_machines_its_output_goes_elsewhere(service: Path) -> None:
    done = offline(service, "echo spoken", "--json")
    assert done.returncode == 0
    assert "spoken" not in done.stdout
    assert "spoken" in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [("no-such-program-here x", 2, "no-such-program-here can't be started"), ("sh -c 'kill -9 $$'", 137, "")],
)
def test_what_goes_wrong(service: Path, command: str, code: int, says: str) -> None:
    done = offline(service, command)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_ends_the_command_too(service: Path) -> None:
    process = subprocess.Popen(
        [PILEUS, "offline", "--ephemeral", "--port", "0", "--http-port", "0", "--exec", "sleep 300"], cwd=service,
        env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Server ready"):
                break
        while not any(_is_sleep(pid) for pid in descendants(process.pid)):
            time.sleep(0.01)
        process.terminate()
        assert process.wait(PATIENCE) == 130
        assert descendants(process.pid) == []
    finally:
        process.kill()
        process.communicate()


def _is_sleep(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"
    except OSError:
        return False


def test_variables_of_the_shell_that_functions_may_see() -> None:
    shell = {"MINE": "1", "AWS_PROFILE": "p", "_": "x", "LAMBDA_TASK_ROOT": "/"}
    assert local_variables(shell) == {"MINE": "1", "IS_OFFLINE": "true"}
    assert local_variables({}) == {"IS_OFFLINE": "true"}
