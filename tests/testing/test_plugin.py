"""The pytest plugin, in a pytest of its own: the fixtures, their errors, and what it costs projects that don't use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = """\
service: tested
provider:
  name: aws
  runtime: python3.11
  stage: ${opt:stage, 'dev'}
functions:
  hello:
    handler: handler.hello
    events:
      - http: GET /hello
  fails:
    handler: handler.fails
"""
HANDLER = """\
def hello(event, context):
    return {"statusCode": 200, "body": event["path"]}

def fails(event, context):
    raise ValueError("no")
"""
TESTS = """\
import urllib.request

import pytest

from pileus.testing import FunctionFailed


def test_api(pileus_service):
    with urllib.request.urlopen(pileus_service.api_url + "/hello") as answer:
        assert answer.read() == b"/hello"


def test_invoke(pileus_service):
    assert pileus_service.invoke("hello", {"path": "/here"})["body"] == "/here"
    with pytest.raises(FunctionFailed) as failed:
        pileus_service.invoke("fails")
    assert failed.value.result["errorType"] == "ValueError"


def test_one_service_for_all(pileus_service):
    names = [each["FunctionName"] for each in pileus_service.client("lambda").list_functions()["Functions"]]
    assert len(names) == 2
    assert pileus_service.deployed.stack.startswith("tested-")
    assert pileus_service.outbox() == []
    pileus_service.drain()
    pileus_service.travel(60)


def test_cloud(pileus_cloud):
    sqs = pileus_cloud.client("sqs")
    assert sqs.get_queue_url(QueueName=sqs.create_queue(QueueName="q")["QueueUrl"].rpartition("/")[2])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def run(project: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *arguments],
        cwd=project, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_fixtures(project: Path) -> None:
    code, said = run(project)
    assert code == 0, said
    assert "4 passed" in said


def test_each_worker_of_xdist_has_a_service_of_its_own(project: Path) -> None:
    code, said = run(project, "-n", "2")
    assert code == 0, said
    assert "4 passed" in said


def test_another_folder_and_stage(project: Path) -> None:
    (project / "service").mkdir()
    for name in ("serverless.yml", "handler.py"):
        (project / name).rename(project / "service" / name)
    (project / "pytest.ini").write_text("[pytest]\npileus_service = service\n")
    (project / "test_it.py").write_text(
        "def test_stage(pileus_service):\n    assert pileus_service.api_url.endswith('/qa')\n"
    )
    code, said = run(project, "--pileus-stage", "qa")
    assert code == 0, said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            SERVICE.replace("handler.hello", "handlr.hello"),
            "serverless.yml:8:14: error: the handler's file handlr.py",
        ),
        (SERVICE.replace("http: GET /hello", "sns: orders"), "the event 'sns' can't be delivered here yet"),
        (
            SERVICE
            + "resources: {Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: 99999999}}}}\n",
            "Q (AWS::SQS::Queue): Invalid value for the parameter VisibilityTimeout",
        ),
    ],
    ids=["handler", "event", "stack"],
)
def test_a_service_that_cannot_start_fails_in_the_words_of_offline(
    project: Path, text: str, says: str
) -> None:
    (project / "serverless.yml").write_text(text)
    code, said = run(project, "-k", "api or invoke")
    assert code == 1
    assert "2 errors" in said
    assert says in said
    assert "^^^" in said
    assert "Traceback" not in said
    assert "pileus/deploy" not in said


def test_a_service_without_an_api_says_so_when_asked(project: Path) -> None:
    (project / "serverless.yml").write_text(SERVICE.replace("    events:\n      - http: GET /hello\n", ""))
    code, said = run(project, "-k", "api")
    assert code == 1
    assert "no http events" in said


def test_the_help_of_the_fixtures(project: Path) -> None:
    code, said = run(project, "--fixtures")
    assert code == 0
    assert "pileus_service [session scope]" in said
    assert "running whole in an embedded cloud of its own" in said


def test_a_project_that_does_not_use_it_pays_for_no_import(project: Path) -> None:
    (project / "test_it.py").write_text(
        "import sys\n\n\ndef test_imports():\n"
        "    heavy = {'pileus.cloud', 'pileus.deploy', 'pileus.service', 'boto3', 'uvicorn', 'click'}\n"
        "    assert 'pileus.testing.plugin' in sys.modules\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    code, said = run(project)
    assert code == 0, said
