"""Triggers of a user pool from elsewhere: ours come and go, and the pool keeps every other setting."""

from collections.abc import Callable
from typing import Any

import pytest

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:shop-dev-a"
OTHER = "arn:aws:lambda:eu-west-1:111122223333:function:other"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
POOL_ARN = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a"
LISTED = [
    {"UserPools": [{"Id": "eu-west-1_z", "Name": "People"}], "NextToken": "more"},
    {"UserPools": [{"Id": "eu-west-1_a", "Name": "people"}]},
]
SETTINGS: dict[str, Any] = {
    "Policies": {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 3}},
    "DeletionProtection": "ACTIVE",
    "AutoVerifiedAttributes": ["email"],
    "MfaConfiguration": "OPTIONAL",
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "UserPoolTags": {"team": "a"},
    "SettingOfTomorrow": {"on": True},
}
READ_ONLY = {
    "Arn": POOL_ARN,
    "CreationDate": 1,
    "LastModifiedDate": 2,
    "SchemaAttributes": [{"Name": "sub"}],
    "UsernameAttributes": ["email"],
    "EstimatedNumberOfUsers": 5,
    "Domain": "people",
}
Run = Callable[..., Any]


def properties(*configs: dict[str, str], pool: str = "people") -> dict[str, Any]:
    return {"FunctionName": "shop-dev-a", "UserPoolName": pool, "UserPoolConfigs": list(configs)}


PROPERTIES = properties({"Trigger": "PreSignUp"}, {"Trigger": "CustomMessage"})
SENDER = properties({"Trigger": "CustomSMSSender", "LambdaVersion": "V1_0", "KMSKeyID": KEY})


def has(triggers: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    user_pool = {
        "Id": "eu-west-1_a",
        "Name": "people",
        **SETTINGS,
        **READ_ONLY,
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 3},
    }
    if triggers is not None:
        user_pool["LambdaConfig"] = triggers
    return {"ListUserPools": list(LISTED), "DescribeUserPool": [{"UserPool": user_pool}], **more}


def triggers(ran: Any) -> Any:
    return ran.input("UpdateUserPool")["LambdaConfig"]


def test_every_setting_goes_back_as_it_was(run: Run) -> None:
    ran = run("cognito-user-pool", "Create", PROPERTIES, script=has(None))
    assert ran.status == "SUCCESS"
    assert ran.input("UpdateUserPool") == {
        "UserPoolId": "eu-west-1_a",
        "PoolName": "people",
        **SETTINGS,
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},  # Cognito refuses both forms of the days
        "LambdaConfig": {"PreSignUp": FUNCTION, "CustomMessage": FUNCTION},
    }


def test_cognito_may_invoke_the_function_before_it_is_told_of_it(run: Run) -> None:
    ran = run("cognito-user-pool", "Create", PROPERTIES, script=has({}))
    assert ran.operations.index("AddPermission") < ran.operations.index("UpdateUserPool")
    grant = ran.input("AddPermission")
    assert (grant["Principal"], grant["SourceArn"]) == ("cognito-idp.amazonaws.com", POOL_ARN)


DETAILED = {"LambdaArn": OTHER, "LambdaVersion": "V2_0"}
OURS = {"LambdaArn": FUNCTION, "LambdaVersion": "V1_0"}


@pytest.mark.parametrize(
    ("request_type", "wanted", "old", "before", "after"),
    [
        ("Create", PROPERTIES, None, {"PostConfirmation": OTHER},
         {"PostConfirmation": OTHER, "PreSignUp": FUNCTION, "CustomMessage": FUNCTION}),
        ("Update", properties({"Trigger": "PreSignUp"}), PROPERTIES,
         {"PreSignUp": FUNCTION, "CustomMessage": FUNCTION, "UserMigration": OTHER},
         {"PreSignUp": FUNCTION, "UserMigration": OTHER}),
        ("Update", {**PROPERTIES, "FunctionName": "other"}, PROPERTIES, {"PreSignUp": FUNCTION},
         {"PreSignUp": OTHER, "CustomMessage": OTHER}),
        ("Delete", PROPERTIES, None, {"PreSignUp": FUNCTION, "CustomMessage": OTHER}, {"CustomMessage": OTHER}),
        ("Create", SENDER, None, {}, {"CustomSMSSender": OURS, "KMSKeyID": KEY}),
        ("Delete", SENDER, None, {"CustomSMSSender": OURS, "KMSKeyID": KEY}, {}),
        ("Delete", SENDER, None, {"CustomSMSSender": OURS, "CustomEmailSender": DETAILED, "KMSKeyID": KEY},
         {"CustomEmailSender": DETAILED, "KMSKeyID": KEY}),
        ("Create", properties({"Trigger": "PreTokenGeneration"}), None,
         {"PreTokenGeneration": OTHER, "PreTokenGenerationConfig": DETAILED},
         {"PreTokenGeneration": FUNCTION, "PreTokenGenerationConfig": {**DETAILED, "LambdaArn": FUNCTION}}),
        ("Delete", properties({"Trigger": "PreTokenGeneration"}), None,
         {"PreTokenGeneration": FUNCTION, "PreTokenGenerationConfig": {**DETAILED, "LambdaArn": FUNCTION}}, {}),
    ],
)  # fmt: skip
def test_triggers(
    run: Run, request_type: str, wanted: Any, old: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    ran = run("cognito-user-pool", request_type, wanted, old=old, script=has(before))
    assert (ran.status, triggers(ran)) == ("SUCCESS", after)


def test_a_trigger_of_another_is_named_in_the_log(run: Run) -> None:
    ran = run("cognito-user-pool", "Create", PROPERTIES, script=has({"PreSignUp": OTHER}))
    assert triggers(ran)["PreSignUp"] == FUNCTION
    assert f"PreSignUp was {OTHER}" in ran.logs


def test_another_pool_is_another_resource(run: Run) -> None:
    old = properties({"Trigger": "PreSignUp"}, pool="former")
    ran = run("cognito-user-pool", "Update", PROPERTIES, old=old, physical_id="Mine/former", script=has({}))
    assert ran.physical_id == "Mine/people"


TWO = {"ListUserPools": [{"UserPools": [{"Id": "a", "Name": "people"}, {"Id": "b", "Name": "people"}]}]}
NONE: dict[str, Any] = {"ListUserPools": [{"UserPools": []}]}
MEANWHILE = {"error": {"name": "ConcurrentModificationException"}}


@pytest.mark.parametrize(
    ("request_type", "script", "status", "updates", "says"),
    [
        ("Create", NONE, "FAILED", 0, "no user pools of this account and region are named 'people'"),
        ("Create", has({}, **TWO), "FAILED", 0, "2 user pools"),
        ("Delete", NONE, "SUCCESS", 0, ""),
        ("Delete", has({"PreSignUp": OTHER}), "SUCCESS", 0, ""),
        ("Delete", has({"PreSignUp": FUNCTION}, **TWO), "SUCCESS", 2, ""),
        ("Create", has({}, UpdateUserPool=[MEANWHILE, {}]), "SUCCESS", 2, ""),
        ("Create", has({}, UpdateUserPool=[{"error": {"name": "InvalidParameterException", "message": "SMS"}}]),
         "FAILED", 1, "InvalidParameterException: SMS"),
    ],
)  # fmt: skip
def test_pools_that_are_not_there_and_errors(
    run: Run, request_type: str, script: dict[str, Any], status: str, updates: int, says: str
) -> None:
    ran = run("cognito-user-pool", request_type, PROPERTIES, script=script)
    assert ran.status == status
    assert ran.operations.count("UpdateUserPool") == updates
    assert says in ran.answer.get("Reason", "")
