"""CloudFormation: AWS::DynamoDB::Table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import REPLACE, STORED, UPDATE, AwsError, Created, ResourceType, StackCall

Properties = Mapping[str, Any]
_DIRECT = (
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
)
#: Members of an index that CloudFormation has and the API does not.
_NOT_IN_API = ("ContributorInsightsSpecification",)


class Table(ResourceType):
    type_name = "AWS::DynamoDB::Table"
    properties = {
        "AttributeDefinitions": UPDATE,
        "BillingMode": UPDATE,
        "ContributorInsightsSpecification": STORED,
        "DeletionProtectionEnabled": UPDATE,
        "GlobalSecondaryIndexes": UPDATE,
        "KeySchema": REPLACE,
        "LocalSecondaryIndexes": REPLACE,
        "OnDemandThroughput": UPDATE,
        "PointInTimeRecoverySpecification": UPDATE,
        "ProvisionedThroughput": UPDATE,
        "SSESpecification": UPDATE,
        "StreamSpecification": UPDATE,
        "TableClass": UPDATE,
        "TableName": REPLACE,
        "Tags": UPDATE,
        "TimeToLiveSpecification": UPDATE,
        "WarmThroughput": UPDATE,
    }
    required = ("KeySchema",)
    attributes = ("Arn", "StreamArn")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("TableName") or stack.generated_name(255)
        request: dict[str, Any] = {"TableName": name, "Tags": _tags(stack, properties)}
        for member in _DIRECT:
            if member in properties:
                request[member] = _plain(properties[member], member)
        request["BillingMode"] = properties.get("BillingMode", "PROVISIONED")
        if "ProvisionedThroughput" in properties:
            request["ProvisionedThroughput"] = _plain(properties["ProvisionedThroughput"])
        if "SSESpecification" in properties:
            request["SSESpecification"] = _encryption(properties["SSESpecification"])
        if "StreamSpecification" in properties:
            request["StreamSpecification"] = _streams(properties["StreamSpecification"])
        stack.invoke("dynamodb", "CreateTable", request)
        self._set_beside(stack, name, {}, properties)
        return self._created(stack, name)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        self._update_table(stack, physical_id, old, new)
        self._update_indexes(stack, physical_id, old, new)
        self._set_beside(stack, physical_id, old, new)
        self._set_tags(stack, physical_id, new)
        return self._created(stack, physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            stack.invoke("dynamodb", "DeleteTable", {"TableName": physical_id})
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def _created(self, stack: StackCall, name: str) -> Created:
        table = stack.invoke("dynamodb", "DescribeTable", {"TableName": name})["Table"]
        attributes = {"Arn": table["TableArn"]}
        if "LatestStreamArn" in table:
            attributes["StreamArn"] = table["LatestStreamArn"]
        return Created(name, attributes)

    # -- updates ----------------------------------------------------------------------------------------------------

    def _update_table(self, stack: StackCall, name: str, old: Properties, new: Properties) -> None:
        request: dict[str, Any] = {}
        throughput = ("BillingMode", "ProvisionedThroughput")
        if any(old.get(member) != new.get(member) for member in throughput):
            mode = new.get("BillingMode", "PROVISIONED")
            if old.get("BillingMode", "PROVISIONED") != mode:
                request["BillingMode"] = mode
            if mode == "PROVISIONED":
                request["ProvisionedThroughput"] = _plain(new.get("ProvisionedThroughput"))
        defaults = {"DeletionProtectionEnabled": False, "TableClass": "STANDARD"}
        for member in ("DeletionProtectionEnabled", "TableClass", "OnDemandThroughput", "WarmThroughput"):
            if old.get(member) != new.get(member):
                value = new.get(member, defaults.get(member))
                if value is not None:
                    request[member] = _plain(value, member)
        if old.get("SSESpecification") != new.get("SSESpecification"):
            request["SSESpecification"] = _encryption(new.get("SSESpecification") or {"SSEEnabled": False})
        if request:
            stack.invoke("dynamodb", "UpdateTable", {"TableName": name, **request})
        self._update_stream(stack, name, old, new)

    def _update_stream(self, stack: StackCall, name: str, old: Properties, new: Properties) -> None:
        before, after = old.get("StreamSpecification"), new.get("StreamSpecification")
        if before == after:
            return
        if before:
            off = {"TableName": name, "StreamSpecification": {"StreamEnabled": False}}
            stack.invoke("dynamodb", "UpdateTable", off)
        if after:
            stack.invoke(
                "dynamodb", "UpdateTable", {"TableName": name, "StreamSpecification": _streams(after)}
            )

    def _update_indexes(self, stack: StackCall, name: str, old: Properties, new: Properties) -> None:
        """One index a call, as the API wants it; a changed one goes and comes again."""
        before = {i["IndexName"]: _plain(i) for i in old.get("GlobalSecondaryIndexes") or ()}
        after = {i["IndexName"]: _plain(i) for i in new.get("GlobalSecondaryIndexes") or ()}
        definitions = _plain(new.get("AttributeDefinitions") or [])
        for index_name, index in before.items():
            if index_name not in after or _shape(index) != _shape(after[index_name]):
                self._index(stack, name, {"Delete": {"IndexName": index_name}})
        for index_name, index in after.items():
            if index_name not in before or _shape(index) != _shape(before[index_name]):
                self._index(stack, name, {"Create": index}, definitions)
                continue
            changed = {
                member: index[member]
                for member in ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
                if member in index and index[member] != before[index_name].get(member)
            }
            if changed:
                self._index(stack, name, {"Update": {"IndexName": index_name, **changed}})

    def _index(
        self, stack: StackCall, name: str, update: dict[str, Any], definitions: list[Any] | None = None
    ) -> None:
        request: dict[str, Any] = {"TableName": name, "GlobalSecondaryIndexUpdates": [update]}
        if definitions:
            request["AttributeDefinitions"] = definitions
        stack.invoke("dynamodb", "UpdateTable", request)

    # -- what has operations of its own -----------------------------------------------------------------------------

    def _set_beside(self, stack: StackCall, name: str, old: Properties, new: Properties) -> None:
        self._set_ttl(stack, name, _ttl(old), _ttl(new))
        if old.get("PointInTimeRecoverySpecification") != new.get("PointInTimeRecoverySpecification"):
            recovery = _plain(new.get("PointInTimeRecoverySpecification") or {})
            recovery.setdefault("PointInTimeRecoveryEnabled", False)
            request = {"TableName": name, "PointInTimeRecoverySpecification": recovery}
            stack.invoke("dynamodb", "UpdateContinuousBackups", request)

    def _set_ttl(self, stack: StackCall, name: str, old: str | None, new: str | None) -> None:
        if old == new:
            return
        for attribute, enabled in ((old, False), (new, True)):
            if attribute is not None:
                specification = {"AttributeName": attribute, "Enabled": enabled}
                request = {"TableName": name, "TimeToLiveSpecification": specification}
                stack.invoke("dynamodb", "UpdateTimeToLive", request)

    def _set_tags(self, stack: StackCall, name: str, new: Properties) -> None:
        arn = stack.invoke("dynamodb", "DescribeTable", {"TableName": name})["Table"]["TableArn"]
        wanted = {tag["Key"]: tag["Value"] for tag in _tags(stack, new)}
        current: dict[str, str] = {}
        token = None
        while True:
            page = stack.invoke("dynamodb", "ListTagsOfResource", {"ResourceArn": arn, "NextToken": token})
            current.update((tag["Key"], tag["Value"]) for tag in page["Tags"])
            token = page.get("NextToken")
            if token is None:
                break
        gone = [key for key in current if key not in wanted]
        if gone:
            stack.invoke("dynamodb", "UntagResource", {"ResourceArn": arn, "TagKeys": gone})
        if wanted != current:
            tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
            stack.invoke("dynamodb", "TagResource", {"ResourceArn": arn, "Tags": tags})


def _tags(stack: StackCall, properties: Properties) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in stack.all_tags(properties).items()]


def _ttl(properties: Properties) -> str | None:
    specification = properties.get("TimeToLiveSpecification") or {}
    enabled = str(specification.get("Enabled", False)).lower() == "true"
    return specification.get("AttributeName") if enabled else None


def _encryption(specification: Mapping[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in _plain(specification).items() if k != "SSEEnabled"}
    return {"Enabled": str(specification.get("SSEEnabled", False)).lower() == "true", **found}


def _streams(specification: Mapping[str, Any]) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": specification["StreamViewType"]}


def _shape(index: Mapping[str, Any]) -> tuple[Any, Any]:
    return index["KeySchema"], index["Projection"]


def _plain(value: Any, name: str = "") -> Any:
    """As the API takes it: templates may hold numbers and booleans as text."""
    if isinstance(value, Mapping):
        return {k: _plain(v, k) for k, v in value.items() if k not in _NOT_IN_API}
    if isinstance(value, list):
        return [_plain(v, name) for v in value]
    if isinstance(value, str):
        if name.endswith(("Units", "PerSecond", "InDays")):
            return int(value)
        if value in ("true", "false") and name.endswith("Enabled"):
            return value == "true"
    return value
