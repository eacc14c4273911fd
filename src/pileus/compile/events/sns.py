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
            _own_topic(c, function, settings, given)
            continue
        name = settings.get("topicName") or _name(given)
        if given is None or name is None:
            message = "the topic's name cannot be told from this ARN"
            c.mistake(message, event.path, "give 'topicName' beside 'arn'")
            continue
        _subscription(c, function, settings, given, name)


def _name(arn: Json) -> str | None:
    match = _ARN.match(arn) if isinstance(arn, str) else None
    return match[2] if match else None


def _own_topic(c: Compilation, function: Function, settings: dict[str, Json], name: str) -> None:
    topic = naming.topic(name)
    endpoint = {"Endpoint": c.arn(function), "Protocol": "lambda"}
    separate = settings.get("filterPolicy") or settings.get("redrivePolicy")
    redrive = _redrive(c, function, settings, name, None)
    if topic not in c.resources:
        properties: dict[str, Json] = {"TopicName": name}
        if settings.get("displayName"):
            properties["DisplayName"] = settings["displayName"]
        c.add(topic, {"Type": "AWS::SNS::Topic", "Properties": properties})
    if separate:
        subscription = {**endpoint, "TopicArn": fn.ref(topic), **_filter(settings), **redrive}
        _add_subscription(c, function, name, subscription)
    else:
        properties = c.resources[topic]["Properties"]
        properties.setdefault("Subscription", []).append(endpoint)
        alias = c.aliases.get(function.key)
        if alias:
            depends_on = c.resources[topic].setdefault("DependsOn", [])
            if alias.logical_id not in depends_on:
                depends_on.append(alias.logical_id)
    arn = fn.join("", ["arn:", fn.PARTITION, ":sns:", fn.REGION, ":", fn.ACCOUNT_ID, ":", name])
    _permit(c, function, name, arn)


def _subscription(
    c: Compilation, function: Function, settings: dict[str, Json], arn: Json, name: str
) -> None:
    subscription: dict[str, Json] = {"TopicArn": arn, "Protocol": "lambda", "Endpoint": c.arn(function)}
    subscription |= _filter(settings)
    subscription |= _redrive(c, function, settings, name, arn)
    match = _ARN.match(arn) if isinstance(arn, str) else None
    if match and match[1] != c.service.region:
        subscription["Region"] = match[1]
    _add_subscription(c, function, name, subscription)
    _permit(c, function, name, arn)


def _add_subscription(c: Compilation, function: Function, name: str, properties: dict[str, Json]) -> None:
    resource: dict[str, Json] = {"Type": "AWS::SNS::Subscription", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(naming.topic_subscription(function.key, name), resource)


def _permit(c: Compilation, function: Function, name: str, arn: Json) -> None:
    permission = naming.permission(function.key, f"{naming.alphanumeric(name)}SNS")
    c.permit(permission, function, "sns.amazonaws.com", source_arn=arn)


def _filter(settings: dict[str, Json]) -> dict[str, Json]:
    names = {"FilterPolicy": "filterPolicy", "FilterPolicyScope": "filterPolicyScope"}
    return {name: settings[key] for name, key in names.items() if settings.get(key)}


def _redrive(
    c: Compilation, function: Function, settings: dict[str, Json], name: str, topic_arn: Json
) -> dict[str, Json]:
    """The redrive policy of a subscription; the queue is opened to the topic in passing."""
    policy = settings.get("redrivePolicy")
    if not policy:
        return {}
    if (arn := policy.get("deadLetterTargetArn")) is not None:
        match = _QUEUE_ARN.match(arn)
        assert match is not None, arn
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
