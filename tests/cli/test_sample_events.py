"""`pileus generate-event`: events have AWS's shapes and carry what they are told to."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest

from pileus.cli.main import main
from pileus.cli.sample_events import ALIASES, UnknownEvent, all_events, names, sample_event

BODY = '{"order": 1, "who": "Zoë"}'


def record(event: Any) -> Any:
    return event["Records"][0]


CARRIED = [
    ("sqs", lambda event: record(event)["body"], BODY),
    ("sqs", lambda event: record(event)["md5OfBody"], hashlib.md5(BODY.encode()).hexdigest()),
    ("sns", lambda event: record(event)["Sns"]["Message"], BODY),
    ("http", lambda event: event["body"], BODY),
    ("httpApi", lambda event: event["body"], BODY),
    ("url", lambda event: event["body"], BODY),
    ("alb", lambda event: event["body"], BODY),
    ("websocket", lambda event: event["body"], BODY),
    ("eventBridge", lambda event: event["detail"], json.loads(BODY)),
    ("kinesis", lambda event: base64.b64decode(record(event)["kinesis"]["data"]).decode(), BODY),
    (
        "dynamodb",
        lambda event: record(event)["dynamodb"]["NewImage"],
        {"order": {"N": "1"}, "who": {"S": "Zoë"}},
    ),
    ("iot", lambda event: event, json.loads(BODY)),
    ("cognitoUserPool", lambda event: event["request"]["userAttributes"], json.loads(BODY)),
    (
        "cloudwatchLog",
        lambda event: json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))["logEvents"][0][
            "message"
        ],
        BODY,
    ),
]


@pytest.mark.parametrize(("kind", "found", "expected"), CARRIED, ids=[kind for kind, *_ in CARRIED])
def test_the_body_arrives_where_aws_puts_it(kind: str, found: Any, expected: Any) -> None:
    event = sample_event(kind)
    assert found(event.make({event.body: BODY})) == expected


SET = [
    # AWS encodes keys in notifications as forms do
    (
        "s3",
        {"key": "a b/ü.txt", "bucket": "mine"},
        lambda e: (record(e)["s3"]["object"]["key"], record(e)["s3"]["bucket"]["arn"]),
        ("a+b%2F%C3%BC.txt", "arn:aws:s3:::mine"),
    ),
    ("s3", {"size": "7"}, lambda e: record(e)["s3"]["object"]["size"], 7),
    ("s3", {"event": "ObjectRemoved:Delete"}, lambda e: record(e)["eventName"], "ObjectRemoved:Delete"),
    ("sqs", {"queue": "q"}, lambda e: record(e)["eventSourceARN"], "arn:aws:sqs:eu-west-1:123456789012:q"),
    ("http", {"query": "a=1&a=2"}, lambda e: e["queryStringParameters"], {"a": "2"}),
    ("http", {"query": "a=1&a=2"}, lambda e: e["multiValueQueryStringParameters"], {"a": ["1", "2"]}),
    ("http", {}, lambda e: (e["body"], e["queryStringParameters"]), (None, None)),
    ("httpApi", {"query": "a=1&a=2"}, lambda e: e["queryStringParameters"], {"a": "1,2"}),
    ("httpApi", {}, lambda e: {"body", "queryStringParameters", "pathParameters"} & e.keys(), set()),
    ("dynamodb", {}, lambda e: "OldImage" in record(e)["dynamodb"], False),
    (
        "dynamodb",
        {"newImage": '{"id": {"S": "1"}}'},
        lambda e: record(e)["dynamodb"]["NewImage"],
        {"id": {"S": "1"}},
    ),
    ("schedule", {"rule": "r"}, lambda e: e["resources"], ["arn:aws:events:eu-west-1:123456789012:rule/r"]),
    ("authorizerToken", {"token": "t"}, lambda e: (e["type"], e["authorizationToken"]), ("TOKEN", "t")),
]


@pytest.mark.parametrize(("kind", "given", "found", "expected"), SET)
def test_what_is_set_is_there(kind: str, given: dict[str, str], found: Any, expected: Any) -> None:
    assert found(sample_event(kind).make(given, region="eu-west-1")) == expected


@pytest.mark.parametrize("kind", names())
def test_nothing_of_the_template_is_left(kind: str) -> None:
    event = sample_event(kind)
    made = json.dumps(event.make({}, at=0.0))
    for name in event.settings:
        assert f"{{{name}}}" not in made
        assert f"{{{name}|" not in made
    assert event.body in event.settings
    assert event.about.endswith(".")


def test_moments_are_those_of_the_clock_that_is_given() -> None:
    event = sample_event("s3").make({}, at=1_700_000_000.25)
    assert record(event)["eventTime"] == "2023-11-14T22:13:20.250Z"


def test_every_alias_leads_to_an_event() -> None:
    assert {sample_event(alias).name for alias in ALIASES} <= set(names())
    assert sample_event("aws:apiGateway").name == "http"
    assert sample_event("HTTPAPI").name == "httpApi"
    assert [event.name for event in all_events()] == names()


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("sq", {}, "there is no event 'sq'"),
        ("sqs", {"bodi": "x"}, "the event 'sqs' has no 'bodi'; it has body, "),
    ],
)
def test_what_does_not_exist(kind: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(UnknownEvent, match=says):
        sample_event(kind).make(given)


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate-event", "sqs", "--body", BODY, "--set", "queue=q", "--region", "eu-north-1"])
    event = json.loads(capsys.readouterr().out)
    assert record(event)["body"] == BODY
    assert record(event)["eventSourceARN"].startswith("arn:aws:sqs:eu-north-1:")
    main(["generate-event", "--type", "aws:sns", "-b", "hello"])
    assert record(json.loads(capsys.readouterr().out))["Sns"]["Message"] == "hello"


def test_without_a_type_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate-event"])
    said = capsys.readouterr().out
    assert all(f"{name}  " in said for name in names())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sq"], "there is no event 'sq'"),
        (["sqs", "--type", "sns"], "the type is given twice"),
        (["s3", "--set", "size=big"], "a value does not fit the event 's3'"),
        (["s3", "--set", "size"], "'size' is not KEY=VALUE"),
    ],
)
def test_mistakes(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["generate-event", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert says in err
