"""What requests to make or change a stack have in common: the template, its parameters, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ...kernel import AwsError, Call, NotEmulated, Principal, ValidationError
from .coverage import refuse_uncovered
from .errors import InsufficientCapabilitiesException
from .parameters import given_values
from .plan import Blueprint, Place, blueprint, parameter_values, required_capabilities
from .references import check_names
from .stack import Stack, Stacks, tags_of
from .template import Template

Request = Mapping[str, Any]

_LONGEST_BODY, _LONGEST_FILE = 51_200, 1_048_576
_REFUSED = (
    "NotificationARNs",
    "StackPolicyBody",
    "StackPolicyURL",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "ResourcesToImport",
    "ImportExistingResources",
    "DeploymentConfig",
    "DeploymentMode",
    "RetainExceptOnCreate",
    "ResourceTypes",
)


async def template_body(stacks: Stacks, call: Call, request: Request, previous: Stack | None = None) -> str:
    """The text of the template that a request names: in it, in S3, or the stack's own."""
    sources = [name for name in ("TemplateBody", "TemplateURL") if request.get(name)]
    if request.get("UsePreviousTemplate"):
        sources.append("UsePreviousTemplate")
    if len(sources) != 1:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    if sources == ["UsePreviousTemplate"]:
        if previous is None:
            raise ValidationError("Template URL or Template Body must be specified.")
        return previous.body
    if sources == ["TemplateURL"]:
        return await _from_s3(stacks, call, request["TemplateURL"])
    body: str = request["TemplateBody"]
    if (
        call.http is not None and len(body.encode()) > _LONGEST_BODY
    ):  # what is called in the process has no wire
        raise ValidationError(
            f"1 validation error detected: Value '{body[:64]}...' at 'templateBody' failed to satisfy constraint:"
            f" Member must have length less than or equal to {_LONGEST_BODY}"
        )
    return body


async def _from_s3(stacks: Stacks, call: Call, url: str) -> str:
    bucket, key = _bucket_and_key(url, stacks.cloud.settings.endpoint)
    try:
        answer = await stacks.cloud.call_async("s3", "GetObject", {"Bucket": bucket, "Key": key}, within=call)
    except NotEmulated:
        raise
    except AwsError as error:
        raise ValidationError(f"S3 error: {error.message}") from None
    body = answer["Body"]
    if not isinstance(body, (bytes, bytearray, memoryview)):
        body = b"".join([chunk async for chunk in body]) if hasattr(body, "__aiter__") else b"".join(body)
    if len(body) > _LONGEST_FILE:
        raise ValidationError(f"Template may not exceed {_LONGEST_FILE} bytes in size.")
    return bytes(body).decode()


def _bucket_and_key(url: str, endpoint: str) -> tuple[str, str]:
    """Of an S3 URL in path style or virtual-hosted style, at AWS or at this endpoint."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValidationError("TemplateURL must be a supported URL.") from None
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    match = re.fullmatch(r"(.+?)\.s3[.-](?:[a-z0-9-]+\.)*(?:amazonaws\.com|localhost.*)", host)
    if match is not None:
        return match[1], path
    is_s3 = re.fullmatch(r"s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com", host)
    is_here = host in ("localhost", "127.0.0.1", urlsplit(endpoint).hostname)
    bucket, _, key = path.partition("/")
    if parts.scheme not in ("http", "https") or not (is_s3 or is_here) or not key:
        raise ValidationError("TemplateURL must be a supported URL.")
    return bucket, key


class Prepared:
    """A request that has been found good: nothing has been changed yet."""

    __slots__ = ("detail", "plan", "template")

    def __init__(self, template: Template, detail: dict[str, Any], plan: Blueprint) -> None:
        self.template = template
        self.detail = detail
        self.plan = plan


def prepare(
    stacks: Stacks, call: Call, request: Request, body: str, place: Place, previous: Stack | None = None
) -> Prepared:
    """Checks everything that can be known before a resource is made. Raises what the API answers with."""
    for member in _REFUSED:
        if request.get(member):
            raise NotEmulated(f"cloudformation {call.operation}.{member}")
    if (request.get("RollbackConfiguration") or {}).get("RollbackTriggers"):
        raise NotEmulated(f"cloudformation {call.operation}.RollbackConfiguration.RollbackTriggers")
    template = stacks.template(body)
    check_names(template)
    held = previous.detail if previous is not None else {}
    values = given_values(template.parameters, request.get("Parameters") or [], held.get("parameters"))
    detail: dict[str, Any] = {
        "parameters": values,
        "resolved": _resolved(call, template, values),
        "no_echo": [name for name, spec in template.parameters.items() if spec.no_echo],
        "tags": tags_of(request) if "Tags" in request or previous is None else held.get("tags", {}),
        "capabilities": list(request.get("Capabilities") or []),
        "role": request.get("RoleARN") or held.get("role"),
        "disable_rollback": bool(request.get("DisableRollback")),
        "description": template.description,
        "protected": held.get("protected", False),
        "outputs": held.get("outputs", []),
    }
    plan = blueprint(template, parameter_values(template.parameters, detail, place))
    refuse_uncovered(template, plan.order, stacks.cloud.resource_type)
    check_capabilities(template, plan, detail["capabilities"])
    return Prepared(template, detail, plan)


def _resolved(call: Call, template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Values that parameters of an SSM type stand for."""
    found: dict[str, str] = {}
    for name, spec in template.parameters.items():
        if not spec.is_ssm_value and spec.type != "AWS::SSM::Parameter::Name":
            continue
        try:
            request = {"Name": values[name]}
            parameter = call.cloud.call("ssm", "GetParameter", request, within=call)["Parameter"]
        except NotEmulated:
            raise
        except AwsError as error:
            if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise
            raise ValidationError(
                f"Unable to fetch parameters [{values[name]}] from parameter store for this account."
            ) from None
        if spec.is_ssm_value:
            if parameter["Type"] == "SecureString":
                raise ValidationError(
                    f"Parameters [{values[name]}] referenced by template have types not supported by CloudFormation."
                )
            found[name] = parameter["Value"]
    return found


def check_capabilities(template: Template, plan: Blueprint, given: list[str]) -> None:
    """Raises InsufficientCapabilitiesException."""
    needed, _ = required_capabilities(template, plan.order)
    enough = {None: True, "CAPABILITY_IAM": bool({"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"} & set(given))}
    if not enough.get(needed, needed in given):
        raise InsufficientCapabilitiesException(f"Requires capabilities : [{needed}]")
    if template.transforms and "CAPABILITY_AUTO_EXPAND" not in given:
        raise InsufficientCapabilitiesException("Requires capabilities : [CAPABILITY_AUTO_EXPAND]")


def principal_of(call: Call, role: str | None) -> dict[str, str]:
    """Who makes the resources: the caller, or CloudFormation in the role that it was given."""
    principal = call.principal
    if role:
        account, name = role.split(":")[4], role.rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/AWSCloudFormation"
        principal = Principal("role", account, arn)
    return {
        "kind": principal.kind,
        "account": principal.account,
        "arn": principal.arn,
        "user_id": principal.user_id,
    }
