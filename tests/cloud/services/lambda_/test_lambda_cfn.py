"""Lambda's resource types, in a stack that is created, updated and deleted through CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

CODE = (
    "import os\ndef handler(event, context):\n    return [os.environ.get('WHO'), context.function_version]\n"
)


def template(
    *, code: str = CODE, who: str = "a", version: str = "One", batch: Any = 5, **function: Any
) -> str:
    arn = {"Fn::GetAtt": ["Worker", "Arn"]}
    return json.dumps(
        {
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "AssumeRolePolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {"Service": "lambda.amazonaws.com"},
                                    "Action": "sts:AssumeRole",
                                }
                            ],
                        }
                    },
                },
                "Queue": {"Type": "AWS::SQS::Queue"},
                "Worker": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                        "Handler": "index.handler",
                        "Runtime": "python3.11",
                        "Timeout": "6",
                        "Code": {"ZipFile": code},
                        "Environment": {"Variables": {"WHO": who}},
                        "Tags": [{"Key": "k", "Value": "v"}],
                        **function,
                    },
                },
                f"Version{version}": {
                    "Type": "AWS::Lambda::Version",
                    "DeletionPolicy": "Retain",
                    "Properties": {"FunctionName": {"Ref": "Worker"}},
                },
                "Live": {
                    "Type": "AWS::Lambda::Alias",
                    "Properties": {
                        "FunctionName": {"Ref": "Worker"},
                        "Name": "live",
                        "FunctionVersion": {"Fn::GetAtt": [f"Version{version}", "Version"]},
                    },
                },
                "Permission": {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "FunctionName": arn,
                        "Action": "lambda:InvokeFunction",
                        "Principal": "sns.amazonaws.com",
                    },
                },
                "Mapping": {
                    "Type": "AWS::Lambda::EventSourceMapping",
                    "Properties": {
                        "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "FunctionName": arn,
                        "BatchSize": batch,
                        "Enabled": True,
                    },
                },
                "Events": {
                    "Type": "AWS::Lambda::EventInvokeConfig",
                    "Properties": {
                        "FunctionName": {"Ref": "Worker"},
                        "Qualifier": "$LATEST",
                        "MaximumRetryAttempts": 1,
                    },
                },
            },
            "Outputs": {
                "Name": {"Value": {"Ref": "Worker"}},
                "Version": {"Value": {"Ref": f"Version{version}"}},
                "Alias": {"Value": {"Ref": "Live"}},
                "Mapping": {"Value": {"Ref": "Mapping"}},
            },
        }
    )


class Stack:
    def __init__(self, lambdas: Any) -> None:
        self.client = lambdas.aws.client("cloudformation")

    def put(self, body: str) -> dict[str, str]:
        known = self.client.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
        action, waiter = ("update", "stack_update_complete") if known["StackSummaries"] else ("create", "stack_create_complete")  # fmt: skip
        request = {"StackName": "s", "TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"]}
        getattr(self.client, f"{action}_stack")(**request)
        self.client.get_waiter(waiter).wait(StackName="s", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100})
        outputs = self.client.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def delete(self) -> None:
        self.client.delete_stack(StackName="s")
        waiter = self.client.get_waiter("stack_delete_complete")
        waiter.wait(StackName="s", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100})


def test_life_of_a_stack(lambdas: Any) -> None:
    client, stack = lambdas.client, Stack(lambdas)
    made = stack.put(template())
    name = made["Name"]
    assert name.startswith("s-Worker-")
    assert made["Version"] == lambdas.arn(name) + ":1"
    assert made["Alias"] == lambdas.arn(name) + ":live"

    def answer(function: str) -> Any:
        return json.loads(client.invoke(FunctionName=function)["Payload"].read())

    assert answer(name) == ["a", "$LATEST"]
    assert answer(made["Alias"]) == ["a", "1"]
    config = client.get_function(FunctionName=name)
    assert config["Configuration"]["Timeout"] == 6
    assert config["Tags"]["k"] == "v"
    assert config["Tags"]["aws:cloudformation:logical-id"] == "Worker"
    statement = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"][0]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert client.get_event_source_mapping(UUID=made["Mapping"])["BatchSize"] == 5
    assert client.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 1

    changed = stack.put(
        template(who="b", version="Two", batch="7", MemorySize=256, ReservedConcurrentExecutions=3)
    )
    assert changed["Name"] == name
    assert changed["Version"] == lambdas.arn(name) + ":2"
    assert answer(changed["Alias"]) == ["b", "2"]
    assert client.get_event_source_mapping(UUID=made["Mapping"])["BatchSize"] == 7
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3

    stack.put(template(code=CODE.replace("return", "return 'new',"), who="b", version="Three"))
    assert answer(name) == ["new", ["b", "$LATEST"]]
    config = client.get_function(FunctionName=name)
    assert config["Configuration"]["MemorySize"] == 128
    assert "Concurrency" not in config

    stack.delete()
    assert client.list_functions()["Functions"] == []
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_what_is_not_emulated_is_refused_before_anything_is_made(lambdas: Any) -> None:
    with pytest.raises(ClientError) as caught:
        Stack(lambdas).put(template(FileSystemConfigs=[]))
    assert "FileSystemConfigs" in str(caught.value)
    assert lambdas.client.list_functions()["Functions"] == []


def test_mounted_code_is_not_read_from_s3(lambdas: Any, tmp_path: Any) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return 1\n")
    lambdas.aws.within(lambda cloud: cloud.mounts.update({"services/x.zip": str(tmp_path)}))
    code = {"S3Bucket": "not-there", "S3Key": "services/x.zip"}
    made = lambdas.create("f", Code=code, Publish=True)
    assert lambdas.client.invoke(FunctionName="f")["Payload"].read() == b"1"
    (tmp_path / "app.py").write_text("def handler(event, context): return 2\n")
    assert lambdas.client.invoke(FunctionName="f")["Payload"].read() == b"2"
    assert lambdas.client.update_function_code(FunctionName="f", **code)["CodeSha256"] == made["CodeSha256"]


def test_code_from_a_bucket(lambdas: Any) -> None:
    s3 = lambdas.aws.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="f.zip", Body=lambdas.package("def handler(event, context): return 7\n"))
    lambdas.create("f", Code={"S3Bucket": "code", "S3Key": "f.zip"})
    assert lambdas.client.invoke(FunctionName="f")["Payload"].read() == b"7"
    code, _, message = lambdas.error("update_function_code", FunctionName="f", S3Bucket="code", S3Key="no")
    assert code == "InvalidParameterValueException"
    assert message == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    )
