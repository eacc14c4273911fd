"""The CloudFormation types of Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import REPLACE, STORED, UPDATE, Created, ResourceType, StackCall, ValidationException
from .errors import ResourceNotFoundException

Properties = Mapping[str, Any]

_NUMBERS = ("PasswordLength",)
_FLAGS = (
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "RequireEachIncludedType",
)
_OTHERS = ("ExcludeCharacters", "GenerateStringKey", "SecretStringTemplate")


class Secret(ResourceType):
    type_name = "AWS::SecretsManager::Secret"
    properties = {
        "Description": UPDATE,
        "GenerateSecretString": UPDATE,
        "KmsKeyId": STORED,
        "Name": REPLACE,
        "SecretString": UPDATE,
        "Tags": UPDATE,
    }
    attributes = ("Id",)

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("Name") or f"{stack.logical_id}-{stack.call.ids.mixed(12)}"
        tags = stack.all_tags(properties)
        request = {"Name": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for member in ("Description", "KmsKeyId"):
            if member in properties:
                request[member] = properties[member]
        value = _value(stack, properties)
        if value is not None:
            request["SecretString"] = value
        arn = stack.invoke("secretsmanager", "CreateSecret", request)["ARN"]
        return Created(arn, {"Id": arn})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        request = {"SecretId": physical_id, "Description": new.get("Description", "")}
        if new.get("KmsKeyId") != old.get("KmsKeyId"):
            request["KmsKeyId"] = new.get("KmsKeyId", "")
        if any(old.get(member) != new.get(member) for member in ("SecretString", "GenerateSecretString")):
            value = _value(stack, new)
            if value is not None:
                request["SecretString"] = value
        stack.invoke("secretsmanager", "UpdateSecret", request)
        held = stack.invoke("secretsmanager", "DescribeSecret", {"SecretId": physical_id})["Tags"] or []
        wanted = stack.all_tags(new)
        gone = [tag["Key"] for tag in held if tag["Key"] not in wanted]
        if gone:
            stack.invoke("secretsmanager", "UntagResource", {"SecretId": physical_id, "TagKeys": gone})
        tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
        stack.invoke("secretsmanager", "TagResource", {"SecretId": physical_id, "Tags": tags})
        return Created(physical_id, {"Id": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        request = {"SecretId": physical_id, "ForceDeleteWithoutRecovery": True}
        stack.invoke("secretsmanager", "DeleteSecret", request)


def _value(stack: StackCall, properties: Properties) -> str | None:
    generate = properties.get("GenerateSecretString")
    if generate is None:
        return properties.get("SecretString")
    if "SecretString" in properties:
        raise ValidationException("You can't specify both SecretString and GenerateSecretString.")
    unknown = set(generate) - {*_NUMBERS, *_FLAGS, *_OTHERS}
    if unknown:
        raise ValidationException(f"Encountered unsupported property {sorted(unknown)[0]}")
    request: dict[str, Any] = {name: int(generate[name]) for name in _NUMBERS if name in generate}
    request.update((name, generate[name] in (True, "true", "True")) for name in _FLAGS if name in generate)
    if "ExcludeCharacters" in generate:
        request["ExcludeCharacters"] = generate["ExcludeCharacters"]
    password: str = stack.invoke("secretsmanager", "GetRandomPassword", request)["RandomPassword"]
    template, key = generate.get("SecretStringTemplate"), generate.get("GenerateStringKey")
    if (template is None) != (key is None):
        raise ValidationException("SecretStringTemplate and GenerateStringKey must be specified together.")
    if template is None:
        return password
    try:
        whole = orjson.loads(template)
    except orjson.JSONDecodeError:
        whole = None
    if not isinstance(whole, dict):
        raise ValidationException("SecretStringTemplate must be a JSON object.")
    return orjson.dumps({**whole, str(key): password}).decode()


class ResourcePolicy(ResourceType):
    type_name = "AWS::SecretsManager::ResourcePolicy"
    properties = {"ResourcePolicy": UPDATE, "SecretId": REPLACE}
    required = ("ResourcePolicy", "SecretId")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        policy = properties["ResourcePolicy"]
        document = policy if isinstance(policy, str) else orjson.dumps(policy).decode()
        request = {"SecretId": properties["SecretId"], "ResourcePolicy": document}
        return Created(stack.invoke("secretsmanager", "PutResourcePolicy", request)["ARN"])

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return self.create(stack, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            stack.invoke("secretsmanager", "DeleteResourcePolicy", {"SecretId": properties["SecretId"]})
        except ResourceNotFoundException:
            return
