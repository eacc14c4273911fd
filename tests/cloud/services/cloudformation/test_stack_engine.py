"""The engine around the steps: kills, change sets, custom resources, nested stacks, real resource types."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from pileus.cloud.kernel import AwsError, Cloud, Settings
from pileus.cloud.services.cloudformation.stack import Stack

from .conftest import ACCOUNT, Stacks, registry


def thing(depends: Any = None, **properties: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {"Type": "Fake::T::Thing", "Properties": properties}
    if depends:
        resource["DependsOn"] = depends
    return resource


class Killed(BaseException):
    """Ends the process, as far as the test is concerned."""


async def die_after(stacks: Stacks, saves: int) -> None:
    """Lets `saves` rows of resources be written, and then the process die in the middle of a step."""
    save, left, dead = stacks.service.save_resource, saves, asyncio.Event()

    def dying(stack: Stack, resource: Any) -> None:
        nonlocal left
        if left == 0:
            dead.set()
            raise Killed
        left -= 1
        save(stack, resource)

    stacks.service.save_resource = dying
    over = asyncio.ensure_future(stacks.wait())
    await asyncio.wait((over, asyncio.ensure_future(dead.wait())), return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    cloud = stacks.cloud
    tasks = [*cloud.bus._tasks, *([cloud.bus._task] if cloud.bus._task else [])]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    cloud.store.db.close()
    cast("Any", cloud.store)._lock.close()


#: The rows that the update below writes, in order: what is applied, then what is cleaned up.
WRITES = ["A", "B", "D", "C"]


@pytest.mark.parametrize("committed", range(len(WRITES) + 1))
def test_a_kill_repeats_no_step_that_was_committed(tmp_path: Path, committed: int) -> None:
    """The process dies after each step of an update in turn; the next one goes on from there."""
    first = {"Resources": {"A": thing(Size=1), "B": thing(Name="x"), "C": thing()}}
    second = {"Resources": {"A": thing(Size=2), "B": thing(Name="y"), "D": thing(Other={"Ref": "B"})}}

    async def before() -> None:
        stacks = Stacks(Cloud(registry(), Settings(account=ACCOUNT, state=tmp_path)))
        await stacks.cloud.start()
        await stacks.create(first)
        await stacks.call("UpdateStack", StackName="s", TemplateBody=second)
        await die_after(stacks, committed)

    async def after() -> None:
        stacks = Stacks(Cloud(registry(), Settings(account=ACCOUNT, state=tmp_path)))
        stacks.thing.made = 100
        await stacks.cloud.start()
        assert await stacks.wait() == "UPDATE_COMPLETE"
        found = (await stacks.call("DescribeStackResources", StackName="s"))["StackResources"]
        assert [item["LogicalResourceId"] for item in found] == ["A", "B", "D"]
        again = [call[1] for call in stacks.thing.calls if call[0] != "delete"]
        assert again == [name for name in WRITES[committed:] if name != "C"]
        deleted = {call[2] for call in stacks.thing.calls if call[0] == "delete"}
        if committed < len(WRITES):
            assert deleted == {"C-3", "x-2"}
        ends = [event for event in await stacks.events() if event[1].endswith("_COMPLETE")]
        assert len(ends) == len(set(ends))
        await stacks.cloud.stop()

    asyncio.run(before())
    asyncio.run(after())


def test_change_sets_tell_and_then_do(stacks: Any) -> None:
    async def story(s: Any) -> None:
        body = {"Resources": {"A": thing(Name="x", Size=1), "B": thing(Other={"Ref": "A"}), "C": thing()}}
        made = await s.call(
            "CreateChangeSet", StackName="s", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=body
        )
        assert (await s.describe())["StackStatus"] == "REVIEW_IN_PROGRESS" and not s.thing.calls
        told = await s.call("DescribeChangeSet", StackName="s", ChangeSetName="one")
        assert (told["Status"], told["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
        assert [c["ResourceChange"]["Action"] for c in told["Changes"]] == ["Add"] * 3
        await s.call("ExecuteChangeSet", ChangeSetName=made["Id"])
        assert await s.wait() == "CREATE_COMPLETE"
        assert (await s.call("DescribeChangeSet", ChangeSetName=made["Id"]))[
            "ExecutionStatus"
        ] == "EXECUTE_COMPLETE"
        with pytest.raises(AwsError, match="cannot be executed in its current status"):
            await s.call("ExecuteChangeSet", ChangeSetName=made["Id"])

        new = {"Resources": {"A": thing(Name="y", Size=2), "B": thing(Other={"Ref": "A"}), "D": thing()}}
        await s.call("CreateChangeSet", StackName="s", ChangeSetName="two", TemplateBody=new)
        told = await s.call("DescribeChangeSet", StackName="s", ChangeSetName="two")
        changes = [c["ResourceChange"] for c in told["Changes"]]
        assert [(c["Action"], c["LogicalResourceId"], c["Replacement"]) for c in changes] == [
            ("Modify", "A", "True"),
            ("Modify", "B", "False"),
            ("Add", "D", None),
            ("Remove", "C", None),
        ]
        assert changes[1]["Details"][0]["ChangeSource"] == "ResourceReference"
        await s.call("ExecuteChangeSet", StackName="s", ChangeSetName="two")
        assert await s.wait() == "UPDATE_COMPLETE"
        assert set(s.thing.alive) == {"y-4", "B-2", "D-5"}

        await s.call("CreateChangeSet", StackName="s", ChangeSetName="none", UsePreviousTemplate=True)
        told = await s.call("DescribeChangeSet", StackName="s", ChangeSetName="none")
        assert told["Status"] == "FAILED" and told["StatusReason"].startswith(
            "The submitted information didn't contain"
        )
        assert len((await s.call("ListChangeSets", StackName="s"))["Summaries"]) == 3
        await s.call("DeleteChangeSet", StackName="s", ChangeSetName="none")

    stacks(story)  # fmt: skip


class FakeLambda:
    """Stands for the functions: keeps what it is asked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._asked = asyncio.Event()

    def invoke_async(self, arn: str, payload: bytes, **_: Any) -> str:
        self.events.append(json.loads(payload))
        self._asked.set()
        return "r"

    async def has(self, number: int) -> None:
        while len(self.events) < number:
            self._asked.clear()
            await self._asked.wait()


def test_custom_resources_wait_for_their_functions_answer(stacks: Any) -> None:
    async def story(s: Any) -> None:
        functions = FakeLambda()
        s.cloud._services["lambda"] = cast("Any", Lambda(s.cloud, functions))
        body = {
            "Resources": {
                "Seed": {
                    "Type": "Custom::Seed",
                    "Properties": {
                        "ServiceToken": "arn:aws:lambda:us-east-1:1:function:f",
                        "N": 3,
                        "On": True,
                    },
                },
                "User": thing(Other={"Fn::GetAtt": ["Seed", "Answer"]}),
            }
        }
        await s.call("CreateStack", StackName="s", TemplateBody=body)
        event = await asked(functions, 1)
        assert event["RequestType"] == "Create" and event["ResourceType"] == "Custom::Seed"
        assert event["ResourceProperties"]["N"] == "3" and event["ResourceProperties"]["On"] == "true"
        assert event["ResponseURL"].startswith("http://127.0.0.1:4566/_pileus/cfn-response/")
        token = event["ResponseURL"].rsplit("/", 1)[1]
        assert s.service.custom_resource_response("wrong", b"{}") is False
        assert s.service.custom_resource_response(token, b"not json") is False
        answer = {"Status": "SUCCESS", "PhysicalResourceId": "seed-1", "Data": {"Answer": "42"}}
        assert s.service.custom_resource_response(token, json.dumps(answer).encode()) is True
        assert await s.wait() == "CREATE_COMPLETE"
        assert s.thing.calls[-1][2] == {"Other": "42"}

        body["Resources"]["Seed"]["Properties"]["N"] = 4
        await s.call("UpdateStack", StackName="s", TemplateBody=body)
        event = await asked(functions, 2)
        assert event["RequestType"] == "Update" and event["OldResourceProperties"]["N"] == "3"
        assert event["PhysicalResourceId"] == "seed-1"
        # another physical id: the old one is deleted once the update is through
        answer["PhysicalResourceId"] = "seed-2"
        s.service.custom_resource_response(
            event["ResponseURL"].rsplit("/", 1)[1], json.dumps(answer).encode()
        )
        event = await asked(functions, 3)
        assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "seed-1")
        answer["PhysicalResourceId"] = "seed-1"
        s.service.custom_resource_response(
            event["ResponseURL"].rsplit("/", 1)[1], json.dumps(answer).encode()
        )
        assert await s.wait() == "UPDATE_COMPLETE"

        stack_id = (await s.describe())["StackId"]
        await s.call("DeleteStack", StackName="s")
        event = await asked(functions, 4)
        failure = {"Status": "FAILED", "Reason": "no", "PhysicalResourceId": "seed-2"}
        s.service.custom_resource_response(
            event["ResponseURL"].rsplit("/", 1)[1], json.dumps(failure).encode()
        )
        assert await s.wait(stack_id) == "DELETE_FAILED"
        assert any("Message returned: no" in reason for reason in await s.reasons())

    async def asked(functions: FakeLambda, number: int) -> dict[str, Any]:
        async with asyncio.timeout(5):
            await functions.has(number)
        return functions.events[number - 1]

    stacks(story)


class Lambda:
    def __init__(self, cloud: Cloud, functions: FakeLambda) -> None:
        self.invoke_async = functions.invoke_async

    def is_busy(self) -> bool:
        return False

    async def stop(self) -> None:
        return


def test_a_custom_resource_without_an_answer_times_out(stacks: Any) -> None:
    async def story(s: Any) -> None:
        functions = FakeLambda()
        s.cloud._services["lambda"] = cast("Any", Lambda(s.cloud, functions))
        properties = {"ServiceToken": "arn:aws:lambda:us-east-1:1:function:f", "ServiceTimeout": 60}
        body = {"Resources": {"Seed": {"Type": "Custom::Seed", "Properties": properties}}}
        await s.call("CreateStack", StackName="s", TemplateBody=body, OnFailure="DO_NOTHING")
        await functions.has(1)
        await asyncio.sleep(0.01)
        s.cloud.clock.travel(61)
        assert await s.wait() == "CREATE_FAILED"
        assert any(
            "did not receive a response from your Custom Resource" in reason for reason in await s.reasons()
        )

    stacks(story)


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def owned(size: int = 8, actions: str = "sqs:SendMessage") -> dict[str, Any]:
    policy = {
        "PolicyName": "p",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        },
    }
    generate = {
        "SecretStringTemplate": '{"user":"u"}',
        "GenerateStringKey": "password",
        "PasswordLength": size,
    }
    return {
        "Parameters": {"Home": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/home"}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": TRUST,
                    "ManagedPolicyArns": [BASIC],
                    "Policies": [policy],
                    "Path": "/app/",
                },
            },
            "More": {
                "Type": "AWS::IAM::Policy",
                "Properties": {**policy, "PolicyName": "more", "Roles": [{"Ref": "Role"}]},
            },
            "Managed": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": policy["PolicyDocument"], "Roles": [{"Ref": "Role"}]},
            },
            "User": {"Type": "AWS::IAM::User", "Properties": {"ManagedPolicyArns": [{"Ref": "Managed"}]}},
            "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"Name": "app", "GenerateSecretString": generate},
            },
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/app/role", "Type": "String", "Value": {"Fn::GetAtt": "Role.Arn"}},
            },
            "Copy": {
                "Type": "AWS::SSM::Parameter",
                "DependsOn": ["Secret", "Parameter"],
                "Properties": {
                    "Type": "String",
                    "Value": "{{resolve:secretsmanager:app:SecretString:user}} {{resolve:ssm:/home}}",
                },
            },
        },
        "Outputs": {
            "Home": {"Value": {"Ref": "Home"}},
            "Role": {"Value": {"Ref": "Role"}},
            "Copy": {"Value": {"Ref": "Copy"}},
            "Secret": {"Value": {"Ref": "Secret"}},
        },
    }


def test_roles_secrets_and_parameters_are_made_changed_and_deleted(stacks: Any) -> None:
    async def story(s: Any) -> None:
        cloud: Cloud = s.cloud
        cloud.call("ssm", "PutParameter", {"Name": "/home", "Value": "here", "Type": "String"})
        capabilities = {"Capabilities": ["CAPABILITY_IAM"]}
        assert await s.create(owned(), **capabilities) == "CREATE_COMPLETE", await s.reasons()
        outputs = await s.outputs()
        assert outputs["Home"] == "here" and outputs["Role"].startswith("s-Role-")
        parameter = (await s.describe())["Parameters"][0]
        assert (parameter["ParameterValue"], parameter["ResolvedValue"]) == ("/home", "here")
        arn = cloud.call("ssm", "GetParameter", {"Name": "/app/role"})["Parameter"]["Value"]
        assert arn == f"arn:aws:iam::{ACCOUNT}:role/app/{outputs['Role']}"
        copied = cloud.call("ssm", "GetParameter", {"Name": outputs["Copy"]})["Parameter"]["Value"]
        assert copied == "u here"
        secret = json.loads(
            cloud.call("secretsmanager", "GetSecretValue", {"SecretId": "app"})["SecretString"]
        )
        assert secret["user"] == "u" and len(secret["password"]) == 8
        attached = cloud.call("iam", "ListAttachedRolePolicies", {"RoleName": outputs["Role"]})[
            "AttachedPolicies"
        ]
        assert len(attached) == 2

        assert await s.update(owned(8, "sqs:*"), **capabilities) == "UPDATE_COMPLETE", await s.reasons()
        again = json.loads(
            cloud.call("secretsmanager", "GetSecretValue", {"SecretId": "app"})["SecretString"]
        )
        assert again == secret
        found = cloud.call("iam", "GetRolePolicy", {"RoleName": outputs["Role"], "PolicyName": "p"})
        assert "sqs%3A%2A" in found["PolicyDocument"]
        assert await s.update(owned(9, "sqs:*"), **capabilities) == "UPDATE_COMPLETE"
        again = json.loads(
            cloud.call("secretsmanager", "GetSecretValue", {"SecretId": "app"})["SecretString"]
        )
        assert len(again["password"]) == 9

        assert await s.delete() == "DELETE_COMPLETE", await s.reasons()
        for service, operation, member in (
            ("iam", "ListRoles", "Roles"),
            ("iam", "ListUsers", "Users"),
            ("secretsmanager", "ListSecrets", "SecretList"),
        ):
            assert cloud.call(service, operation, {})[member] == []
        names = [p["Name"] for p in cloud.call("ssm", "DescribeParameters", {})["Parameters"]]
        assert names == ["/home"]

    stacks(story)


def test_secrets_do_not_lie_in_the_stacks_tables(stacks: Any) -> None:
    async def story(s: Any) -> None:
        s.cloud.call("secretsmanager", "CreateSecret", {"Name": "pw", "SecretString": "hunter2"})
        await s.create({"Resources": {"A": thing(Other="{{resolve:secretsmanager:pw}}")}})
        assert s.thing.calls[-1][2] == {"Other": "hunter2"}
        for table in ("cfn_resource", "cfn_stack", "cfn_event"):
            assert "hunter2" not in str([tuple(row) for row in s.cloud.store.all(f"SELECT * FROM {table}")])

    stacks(story)


def test_references_that_are_refused(stacks: Any) -> None:
    async def story(s: Any) -> None:
        s.cloud.call("ssm", "PutParameter", {"Name": "/s", "Value": "v", "Type": "SecureString"})
        for reference, words in (
            (
                "{{resolve:ssm-secure:/s:1}}",
                "SSM Secure reference is not supported in: [Fake::T::Thing/Properties",
            ),
            ("{{resolve:ssm:/s}}", "Non-secure ssm prefix was used for secure parameter"),
            ("{{resolve:secretsmanager:none}}", "Secrets Manager can't find the specified secret."),
        ):
            name = f"s{words[0]}{len(words)}"
            assert await s.create({"Resources": {"A": thing(Other=reference)}}, name) == "ROLLBACK_COMPLETE"
            assert any(words in reason for reason in await s.reasons(name)), await s.reasons(name)

    stacks(story)


def test_no_echo_is_masked(stacks: Any) -> None:
    async def story(s: Any) -> None:
        body = {
            "Parameters": {"P": {"Type": "String", "NoEcho": True}},
            "Resources": {"A": thing(Other={"Ref": "P"})},
        }
        await s.create(body, Parameters=[{"ParameterKey": "P", "ParameterValue": "deep"}])
        assert s.thing.calls[-1][2] == {"Other": "deep"}
        assert (await s.describe())["Parameters"][0]["ParameterValue"] == "****"
        body["Resources"]["B"] = thing()
        await s.update(body, Parameters=[{"ParameterKey": "P", "UsePreviousValue": True}])
        assert len(s.thing.calls) == 2

    stacks(story)


def test_validation_and_summaries(stacks: Any) -> None:
    async def story(s: Any) -> None:
        answer = await s.call("ValidateTemplate", TemplateBody=owned())
        assert answer["Capabilities"] == ["CAPABILITY_IAM"]
        assert answer["CapabilitiesReason"].startswith(
            "The following resource(s) require capabilities: [AWS::IAM::Role"
        )
        assert answer["Parameters"][0]["ParameterKey"] == "Home"
        summary = await s.call("GetTemplateSummary", TemplateBody=owned())
        assert "AWS::SSM::Parameter" in summary["ResourceTypes"]
        coverage = s.service.coverage(
            json.dumps({"Resources": {"A": thing(Note=1), "B": thing(No=1), "C": {"Type": "X"}}})
        )
        assert [(c.logical_id, c.state, c.stored, c.refused) for c in coverage] == [
            ("A", "stored", ("Note",), ()),
            ("B", "refused", (), ("No",)),
            ("C", "refused", (), ()),
        ]

    stacks(story)


def test_long_lists_are_paged(stacks: Any) -> None:
    async def story(s: Any) -> None:
        await s.create({"Resources": {f"R{number}": thing() for number in range(120)}})
        page = await s.call("ListStackResources", StackName="s")
        rest = await s.call("ListStackResources", StackName="s", NextToken=page["NextToken"])
        assert (len(page["StackResourceSummaries"]), len(rest["StackResourceSummaries"])) == (100, 20)
        assert rest["NextToken"] is None
        seen: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = await s.call("DescribeStackEvents", StackName="s", **more)
            seen += [event["EventId"] for event in page["StackEvents"]]
            if not page["NextToken"]:
                break
            more = {"NextToken": page["NextToken"]}
        assert len(seen) == len(set(seen)) == 120 * 3 + 2
        with pytest.raises(AwsError, match="Invalid NextToken"):
            await s.call("DescribeStackEvents", StackName="s", NextToken="nonsense")

    stacks(story)
