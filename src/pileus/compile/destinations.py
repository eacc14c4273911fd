"""What happens after asynchronous invocations: destinations, retries and the age of events."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation, role_of
from pileus.service.errors import did_you_mean
from pileus.service.model import Function
from pileus.service.tree import Json

_FUNCTION = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "function": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
    "eventBus": "events:PutEvents",
}


def compile_invoke_config(c: Compilation, function: Function) -> None:
    destinations = function.get("destinations")
    age, retries = function.get("maximumEventAge"), function.get("maximumRetryAttempts")
    if not destinations and age is None and retries is None:
        return
    alias = c.aliases.get(function.key)
    properties: dict[str, Json] = {"FunctionName": fn.ref(naming.function(function.key))}
    targets: dict[str, Json] = {}
    if destinations:
        for name, key in (("OnSuccess", "onSuccess"), ("OnFailure", "onFailure")):
            if destinations.get(key):
                targets[name] = {"Destination": _target(c, function, key, destinations[key])}
    properties["DestinationConfig"] = targets
    properties["Qualifier"] = alias.name if alias else "$LATEST"
    if age is not None:
        properties["MaximumEventAgeInSeconds"] = age
    if retries is not None:
        properties["MaximumRetryAttempts"] = retries
    resource: dict[str, Json] = {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": properties}
    if alias:
        resource["DependsOn"] = alias.logical_id
    c.add(naming.event_invoke_config(function.key), resource)


def _target(c: Compilation, function: Function, key: str, target: Json) -> Json:
    """The destination's ARN; the shared role is allowed to reach it."""
    path = (*function.path, "destinations", key)
    if isinstance(target, dict):
        _permit(c, function, _ACTIONS[target["type"]], target["arn"])
        return target["arn"]
    if target.startswith("arn:"):
        kind = target.split(":")[2]
        if kind not in _ACTIONS:
            c.mistake(
                f"'{target}' cannot be a destination", path, "a function, queue, topic or event bus can"
            )
            return target
        _permit(c, function, _ACTIONS[kind], target)
        return target
    other = c.service.functions.get(target)
    if other is None:
        hint = did_you_mean(target, c.service.functions)
        c.mistake(f"there is no function '{target}' in this service", path, hint)
        return target
    _permit(c, function, "lambda:InvokeFunction", fn.sub(f"{_FUNCTION}{other.name}"))
    alias = c.aliases.get(other.key)
    if alias is not None and alias.logical_id in c.resources:
        return c.arn(other)
    return fn.get_att(naming.function(other.key))  # an alias that comes later is not known yet


def _permit(c: Compilation, function: Function, action: str, resource: Json) -> None:
    if role_of(c.service, function) is None:
        c.allow(action, resource)
