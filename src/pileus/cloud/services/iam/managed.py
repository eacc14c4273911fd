"""The AWS managed policies that serverless templates name, with their documents, as data.

An AWS managed policy that is not listed here is refused by name, not accepted as if it were known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import orjson

PREFIX = "arn:aws:iam::aws:policy"
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_XRAY = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
)
_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)

#: path and name → the actions that it allows on every resource
_ALLOWS: dict[str, tuple[str, ...]] = {
    "/AdministratorAccess": ("*",),
    "/service-role/AWSLambdaBasicExecutionRole": _LOGS,
    "/service-role/AWSLambdaVPCAccessExecutionRole": (*_LOGS, *_NETWORK),
    "/service-role/AWSLambdaENIManagementAccess": _NETWORK,
    "/service-role/AWSLambdaDynamoDBExecutionRole": (
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        *_LOGS,
    ),
    "/service-role/AWSLambdaKinesisExecutionRole": (
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        *_LOGS,
    ),
    "/service-role/AWSLambdaSQSQueueExecutionRole": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        *_LOGS,
    ),
    "/service-role/AWSLambdaRole": ("lambda:InvokeFunction",),
    "/service-role/AmazonAPIGatewayPushToCloudWatchLogs": (
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
    ),
    "/AWSXRayDaemonWriteAccess": _XRAY,
    "/AWSXrayWriteOnlyAccess": _XRAY,
    "/AmazonSQSFullAccess": ("sqs:*",),
    "/AmazonSESFullAccess": ("ses:*",),
    "/AmazonSSMReadOnlyAccess": ("ssm:Describe*", "ssm:Get*", "ssm:List*"),
    "/AmazonS3FullAccess": ("s3:*", "s3-object-lambda:*"),
    "/AmazonS3ReadOnlyAccess": (
        "s3:Get*",
        "s3:List*",
        "s3:Describe*",
        "s3-object-lambda:Get*",
        "s3-object-lambda:List*",
    ),
    "/AmazonAPIGatewayInvokeFullAccess": ("execute-api:Invoke", "execute-api:ManageConnections"),
}


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    arn: str
    name: str
    path: str
    policy_id: str
    document: str


@cache
def aws_managed() -> dict[str, ManagedPolicy]:
    """By ARN."""
    return {policy.arn: policy for policy in _policies()}


def _policies() -> Iterator[ManagedPolicy]:
    for number, (full_name, actions) in enumerate(_ALLOWS.items()):
        path, _, name = full_name.rpartition("/")
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": actions[0] if len(actions) == 1 else list(actions),
                    "Resource": "*",
                }
            ],
        }
        if name == "AmazonAPIGatewayInvokeFullAccess":
            document["Statement"][0]["Resource"] = "arn:aws:execute-api:*:*:*"  # type: ignore[index]
        yield ManagedPolicy(
            PREFIX + full_name, name, path + "/", f"ANPAPILEUS{number:011d}", orjson.dumps(document).decode()
        )
