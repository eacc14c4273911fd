"""Runs the handlers of custom-resources.zip under node, as Lambda and CloudFormation would: with an SDK that answers from
a script, and a server that the answer is PUT to. What a handler calls must be allowed by the role of the template."""

import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.package import PackagePlan, build_package, with_custom_resources
from pileus.service import load_service

STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-dev/1"
EVENTS: list[Any] = [
    {"s3": {"bucket": "photos", "existing": True}},
    {"cognitoUserPool": {"pool": "people", "trigger": "PreSignUp", "existing": True}},
    {"eventBridge": {"eventBus": "orders", "pattern": {"source": ["x"]}}},
    {"http": "GET /"},
]
SERVICE = {
    "service": "shop",
    "provider": {
        "name": "aws",
        "runtime": "python3.11",
        "logs": {"restApi": True},
        "eventBridge": {"useCloudFormation": False},
    },
    "functions": {"a": {"handler": "handler.handle", "events": EVENTS}},
}
#: IAM's names where they are not the operation's (Service Authorization Reference).
ACTIONS = {
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "GetAccount": "apigateway:GET",
    "UpdateAccount": "apigateway:PATCH",
}


@dataclass(frozen=True)
class Archive:
    """The archive unpacked, the template that it is for, and what the template's role allows."""

    root: Path
    template: dict[str, Any]

    @property
    def allowed(self) -> set[str]:
        role = self.template["Resources"]["IamRoleCustomResourcesLambdaExecution"]["Properties"]
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        return {action for statement in statements for action in statement["Action"]}


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("custom-resources")
    (folder / "serverless.yml").write_text(json.dumps(SERVICE))
    (folder / "handler.py").write_text("def handle(event, context): ...\n")
    service = load_service(folder, options={}, environ={}).service
    template = compile_service(service, Artifacts.synthetic(service, 0)).update_stack
    plan = with_custom_resources(PackagePlan(service, ()), template)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILEUS_CACHE_DIR", str(folder / "cache"))
        built = build_package(plan, folder / "out", at_ms=0)
    root = folder / "unpacked"
    with zipfile.ZipFile(built.files[0].file) as zipped:
        zipped.extractall(root)
    return Archive(root, template)


@dataclass
class Ran:
    """`calls`: (operation, input) in order. `answers`: what came to the ResponseURL."""

    calls: list[tuple[str, Any]]
    logs: str
    thrown: str | None
    answers: list[dict[str, Any]]

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    @property
    def answer(self) -> dict[str, Any]:
        assert self.thrown is None
        (one,) = self.answers
        return one

    @property
    def status(self) -> str:
        return str(self.answer["Status"])

    @property
    def physical_id(self) -> str:
        return str(self.answer["PhysicalResourceId"])

    def input(self, operation: str) -> Any:
        """Of the last call."""
        return [given for name, given in self.calls if name == operation][-1]


@dataclass
class ResponseServer:
    """Answers with `codes`, the last one again and again, and keeps what came."""

    url: str = ""
    codes: list[int] = field(default_factory=lambda: [200])
    requests: list[tuple[Mapping[str, str], dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def response_server() -> Iterator[ResponseServer]:
    kept = ResponseServer()

    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.requests.append((dict(self.headers), body))
            self.send_response(kept.codes.pop(0) if len(kept.codes) > 1 else kept.codes[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/answer?X-Amz-Signature=0123abcd"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


Run = Callable[..., Ran]


Node = Callable[[Mapping[str, Any]], Any]


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """Runs one job after the other in a process of node, see run.js."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node on this machine, which the handlers of custom resources run on")
    command = [found, str(Path(__file__).with_name("run.js"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        given, told = process.stdin, process.stdout
        assert given is not None
        assert told is not None

        def one(job: Mapping[str, Any]) -> Any:
            given.write(json.dumps(job) + "\n")
            given.flush()
            return json.loads(told.readline())

        yield one
        given.close()


@pytest.fixture
def run(archive: Archive, node: Node, response_server: ResponseServer) -> Run:
    """`run("s3", "Create", properties, script={operation: [answer, …]})`; see run.js for answers."""

    def run_one(
        handler: str,
        request: str,
        properties: Mapping[str, Any],
        *,
        old: Mapping[str, Any] | None = None,
        physical_id: str = "Mine/it",
        logical_id: str = "Mine",
        script: Mapping[str, Any] | None = None,
        remaining: int = 180_000,
        timing: Mapping[str, int] | None = None,
        without: str | None = None,
    ) -> Ran:
        event = {
            "RequestType": request,
            "ResponseURL": response_server.url,
            "StackId": STACK,
            "RequestId": "request-1",
            "LogicalResourceId": logical_id,
            "ResourceType": "Custom::It",
            "ResourceProperties": {"ServiceToken": "arn:x", **properties},
        }
        if old is not None:
            event["OldResourceProperties"] = {"ServiceToken": "arn:x", **old}
        if request != "Create":
            event["PhysicalResourceId"] = physical_id
        job = {
            "root": str(archive.root),
            "handler": f"{handler}/handler.handler",
            "event": event,
            "remaining": remaining,
            "timing": {"first": 1, "most": 2, "propagation": 2000, "lastRule": 30, **(timing or {})},
            "script": script or {},
            "without": without,
        }
        response_server.requests.clear()
        told = node(job)
        ran = Ran(
            [(operation, given) for operation, given in told["calls"]],
            "\n".join(told["logs"]),
            told["thrown"],
            [body for _, body in response_server.requests],
        )
        for operation in ran.operations:
            action = ACTIONS.get(operation, f":{operation}")
            assert any(allowed.endswith(action) for allowed in archive.allowed), f"{operation} is not allowed"
        return ran

    return run_one
