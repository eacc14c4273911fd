"""`pileus offline` alive: what it prints, what a save does, how it ends, and what is there when it starts again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from offline_process import HANDLER, PILEUS, SERVICE, OfflineProcess, alive, environment, write_service


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write_service(tmp_path / "service")


def test_a_saved_configuration_is_deployed_and_a_mistake_in_it_stops_nothing(service: Path) -> None:
    file = service / "serverless.yml"
    with OfflineProcess(service, "--ephemeral") as offline:
        assert offline.get("/hello") == (200, "one")
        file.write_text(SERVICE + "      - http: GET /more\n")
        assert offline.wait_for("deployed")["changed"] is True
        assert offline.get("/more") == (200, "one")

        file.write_text(SERVICE + "   wrong\n")
        failed = offline.wait_for("deploy-failed")
        assert failed["errors"][0]["line"] == 10
        assert offline.get("/more") == (200, "one")

        queue = "{Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: 99999999}}"
        file.write_text(SERVICE + f"resources: {{Resources: {{Q: {queue}}}}}\n")
        assert "UPDATE_ROLLBACK_COMPLETE" in offline.wait_for("deploy-failed")["message"]
        assert offline.get("/hello") == (200, "one")

        file.write_text(SERVICE + "      - http: GET /healed\n")
        offline.wait_for("deployed")
        assert offline.get("/healed") == (200, "one")

        file.write_text(SERVICE.partition("    events")[0])
        offline.wait_for("deployed")
        assert offline.get("/hello") == (404, '{"message":"this service has no http events"}')
        file.write_text(SERVICE)
        offline.wait_for("deployed")
        assert offline.get("/hello") == (200, "one")


def test_a_saved_handler_is_what_the_next_request_runs(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral") as offline:
        assert offline.get("/hello") == (200, "one")
        (service / "handler.py").write_text(HANDLER.replace("one", "two"))
        assert offline.get("/hello") == (200, "two")
        (service / "handler.py").write_text(HANDLER + "    return (\n")
        assert offline.get("/hello")[0] == 502
        (service / "handler.py").write_text(HANDLER.replace("one", "three"))
        assert offline.get("/hello") == (200, "three")


def test_a_save_leaves_functions_that_did_not_change_warm(service: Path) -> None:
    counting = (
        "calls = []\ndef hello(event, context):\n    calls.append(1)\n    return {'body': str(len(calls))}\n"
    )
    write_service(service, counting_py=counting, text=SERVICE.replace("handler.hello", "counting.hello"))
    with OfflineProcess(service, "--ephemeral") as offline:
        assert offline.get("/hello") == (200, "1")
        (service / "serverless.yml").write_text(
            SERVICE.replace("handler.hello", "counting.hello") + "  more: {handler: handler.hello}\n"
        )
        assert offline.wait_for("deployed")["changed"] is True
        assert offline.get("/hello") == (200, "2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_order_and_goes_on_where_it_was(service: Path, number: signal.Signals) -> None:
    with OfflineProcess(service) as offline:
        assert offline.get("/hello") == (200, "one")
        children = offline.children()
        offline.signal(number)
        assert offline.ends() == 0
        assert offline.left_over() == []
        assert alive(children) == []
        kinds = [event["event"] for event in offline.events]
        assert kinds == ["route", "coverage", "ready"]
    with OfflineProcess(service) as offline:
        (service / "serverless.yml").write_text(SERVICE + "\n")
        assert offline.wait_for("deployed")["changed"] is False
        assert offline.get("/hello") == (200, "one")


def test_a_kill_leaves_no_process(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral") as offline:
        assert offline.get("/hello") == (200, "one")
        children = offline.children()
        assert children
        offline.signal(signal.SIGKILL)
        offline.ends()
        assert alive(children) == []


def test_interrupted_while_it_starts(service: Path) -> None:
    process = subprocess.Popen(
        [PILEUS, "offline", "--ephemeral", "--port", "0", "--http-port", "0"], cwd=service, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and not _catches_sigterm(process.pid):
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err
    assert "Stopping" in out or process.returncode == 130


def _catches_sigterm(pid: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) & 1 << (signal.SIGTERM - 1))
    return False


def test_a_second_interrupt_ends_it_at_once(service: Path) -> None:
    slow = "import time\ndef hello(event, context):\n    time.sleep(60)\n"
    text = SERVICE.replace("    handler", "    timeout: 100\n    handler")
    write_service(service, text, handler_py=slow)
    with OfflineProcess(service, "--ephemeral") as offline:
        address = offline.url.removeprefix("http://").split("/")[0].split(":")
        with socket.create_connection((address[0], int(address[1]))) as waiting:
            waiting.sendall(b"GET /dev/hello HTTP/1.1\r\nhost: x\r\n\r\n")
            while not offline.children():
                time.sleep(0.01)
            children = offline.children()
            offline.signal()
            offline.signal(signal.SIGTERM)
            began = time.monotonic()
            assert offline.ends() in (0, 130)
            assert time.monotonic() - began < 5
        assert alive(children) == []


def test_without_the_stage_in_the_path(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral", "--noPrependStageInUrl", "--reloadHandler") as offline:
        assert not offline.url.endswith("/dev")
        assert offline.get("/hello") == (200, "one")


def test_stage_params_and_another_file(service: Path) -> None:
    text = SERVICE.replace("service: small", "service: small-${param:who}")
    (service / "serverless.yml").rename(service / "other.yml")
    (service / "other.yml").write_text(text)
    arguments = ("start", "--ephemeral", "--stage", "qa", "--param", "who=me", "--config", "other.yml")
    with OfflineProcess(service, *arguments) as offline:
        ready = offline.events[-1]
        assert (ready["service"], ready["stage"]) == ("small-me", "qa")
        assert ready["url"].endswith("/qa")


def test_warnings_and_logs_are_events(service: Path) -> None:
    text = SERVICE.replace("    handler", "    memorysize: 3\n    handler")
    write_service(service, text, handler_py="def hello(event, context):\n    print('said')\n")
    with OfflineProcess(service, "--ephemeral") as offline:
        warning = offline.events[0]
        assert (warning["event"], warning["line"], warning["hint"]) == (
            "warning",
            7,
            "did you mean 'memorySize'?",
        )
        offline.get("/hello")
        while (log := offline.wait_for("log"))["message"].rstrip() != "said":
            pass
        assert log["function"] == "small-dev-hello"


def test_an_option_of_serverless_offline_without_effect_is_told(service: Path) -> None:
    with OfflineProcess(service, "--ephemeral", "--useInProcess", "--noSponsor") as offline:
        warning = offline.events[0]
        assert warning["event"] == "warning"
        assert warning["message"].startswith("--useInProcess has no effect: ")
        assert offline.get("/hello") == (200, "one")
    assert "warning: --useDocker has no effect: " in _report(service, "--useDocker")


def _report(service: Path, *arguments: str) -> str:
    process = subprocess.Popen(
        [PILEUS, "offline", "--ephemeral", "--port", "0", "--http-port", "0", *arguments], cwd=service,
        env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Server ready: "):
                process.send_signal(signal.SIGINT)
    finally:
        process.kill()
    assert process.wait() == 0, lines
    return "".join(lines)


def test_the_report_of_a_service(service: Path) -> None:
    text = (
        SERVICE
        + "      - schedule: rate(1 hour)\n      - http: {method: post, path: '/items/{id}', private: true}\n"
    )
    text = text.replace("private: true", "private: true, authorizer: asked")
    write_service(service, text + "  quiet: {handler: handler.hello}\n  asked: {handler: handler.hello}\n")
    said = _report(service)
    assert "small  stage dev, region us-east-1\n" in said
    assert "\n  GET   /hello       hello\n  POST  /items/{id}  hello  authorizer asked, API key\n" in said
    assert "\n  schedule  rate(1 hour)  hello\n" in said
    assert "Functions without events  quiet\n" in said
    assert "all emulated\n" in said
    assert "\nServer ready: http://127.0.0.1:" in said
    assert "\x1b" not in said


EVERY_KIND = """\
service: all
provider: {name: aws, runtime: python3.11}
functions:
  hello:
    handler: handler.hello
    url: {invokeMode: RESPONSE_STREAM}
    events:
      - http: GET /rest
      - httpApi: POST /items/{id}
      - httpApi: '*'
      - websocket: $connect
      - websocket: {route: said}
      - alb:
          listenerArn: arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2
          priority: 1
          conditions: {path: /balanced, method: [GET, POST]}
      - schedule: rate(1 hour)
"""


def test_every_kind_of_api_has_a_table_under_its_address(service: Path) -> None:
    write_service(service, EVERY_KIND)
    said = _report(service)
    port = re.search(r"\nRoutes  http://127.0.0.1:(\d+)/dev\n  GET  /rest  hello\n", said)
    assert port is not None, said
    assert (
        f"\nHTTP API  http://127.0.0.1:{port[1]}\n  POST  /items/{{id}}  hello\n  ANY   *            hello\n"
        in said
    )
    assert re.search(r"\nWebSocket  ws://127.0.0.1:\d+\n  \$connect  hello\n  said      hello\n", said)
    assert re.search(r"\nLoad balancer  http://127.0.0.1:\d+\n  GET, POST  /balanced  hello\n", said)
    assert re.search(r"\nFunction URLs\n  ANY  http://\w+\.lambda-url\.\S+  hello  streams\n", said)
    assert re.search(r"\nEvents\n  schedule  rate\(1 hour\)  hello\n", said)
    assert re.search(r"\n  Lambda API    http://127.0.0.1:\d+\n", said)


def test_a_service_of_resources_only_says_that_there_is_no_api(service: Path) -> None:
    write_service(
        service,
        "service: just\nprovider: {name: aws}\nresources: {Resources: {Q: {Type: 'AWS::SQS::Queue'}}}\n",
    )
    said = _report(service)
    assert "No API: no function has an http, httpApi, websocket or alb event.\n" in said
    assert "Server ready: http://127.0.0.1:" in said


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals(service: Path, variables: dict[str, str], coloured: bool) -> None:
    ours, theirs = os.openpty()
    write_service(service, SERVICE.replace("handler.hello", "handlr.hello"))
    with os.fdopen(theirs, "w") as terminal:
        subprocess.run(
            [PILEUS, "offline", "--ephemeral", "--port", "0", "--http-port", "0"], cwd=service, check=False,
            env={**environment(), "TERM": "xterm", "COLUMNS": "100", **variables}, stdout=terminal, stderr=terminal,
        )  # fmt: skip
    with os.fdopen(ours, "rb", buffering=0) as reader:
        said = reader.read(65_536).decode()
    assert "the handler's file handlr.py does not exist" in said
    assert ("\x1b[" in said) is coloured


def test_the_cloud_alone(tmp_path: Path) -> None:
    with OfflineProcess(tmp_path, command="cloud") as cloud:
        ready = cloud.events[-1]
        assert ready["account"] == "000000000000"
        health = subprocess.run(
            ["curl", "-s", f"{cloud.url}/_pileus/health"], capture_output=True, check=True
        )
        assert json.loads(health.stdout)["status"] == "running"
        cloud.signal()
        assert cloud.ends() == 0
    assert (tmp_path / ".pileus" / "state.db").is_file()
