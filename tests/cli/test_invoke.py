"""`pileus invoke` and `pileus invoke local`, as processes: what they print, their exit codes, whom they talk with."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from offline_process import PATIENCE, PILEUS, OfflineProcess, environment, write_service

SERVICE = """\
service: small
provider:
  name: aws
  runtime: python3.11
  environment: {TABLE: !Ref Things}
functions:
  hello: {handler: handler.hello}
  fails: {handler: handler.fails}
resources:
  Resources:
    Things:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
HANDLER = """\
import os

def hello(event, context):
    import boto3

    print("it was called")
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    table.put_item(Item={"id": "1"})
    return {
        "event": event,
        "table": table.name,
        "variables": {name: os.environ.get(name) for name in ("IS_LOCAL", "EXTRA")},
        "context": getattr(context.client_context, "custom", None),
        "name": context.function_name,
    }

def fails(event, context):
    raise ValueError("no")
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service", SERVICE, handler_py=HANDLER)


def pileus(folder: Path, *arguments: str, stdin: str | None = None, **variables: str) -> Any:
    return subprocess.run(
        [PILEUS, *arguments], cwd=folder, env={**environment(), **variables}, text=True, capture_output=True,
        timeout=PATIENCE, **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
    )  # fmt: skip


def test_a_run_in_a_cloud_of_its_own(service: Path) -> None:
    done = pileus(
        service, "invoke", "local", "-f", "hello", "-d", '{"a": 1}', "-e", "EXTRA=1", "--env", "OTHER=2",
        "--context", '{"custom": {"who": "me"}}',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["event"] == {"a": 1}
    assert result["variables"] == {"IS_LOCAL": "true", "EXTRA": "1"}
    assert result["context"] == {"who": "me"}
    assert result["name"] == "small-dev-hello"
    assert done.stdout == json.dumps(result, indent=4) + "\n"
    assert "it was called\n" in done.stderr
    assert "REPORT RequestId: " in done.stderr
    assert "START RequestId: " not in done.stderr
    assert not (service / ".pileus").exists()


def test_the_error_document_of_a_function_that_fails(service: Path) -> None:
    done = pileus(service, "invoke", "local", "--function", "fails")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")
    assert "handler.py" in document["stackTrace"][-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["invoke", "local", "-f", "helo"], "did you mean 'hello'?"),
        (["invoke", "local", "-f", "hello", "--docker"], "functions run without Docker"),
        (["invoke", "local", "-f", "hello", "--docker-arg", "-p 1"], "functions run without Docker"),
        (["invoke", "local"], "Missing option '--function'"),
        (["invoke", "-f", "helo"], "did you mean 'hello'?"),
        (["invoke", "-f", "hello", "--type", "Sync"], "'Sync' is not one of"),
        (["invoke", "local", "-f", "hello", "--event", "sq"], "there is no event 'sq'"),
    ],
)
def test_mistakes(service: Path, arguments: list[str], says: str) -> None:
    done = pileus(service, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_offline_that_runs_in_the_folder_is_found(service: Path) -> None:
    with OfflineProcess(service) as offline:
        deployed = pileus(service, "invoke", "-f", "hello", "--log", stdin='{"b": 2}')
        assert deployed.returncode == 0, deployed.stderr
        result = json.loads(deployed.stdout)
        assert result["event"] == {"b": 2}
        assert result["variables"]["IS_LOCAL"] is None
        assert offline.endpoint in deployed.stderr
        assert "it was called" in deployed.stderr

        local = pileus(service, "invoke", "local", "-f", "hello", "-e", "EXTRA=1")
        assert local.returncode == 0, local.stderr
        here = json.loads(local.stdout)
        assert here["table"] == result["table"]
        assert here["variables"] == {"IS_LOCAL": "true", "EXTRA": "1"}

        failed = pileus(service, "invoke", "-f", "fails")
        assert failed.returncode == 1
        assert json.loads(failed.stdout)["errorType"] == "ValueError"

        left = pileus(service, "invoke", "-f", "hello", "--type", "Event")
        assert (left.returncode, left.stdout) == (0, "")
        assert "The event was taken." in left.stderr
        note = service / ".pileus" / "offline.json"
        assert json.loads(note.read_bytes())["pid"] == offline.process.pid
        offline.signal()
        assert offline.ends() == 0
        assert not note.exists()


def test_an_endpoint_that_is_named(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral") as offline:
        keys = {
            "AWS_ENDPOINT_URL": offline.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        done = pileus(service, "invoke", "-f", "hello", **keys)
        assert json.loads(done.stdout)["name"] == "small-dev-hello"
        other = pileus(service, "invoke", "-f", "hello", "--stage", "prod", **keys)
        assert other.returncode == 1
        assert "ResourceNotFoundException" in other.stderr
        assert "pileus invoke local" in other.stderr


def test_the_note_of_an_offline_that_was_killed_leads_nowhere(service: Path) -> None:
    (service / ".pileus").mkdir()
    note = {
        "endpoint": "http://127.0.0.1:9",
        "service": "small",
        "stage": "dev",
        "region": "us-east-1",
        "pid": 1,
    }
    (service / ".pileus" / "offline.json").write_text(json.dumps(note))
    nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
    done = pileus(service, "invoke", "-f", "hello", **nobody)
    assert done.returncode == 2
    assert "start 'pileus offline' here" in done.stderr
