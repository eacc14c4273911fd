"""Notifications of a bucket from elsewhere: ours come and go, those of others stay as they are."""

from collections.abc import Callable
from typing import Any

import pytest

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:shop-dev-a"
OTHERS: dict[str, Any] = {
    "TopicConfigurations": [{"Id": "t", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Events": ["s3:TestEvent"]}],
    "QueueConfigurations": [{"Id": "q", "QueueArn": "arn:aws:sqs:eu-west-1:1:q", "Events": ["s3:TestEvent"]}],
    "EventBridgeConfiguration": {},
    "LambdaFunctionConfigurations": [
        {"Id": "f", "LambdaFunctionArn": f"{FUNCTION}bc", "Events": ["s3:ObjectCreated:*"]},
        {"Id": "by hand", "LambdaFunctionArn": FUNCTION, "Events": ["s3:ObjectTagging:*"]},
        {"Id": "pileus-0-0", "LambdaFunctionArn": f"{FUNCTION}x", "Events": ["s3:ObjectCreated:*"]},
    ],
}
Run = Callable[..., Any]


def properties(*configs: tuple[str, list[dict[str, str]]], bucket: str = "photos") -> dict[str, Any]:
    return {
        "FunctionName": "shop-dev-a",
        "BucketName": bucket,
        "BucketConfigs": [{"Event": event, "Rules": rules} for event, rules in configs],
    }


PROPERTIES = properties(("s3:ObjectCreated:*", [{"Prefix": "a/"}, {"Suffix": ".jpg"}]))


def has(configuration: dict[str, Any]) -> dict[str, Any]:
    return {"GetBucketNotificationConfiguration": [configuration]}


def put(ran: Any) -> Any:
    return ran.input("PutBucketNotificationConfiguration")["NotificationConfiguration"]


def functions(ran: Any) -> list[Any]:
    return list(put(ran)["LambdaFunctionConfigurations"])


def test_a_life_leaves_the_bucket_as_it_was(run: Run) -> None:
    made = run("s3", "Create", PROPERTIES, script=has(OTHERS))
    assert made.status == "SUCCESS"
    whole = put(made)
    assert {**whole, "LambdaFunctionConfigurations": functions(made)[:3]} == OTHERS
    (own,) = functions(made)[3:]
    assert own["Id"].startswith("pileus-")
    rules = [{"Name": "prefix", "Value": "a/"}, {"Name": "suffix", "Value": ".jpg"}]
    assert own == {
        "Id": own["Id"],
        "LambdaFunctionArn": FUNCTION,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }

    again = run("s3", "Create", PROPERTIES, script=has(put(made)))
    assert put(again) == put(made)

    wanted = properties(("s3:ObjectRemoved:*", []), ("s3:ObjectRestore:*", []))
    changed = run("s3", "Update", wanted, old=PROPERTIES, physical_id=made.physical_id, script=has(put(made)))
    assert changed.physical_id == made.physical_id
    assert [each["Events"] for each in functions(changed)[3:]] == [
        ["s3:ObjectRemoved:*"],
        ["s3:ObjectRestore:*"],
    ]
    assert functions(changed)[:3] == OTHERS["LambdaFunctionConfigurations"]

    gone = run("s3", "Delete", wanted, physical_id=made.physical_id, script=has(put(changed)))
    assert (gone.status, put(gone)) == ("SUCCESS", OTHERS)
    assert gone.input("PutBucketNotificationConfiguration")["SkipDestinationValidation"] is True


def test_s3_may_invoke_the_function_before_it_is_told_of_it(run: Run) -> None:
    made = run("s3", "Create", PROPERTIES, script=has({}))
    assert made.operations[0] == "AddPermission"
    grant = made.input("AddPermission")
    gone = run("s3", "Delete", PROPERTIES, script=has(put(made)))
    assert gone.operations[-1] == "RemovePermission"  # S3 refuses to keep what it may not invoke
    assert gone.input("RemovePermission") == {
        "FunctionName": "shop-dev-a",
        "StatementId": grant.pop("StatementId"),
    }
    assert grant == {
        "FunctionName": "shop-dev-a",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::photos",
        "SourceAccount": "111122223333",
    }


BY_V3 = {
    "Id": "shop-dev-a-ef5643eea463f782e9b73f3cac7ff691",
    "LambdaFunctionArn": FUNCTION,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {
        "Key": {"FilterRules": [{"Name": "Suffix", "Value": ".jpg"}, {"Name": "Prefix", "Value": "a/"}]}
    },
}


@pytest.mark.parametrize(
    ("request_type", "wanted", "left"),
    [
        ("Update", properties(("s3:ObjectRemoved:*", [])), 1),
        ("Create", PROPERTIES, 1),
        ("Delete", PROPERTIES, 0),
    ],
)
def test_what_serverless_framework_made_is_taken_over(
    run: Run, request_type: str, wanted: dict[str, Any], left: int
) -> None:
    found = {"LambdaFunctionConfigurations": [*OTHERS["LambdaFunctionConfigurations"], BY_V3]}
    old = PROPERTIES if request_type == "Update" else None
    ran = run("s3", request_type, wanted, old=old, physical_id="CustomResourceExistingS3", script=has(found))
    assert ran.status == "SUCCESS"
    assert functions(ran)[:3] == OTHERS["LambdaFunctionConfigurations"]
    assert len(functions(ran)) == 3 + left
    if request_type == "Delete":
        removed = [given["StatementId"] for name, given in ran.calls if name == "RemovePermission"]
        assert removed[1:] == ["shop-dev-a-photos"]


def test_another_bucket_is_another_resource(run: Run) -> None:
    there = properties(("s3:ObjectCreated:*", []), bucket="elsewhere")
    moved = run("s3", "Update", there, old=PROPERTIES, physical_id="Mine/photos", script=has(OTHERS))
    assert moved.physical_id == "Mine/elsewhere"  # CloudFormation deletes the former one by itself
    assert {given["Bucket"] for name, given in moved.calls if "Bucket" in name} == {"elsewhere"}
    assert "RemovePermission" not in moved.operations


def test_another_function_replaces_the_one_before(run: Run) -> None:
    made = run("s3", "Create", PROPERTIES, script=has(OTHERS))
    renamed = {**PROPERTIES, "FunctionName": "renamed"}
    ran = run("s3", "Update", renamed, old=PROPERTIES, script=has(put(made)))
    assert [each["LambdaFunctionArn"] for each in functions(ran)[3:]] == [
        FUNCTION.replace("shop-dev-a", "renamed")
    ]
    assert ran.operations[-1] == "RemovePermission"
    assert ran.input("RemovePermission")["FunctionName"] == "shop-dev-a"


def error(name: str, message: str = "") -> dict[str, Any]:
    return {"error": {"name": name, "message": message}}


NOT_VALIDATED = error("InvalidArgument", "Unable to validate the following destination configurations")


@pytest.mark.parametrize(
    ("request_type", "script", "status", "puts"),
    [
        ("Create", {"PutBucketNotificationConfiguration": [NOT_VALIDATED, NOT_VALIDATED, {}]}, "SUCCESS", 3),
        (
            "Create",
            {"PutBucketNotificationConfiguration": [error("InvalidArgument", "overlap")]},
            "FAILED",
            1,
        ),
        ("Create", {"GetBucketNotificationConfiguration": [error("NoSuchBucket")]}, "FAILED", 0),
        ("Create", {"AddPermission": [error("ResourceNotFoundException")]}, "FAILED", 0),
        ("Create", {"AddPermission": [error("ResourceConflictException")]}, "SUCCESS", 1),
        ("Delete", {"GetBucketNotificationConfiguration": [error("NoSuchBucket")]}, "SUCCESS", 0),
        ("Delete", {"RemovePermission": [error("ResourceNotFoundException")]}, "SUCCESS", 0),
        ("Delete", has(OTHERS), "SUCCESS", 0),
    ],
)
def test_errors(run: Run, request_type: str, script: dict[str, Any], status: str, puts: int) -> None:
    ran = run("s3", request_type, PROPERTIES, script=script)
    assert ran.status == status
    assert ran.operations.count("PutBucketNotificationConfiguration") == puts


def test_events_of_a_former_bucket_stop_also_when_it_may_not_be_changed(run: Run) -> None:
    denied = error("AccessDenied", "not authorized to perform: s3:GetBucketNotification")
    ran = run("s3", "Delete", PROPERTIES, script={"GetBucketNotificationConfiguration": [denied]})
    assert ran.operations == ["GetBucketNotificationConfiguration", "RemovePermission"]
    assert "s3:GetBucketNotification" in ran.answer["Reason"]
