"""Functions of the framework's own that do what CloudFormation cannot: change resources made elsewhere.

All of them share one artifact and one role, to which each adds its statements.
"""

from collections.abc import Mapping

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.iam import deployment_role, log_statements, trust
from pileus.service.tree import Json

_KINDS = ("existing-s3", "existing-cup", "event-bridge", "apigw-cw-role")


def uses_archive(template: Mapping[str, Json]) -> bool:
    """Whether a template has one of these functions, so that their archive must be uploaded."""
    return any(function_id(kind) in template["Resources"] for kind in _KINDS)


def function_id(kind: str) -> str:
    return naming.function(naming.custom_resource_function(kind))


def add(c: Compilation, kind: str, handler: str, statements: list[Json]) -> None:
    """Add the function of one kind and what it may do."""
    key = naming.custom_resource_function(kind)
    role = deployment_role(c)
    depends_on: list[str] = []
    if role is None:
        _allow(c, statements)
        role = fn.get_att(naming.CUSTOM_RESOURCES_ROLE)
        depends_on.append(naming.CUSTOM_RESOURCES_ROLE)
    name = naming.shortened(f"{c.service.name}-{c.service.stage}-{key}")
    properties = {
        "Code": {"S3Bucket": c.bucket, "S3Key": c.s3_key(c.artifacts.custom_resources.file_name)},
        "FunctionName": name,
        "Handler": handler,
        "MemorySize": 1024,
        "Runtime": "nodejs18.x",
        "Timeout": 180,
        "Role": role,
    }
    log_group = naming.log_group(key)
    logged = bool(c.service.setting("logs", "frameworkLambda"))
    if logged:
        depends_on.append(log_group)
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties, "DependsOn": depends_on}
    c.add(naming.function(key), resource)
    if logged:
        group: dict[str, Json] = {"LogGroupName": f"/aws/lambda/{name}"}
        if retention := c.service.setting("logRetentionInDays"):
            group["RetentionInDays"] = retention
        c.add(log_group, {"Type": "AWS::Logs::LogGroup", "Properties": group})


def _allow(c: Compilation, statements: list[Json]) -> None:
    role = c.resources.get(naming.CUSTOM_RESOURCES_ROLE)
    if role is None:
        logged = log_statements(c) if c.service.setting("logs", "frameworkLambda") else []
        policy = {
            "PolicyName": fn.join("-", [c.service.stage, c.service.name, "custom-resources-lambda"]),
            "PolicyDocument": {"Version": "2012-10-17", "Statement": logged},
        }
        properties: dict[str, Json] = {
            "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
            "Policies": [policy],
        }
        role = {"Type": "AWS::IAM::Role", "Properties": properties}
        c.add(naming.CUSTOM_RESOURCES_ROLE, role)
    document = role["Properties"]["Policies"][0]["PolicyDocument"]
    document["Statement"].extend(statements)
