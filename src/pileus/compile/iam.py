"""The role that functions share: logs first, then the user's statements; functions and events add theirs later."""

from collections.abc import Iterable

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation, role_of
from pileus.service.model import Function
from pileus.service.tree import Json, get

_LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/"
_CREATE = ("logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource")


def compile_role(c: Compilation) -> None:
    """Nothing when every function brings a role along."""
    functions = list(c.service.functions.values())
    if functions and all(role_of(c.service, function) is not None for function in functions):
        return
    if not functions:
        return
    settings = c.service.setting("iam", "role")
    settings = settings if isinstance(settings, dict) else {}
    c.statements.extend(_logging(c, functions))
    c.statements.extend(settings.get("statements") or c.service.setting("iamRoleStatements") or ())
    service, stage = c.service.name, c.service.stage
    policy = {
        "PolicyName": fn.join("-", [service, stage, "lambda"]),
        "PolicyDocument": {"Version": "2012-10-17", "Statement": c.statements},
    }
    properties: dict[str, Json] = {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com", *_other_principals(c)),
        "Policies": [policy],
        "Path": settings.get("path") or "/",
        "RoleName": settings.get("name") or fn.join("-", [service, stage, fn.REGION, "lambdaRole"]),
    }
    if settings.get("tags") is not None:
        properties["Tags"] = fn.key_values(settings["tags"])
    boundary = (
        settings.get("permissionsBoundary")
        or settings.get("permissionBoundary")
        or c.service.setting("rolePermissionsBoundary")
    )
    if boundary:
        properties["PermissionsBoundary"] = boundary
    policies = list(settings.get("managedPolicies") or c.service.setting("iamManagedPolicies") or ())
    if _touches_vpc(c, functions):
        name = ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
        policies.append(fn.join("", ["arn:", fn.PARTITION, name]))
    if policies:
        properties["ManagedPolicyArns"] = c.managed_policies = policies
    c.add(naming.ROLE, {"Type": "AWS::IAM::Role", "Properties": properties})


def trust(*principals: str) -> dict[str, Json]:
    """The document that lets services take on a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": list(principals)}, "Action": ["sts:AssumeRole"]}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _other_principals(c: Compilation) -> Iterable[str]:
    if any(event.get("method") == "scheduler" for _, event in c.service.events("schedule")):
        yield "scheduler.amazonaws.com"
    if c.service.events("cloudFront"):
        yield "edgelambda.amazonaws.com"


def _logging(c: Compilation, functions: list[Function]) -> list[Json]:
    prefix = f"{c.service.name}-{c.service.stage}"
    names = [f.name for f in functions if not f.get("disableLogs") and not f.name.startswith(prefix)]
    if any(not f.get("disableLogs") and f.name.startswith(prefix) for f in functions):
        names.append(f"{prefix}*")
    statements: list[Json] = [
        {
            "Effect": "Allow",
            "Action": list(_CREATE),
            "Resource": [fn.sub(f"{_LOGS}{name}:*") for name in names],
        },
        {
            "Effect": "Allow",
            "Action": ["logs:PutLogEvents"],
            "Resource": [fn.sub(f"{_LOGS}{name}:*:*") for name in names],
        },
    ]
    silent = [f for f in functions if f.get("disableLogs") and f.name.startswith(prefix)]
    if silent and f"{prefix}*" in names:  # the wildcard would let them write
        arns = [fn.sub(f"{_LOGS}{f.name}:*") for f in silent]
        statements.append({"Effect": "Deny", "Action": "logs:PutLogEvents", "Resource": arns})
    return statements


def _touches_vpc(c: Compilation, functions: list[Function]) -> bool:
    # A function that sets `vpc` to null still counts: the key is what matters.
    return bool(c.service.setting("vpc")) or any("vpc" in function.config for function in functions)


def log_statements(c: Compilation) -> list[Json]:
    """What custom resources' functions need to log, under the service's own prefix."""
    name = f"{c.service.name}-{c.service.stage}*"
    return [
        {"Effect": "Allow", "Action": list(_CREATE), "Resource": [fn.sub(f"{_LOGS}{name}:*")]},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": [fn.sub(f"{_LOGS}{name}:*:*")]},
    ]


def deployment_role(c: Compilation) -> Json:
    """The role that deploys, given by the user; custom resources run under it too."""
    return get(c.service.provider, "iam", "deploymentRole") or c.service.setting("cfnRole")
