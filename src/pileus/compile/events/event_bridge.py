"""`eventBridge`: a rule on a bus by pattern or schedule; a bus given by a new name is made here."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.event_bridge_custom import compile_custom
from pileus.compile.events.schedule import transformer
from pileus.compile.events.source_mapping import compact
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    for _, event in uses:
        _check(c, event)
    uses = [(function, event) for function, event in uses if isinstance(event.config, dict)]
    if c.service.setting("eventBridge", "useCloudFormation") is False:
        compile_custom(c, uses)
        return
    for function, event in uses:
        _rule(c, function, event)


def _check(c: Compilation, event: Event) -> None:
    if not isinstance(event.config, dict):
        hint = "eventBridge: {pattern: {source: [my.app]}}"
        c.mistake("eventBridge must be an object", event.path, hint)
        return
    inputs = [
        name for name in ("input", "inputPath", "inputTransformer") if event.get(name) not in (None, "")
    ]
    if len(inputs) > 1:
        c.mistake(f"only one of {', '.join(inputs)} can be set", event.path)


def _rule(c: Compilation, function: Function, event: Event) -> None:
    number = event.position
    generated = naming.event_bridge_rule_name(function.name, number)
    name = event.get("name") or generated
    bus, bus_id = _bus(c, event)
    target: dict[str, Json] = {"Arn": c.arn(function), "Id": naming.event_bridge_target_id(name)}
    if event.get("input"):
        target["Input"] = compact(event.get("input"))
    if event.get("inputPath"):
        target["InputPath"] = event.get("inputPath")
    if event.get("inputTransformer"):
        target["InputTransformer"] = transformer(event.get("inputTransformer"))
    if retry := event.get("retryPolicy"):
        names = {
            "MaximumEventAgeInSeconds": "maximumEventAge",
            "MaximumRetryAttempts": "maximumRetryAttempts",
        }
        target["RetryPolicy"] = {
            key: retry[given] for key, given in names.items() if retry.get(given) is not None
        }
    if event.get("deadLetterQueueArn"):
        target["DeadLetterConfig"] = {"Arn": event.get("deadLetterQueueArn")}
    properties: dict[str, Json] = {"Name": name, "Targets": [target]}
    if bus is not None and bus != "default":
        properties["EventBusName"] = bus
    if event.get("description"):
        properties["Description"] = event.get("description")
    if event.get("pattern"):
        properties["EventPattern"] = event.get("pattern")
    if event.get("schedule"):
        properties["ScheduleExpression"] = event.get("schedule")
    properties["State"] = "DISABLED" if event.get("enabled") is False else "ENABLED"
    resource: dict[str, Json] = {"Type": "AWS::Events::Rule", "Properties": properties}
    if bus_id:
        resource["DependsOn"] = [bus_id]
    elif alias := c.aliases.get(function.key):
        resource["DependsOn"] = [alias.logical_id]
    rule_id = naming.event_bridge_rule(f"{function.name}-rule-{number}")
    c.add(rule_id, resource)
    rule = fn.join("/", ["rule", *([bus] if bus is not None else []), name])
    arn = fn.join(":", ["arn", fn.PARTITION, "events", fn.REGION, fn.ACCOUNT_ID, rule])
    permission = naming.event_bridge_permission(function.key, number)
    c.permit(permission, function, "events.amazonaws.com", source_arn=arn)


def _bus(c: Compilation, event: Event) -> tuple[Json, str | None]:
    """The bus's name (None: the default one, unnamed), and the logical id of the bus when it is made here."""
    bus = event.get("eventBus")
    if not isinstance(bus, str):
        return bus, None
    if bus.startswith("arn:"):
        return bus[bus.index("/") + 1 :] if "/" in bus else bus, None
    if bus == "default":
        return bus, None
    logical_id = naming.event_bus(bus)
    c.add(logical_id, {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}})
    return bus, logical_id
