"""S3 in CloudFormation: AWS::S3::Bucket, AWS::S3::BucketPolicy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson

from ...kernel import REPLACE, UPDATE, Change, Created, NotEmulated, ResourceType, StackCall
from .errors import BucketAlreadyOwnedByYou, NoSuchBucket

Properties = Mapping[str, Any]


class Bucket(ResourceType):
    type_name = "AWS::S3::Bucket"
    properties: ClassVar[Mapping[str, Change]] = {
        "BucketName": REPLACE,
        "AccessControl": UPDATE,
        "BucketEncryption": UPDATE,
        "CorsConfiguration": UPDATE,
        "LifecycleConfiguration": UPDATE,
        "NotificationConfiguration": UPDATE,
        "OwnershipControls": UPDATE,
        "PublicAccessBlockConfiguration": UPDATE,
        "Tags": UPDATE,
        "VersioningConfiguration": UPDATE,
    }
    attributes = ("Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("BucketName") or stack.generated_name(63, lower=True)
        request: dict[str, Any] = {"Bucket": name}
        if stack.call.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": stack.call.region}
        _refuse_existing(stack, name)
        stack.invoke("s3", "CreateBucket", request)
        _configure(stack, name, {}, properties)
        return _created(stack, name)

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        _configure(stack, physical_id, old, new)
        return _created(stack, physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            stack.invoke("s3", "DeleteBucket", {"Bucket": physical_id})
        except NoSuchBucket:
            return


class BucketPolicy(ResourceType):
    type_name = "AWS::S3::BucketPolicy"
    properties: ClassVar[Mapping[str, Change]] = {"Bucket": REPLACE, "PolicyDocument": UPDATE}
    required = ("Bucket", "PolicyDocument")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        document = properties["PolicyDocument"]
        text = document if isinstance(document, str) else orjson.dumps(document).decode()
        stack.invoke("s3", "PutBucketPolicy", {"Bucket": properties["Bucket"], "Policy": text})
        return Created(properties["Bucket"])

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return self.create(stack, new)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        try:
            stack.invoke("s3", "DeleteBucketPolicy", {"Bucket": physical_id})
        except NoSuchBucket:
            return


def _refuse_existing(stack: StackCall, name: str) -> None:
    """CloudFormation does not take over a bucket, where CreateBucket in us-east-1 would say it is made."""
    found = stack.invoke("s3", "ListBuckets", {"Prefix": name})["Buckets"]
    if any(bucket["Name"] == name for bucket in found):
        raise BucketAlreadyOwnedByYou(f"{name} already exists", BucketName=name)


def _created(stack: StackCall, name: str) -> Created:
    region = stack.call.region
    return Created(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        },
    )


def _configure(stack: StackCall, name: str, old: Properties, new: Properties) -> None:
    """Puts what is new or changed, and takes away what is gone."""
    if new.get("AccessControl") not in (None, "Private", "BucketOwnerFullControl"):
        raise NotEmulated(f"AWS::S3::Bucket AccessControl {new['AccessControl']}")
    tags = [{"Key": key, "Value": value} for key, value in stack.all_tags(new).items()]
    stack.invoke("s3", "PutBucketTagging", {"Bucket": name, "Tagging": {"TagSet": tags}})
    for prop, (put, member, translate, away) in _SETTINGS.items():
        if prop in new and new[prop] != old.get(prop):
            stack.invoke("s3", put, {"Bucket": name, member: translate(new[prop])})
        elif prop in old and prop not in new:
            operation_name, request = away
            stack.invoke("s3", operation_name, {"Bucket": name, **request})


def _same(value: Any) -> Any:
    return value


def _encryption(value: Properties) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        chosen = rule.get("ServerSideEncryptionByDefault")
        rules.append(
            {
                **({"ApplyServerSideEncryptionByDefault": chosen} if chosen else {}),
                "BucketKeyEnabled": _flag(rule.get("BucketKeyEnabled", False)),
            }
        )
    return {"Rules": rules}


def _cors(value: Properties) -> dict[str, Any]:
    names = {
        "Id": "ID",
        "MaxAge": "MaxAgeSeconds",
        "ExposedHeaders": "ExposeHeaders",
        "AllowedHeaders": "AllowedHeaders",
        "AllowedMethods": "AllowedMethods",
        "AllowedOrigins": "AllowedOrigins",
    }
    rules = [{names[key]: item for key, item in rule.items()} for rule in value["CorsRules"]]
    for rule in rules:
        if "MaxAgeSeconds" in rule:
            rule["MaxAgeSeconds"] = int(rule["MaxAgeSeconds"])
    return {"CORSRules": rules}


def _versioning(value: Properties) -> dict[str, Any]:
    return {"Status": value["Status"]}


def _blocks(value: Properties) -> dict[str, Any]:
    return {name: _flag(item) for name, item in value.items()}


def _notification(value: Properties) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for prop, kind, source, member in (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    ):
        if value.get(prop):
            found[kind] = [_rule(rule, source, member) for rule in value[prop]]
    bridge = value.get("EventBridgeConfiguration")
    if bridge is not None and _flag(bridge.get("EventBridgeEnabled", True)):
        found["EventBridgeConfiguration"] = {}
    return found


def _rule(rule: Properties, source: str, member: str) -> dict[str, Any]:
    made: dict[str, Any] = {member: rule[source], "Events": [rule["Event"]]}
    filters = ((rule.get("Filter") or {}).get("S3Key") or {}).get("Rules")
    if filters:
        made["Filter"] = {"Key": {"FilterRules": filters}}
    return made


def _lifecycle(value: Properties) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}


_RULE_KEYS = frozenset(
    {
        "Id",
        "Status",
        "Prefix",
        "TagFilters",
        "ExpirationInDays",
        "ExpirationDate",
        "ExpiredObjectDeleteMarker",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionExpirationInDays",
        "AbortIncompleteMultipartUpload",
        "ObjectSizeGreaterThan",
        "ObjectSizeLessThan",
    }
)


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    for key in rule:
        if key not in _RULE_KEYS:
            raise NotEmulated(f"AWS::S3::Bucket LifecycleConfiguration.Rules.{key}")
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpirationDate" in rule:
        moment = datetime.fromisoformat(str(rule["ExpirationDate"]).replace("Z", "+00:00"))
        expiration["Date"] = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = _flag(rule["ExpiredObjectDeleteMarker"])
    if expiration:
        made["Expiration"] = expiration
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if noncurrent:
        made["NoncurrentVersionExpiration"] = {key: int(item) for key, item in noncurrent.items()}
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort:
        made["AbortIncompleteMultipartUpload"] = {key: int(item) for key, item in abort.items()}
    return made


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if rule.get("Prefix"):
        chosen["Prefix"] = rule["Prefix"]
    for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in rule:
            chosen[name] = int(rule[name])
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters") or ()]
    if tags:
        chosen["Tags"] = tags
    if len(chosen) > 1 or len(tags) > 1:
        return {"And": chosen}
    if tags:
        return {"Tag": tags[0]}
    return chosen or {"Prefix": ""}


def _flag(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


#: property → (operation that puts it, its member, how it is written there, what takes it away)
_SETTINGS: Mapping[str, tuple[str, str, Callable[[Any], Any], tuple[str, Mapping[str, Any]]]] = {
    "OwnershipControls": (
        "PutBucketOwnershipControls",
        "OwnershipControls",
        _same,
        ("DeleteBucketOwnershipControls", {}),
    ),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        _blocks,
        ("DeletePublicAccessBlock", {}),
    ),
    "BucketEncryption": (
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        _encryption,
        ("DeleteBucketEncryption", {}),
    ),
    "VersioningConfiguration": (
        "PutBucketVersioning",
        "VersioningConfiguration",
        _versioning,
        ("PutBucketVersioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    ),
    "CorsConfiguration": ("PutBucketCors", "CORSConfiguration", _cors, ("DeleteBucketCors", {})),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        "LifecycleConfiguration",
        _lifecycle,
        ("DeleteBucketLifecycle", {}),
    ),
    "NotificationConfiguration": (
        "PutBucketNotificationConfiguration",
        "NotificationConfiguration",
        _notification,
        ("PutBucketNotificationConfiguration", {"NotificationConfiguration": {}}),
    ),
}
