"""Rules that a custom resource makes: with their target, the function's permission, and a bus where there is none."""

import json
from collections.abc import Callable
from typing import Any

import pytest

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:shop-dev-a"
RULE = "arn:aws:events:eu-west-1:111122223333:rule/orders/made"
MADE: dict[str, Any] = {"PutRule": [{"RuleArn": RULE}], "PutTargets": [{"FailedEntryCount": 0}]}
EXISTS = {"error": {"name": "ResourceAlreadyExistsException"}}
MISSING = {"error": {"name": "ResourceNotFoundException"}}
TARGETED = {
    "error": {"name": "ValidationException", "message": "Rule can't be deleted since it has targets."}
}
Run = Callable[..., Any]


def properties(name: str = "shop-dev-a", **config: Any) -> dict[str, Any]:
    return {"FunctionName": name, "EventBridgeConfig": {"RuleName": "made", "State": "ENABLED", **config}}


ON_BUS = properties(EventBus="orders", Pattern={"source": ["x"]})
SCHEDULED = properties(Schedule="rate(10 minutes)")


def test_a_life(run: Run) -> None:
    made = run("event-bridge", "Create", ON_BUS, script=MADE)
    assert (made.status, made.physical_id) == ("SUCCESS", "Mine/orders/made+bus")
    assert made.operations == ["CreateEventBus", "PutRule", "AddPermission", "PutTargets"]
    assert made.input("CreateEventBus") == {"Name": "orders"}
    rule = {"EventBusName": "orders", "Name": "made", "EventPattern": '{"source":["x"]}', "State": "ENABLED"}
    assert made.input("PutRule") == rule
    (target,) = made.input("PutTargets")["Targets"]
    assert target["Arn"] == FUNCTION
    grant = made.input("AddPermission")
    assert (grant["Principal"], grant["SourceArn"]) == ("events.amazonaws.com", RULE)

    wanted = properties(EventBus="orders", Schedule="rate(1 day)")
    script = {**MADE, "CreateEventBus": [EXISTS]}
    changed = run("event-bridge", "Update", wanted, old=ON_BUS, physical_id=made.physical_id, script=script)
    assert changed.physical_id == made.physical_id
    assert changed.input("PutTargets")["Targets"] == [target]
    assert changed.input("AddPermission") == grant

    gone = run("event-bridge", "Delete", wanted, physical_id=made.physical_id)
    assert gone.operations == ["RemoveTargets", "DeleteRule", "RemovePermission", "DeleteEventBus"]
    assert gone.input("RemoveTargets") == {"EventBusName": "orders", "Rule": "made", "Ids": [target["Id"]]}
    assert gone.input("RemovePermission")["StatementId"] == grant["StatementId"]


@pytest.mark.parametrize(
    ("bus", "buses", "mark"),
    [
        (None, [], ""),
        ("default", [], ""),
        ("arn:aws:events:eu-west-1:111122223333:event-bus/orders", [], ""),
        ("orders", [{"Name": "orders"}], "+bus"),
        (
            "aws.partner/x.com/a",
            [{"Name": "aws.partner/x.com/a", "EventSourceName": "aws.partner/x.com/a"}],
            "+bus",
        ),
    ],
)
def test_buses_are_made_by_name(run: Run, bus: str | None, buses: list[Any], mark: str) -> None:
    wanted = properties(Schedule="rate(1 day)", **({"EventBus": bus} if bus else {}))
    ran = run("event-bridge", "Create", wanted, script=MADE)
    assert [given for name, given in ran.calls if name == "CreateEventBus"] == buses
    assert ran.physical_id == f"Mine/{(bus or 'default').rpartition(':event-bus/')[2]}/made{mark}"
    assert ran.input("PutRule").get("EventBusName") == bus


def test_a_bus_of_others_is_used_and_left(run: Run) -> None:
    made = run("event-bridge", "Create", ON_BUS, script={**MADE, "CreateEventBus": [EXISTS]})
    assert (made.status, made.physical_id) == ("SUCCESS", "Mine/orders/made")
    gone = run("event-bridge", "Delete", ON_BUS, physical_id=made.physical_id)
    assert "DeleteEventBus" not in gone.operations


@pytest.mark.parametrize(
    ("answers", "deletions", "logged"),
    [
        ([{"error": {"name": "ValidationException", "message": "has rules"}}, {}], 2, ""),
        ([{"error": {"name": "ValidationException", "message": "has rules"}}], 3, "the event bus stays"),
        ([MISSING], 1, ""),
    ],
)
def test_our_bus_waits_for_its_other_rules(run: Run, answers: list[Any], deletions: int, logged: str) -> None:
    ran = run("event-bridge", "Delete", ON_BUS, physical_id="Mine/x+bus", script={"DeleteEventBus": answers})
    assert ran.status == "SUCCESS"
    assert ran.operations.count("DeleteEventBus") >= deletions
    assert logged in ran.logs


@pytest.mark.parametrize(
    ("config", "target"),
    [
        ({"Input": {"k": "v"}}, {"Input": '{"k":"v"}'}),
        ({"Input": '{"k": 1}'}, {"Input": '{"k": 1}'}),
        ({"InputPath": "$.x"}, {"InputPath": "$.x"}),
        ({"InputTransformer": {"InputTemplate": "x"}}, {"InputTransformer": {"InputTemplate": "x"}}),
        ({}, {}),
    ],
)
def test_what_the_function_is_given(run: Run, config: dict[str, Any], target: dict[str, Any]) -> None:
    ran = run("event-bridge", "Create", properties(Schedule="rate(1 day)", **config), script=MADE)
    (made,) = ran.input("PutTargets")["Targets"]
    assert {name: value for name, value in made.items() if name not in ("Id", "Arn")} == target


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (
            {"detail": {"n": [{"numeric": [">", "0", "<=", "1.5"]}]}},
            {"detail": {"n": [{"numeric": [">", 0, "<=", 1.5]}]}},
        ),
        ({"detail": {"a": [{"exists": "false"}]}}, {"detail": {"a": [{"exists": False}]}}),
        (
            {"detail": {"exists": ["true"], "numeric": ["1"]}},
            {"detail": {"exists": ["true"], "numeric": ["1"]}},
        ),
        (
            {"$or": [{"a": [{"exists": "true"}]}, {"b": ["x"]}]},
            {"$or": [{"a": [{"exists": True}]}, {"b": ["x"]}]},
        ),
    ],
)
def test_numbers_and_booleans_that_came_as_text(run: Run, given: Any, meant: Any) -> None:
    ran = run("event-bridge", "Create", properties(Pattern=given), script=MADE)
    assert json.loads(ran.input("PutRule")["EventPattern"]) == meant


@pytest.mark.parametrize(
    ("before", "id_"), [(SCHEDULED, "Mine/x"), (properties(EventBus="b"), "Mine/default/made")]
)
def test_another_rule_is_another_resource(run: Run, before: dict[str, Any], id_: str) -> None:
    ran = run("event-bridge", "Update", SCHEDULED, old=before, physical_id="Mine/x", script=MADE)
    assert ran.physical_id == id_


def test_what_serverless_framework_made_is_taken_over(run: Run) -> None:
    """It has one physical id for all rules, and targets by the rule's name; two targets would call twice."""
    former = "CustomResourceEventBridge"
    changed = run("event-bridge", "Update", SCHEDULED, old=SCHEDULED, physical_id=former, script=MADE)
    assert changed.physical_id == former
    assert changed.input("RemoveTargets") == {"Rule": "made", "Ids": ["made-target"]}
    assert changed.input("PutTargets")["Targets"][0]["Id"] != "made-target"
    gone = run("event-bridge", "Delete", ON_BUS, physical_id=former)
    assert gone.input("RemoveTargets")["Ids"][1:] == ["made-target"]
    assert gone.input("RemovePermission")["StatementId"] == "shop-dev-a-made"
    assert "DeleteEventBus" not in gone.operations


def test_another_function_takes_the_place_of_the_one_before(run: Run) -> None:
    renamed = {**SCHEDULED, "FunctionName": "renamed"}
    ran = run("event-bridge", "Update", renamed, old=SCHEDULED, physical_id="Mine/default/made", script=MADE)
    assert ran.input("PutTargets")["Targets"][0]["Arn"].endswith(":renamed")
    assert ran.input("RemovePermission")["FunctionName"] == "shop-dev-a"


@pytest.mark.parametrize(
    ("request_type", "script", "status"),
    [
        ("Create", {"CreateEventBus": [{"error": {"name": "LimitExceededException"}}]}, "FAILED"),
        (
            "Create",
            {**MADE, "PutTargets": [{"FailedEntries": [{"ErrorCode": "X", "ErrorMessage": "no"}]}]},
            "FAILED",
        ),
        ("Delete", {"RemoveTargets": [MISSING], "DeleteRule": [MISSING]}, "SUCCESS"),
        (
            "Delete",
            {"RemoveTargets": [{"FailedEntries": [{"ErrorCode": "ResourceNotFoundException"}]}]},
            "SUCCESS",
        ),
        ("Delete", {"DeleteRule": [TARGETED]}, "SUCCESS"),
        ("Delete", {"DeleteRule": [{"error": {"name": "InternalException"}}]}, "FAILED"),
    ],
)
def test_errors(run: Run, request_type: str, script: dict[str, Any], status: str) -> None:
    assert run("event-bridge", request_type, ON_BUS, script=script).status == status


def test_nothing_is_deleted_that_was_not_made(run: Run) -> None:
    failing = {"CreateEventBus": [{"error": {"name": "LimitExceededException"}}]}
    failed = run("event-bridge", "Create", ON_BUS, script=failing)
    gone = run("event-bridge", "Delete", ON_BUS, physical_id=failed.physical_id)
    assert (gone.status, gone.calls) == ("SUCCESS", [])


def test_what_the_function_is_given_is_not_told(run: Run) -> None:
    wanted = properties(Schedule="rate(1 day)", Input={"token": "s3cret-value"})
    refused = {
        "error": {"name": "ValidationException", "message": 'Value \'{"token":"s3cret-value"}\' is bad'}
    }
    ran = run("event-bridge", "Create", wanted, script={**MADE, "PutTargets": [refused]})
    assert ran.status == "FAILED"
    assert "s3cret" not in ran.logs + ran.answer["Reason"]
    assert "ValidationException" in ran.answer["Reason"]
