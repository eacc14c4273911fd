"""serverless-iam-roles-per-function: a function with `iamRoleStatements` gets a role of its own, with what its log
group, streams, queues and dead letter topic need, and these statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..compile import intrinsics as fn
from ..compile import naming
from ..compile.iam import trust
from ..service import ConfigErrors, Function, Service
from ..service.extensions import Configuration
from ..service.tree import Json, get
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ..compile.compilation import Compilation

_SECTION = "serverless-iam-roles-per-function"
_BOUNDARY = "iamGlobalPermissionsBoundary"
_LONGEST_NAME = 64
_LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/"
_STREAMS = {
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"),
    "kinesis": ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListStreams"),
}  # fmt: skip
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@hookimpl
def schema() -> dict[str, Json]:
    boundary = {"$ref": "definitions.json#textOrCf"}
    return {
        "function": {
            "iamRoleStatements": {"$ref": "definitions.json#statements"},
            "iamRoleStatementsInherit": {"type": "boolean"},
            "iamRoleStatementsName": {"type": "string"},
            "iamPermissionsBoundary": boundary,
        },
        "custom": {
            _SECTION: {
                "type": "object",
                "properties": {"defaultInherit": {"type": "boolean"}, _BOUNDARY: boundary},
                "additionalProperties": False,
            }
        },
    }


@hookimpl
def configure(configuration: Configuration) -> None:
    """Refuse what has no meaning: a role besides statements, statements that are none, a name that is too long."""
    mistakes = []
    for key, function in (configuration.get("functions") or {}).items():
        path = ("functions", key, "iamRoleStatements")
        if "iamRoleStatements" not in function:
            if function.get("iamRoleStatementsInherit"):
                configuration.warn(
                    f"'iamRoleStatementsInherit' of the function '{key}' does nothing without 'iamRoleStatements'",
                    (*path[:2], "iamRoleStatementsInherit"),
                    "add 'iamRoleStatements: []' to give the function a role of its own",
                    key=True,
                )
            continue
        if "role" in function:
            message = f"the function '{key}' has both 'role' and 'iamRoleStatements'"
            mistakes.append(configuration.mistake(message, path, "remove one of them", key=True))
        statements = function["iamRoleStatements"]
        for position, statement in enumerate(statements if isinstance(statements, list) else [statements]):
            missing = _missing(statement)
            if missing and statements is not None:
                message = f"statement {position} of the function '{key}' has no {', no '.join(missing)}"
                mistakes.append(configuration.mistake(message, (*path, position)))
        if (
            not function.get("iamRoleStatementsName")
            and len(_shortest_name(configuration, key)) > _LONGEST_NAME
        ):
            mistakes.append(
                configuration.mistake(
                    f"the name of the role of the function '{key}' would have more than {_LONGEST_NAME} characters",
                    path,
                    "set 'iamRoleStatementsName'",
                    key=True,
                )
            )
    if mistakes:
        raise ConfigErrors(mistakes)


@hookimpl
def compiled(compilation: Compilation) -> None:
    service = compilation.service
    shared = compilation.resources.get(naming.ROLE)
    boundary = get(service.config, "custom", _SECTION, _BOUNDARY)
    if shared is not None and boundary:
        shared["Properties"]["PermissionsBoundary"] = boundary
    for function in service.functions.values():
        if "iamRoleStatements" in function.config:
            _give_role(compilation, function, shared)


def _missing(statement: Json) -> list[str]:
    has = statement if isinstance(statement, dict) else {}
    wanted = (("Effect",), ("Action", "NotAction"), ("Resource", "NotResource"))
    return [" or ".join(names) for names in wanted if not any(name in has for name in names)]


def _shortest_name(configuration: Configuration, key: str) -> str:
    return f"{configuration.name}-{configuration.stage}-{key}-{configuration.region}"


def _give_role(c: Compilation, function: Function, shared: Json) -> None:
    logical_id = f"{naming.normalise(function.key)}IamRoleLambdaExecution"
    resource = c.resources[naming.function(function.key)]
    resource["Properties"]["Role"] = fn.get_att(logical_id)
    before = [each for each in resource.get("DependsOn") or () if each != naming.ROLE]
    resource["DependsOn"] = [logical_id, *before]
    for event in c.resources.values():
        if event["Type"] == "AWS::Lambda::EventSourceMapping":
            if event["Properties"].get("FunctionName") == c.arn(function):
                event["DependsOn"] = logical_id
        elif event["Type"] == "AWS::Scheduler::Schedule":
            target = event["Properties"]["Target"]
            if target["Arn"] == c.arn(function):
                target["RoleArn"] = fn.get_att(logical_id)
    c.add(logical_id, _role(c, function, shared))


def _role(c: Compilation, function: Function, shared: Json) -> dict[str, Json]:
    """The shared role's settings with the function's own name and statements."""
    base = shared["Properties"] if shared is not None else {}
    policy = {
        "PolicyName": fn.join("-", [c.service.name, c.service.stage, "lambda"]),
        "PolicyDocument": {"Version": "2012-10-17", "Statement": _statements(c.service, function)},
    }
    properties: dict[str, Json] = {
        "AssumeRolePolicyDocument": base.get("AssumeRolePolicyDocument") or trust("lambda.amazonaws.com"),
        "Policies": [policy],
        "Path": base.get("Path") or "/",
        "RoleName": function.get("iamRoleStatementsName") or _name(c.service, function),
    }
    if base.get("Tags"):
        properties["Tags"] = base["Tags"]
    boundary = function.get("iamPermissionsBoundary") or base.get("PermissionsBoundary")
    if boundary:
        properties["PermissionsBoundary"] = boundary
    name = ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    in_network = function.get("vpc") or c.service.setting("vpc")
    properties["ManagedPolicyArns"] = [fn.join("", ["arn:", fn.PARTITION, name])] if in_network else []
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _name(service: Service, function: Function) -> Json:
    parts: list[Json] = [service.name, service.stage, function.key, fn.REGION]
    whole = f"{service.name}-{service.stage}-{function.key}-{service.region}-lambdaRole"
    return fn.join("-", [*parts, "lambdaRole"] if len(whole) <= _LONGEST_NAME else parts)


def _statements(service: Service, function: Function) -> list[Json]:
    logs = ("logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents")
    statements = [_allow(logs, [fn.sub(f"{_LOGS}{function.name}:*:*")])]
    statements += _reading(function)
    target = function.get("onError")
    if target:
        statements.append(_allow(["sns:Publish"], target))
    if _inherits(service, function):
        shared = service.setting("iam", "role", "statements") or service.setting("iamRoleStatements")
        statements.extend(shared or ())
    return [*statements, *(function.get("iamRoleStatements") or ())]


def _inherits(service: Service, function: Function) -> bool:
    own = function.get("iamRoleStatementsInherit")
    default = get(service.config, "custom", _SECTION, "defaultInherit")
    return bool(own if own is not None else default)


def _reading(function: Function) -> Iterable[Json]:
    """What the function's streams and queues need; streams first."""
    arns: dict[str, list[Json]] = {"dynamodb": [], "kinesis": [], "sqs": []}
    for event in function.events:
        source = event.config if not isinstance(event.config, dict) else event.get("arn")
        if event.kind == "sqs":
            arns["sqs"].append(source)
        elif event.kind == "stream":
            kind = event.get("type") or (source.split(":")[2] if isinstance(source, str) else "")
            arns.setdefault(str(kind), []).append(source)
    for kind, actions in {**_STREAMS, "sqs": _QUEUE}.items():
        if arns[kind]:
            yield _allow(actions, arns[kind])


def _allow(actions: Any, resources: Json) -> dict[str, Json]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}
