"""Provisioned concurrency, snapshots, runtime updates, recursion, code signing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

WHEN = "import time\nSTARTED = time.time()\ndef handler(event, context):\n    return STARTED < event\n"


def provisioned(lambdas: Any, qualifier: str) -> tuple[str, int, int]:
    found = lambdas.client.get_provisioned_concurrency_config(FunctionName="f", Qualifier=qualifier)
    return (
        found["Status"],
        found["RequestedProvisionedConcurrentExecutions"],
        found["AllocatedProvisionedConcurrentExecutions"],
    )


def put(lambdas: Any, qualifier: str, count: int) -> Any:
    return lambdas.client.put_provisioned_concurrency_config(
        FunctionName="f", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def test_environments_are_there_before_events(lambdas: Any) -> None:
    lambdas.create("f", WHEN, Publish=True)
    made = put(lambdas, "1", 2)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["Status"], made["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    lambdas.aws.drain()
    assert provisioned(lambdas, "1") == ("READY", 2, 2)
    answer = lambdas.client.invoke(FunctionName="f", Qualifier="1", Payload=str(time.time()))
    assert answer["Payload"].read() == b"true"
    assert provisioned(lambdas, "1") == ("READY", 2, 2)
    (listed,) = lambdas.client.list_provisioned_concurrency_configs(FunctionName="f")[
        "ProvisionedConcurrencyConfigs"
    ]
    assert (listed["FunctionArn"], listed["Status"]) == (lambdas.arn("f") + ":1", "READY")
    lambdas.client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
    assert lambdas.error("get_provisioned_concurrency_config", FunctionName="f", Qualifier="1") == (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
    )


def test_an_alias_takes_them_along(lambdas: Any) -> None:
    client = lambdas.client
    lambdas.create("f", "VALUE = 1\n" + WHEN, Publish=True)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    put(lambdas, "live", 1)
    lambdas.aws.drain()
    assert provisioned(lambdas, "live") == ("READY", 1, 1)
    client.update_function_code(
        FunctionName="f", ZipFile=lambdas.package("raise ValueError('no')"), Publish=True
    )
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    lambdas.aws.drain()
    assert provisioned(lambdas, "live") == ("FAILED", 1, 0)
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="1")
    lambdas.aws.drain()
    assert provisioned(lambdas, "live") == ("READY", 1, 1)


def test_what_is_refused(lambdas: Any) -> None:
    client = lambdas.client
    lambdas.create("f", Publish=True)
    for name in ("live", "other"):
        client.create_alias(FunctionName="f", Name=name, FunctionVersion="1")

    def refused(qualifier: str, count: int) -> tuple[str, str]:
        code, _, message = lambdas.error(
            "put_provisioned_concurrency_config",
            FunctionName="f",
            Qualifier=qualifier,
            ProvisionedConcurrentExecutions=count,
        )
        return code, message

    assert refused("$LATEST", 1) == (
        "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    assert refused("9", 1)[0] == "ResourceNotFoundException"
    assert "UnreservedConcurrentExecution below its minimum value of [100]" in refused("1", 901)[1]
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=2)
    assert "should not be greater than the reservedConcurrentExecution" in refused("1", 3)[1]
    put(lambdas, "1", 1)
    assert refused("live", 1) == (
        "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )
    client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
    put(lambdas, "live", 1)
    assert refused("1", 1)[1] == "Version is pointed to by a Provisioned Concurrency alias"
    code, _, message = lambdas.error(
        "put_function_concurrency", FunctionName="f", ReservedConcurrentExecutions=0
    )
    assert (code, "total provisioned concurrency [1]" in message) == ("InvalidParameterValueException", True)


def test_snap_start_is_kept(lambdas: Any) -> None:
    on = {"ApplyOn": "PublishedVersions"}
    made = lambdas.create("f", Runtime="python3.12", SnapStart=on)
    assert made["SnapStart"] == {**on, "OptimizationStatus": "Off"}
    assert lambdas.client.publish_version(FunctionName="f")["SnapStart"] == {**on, "OptimizationStatus": "On"}
    assert lambdas.client.publish_version(FunctionName="f")["Version"] == "1"
    with pytest.raises(
        lambdas.client.exceptions.InvalidParameterValueException, match=r"python3\.11 is not supported"
    ):
        lambdas.create("g", SnapStart=on)


def test_runtime_management(lambdas: Any) -> None:
    lambdas.create("f")
    client = lambdas.client
    assert client.get_runtime_management_config(FunctionName="f")["UpdateRuntimeOn"] == "Auto"
    client.put_runtime_management_config(FunctionName="f", UpdateRuntimeOn="FunctionUpdate")
    assert client.get_runtime_management_config(FunctionName="f")["UpdateRuntimeOn"] == "FunctionUpdate"
    manual = lambdas.error("put_runtime_management_config", FunctionName="f", UpdateRuntimeOn="Manual")
    assert manual[0] == "InvalidParameterValueException"
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Allow"
    client.delete_function(FunctionName="f")
    lambdas.create("f")
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"


def test_code_signing(lambdas: Any) -> None:
    client = lambdas.client
    publishers = {
        "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/1234567890"]
    }
    made = client.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
    arn = made["CodeSigningConfigArn"]
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    lambdas.create("f", CodeSigningConfigArn=arn)
    assert client.get_function_code_signing_config(FunctionName="f")["CodeSigningConfigArn"] == arn
    listed = client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"]
    assert (listed, len(client.list_code_signing_configs()["CodeSigningConfigs"])) == ([lambdas.arn("f")], 1)
    enforce = {"UntrustedArtifactOnDeployment": "Enforce"}
    client.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies=enforce)
    again = {"FunctionName": "f", "ZipFile": lambdas.package("")}
    assert lambdas.error("update_function_code", **again)[:2] == ("CodeVerificationFailedException", 400)
    assert (
        lambdas.error("delete_code_signing_config", CodeSigningConfigArn=arn)[0]
        == "ResourceConflictException"
    )
    client.delete_function_code_signing_config(FunctionName="f")
    assert client.get_function_code_signing_config(FunctionName="f")["CodeSigningConfigArn"] == ""
    client.update_function_code(**again)
    client.delete_code_signing_config(CodeSigningConfigArn=arn)
    missing = lambdas.error("put_function_code_signing_config", FunctionName="f", CodeSigningConfigArn=arn)
    assert missing[:2] == ("CodeSigningConfigNotFoundException", 404)


def test_in_a_stack(lambdas: Any) -> None:
    lambdas.create("f")
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": "f"}}
    alias = {"FunctionName": "f", "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]}, "Name": "live"}

    def template(**settings: Any) -> str:
        resource = {"Type": "AWS::Lambda::Alias", "Properties": {**alias, **settings}}
        return json.dumps({"Resources": {"Version": version, "Alias": resource}})

    cloudformation = lambdas.aws.client("cloudformation")
    keep = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": "1"}}
    cloudformation.create_stack(StackName="s", TemplateBody=template(**keep))
    lambdas.aws.drain()
    assert provisioned(lambdas, "live") == ("READY", 1, 1)
    cloudformation.update_stack(StackName="s", TemplateBody=template())
    lambdas.aws.drain()
    assert lambdas.error("get_provisioned_concurrency_config", FunctionName="f", Qualifier="live")[1] == 404
