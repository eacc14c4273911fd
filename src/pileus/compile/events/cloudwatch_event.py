"""`cloudwatchEvent`: a rule of the default bus by pattern; the older form of `eventBridge`."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.schedule import rule_input, transformer
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    numbers: dict[str, int] = {}
    for function, event in uses:
        number = numbers[function.key] = numbers.get(function.key, 0) + 1
        _rule(c, function, event, number)


def _rule(c: Compilation, function: Function, event: Event, number: int) -> None:
    inputs = [name for name in ("input", "inputPath", "inputTransformer") if event.get(name)]
    if len(inputs) > 1:
        c.mistake(f"only one of {', '.join(inputs)} can be set", event.path)
    target: dict[str, Json] = {}
    if event.get("input"):
        target["Input"] = rule_input(c, event, event.get("input"))
    if event.get("inputPath"):
        target["InputPath"] = event.get("inputPath")
    if event.get("inputTransformer"):
        target["InputTransformer"] = transformer(event.get("inputTransformer"))
    target |= {"Arn": c.arn(function), "Id": f"{function.key}CloudWatchEvent"}
    properties: dict[str, Json] = {
        "EventPattern": _without_line_breaks(event.get("event")),
        "State": "DISABLED" if event.get("enabled") is False else "ENABLED",
        "Targets": [target],
    }
    if event.get("description"):
        properties["Description"] = event.get("description")
    if event.get("name"):
        properties["Name"] = event.get("name")
    suffix = f"EventsRuleCloudWatchEvent{number}"
    logical_id = f"{naming.normalise(function.key)}{suffix}"
    resource: dict[str, Json] = {"Type": "AWS::Events::Rule", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(logical_id, resource)
    permission = naming.permission(function.key, suffix)
    c.permit(permission, function, "events.amazonaws.com", source_arn=fn.get_att(logical_id))


def _without_line_breaks(value: Json) -> Json:
    # v3 drops them from patterns, so a rule that waits for one never matches; deployed rules are as they are.
    if isinstance(value, dict):
        return {key: _without_line_breaks(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_line_breaks(inner) for inner in value]
    return value.replace("\n", "") if isinstance(value, str) else value
