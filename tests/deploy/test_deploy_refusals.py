"""What can't run here is told at its place in the file, before anything is created where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.deploy.local import Deployed, LocalDeployment
from pileus.deploy.stack import DeploymentFailed
from pileus.service import ConfigError, ConfigErrors
from pileus.testing import EmbeddedCloud

SERVICE = """\
service: refused-{n}
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.run
    events:
      - http: GET /hello
"""
RESOURCES = "resources:\n  Resources:\n"
QUEUE = "    Q:\n      Type: AWS::SQS::Queue\n"


@pytest.fixture(scope="module")
def deployed_in() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as cloud:
        yield cloud


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handler.py").write_text("def run(event, context):\n    return {'statusCode': 200}\n")
    return tmp_path


def deploy(cloud: EmbeddedCloud, folder: Path, text: str) -> Deployed:
    (folder / "serverless.yml").write_text(text.replace("{n}", folder.name.replace("_", "-")[-30:]))
    deployment = LocalDeployment(lambda: cloud.cloud, folder, options={}, environ={})
    return cloud.run(deployment.deploy())


def mistakes(cloud: EmbeddedCloud, folder: Path, text: str) -> list[ConfigError]:
    with pytest.raises((ConfigErrors, DeploymentFailed)) as caught:
        deploy(cloud, folder, text)
    error = caught.value
    return list(error.errors if isinstance(error, ConfigErrors) else error.mistakes)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


EVENTS = [
    ("sns: topic", "AWS::SNS::Topic"),
    ("stream: arn:aws:kinesis:us-east-1:000000000000:stream/x", "StartingPosition"),
    ("cognitoUserPool: {pool: People, trigger: PreSignUp}", "AWS::Cognito::UserPool"),
    ("cloudwatchLog: /aws/lambda/x", "AWS::Logs::SubscriptionFilter"),
    ("schedule: {rate: rate(1 hour), method: scheduler}", "AWS::Scheduler::Schedule"),
    (
        "cloudFront: {eventType: viewer-request, origin: 'https://example.com'}",
        "AWS::CloudFront::Distribution",
    ),
    ("iot: {sql: SELECT * FROM 'topic'}", "AWS::IoT::TopicRule"),
]


@pytest.mark.parametrize(("event", "needs"), EVENTS, ids=[event.partition(":")[0] for event, _ in EVENTS])
def test_an_event_that_is_not_delivered_is_named_at_its_place(
    deployed_in: EmbeddedCloud, folder: Path, event: str, needs: str
) -> None:
    text = f"{SERVICE}      - {event}\n"
    (mistake,) = mistakes(deployed_in, folder, text)
    kind = event.partition(":")[0]
    assert f"the event '{kind}' can't be delivered here yet" in mistake.message
    assert needs in mistake.message
    assert mistake.path == ("functions", "hello", "events", 1, kind)
    assert mistake.mark is not None
    assert mistake.mark.line == line_of(text, f"- {kind}")


@pytest.mark.parametrize("kind", ["alexaSkill", "alexaSmartHome"])
def test_an_event_that_nothing_here_sends_is_named_at_its_place(
    deployed_in: EmbeddedCloud, folder: Path, kind: str
) -> None:
    (mistake,) = mistakes(deployed_in, folder, f"{SERVICE}      - {kind}: amzn1.ask.skill.x\n")
    assert f"the event '{kind}' can't be delivered here" in mistake.message
    assert mistake.path == ("functions", "hello", "events", 1, kind)


SETTINGS = [
    # (text in place of `    handler: handler.run`, the path that is named)
    ("    handler: handler.run\n    runtime: java21", ("functions", "hello", "runtime")),
    ("    handler: handler.run\n    runtime: nodejs20.x", ("functions", "hello", "handler")),
    ("    handler: bootstrap\n    runtime: provided.al2023", ("functions", "hello", "handler")),
    (
        "    handler: handler.run\n    package:\n      artifact: x.zip",
        ("functions", "hello", "package", "artifact"),
    ),
    ("    image: 000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1", ("functions", "hello", "image")),
    ("    handler: handlr.run", ("functions", "hello", "handler")),
    ("    handler: handler.ran", ("functions", "hello", "handler")),
    ("    handler: handler", ("functions", "hello", "handler")),
]


@pytest.mark.parametrize(("setting", "path"), SETTINGS, ids=[path[-1] for _, path in SETTINGS])
def test_a_setting_of_a_function_that_is_refused(
    deployed_in: EmbeddedCloud, folder: Path, setting: str, path: tuple[str, ...]
) -> None:
    (mistake,) = mistakes(deployed_in, folder, SERVICE.replace("    handler: handler.run", setting))
    assert mistake.path == path
    assert mistake.mark is not None


@pytest.mark.parametrize(
    ("before", "after", "path", "says"),
    [
        ("  runtime: python3.11\n", "", ("provider",), "no runtime, which means nodejs16.x"),
        ("python3.11", "java17", ("provider", "runtime"), "the runtime java17, which can't run here"),
        ("  runtime", "  logs: {restApi: true}\n  runtime", ("provider", "logs", "restApi"), "in Node.js"),
        (
            "http: GET /hello",
            "s3: {bucket: there, existing: true}",
            ("functions", "hello", "events", 0, "s3"),
            "Custom::S3",
        ),
        (
            "functions:",
            "package: {artifact: x.zip}\nfunctions:",
            ("package", "artifact"),
            "package of your own",
        ),
    ],
)
def test_other_settings_that_are_refused(
    deployed_in: EmbeddedCloud, folder: Path, before: str, after: str, path: tuple[str, ...], says: str
) -> None:
    (mistake,) = mistakes(deployed_in, folder, SERVICE.replace(before, after))
    assert mistake.path == path
    assert says in mistake.message


WRITTEN = [
    ("    T:\n      Type: AWS::SNS::Topic\n", ("T",), "T (AWS::SNS::Topic) can't be emulated yet"),
    (
        f"{QUEUE}      Properties: {{Nope: 1}}\n",
        ("Q", "Properties", "Nope"),
        "property 'Nope' of AWS::SQS::Queue",
    ),
    (
        f"{QUEUE}      Properties: {{VisibilityTimeout: 99999999}}\n",
        ("Q", "Properties", "VisibilityTimeout"),
        "(InvalidAttributeValue)",
    ),
    (
        f"{QUEUE}      Properties: {{QueueName: !Ref Nobody}}\n",
        ("Q", "Properties", "QueueName"),
        "Unresolved resource dependencies [Nobody]",
    ),
    (
        f"{QUEUE}    R:\n      Type: AWS::SQS::Queue\n      Properties: {{QueueName: !GetAtt Q.Nope}}\n",
        ("R", "Properties", "QueueName"),
        "does not support attribute type Nope",
    ),
    ("    Q:\n      Properties: {}\n", ("Q",), "must contain a Type member"),
]


@pytest.mark.parametrize(("resources", "path", "says"), WRITTEN, ids=[says for _, _, says in WRITTEN])
def test_a_resource_of_the_users_own(
    deployed_in: EmbeddedCloud, folder: Path, resources: str, path: tuple[str, ...], says: str
) -> None:
    (mistake,) = mistakes(deployed_in, folder, SERVICE + RESOURCES + resources)
    assert says in mistake.message
    assert "Request ID" not in mistake.message
    assert mistake.path == ("resources", "Resources", *path)


def test_a_bucket_that_exists_is_told_with_the_reason(deployed_in: EmbeddedCloud, folder: Path) -> None:
    bucket = "    {0}:\n      Type: AWS::S3::Bucket\n      Properties: {{BucketName: twice-the-same}}\n"
    (mistake,) = mistakes(deployed_in, folder, SERVICE + RESOURCES + bucket.format("A") + bucket.format("B"))
    assert mistake.path[-1] in ("A", "B")
    assert "twice-the-same already exists" in mistake.message


def test_a_resource_in_a_file_of_its_own_is_told_there(deployed_in: EmbeddedCloud, folder: Path) -> None:
    (folder / "topics.yml").write_text("Resources:\n  T:\n    Type: AWS::SNS::Topic\n")
    (mistake,) = mistakes(deployed_in, folder, SERVICE + "resources: ${file(topics.yml)}\n")
    assert mistake.mark is not None
    assert (mistake.mark.file.name, mistake.mark.line) == ("topics.yml", 2)


def test_all_that_is_refused_is_told_at_once(deployed_in: EmbeddedCloud, folder: Path) -> None:
    text = f"{SERVICE}      - sns: one\n      - sns: two\n{RESOURCES}    T:\n      Type: AWS::SNS::Topic\n"
    found = mistakes(deployed_in, folder, text)
    assert [mistake.path[0] for mistake in found] == ["functions", "resources"]
    assert "SNSTopicOne" in found[0].message
    assert "SNSTopicTwo" in found[0].message


def test_nothing_is_created_for_a_service_that_is_refused(deployed_in: EmbeddedCloud, folder: Path) -> None:
    mistakes(deployed_in, folder, f"{SERVICE}      - sns: one\n")
    names = [
        each["StackName"] for each in deployed_in.client("cloudformation").list_stacks()["StackSummaries"]
    ]
    assert not [name for name in names if folder.name.replace("_", "-")[-30:] in name]
