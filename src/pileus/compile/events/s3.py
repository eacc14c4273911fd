"""`s3`: notifications of a bucket. The bucket is made here, unless `existing: true` leaves it to a custom resource.

All events of one bucket share its resource; settings of the bucket come from `provider.s3`.
"""

import re

from pileus.compile import custom_resources, naming
from pileus.compile import intrinsics as fn
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_NAME = re.compile(
    r"(?!^(\d{1,3}\.){3}\d{1,3}$)"
    r"(^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$)"
)
_EVERYTHING = "s3:ObjectCreated:*"


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    own = [(function, event) for function, event in uses if not event.get("existing")]
    permitted: dict[str, tuple[Function, str]] = {}
    for function, event in own:
        bucket = event.get("bucket") if isinstance(event.config, dict) else event.config
        if not isinstance(bucket, str):
            message = "a bucket that is made here must be given by its name"
            c.mistake(message, event.path, "for a bucket from elsewhere set 'existing: true'")
            continue
        name = c.service.setting("s3", bucket, "name") or bucket
        if not isinstance(name, str) or not _NAME.match(name):
            message = f"'{name}' is not a name for a bucket"
            c.mistake(message, event.path, "use small letters, digits, dots and dashes")
            continue
        permission = naming.permission(function.key, f"{naming.alphanumeric(bucket)}S3")
        _notify(c, function, event, bucket, name, permission)
        permitted[permission] = (function, name)
    for permission, (function, name) in permitted.items():
        arn = fn.join("", ["arn:", fn.PARTITION, f":s3:::{name}"])
        c.permit(permission, function, "s3.amazonaws.com", source_arn=arn, source_account=fn.ACCOUNT_ID)
    existing = [(function, event) for function, event in uses if event.get("existing")]
    if existing:
        _existing(c, existing)


def _notify(
    c: Compilation, function: Function, event: Event, bucket: str, name: str, permission: str
) -> None:
    """Add one notification to the bucket, which is made by the first."""
    notification: dict[str, Json] = {
        "Event": event.get("event") or _EVERYTHING,
        "Function": c.arn(function),
    }
    if event.get("rules"):
        rules = [{"Name": kind, "Value": value} for kind, value in _rules(event)]
        notification["Filter"] = {"S3Key": {"Rules": rules}}
    logical_id = naming.bucket(bucket)
    if logical_id not in c.resources:
        properties: dict[str, Json] = {
            "BucketName": name,
            "NotificationConfiguration": {"LambdaConfigurations": []},
        }
        for key, value in (c.service.setting("s3", bucket) or {}).items():
            if key != "name":
                properties[naming.upper_first(key)] = value
        c.add(logical_id, {"Type": "AWS::S3::Bucket", "Properties": properties, "DependsOn": []})
    resource = c.resources[logical_id]
    resource["Properties"]["NotificationConfiguration"]["LambdaConfigurations"].append(notification)
    resource["DependsOn"].append(permission)
    if (alias := c.aliases.get(function.key)) and alias.logical_id not in resource["DependsOn"]:
        resource["DependsOn"].append(alias.logical_id)


def _existing(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    """One custom resource a function; those on one bucket wait for each other, as each rewrites the whole."""
    handler = custom_resources.function_id("existing-s3")
    buckets: list[Json] = []
    previous: dict[str, str] = {}
    by_function: dict[str, list[Event]] = {}
    for function, event in uses:
        by_function.setdefault(function.key, []).append(event)
    for key, events in by_function.items():
        function = c.service.functions[key]
        bucket = events[0].get("bucket")
        if any(event.get("bucket") != bucket for event in events):
            message = f"the function '{key}' can have one existing bucket only"
            c.mistake(message, events[-1].path, "make a function for each bucket")
        logical_id = f"{naming.normalise(key)}CustomS31"
        after = [naming.function(key), handler]
        if (before := previous.get(str(bucket))) is not None:
            after.append(before)
        previous[str(bucket)] = logical_id
        buckets.append(bucket)
        properties: dict[str, Json] = {
            "ServiceToken": fn.get_att(handler),
            "FunctionName": function.name,
            "BucketName": bucket,
            "BucketConfigs": [_bucket_config(event) for event in events],
        }
        if events[0].get("forceDeploy"):
            properties["ForceDeploy"] = int(c.service.instance)
        resource = {"Type": "Custom::S3", "Version": 1, "DependsOn": after, "Properties": properties}
        c.add(logical_id, resource)
    statements: list[Json] = [
        {
            "Effect": "Allow",
            "Resource": fn.join(":", ["arn", fn.PARTITION, "s3", "", "", bucket]),
            "Action": ["s3:PutBucketNotification", "s3:GetBucketNotification"],
        }
        for bucket in buckets
    ]
    functions = fn.join(":", ["arn", fn.PARTITION, "lambda", fn.REGION, fn.ACCOUNT_ID, "function", "*"])
    actions = ["lambda:AddPermission", "lambda:RemovePermission"]
    statements.append({"Effect": "Allow", "Resource": functions, "Action": actions})
    custom_resources.add(c, "existing-s3", "s3/handler.handler", statements)


def _bucket_config(event: Event) -> dict[str, Json]:
    rules = [{naming.upper_first(kind): value} for kind, value in _rules(event)]
    return {"Event": event.get("event") or _EVERYTHING, "Rules": rules}


def _rules(event: Event) -> list[tuple[str, Json]]:
    """As in v3, a rule says one thing: of a prefix and a suffix in one item only the first counts."""
    return [next(iter(rule.items())) for rule in event.get("rules") or () if rule]
