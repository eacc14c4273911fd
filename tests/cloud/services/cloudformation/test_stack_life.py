"""Stacks are created, changed, rolled back and deleted as CloudFormation does it."""

from __future__ import annotations

from typing import Any

import pytest

from pileus.cloud.kernel import AwsError


def thing(depends: Any = None, **properties: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {"Type": "Fake::T::Thing", "Properties": properties}
    if depends:
        resource["DependsOn"] = depends
    return resource


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def test_a_stack_is_created_in_order_and_deleted_in_reverse(stacks: Any) -> None:
    async def story(s: Any) -> None:
        body = template(
            C=thing(Other={"Fn::GetAtt": ["B", "Arn"]}),
            B=thing(Other={"Ref": "A"}),
            A=thing(),
            D=thing(depends="C"),
        )
        body["Outputs"] = {"Name": {"Value": {"Fn::Sub": "${C}/${B.Nested.Value}"}}}
        assert await s.create(body) == "CREATE_COMPLETE"
        assert [(call[0], call[1]) for call in s.thing.calls] == [("create", name) for name in "ABCD"]
        assert s.thing.calls[1][2] == {"Other": "A-1"} and s.thing.calls[2][2] == {"Other": "arn:B-2"}
        assert await s.outputs() == {"Name": "C-3/nested-B-2"}
        events = await s.events()
        assert events[0] == ("s", "CREATE_IN_PROGRESS") and events[-1] == ("s", "CREATE_COMPLETE")
        assert [e for e in events if e[0] == "A"] == [
            ("A", "CREATE_IN_PROGRESS"),
            ("A", "CREATE_IN_PROGRESS"),
            ("A", "CREATE_COMPLETE"),
        ]
        stack_id = (await s.describe())["StackId"]
        s.thing.calls.clear()
        assert await s.delete() == "DELETE_COMPLETE"
        assert [call[1] for call in s.thing.calls] == ["D", "C", "B", "A"]
        with pytest.raises(AwsError, match="Stack with id s does not exist"):
            await s.describe()
        assert (await s.describe(stack_id))["StackStatus"] == "DELETE_COMPLETE"
        assert await s.create(body) == "CREATE_COMPLETE"  # the name is free again

    stacks(story)


@pytest.mark.parametrize(
    ("options", "status", "alive", "last"),
    [
        ({}, "ROLLBACK_COMPLETE", set(), "ROLLBACK_COMPLETE"),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE", set(), "ROLLBACK_COMPLETE"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", set(), "DELETE_COMPLETE"),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", {"A-1"}, "CREATE_FAILED"),
        ({"DisableRollback": True}, "CREATE_FAILED", {"A-1"}, "CREATE_FAILED"),
    ],
)
def test_a_failed_creation(stacks: Any, options: dict, status: str, alive: set, last: str) -> None:
    async def story(s: Any) -> None:
        body = template(A=thing(), B=thing(depends="A", Fail="create"), C=thing(depends="B"))
        answer = await s.call("CreateStack", StackName="s", TemplateBody=body, **options)
        assert await s.wait(answer["StackId"]) == status
        assert set(s.thing.alive) == alive
        assert not any(call[1] == "C" for call in s.thing.calls)
        events = await s.events(answer["StackId"])
        assert ("B", "CREATE_FAILED") in events and events[-1] == ("s", last)
        reasons = await s.reasons(answer["StackId"])
        assert any(
            reason.startswith("made to fail (Status Code: 400; Error Code: ValidationError")
            for reason in reasons
        )
        assert any(
            reason.startswith("The following resource(s) failed to create: [B]. ") for reason in reasons
        )

    stacks(story)


def test_a_rolled_back_stack_can_only_be_deleted(stacks: Any) -> None:
    async def story(s: Any) -> None:
        assert await s.create(template(A=thing(Fail="create"))) == "ROLLBACK_COMPLETE"
        with pytest.raises(AwsError, match=r"is in ROLLBACK_COMPLETE state and can not be updated\."):
            await s.update(template(A=thing()))
        assert await s.delete() == "DELETE_COMPLETE"

    stacks(story)


def test_an_update_changes_replaces_adds_and_removes(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(
            template(
                Kept=thing(Size=1),
                Grown=thing(Size=1),
                Renamed=thing(Name="x"),
                User=thing(Other={"Ref": "Renamed"}),
                Gone=thing(),
            )
        )
        s.thing.calls.clear()
        status = await s.update(
            template(
                Kept=thing(Size=1),
                Grown=thing(Size=2),
                Renamed=thing(Name="y"),
                User=thing(Other={"Ref": "Renamed"}),
                New=thing(),
            )
        )
        assert status == "UPDATE_COMPLETE"
        assert s.thing.calls == [
            ("update", "Grown", {"Size": 1}, {"Size": 2}),
            ("create", "Renamed", {"Name": "y"}),
            ("update", "User", {"Other": "x-3"}, {"Other": "y-6"}),
            ("create", "New", {}),
            ("delete", "Gone", "Gone-5"),
            ("delete", "Renamed", "x-3"),
        ]
        assert set(s.thing.alive) == {"Kept-1", "Grown-2", "y-6", "User-4", "New-7"}
        events = await s.events()
        assert ("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") in events
        assert events[-1] == ("s", "UPDATE_COMPLETE")
        assert not [e for e in events if e[0] == "Kept" and e[1].startswith("UPDATE")]

    stacks(story)


def test_a_failed_update_goes_back(stacks: Any) -> None:
    async def story(s: Any) -> None:
        first = template(
            Grown=thing(Size=1),
            Renamed=thing(Name="x"),
            User=thing(Other={"Ref": "Renamed"}),
            Bad=thing(Size=1),
        )
        first["Outputs"] = {"Out": {"Value": {"Ref": "Renamed"}}}
        await s.create(first)
        second = template(
            Grown=thing(Size=2),
            Renamed=thing(Name="y"),
            User=thing(Other={"Ref": "Renamed"}),
            New=thing(),
            Bad=thing(depends=["New", "User", "Grown"], Size=2, Fail="update"),
        )
        assert await s.update(second) == "UPDATE_ROLLBACK_COMPLETE"
        assert s.thing.alive == {
            "Grown-1": {"Size": 1},
            "x-2": {"Name": "x"},
            "User-3": {"Other": "x-2"},
            "Bad-4": {"Size": 1},
        }
        assert await s.outputs() == {"Out": "x-2"}
        found = (await s.call("DescribeStackResources", StackName="s"))["StackResources"]
        assert {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found} == {
            "Grown": "Grown-1",
            "Renamed": "x-2",
            "User": "User-3",
            "Bad": "Bad-4",
        }
        assert any(
            r.startswith("The following resource(s) failed to update: [Bad].") for r in await s.reasons()
        )
        statuses = [status for name, status in await s.events() if name == "s"]
        assert statuses[-3:] == [
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE",
        ]
        with pytest.raises(AwsError, match=r"No updates are to be performed\."):
            await s.update(first)
        second["Resources"]["Bad"] = thing(Size=3)
        assert await s.update(second) == "UPDATE_COMPLETE"

    stacks(story)


def test_an_update_without_rollback_can_be_mended_or_rolled_back(stacks: Any) -> None:
    async def story(s: Any) -> None:
        first = template(A=thing(Name="x"), B=thing(Size=1))
        bad = template(A=thing(Name="y"), B=thing(depends="A", Size=2, Fail="update"))
        for name in ("mended", "back"):
            await s.create(first, name)
            assert await s.update(bad, name, DisableRollback=True) == "UPDATE_FAILED"
        assert await s.update(template(A=thing(Name="y"), B=thing(Size=3)), "mended") == "UPDATE_COMPLETE"
        await s.call("RollbackStack", StackName="back")
        assert await s.wait("back") == "UPDATE_ROLLBACK_COMPLETE"
        sizes = sorted(str(properties) for properties in s.thing.alive.values())
        assert sizes == ["{'Name': 'x'}", "{'Name': 'y'}", "{'Size': 1}", "{'Size': 3}"]

    stacks(story)


def test_a_rollback_that_fails_can_be_continued(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing(Size=1, Fail="later"), B=thing()))
        original = s.thing.update

        def refuse(stack: Any, physical_id: str, old: Any, new: Any) -> Any:
            if new.get("Fail") == "later":
                raise ZeroDivisionError("a bug")
            return original(stack, physical_id, old, new)

        s.thing.update = refuse
        bad = template(A=thing(Size=2), B=thing(depends="A", Fail="update"))
        assert await s.update(bad) == "UPDATE_ROLLBACK_FAILED"
        assert any("Internal Failure: ZeroDivisionError" in reason for reason in await s.reasons())
        s.thing.update = original
        await s.call("ContinueUpdateRollback", StackName="s")
        assert await s.wait() == "UPDATE_ROLLBACK_COMPLETE"

    stacks(story)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("Delete", False), ("Retain", True), ("RetainExceptOnCreate", True)],
)
def test_deletion_policies(stacks: Any, policy: str, kept: bool) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing() | {"DeletionPolicy": policy}))
        stack_id = (await s.describe())["StackId"]
        assert await s.delete() == "DELETE_COMPLETE"
        assert ("A-1" in s.thing.alive) is kept
        assert (("A", "DELETE_SKIPPED") in await s.events(stack_id)) is kept

    stacks(story)


def test_update_replace_policy_keeps_the_old_one(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing(Name="x") | {"UpdateReplacePolicy": "Retain"}))
        await s.update(template(A=thing(Name="y") | {"UpdateReplacePolicy": "Retain"}))
        assert set(s.thing.alive) == {"x-1", "y-2"}

    stacks(story)


def test_a_delete_that_fails_goes_on_with_the_rest_and_can_retain(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(template(Base=thing(), Bad=thing(depends="Base", Fail="delete"), Other=thing()))
        assert await s.delete() == "DELETE_FAILED"
        assert set(s.thing.alive) == {"Base-1", "Bad-2"}
        assert (await s.describe())[
            "StackStatusReason"
        ] == "The following resource(s) failed to delete: [Bad]. "
        stack_id = (await s.describe())["StackId"]
        await s.call("DeleteStack", StackName="s", RetainResources=["Bad"])
        assert await s.wait(stack_id) == "DELETE_COMPLETE"
        assert set(s.thing.alive) == {"Bad-2"}

    stacks(story)


def test_termination_protection(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing()), EnableTerminationProtection=True)
        with pytest.raises(
            AwsError, match=r"Stack \[s\] cannot be deleted while TerminationProtection is enabled"
        ):
            await s.call("DeleteStack", StackName="s")
        await s.call("UpdateTerminationProtection", StackName="s", EnableTerminationProtection=False)
        assert await s.delete() == "DELETE_COMPLETE"

    stacks(story)


def test_exports_and_imports(stacks: Any) -> None:
    async def story(s: Any) -> None:
        exporting = template(A=thing())
        exporting["Outputs"] = {
            "Arn": {
                "Value": {"Fn::GetAtt": "A.Arn"},
                "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-arn"}},
            }
        }
        importing = template(B=thing(Other={"Fn::ImportValue": "exp-arn"}))
        assert await s.create(importing, "imp") == "ROLLBACK_COMPLETE"
        assert "No export named exp-arn found." in await s.reasons("imp")
        await s.delete("imp")
        await s.create(exporting, "exp")
        await s.create(importing, "imp")
        assert s.thing.calls[-1][2] == {"Other": "arn:A-1"}
        exports = (await s.call("ListExports"))["Exports"]
        assert [(e["Name"], e["Value"]) for e in exports] == [("exp-arn", "arn:A-1")]
        assert (await s.call("ListImports", ExportName="exp-arn"))["Imports"] == ["imp"]
        with pytest.raises(AwsError, match="Export exp-arn cannot be deleted as it is in use by imp"):
            await s.call("DeleteStack", StackName="exp")
        assert await s.update(template(A=thing()), "exp") == "UPDATE_ROLLBACK_COMPLETE"
        assert any(
            "Export exp-arn cannot be deleted as it is in use by imp" in r for r in await s.reasons("exp")
        )
        await s.delete("imp")
        assert await s.delete("exp") == "DELETE_COMPLETE"
        assert (await s.call("ListExports"))["Exports"] == []

    stacks(story)


def test_tags_reach_resources_that_take_them_when_only_they_change(stacks: Any) -> None:
    async def story(s: Any) -> None:
        body = template(A=thing())
        await s.create(body, Tags=[{"Key": "k", "Value": "1"}])
        assert await s.update(body, Tags=[{"Key": "k", "Value": "2"}]) == "UPDATE_COMPLETE"
        assert s.thing.calls[-1][:2] == ("update", "A")
        assert (await s.describe())["Tags"] == [{"Key": "k", "Value": "2"}]
        with pytest.raises(AwsError, match=r"No updates are to be performed\."):
            await s.update(body)

    stacks(story)


def test_properties_that_are_only_stored_cause_no_call(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing(Note="a")))
        s.thing.calls.clear()
        assert await s.update(template(A=thing(Note="b"))) == "UPDATE_COMPLETE"
        assert s.thing.calls == []

    stacks(story)


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("CreateStack", {"StackName": "s", "TemplateBody": "{}"}, "ValidationError", "Template format error: At least one Resources member must be defined."),
        ("CreateStack", {"StackName": "there", "TemplateBody": '{"Resources":{"A":{"Type":"Fake::T::Thing"}}}'}, "AlreadyExistsException", "Stack [there] already exists"),
        ("CreateStack", {"StackName": "1s", "TemplateBody": "x"}, "ValidationError", "1 validation error detected: Value '1s' at 'stackName'"),
        ("CreateStack", {"StackName": "s"}, "ValidationError", "Either Template URL or Template Body must be specified."),
        ("CreateStack", {"StackName": "s", "TemplateBody": '{"Resources":{"A":{"Type":"AWS::Nope::Nope"}}}'}, "NotEmulated", "A (AWS::Nope::Nope): the resource type"),
        ("CreateStack", {"StackName": "s", "TemplateBody": '{"Resources":{"A":{"Type":"Fake::T::Thing","Properties":{"Wheels":4}}}}'}, "NotEmulated", "A (Fake::T::Thing): Wheels"),
        ("CreateStack", {"StackName": "s", "TemplateBody": '{"Resources":{"A":{"Type":"AWS::IAM::Role","Properties":{"AssumeRolePolicyDocument":{}}}}}'}, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"),
        ("CreateStack", {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"], "TemplateBody": '{"Resources":{"A":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"x","AssumeRolePolicyDocument":{}}}}}'}, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"),
        ("CreateStack", {"StackName": "s", "TemplateBody": '{"Resources":{"A":{"Type":"AWS::IAM::Role"}}}'}, "ValidationError", "required key [AssumeRolePolicyDocument] not found"),
        ("CreateStack", {"StackName": "s", "NotificationARNs": ["arn:aws:sns:us-east-1:1:t"], "TemplateBody": '{"Resources":{"A":{"Type":"Fake::T::Thing"}}}'}, "NotEmulated", "CreateStack.NotificationARNs"),
        ("UpdateStack", {"StackName": "none", "TemplateBody": "x"}, "ValidationError", "Stack [none] does not exist"),
        ("UpdateStack", {"StackName": "there", "UsePreviousTemplate": True}, "ValidationError", "No updates are to be performed."),
        ("DescribeStacks", {"StackName": "none"}, "ValidationError", "Stack with id none does not exist"),
        ("DescribeStackEvents", {"StackName": "none"}, "ValidationError", "Stack [none] does not exist"),
        ("DescribeStackResource", {"StackName": "none", "LogicalResourceId": "A"}, "ValidationError", "Stack 'none' does not exist"),
        ("DescribeStackResource", {"StackName": "there", "LogicalResourceId": "B"}, "ValidationError", "Resource B does not exist for stack there"),
        ("DescribeChangeSet", {"StackName": "there", "ChangeSetName": "c"}, "ChangeSetNotFound", "ChangeSet [c] does not exist"),
        ("ListImports", {"ExportName": "e"}, "ValidationError", "Export 'e' is not imported by any stack."),
    ],
)  # fmt: skip
def test_refusals(stacks: Any, operation: str, request_: dict, code: str, message: str) -> None:
    async def story(s: Any) -> None:
        await s.create(template(A=thing()), "there")
        made = len(s.thing.calls)
        with pytest.raises(AwsError) as refused:
            await s.call(operation, **request_)
        assert refused.value.code == code
        assert message in refused.value.message
        assert len(s.thing.calls) == made
        names = [item["StackName"] for item in (await s.call("DescribeStacks"))["Stacks"]]
        assert names == ["there"]

    stacks(story)


def test_the_same_token_is_the_same_stack(stacks: Any) -> None:
    async def story(s: Any) -> None:
        first = await s.call(
            "CreateStack", StackName="s", TemplateBody=template(A=thing()), ClientRequestToken="t"
        )
        again = await s.call(
            "CreateStack", StackName="s", TemplateBody=template(A=thing()), ClientRequestToken="t"
        )
        assert first == again
        await s.wait()
        assert len(s.thing.calls) == 1

    stacks(story)


def test_a_stack_is_deleted_while_it_is_being_created(stacks: Any) -> None:
    async def story(s: Any) -> None:
        body = template(A=thing(), B={"Type": "Fake::T::Slow", "DependsOn": "A"}, C=thing(depends="B"))
        stack_id = (await s.call("CreateStack", StackName="s", TemplateBody=body))["StackId"]
        while not s.slow.calls:
            await s.cloud.clock.sleep(0)
        await s.call("DeleteStack", StackName="s")
        s.slow.gate.set()
        assert await s.wait(stack_id) == "DELETE_COMPLETE"
        assert not s.thing.alive and not s.slow.alive
        assert not any(call[1] == "C" for call in s.thing.calls)

    stacks(story)
