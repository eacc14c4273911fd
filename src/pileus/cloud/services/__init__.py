"""The services of the embedded cloud, one folder each, and the index by which the gateway finds them.

A new service is a folder and a line here. Nothing is imported before a service is first used.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..kernel.cloud import ServiceEntry


def _entry(
    name: str,
    class_name: str,
    *signing_names: str,
    folder: str = "",
    targets: tuple[str, ...] = (),
    cfn: tuple[str, ...] = (),
) -> ServiceEntry:
    module = f"{__name__}.{folder or name}.api:{class_name}"
    return ServiceEntry(name, module, signing_names or (name,), targets, cfn)


_ENTRIES = (
    _entry("apigateway", "ApiGateway", cfn=("AWS::ApiGateway::",)),
    _entry(
        "apigatewaymanagementapi",
        "ApiGatewayManagementApi",
        "execute-api",
        folder="apigatewayv2.websocket",
    ),
    _entry("apigatewayv2", "ApiGatewayV2", "apigateway", cfn=("AWS::ApiGatewayV2::",)),
    _entry("cloudformation", "CloudFormation", cfn=("AWS::CloudFormation::", "Custom::")),
    _entry(
        "cloudwatch",
        "CloudWatch",
        "monitoring",
        targets=("GraniteServiceVersion20100801",),
        cfn=("AWS::CloudWatch::",),
    ),
    _entry("dynamodb", "DynamoDb", targets=("DynamoDB_20120810",), cfn=("AWS::DynamoDB::",)),
    _entry(
        "dynamodbstreams",
        "DynamoDbStreams",
        "dynamodb",
        folder="dynamodb.streams",
        targets=("DynamoDBStreams_20120810",),
    ),
    _entry("elbv2", "ElasticLoadBalancing", "elasticloadbalancing", cfn=("AWS::ElasticLoadBalancingV2::",)),
    _entry("events", "EventBridge", targets=("AWSEvents",), cfn=("AWS::Events::",)),
    _entry("iam", "Iam", cfn=("AWS::IAM::",)),
    _entry("lambda", "Lambda", folder="lambda_", cfn=("AWS::Lambda::",)),
    _entry("logs", "Logs", targets=("Logs_20140328",), cfn=("AWS::Logs::",)),
    _entry("s3", "S3", "s3", cfn=("AWS::S3::",)),
    _entry("secretsmanager", "SecretsManager", targets=("secretsmanager",), cfn=("AWS::SecretsManager::",)),
    _entry("ses", "Ses", "ses", cfn=("AWS::SES::",)),
    _entry("sesv2", "SesV2", "ses", folder="ses"),
    _entry("sqs", "Sqs", targets=("AmazonSQS",), cfn=("AWS::SQS::",)),
    _entry("ssm", "Ssm", targets=("AmazonSSM",), cfn=("AWS::SSM::",)),
    _entry("sts", "Sts"),
    _entry("xray", "XRay", cfn=("AWS::XRay::",)),
)

REGISTRY: Mapping[str, ServiceEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
