"""CloudFormation waits an hour for an answer that does not come: there is one for everything that happens."""

from collections.abc import Callable
from typing import Any

import pytest

PROPERTIES = {"FunctionName": "f", "BucketName": "b", "BucketConfigs": [{"Event": "s3:ObjectCreated:*"}]}
DENIED = {"error": {"name": "AccessDenied", "message": "not authorized to perform: s3:GetBucketNotification"}}
Run = Callable[..., Any]


def test_an_answer_names_what_was_asked(run: Run, response_server: Any) -> None:
    answer = run("s3", "Create", PROPERTIES).answer
    assert answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "Mine/b",
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-dev/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Mine",
    }
    ((headers, _),) = response_server.requests
    assert headers["content-type"] == ""  # what the URL is signed for


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"without": "@aws-sdk/client-s3"}, "Cannot find module '@aws-sdk/client-s3'"),
        ({"script": {"GetBucketNotificationConfiguration": [{"never": True}]}, "remaining": 15_100}, "longer than"),
        ({"script": {"AddPermission": [{"error": {"name": "PolicyLengthExceededException", "message": "long"}}]}},
         "PolicyLengthExceededException: long"),
        ({"script": {"AddPermission": [{"error": {"name": "X", "message": "y" * 9000}}]}}, "X: yyy"),
    ],
)  # fmt: skip
def test_a_failure_is_answered(run: Run, more: dict[str, Any], reason: str) -> None:
    answer = run("s3", "Create", PROPERTIES, **more).answer
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert "(log stream stream)" in answer["Reason"]
    assert len(str(answer)) < 4096  # CloudFormation's limit


def test_properties_that_make_no_sense_are_answered(run: Run) -> None:
    for handler in ("s3", "cognito-user-pool", "event-bridge"):
        assert run(handler, "Create", {}).status == "FAILED"


@pytest.mark.parametrize(
    ("request_type", "denials", "status", "calls"),
    [("Create", 3, "SUCCESS", 4), ("Update", 3, "SUCCESS", 4), ("Delete", 3, "FAILED", 1)],
)
def test_a_role_may_be_denied_while_it_is_new(
    run: Run, request_type: str, denials: int, status: str, calls: int
) -> None:
    script = {"GetBucketNotificationConfiguration": [*[DENIED] * denials, {}]}
    ran = run("s3", request_type, PROPERTIES, old=PROPERTIES, script=script)
    assert ran.status == status
    assert ran.operations.count("GetBucketNotificationConfiguration") == calls


def test_a_role_that_stays_denied_is_told(run: Run) -> None:
    script = {"GetBucketNotificationConfiguration": [DENIED]}
    ran = run("s3", "Create", PROPERTIES, script=script, timing={"propagation": 20})
    assert "not authorized to perform: s3:GetBucketNotification" in ran.answer["Reason"]


@pytest.mark.parametrize(
    ("codes", "answers", "thrown"),
    [
        ([500, 503, 200], 3, None),
        ([500], 4, "CloudFormation's URL answered 500"),  # thrown, Lambda runs it once more
        ([403], 1, "CloudFormation's URL answered 403"),
    ],
)
def test_the_answer_is_given_again(
    run: Run, response_server: Any, codes: list[int], answers: int, thrown: str | None
) -> None:
    response_server.codes[:] = codes
    ran = run("s3", "Create", PROPERTIES)
    assert (len(ran.answers), ran.thrown) == (answers, thrown)


def test_the_answers_url_is_not_told(run: Run, response_server: Any) -> None:
    refused = {"error": {"name": "X", "message": f"at {response_server.url}"}}
    ran = run("s3", "Create", PROPERTIES, script={"AddPermission": [refused]})
    assert "X-Amz-Signature" not in ran.logs + ran.answer["Reason"]
    assert '"what":"failed: X: at ***"' in ran.logs
