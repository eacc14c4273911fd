"""`sns`: a topic that is made here (by name), or a subscription to one from elsewhere (by ARN)."""

import re

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_ARN = re.compile(r"arn:[^:]+:sns:([^:]*):[^:]*:(.+)")
_QUEUE_ARN = re.compile(r"arn:[^:]+:sqs:([^:]*):([^:]*):(.+)")


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    for function, event in uses:
        settings = event.config if isinstance(event.config, dict) else {}
        if isinstance(event.config, str):
            given: Json = event.config
        else:
            given = settings.get("arn") or settings.get("topicName")
        if isinstance(given, str) and not given.startswith("arn:"):
            _own_topic(c, function, event, given)
            continue
        name = settings.get("topicName") or _name(given)
        if given is None or name is None:
            message = "the topic's name cannot be told from this ARN"
            c.mistake(message, event.path, "give 'topicName' beside 'arn'")
            continue
        _subscription(c, function, event, given, name)


def _name(arn: Json) -> str | None:
    # As v3 does, whatever stands before it: placeholders compile too.
    return arn.rpartition(":")[2] or None if isinstance(arn, str) else None


def _own_topic(c: Compilation, function: Function, event: Event, name: str) -> None:
    settings = event.config if isinstance(event.config, dict) else {}
    topic = naming.topic(name)
    endpoint = {"Endpoint": c.arn(function), "Protocol": "lambda"}
    redrive = _redrive(c, function, event, name, None)
    if topic not in c.resources:
        properties: dict[str, Json] = {"TopicName": name}
        if settings.get("displayName"):
            properties["DisplayName"] = settings["displayName"]
        resource: dict[str, Json] = {"Type": "AWS::SNS::Topic", "Properties": properties}
        # As in v3, only the alias of the function that comes first is waited for.
        if alias := c.aliases.get(function.key):
            resource["DependsOn"] = alias.logical_id
        c.add(topic, resource)
    if settings.get("filterPolicy") or settings.get("redrivePolicy"):
        subscription = {**endpoint, "TopicArn": fn.ref(topic), **_filter(settings), **redrive}
        resource = {"Type": "AWS::SNS::Subscription", "Properties": subscription}
        c.add(naming.topic_subscription(function.key, name), resource)
    else:
        c.resources[topic]["Properties"].setdefault("Subscription", []).append(endpoint)
    arn = fn.join("", ["arn:", fn.PARTITION, ":sns:", fn.REGION, ":", fn.ACCOUNT_ID, ":", name])
    _permit(c, function, name, arn)


def _subscription(c: Compilation, function: Function, event: Event, arn: Json, name: str) -> None:
    settings = event.config if isinstance(event.config, dict) else {}
    subscription: dict[str, Json] = {"TopicArn": arn, "Protocol": "lambda", "Endpoint": c.arn(function)}
    subscription |= _filter(settings)
    subscription |= _redrive(c, function, event, name, arn)
    match = _ARN.match(arn) if isinstance(arn, str) else None
    if match and match[1] != c.service.region and settings:
        # As in v3, not when the event is the ARN alone.
        subscription["Region"] = match[1]
    resource: dict[str, Json] = {"Type": "AWS::SNS::Subscription", "Properties": subscription}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(naming.topic_subscription(function.key, name), resource)
    _permit(c, function, name, arn)


def _permit(c: Compilation, function: Function, name: str, arn: Json) -> None:
    permission = naming.permission(function.key, f"{naming.alphanumeric(name)}SNS")
    c.permit(permission, function, "sns.amazonaws.com", source_arn=arn)


def _filter(settings: dict[str, Json]) -> dict[str, Json]:
    names = {"FilterPolicy": "filterPolicy", "FilterPolicyScope": "filterPolicyScope"}
    return {name: settings[key] for name, key in names.items() if settings.get(key)}


def _redrive(c: Compilation, function: Function, event: Event, name: str, topic_arn: Json) -> dict[str, Json]:
    """The redrive policy of a subscription; the queue is opened to the topic in passing."""
    policy = event.get("redrivePolicy")
    if not policy:
        return {}
    if (arn := policy.get("deadLetterTargetArn")) is not None:
        match = _QUEUE_ARN.match(arn) if isinstance(arn, str) else None
        if match is None:
            path = (*event.path, "redrivePolicy", "deadLetterTargetArn")
            c.mistake("this is not a queue's ARN", path, "use deadLetterTargetRef for a queue made here")
            return {}
        parts: list[Json] = [f"https://sqs.{match[1]}.", fn.URL_SUFFIX, f"/{match[2]}/{match[3]}"]
        target, url = arn, fn.join("", parts)
    elif (reference := policy.get("deadLetterTargetRef")) is not None:
        target, url = fn.get_att(reference), fn.ref(reference)
    else:
        imported = policy["deadLetterTargetImport"]
        target, url = {"Fn::ImportValue": imported["arn"]}, {"Fn::ImportValue": imported["url"]}
    policy_id = f"{naming.alphanumeric(name)}To{naming.normalise(function.key)}DLQPolicy"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": target,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn} if topic_arn is not None else {}},
    }
    document = {"Version": "2012-10-17", "Id": policy_id, "Statement": [statement]}
    properties = {"PolicyDocument": document, "Queues": [url]}
    c.add(policy_id, {"Type": "AWS::SQS::QueuePolicy", "Properties": properties})
    return {"RedrivePolicy": {"deadLetterTargetArn": target}}
