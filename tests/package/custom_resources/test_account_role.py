"""The role that API Gateway logs with: made once an account, and never taken from those who have it."""

from collections.abc import Callable
from typing import Any

import pytest

OURS = "arn:aws:iam::111122223333:role/pileusApiGatewayCloudWatchRole"
THEIRS = "arn:aws:iam::111122223333:role/path/theirs"
SET: dict[str, Any] = {"GetAccount": [{"cloudwatchRoleArn": THEIRS}]}
GONE = {"ListAttachedRolePolicies": [{"error": {"name": "NoSuchEntityException"}}]}
MAKING = ["CreateRole", "AttachRolePolicy", "UpdateAccount"]
KIND = "api-gateway-cloud-watch-role"
Run = Callable[..., Any]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize(
    ("properties", "script", "then", "role"),
    [
        ({}, {}, MAKING, OURS),
        ({"RoleArn": "false"}, {}, MAKING, OURS),
        ({}, SET, ["ListAttachedRolePolicies"], None),
        ({}, {**SET, **GONE}, ["ListAttachedRolePolicies", *MAKING], OURS),
        ({}, {"CreateRole": [{"error": {"name": "EntityAlreadyExistsException"}}]}, MAKING, OURS),
        ({"RoleArn": THEIRS}, {}, ["UpdateAccount"], THEIRS),
        ({"RoleArn": THEIRS}, SET, [], None),
        ({"RoleArn": OURS}, SET, ["UpdateAccount"], OURS),
    ],
)
def test_the_role(
    run: Run, request_type: str, properties: Any, script: dict[str, Any], then: list[str], role: str | None
) -> None:
    ran = run(KIND, request_type, properties, script=script)
    assert ran.status == "SUCCESS"
    assert ran.operations == ["GetAccount", *then]
    if role is not None:
        patch = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        assert ran.input("UpdateAccount") == {"patchOperations": [patch]}


def test_the_role_that_is_looked_for_goes_by_its_name(run: Run) -> None:
    assert run(KIND, "Create", {}, script=SET).input("ListAttachedRolePolicies") == {"RoleName": "theirs"}


def test_the_role_stays_when_the_service_goes(run: Run) -> None:
    ran = run(KIND, "Delete", {})
    assert (ran.status, ran.calls) == ("SUCCESS", [])


UNSEEN = {
    "error": {
        "name": "BadRequestException",
        "message": "The role ARN does not have required permissions configured.",
    }
}


@pytest.mark.parametrize(
    ("answers", "status", "updates"),
    [
        ([UNSEEN, UNSEEN, {"error": {"name": "LimitExceededException"}}, {}], "SUCCESS", 4),
        ([{"error": {"name": "BadRequestException", "message": "Invalid patch path"}}], "FAILED", 1),
    ],
)
def test_the_new_role_is_waited_for(run: Run, answers: list[Any], status: str, updates: int) -> None:
    ran = run(KIND, "Create", {}, script={"UpdateAccount": answers})
    assert ran.status == status
    assert ran.operations.count("UpdateAccount") == updates


def test_the_wait_ends_in_time_for_an_answer(run: Run) -> None:
    ran = run(KIND, "Create", {}, script={"UpdateAccount": [UNSEEN]}, remaining=15_200)
    assert ran.status == "FAILED"
    assert "required permissions" in ran.answer["Reason"]
