"""What was under way when the server was killed arrives after its restart; and no process outlives the server."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from pathlib import Path
from typing import Any

from .processes import ACCOUNT, Answers, Process, State, descendants, gone, until

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
#: Notes each event that it gets as a line of a file, in one write.
NOTES = """
    import json, os

    def handler(event, context):
        with open(os.environ["NOTES"], "ab", buffering=0) as file:
            file.write(json.dumps(event).encode() + b"\\n")
"""
#: Tells its process and its parent, then never ends by itself.
SPINS = """
    import os

    def handler(event, context):
        with open(os.environ["NOTES"], "ab", buffering=0) as file:
            file.write(b"%d %d\\n" % (os.getpid(), os.getppid()))
        while event.get("spin"):
            pass
"""


def _package(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(text))
    return buffer.getvalue()


def _create_function(server: Process, name: str, text: str, notes: Path) -> str:
    iam = server.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client = server.client("lambda")
    created = client.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="app.handler",
        Code={"ZipFile": _package(text)},
        Environment={"Variables": {"NOTES": str(notes)}},
        Timeout=60,
    )
    for source in ("s3", "events"):
        client.add_permission(
            FunctionName=name,
            StatementId=source,
            Action="lambda:InvokeFunction",
            Principal=f"{source}.amazonaws.com",
        )
    return str(created["FunctionArn"])


def _wire(server: Process, notes: Path) -> None:
    """A function behind a bucket and a rule, and a queue behind the same rule."""
    function = _create_function(server, "notes", NOTES, notes)
    server.client("s3").create_bucket(Bucket="bucket")
    server.client("s3").put_bucket_notification_configuration(
        Bucket="bucket",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    server.client("sqs").create_queue(QueueName="queue")
    events = server.client("events")
    events.put_rule(Name="rule", EventPattern='{"source":["test"]}')
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
    events.put_targets(Rule="rule", Targets=[{"Id": "f", "Arn": function}, {"Id": "q", "Arn": queue}])


class _Answered:
    """What the server said yes to: names of asynchronous invocations, objects and events."""

    def __init__(self) -> None:
        self.invocations: set[str] = set()
        self.keys: set[str] = set()
        self.events: set[str] = set()

    def work(self, server: Process, ask: Answers, name: str) -> None:
        functions, s3, events = (server.client(service) for service in ("lambda", "s3", "events"))
        for count in range(10_000):
            what = f"{name}-{count}"
            payload = json.dumps({"invocation": what})
            answer = ask(functions.invoke, FunctionName="notes", InvocationType="Event", Payload=payload)
            assert answer["StatusCode"] == 202
            self.invocations.add(what)
            ask(s3.put_object, Bucket="bucket", Key=what, Body=b"x" * (count * 20_000))
            self.keys.add(what)
            entry = {"Source": "test", "DetailType": "t", "Detail": json.dumps({"event": what})}
            assert ask(events.put_events, Entries=[entry, entry])["FailedEntryCount"] == 0
            self.events.add(what)


def test_events_that_were_answered_arrive(state: State, tmp_path: Path) -> None:
    notes, answered = tmp_path / "notes", _Answered()
    for turn, answers in enumerate((20, 47, 0)):
        with state.cloud() as server:
            if turn == 0:
                _wire(server, notes)
            if answers:
                ask = Answers(server, answers)
                ask.run(
                    [lambda n=n, s=server, a=ask, t=turn: answered.work(s, a, f"{t}-{n}") for n in range(3)]
                )
                continue
            server.drain()
            _check_notes(notes, answered)
            assert _events_in_queue(server.client("sqs")) >= answered.events
    assert len(answered.events) >= 10
    assert state.errors() == ""


def _check_notes(notes: Path, answered: _Answered) -> None:
    seen = [json.loads(line) for line in notes.read_text().splitlines()]
    assert {event["invocation"] for event in seen if "invocation" in event} >= answered.invocations
    records = [record for event in seen for record in event.get("Records", [])]
    assert {record["s3"]["object"]["key"] for record in records} >= answered.keys
    assert {event["detail"]["event"] for event in seen if "detail" in event} >= answered.events


def _events_in_queue(client: Any) -> set[str]:
    url = client.get_queue_url(QueueName="queue")["QueueUrl"]
    found: set[str] = set()
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found.update(json.loads(message["Body"])["detail"]["event"] for message in messages)
    return found


def _spinning(server: Process, notes: Path) -> set[int]:
    """The processes of a warm, idle environment and of one in a busy loop."""
    _create_function(server, "spins", SPINS, notes)
    client = server.client("lambda")
    client.invoke(FunctionName="spins", Payload=b"{}")
    for _ in range(2):
        client.invoke(FunctionName="spins", Payload=b'{"spin": true}', InvocationType="Event")
    until(lambda: len(notes.read_text().splitlines()) == 3)
    told = {int(pid) for pid in notes.read_text().split()}
    below = descendants(server.popen.pid)
    assert told - {server.popen.pid} <= below  # environments, and the zygote that they were forked from
    assert len(below) >= 3
    return below


def test_no_process_outlives_a_killed_server(state: State, tmp_path: Path) -> None:
    with state.cloud() as server:
        below = _spinning(server, tmp_path / "notes")
        server.kill()
        assert [pid for pid in below if not gone(pid)] == []


def test_no_process_outlives_ctrl_c(state: State, tmp_path: Path) -> None:
    with state.cloud() as server:
        below = _spinning(server, tmp_path / "notes")
        assert server.interrupt() == 0
        assert [pid for pid in below if not gone(pid)] == []
    assert "Traceback" not in state.errors()
    with state.cloud() as server:  # what it cut off comes again
        until(lambda: len((tmp_path / "notes").read_text().splitlines()) >= 5)


SERVICE = """
    service: small
    frameworkVersion: "3"
    provider:
      name: aws
      runtime: python3.11
      environment:
        NOTES: ${env:NOTES}
    functions:
      notes:
        handler: app.handler
        events:
          - sqs: {arn: !GetAtt Queue.Arn}
    resources:
      Resources:
        Queue:
          Type: AWS::SQS::Queue
"""


def test_a_service_goes_on_after_a_kill(state: State, tmp_path: Path) -> None:
    folder, notes = tmp_path / "service", tmp_path / "notes"
    folder.mkdir()
    (folder / "serverless.yml").write_text(textwrap.dedent(SERVICE).replace("${env:NOTES}", str(notes)))
    (folder / "app.py").write_text(textwrap.dedent(NOTES))
    sent: set[str] = set()

    def send(server: Process, ask: Answers, name: str) -> None:
        client = server.client("sqs")
        url = client.list_queues()["QueueUrls"][0]
        for count in range(10_000):
            body = f"{name}-{count}"
            ask(client.send_message, QueueUrl=url, MessageBody=body)
            sent.add(body)

    for turn, answers in enumerate((10, 33, 0)):
        with state.offline(folder) as server:
            below = descendants(server.popen.pid)
            if answers:
                ask = Answers(server, answers)
                ask.run([lambda n=n, s=server, a=ask, t=turn: send(s, a, f"{t}-{n}") for n in range(2)])
                assert [pid for pid in below if not gone(pid)] == []
                continue
            server.travel(31)  # what a killed batch had received is visible again
            until(lambda: _bodies(notes) >= sent)
            below = descendants(server.popen.pid)
            assert server.interrupt() == 0
            assert [pid for pid in below if not gone(pid)] == []
    assert len(sent) >= 40


def _bodies(notes: Path) -> set[str]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {record["body"] for line in lines for record in json.loads(line)["Records"]}
