"""CloudFormation and what it makes, with boto3 over the wire: shapes, errors, waiters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

TEMPLATE = """
Parameters:
  Size: {Type: Number, Default: 12, Description: how long}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: wire, GenerateSecretString: {PasswordLength: !Ref Size}}
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: /wire, Type: String, Value: !Sub "${Role.Arn} ${AWS::Region}"}
Outputs:
  Role: {Value: !GetAtt Role.Arn, Export: {Name: wire-role}}
"""


def test_a_stack_from_creation_to_deletion(aws: EmbeddedCloud) -> None:
    cfn = aws.client("cloudformation")
    created = cfn.create_stack(
        StackName="wire",
        TemplateBody=TEMPLATE,
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "team", "Value": "x"}],
    )
    cfn.get_waiter("stack_create_complete").wait(StackName="wire", WaiterConfig={"Delay": 0})
    stack = cfn.describe_stacks(StackName="wire")["Stacks"][0]
    assert stack["StackId"] == created["StackId"] and stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Parameters"] == [{"ParameterKey": "Size", "ParameterValue": "12"}]
    assert stack["Tags"] == [{"Key": "team", "Value": "x"}]
    assert stack["Outputs"][0]["ExportName"] == "wire-role"
    role = stack["Outputs"][0]["OutputValue"]
    assert aws.client("ssm").get_parameter(Name="/wire")["Parameter"]["Value"] == f"{role} us-east-1"
    secret = aws.client("secretsmanager").get_secret_value(SecretId="wire")
    assert len(secret["SecretString"]) == 12 and "SecretBinary" not in secret
    found = aws.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert found["Tags"] == [{"Key": "team", "Value": "x"}]

    resources = cfn.describe_stack_resources(StackName="wire")["StackResources"]
    assert {item["LogicalResourceId"] for item in resources} == {"Role", "Secret", "Parameter"}
    assert cfn.get_template(StackName="wire")["TemplateBody"].strip().startswith("Parameters:")
    events = [
        event
        for page in cfn.get_paginator("describe_stack_events").paginate(StackName="wire")
        for event in page["StackEvents"]
    ]
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert [item["Name"] for item in cfn.list_exports()["Exports"]] == ["wire-role"]

    with pytest.raises(ClientError) as refused:
        cfn.update_stack(StackName="wire", UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"])
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert refused.value.response["Error"]["Message"] == "No updates are to be performed."
    cfn.create_change_set(
        StackName="wire",
        ChangeSetName="longer",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "Size", "ParameterValue": "20"}],
    )
    cfn.get_waiter("change_set_create_complete").wait(
        StackName="wire", ChangeSetName="longer", WaiterConfig={"Delay": 0}
    )
    changes = cfn.describe_change_set(StackName="wire", ChangeSetName="longer")["Changes"]
    assert [change["ResourceChange"]["LogicalResourceId"] for change in changes] == ["Secret"]
    cfn.execute_change_set(StackName="wire", ChangeSetName="longer")
    cfn.get_waiter("stack_update_complete").wait(StackName="wire", WaiterConfig={"Delay": 0})
    assert len(aws.client("secretsmanager").get_secret_value(SecretId="wire")["SecretString"]) == 20

    cfn.delete_stack(StackName="wire")
    cfn.get_waiter("stack_delete_complete").wait(StackName=created["StackId"], WaiterConfig={"Delay": 0})
    with pytest.raises(ClientError, match="Stack with id wire does not exist"):
        cfn.describe_stacks(StackName="wire")
    assert [s["StackStatus"] for s in cfn.list_stacks()["StackSummaries"]] == ["DELETE_COMPLETE"]


def test_what_is_not_emulated_says_so(aws: EmbeddedCloud) -> None:
    body = json.dumps({"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}}})
    with pytest.raises(ClientError) as refused:
        aws.client("cloudformation").create_stack(StackName="s", TemplateBody=body)
    assert refused.value.response["Error"]["Code"] == "NotEmulated"
    assert "Vpc (AWS::EC2::VPC)" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError):
        aws.client("cloudformation").list_stack_sets()


def test_nested_stacks_and_templates_in_s3(aws: EmbeddedCloud) -> None:
    s3, cfn = aws.client("s3"), aws.client("cloudformation")
    s3.create_bucket(Bucket="templates")
    inner = {
        "Parameters": {"Name": {"Type": "String"}, "List": {"Type": "CommaDelimitedList"}},
        "Resources": {
            "P": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Name": {"Ref": "Name"},
                    "Type": "StringList",
                    "Value": {"Fn::Join": [",", {"Ref": "List"}]},
                },
            }
        },
        "Outputs": {"Value": {"Value": {"Fn::GetAtt": ["P", "Value"]}}},
    }
    s3.put_object(Bucket="templates", Key="deep/inner.json", Body=json.dumps(inner).encode())
    url = "https://templates.s3.us-east-1.amazonaws.com/deep/inner.json"
    outer: dict[str, Any] = {
        "Resources": {
            "Inner": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": url, "Parameters": {"Name": "/nested", "List": ["a", "b"]}},
            }
        },
        "Outputs": {"Value": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Value"]}}},
    }
    s3.put_object(Bucket="templates", Key="outer.json", Body=json.dumps(outer).encode())
    cfn.create_stack(StackName="outer", TemplateURL="https://s3.amazonaws.com/templates/outer.json")
    cfn.get_waiter("stack_create_complete").wait(StackName="outer", WaiterConfig={"Delay": 0})
    stack = cfn.describe_stacks(StackName="outer")["Stacks"][0]
    assert stack["Outputs"][0]["OutputValue"] == "a,b"
    nested = next(s for s in cfn.describe_stacks()["Stacks"] if s["StackName"].startswith("outer-Inner-"))
    assert nested["ParentId"] == nested["RootId"] == stack["StackId"]

    outer["Resources"]["Inner"]["Properties"]["Parameters"]["List"] = ["c"]
    cfn.update_stack(StackName="outer", TemplateBody=json.dumps(outer))
    cfn.get_waiter("stack_update_complete").wait(StackName="outer", WaiterConfig={"Delay": 0})
    assert cfn.describe_stacks(StackName="outer")["Stacks"][0]["Outputs"][0]["OutputValue"] == "c"
    cfn.delete_stack(StackName="outer")
    cfn.get_waiter("stack_delete_complete").wait(StackName=stack["StackId"], WaiterConfig={"Delay": 0})
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    with pytest.raises(ClientError, match="S3 error"):
        cfn.create_stack(StackName="x", TemplateURL="https://s3.amazonaws.com/templates/none.json")
    with pytest.raises(ClientError, match="TemplateURL must be a supported URL"):
        cfn.create_stack(StackName="x", TemplateURL="https://example.com/t.json")


def test_sessions_sign_requests(aws: EmbeddedCloud) -> None:
    """Keys of IAM users and sessions of STS are accepted by the gateway, and speak for whom they should."""
    iam, sts = aws.client("iam"), aws.client("sts")
    account = sts.get_caller_identity()["Account"]
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    as_ann = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    assert aws.client("sts", **as_ann).get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:user/ann"
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    answer = aws.client("sts", **as_ann).assume_role(RoleArn=role["Arn"], RoleSessionName="s1")
    session = answer["Credentials"]
    in_role = aws.client(
        "sts",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    assert in_role.get_caller_identity()["Arn"] == f"arn:aws:sts::{account}:assumed-role/r/s1"
    assert sts.get_access_key_info(AccessKeyId=session["AccessKeyId"])["Account"] == account
