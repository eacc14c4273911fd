"""`schedule`: rules of EventBridge, or with `method: scheduler` schedules of EventBridge Scheduler.

Every rate of a function counts up one number, whichever of the two it becomes.
"""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation, role_of
from pileus.compile.events.source_mapping import compact
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    numbers: dict[str, int] = {}
    for function, event in uses:
        settings = event.config if isinstance(event.config, dict) else {"rate": [event.config]}
        rates = settings["rate"] if isinstance(settings["rate"], list) else [settings["rate"]]
        if isinstance(settings["rate"], dict):
            c.mistake(
                "a rate by an intrinsic function must be in a list", (*event.path, "rate"), "rate: [!Sub ...]"
            )
        if settings.get("name") and len(rates) > 1:
            message = "a schedule with several rates cannot have one name for all of them"
            c.mistake(message, (*event.path, "name"), "make an event for each rate")
        scheduler = settings.get("method") == "scheduler"
        if scheduler and (settings.get("inputPath") or settings.get("inputTransformer")):
            c.mistake(
                "the method 'scheduler' has neither inputPath nor inputTransformer", event.path, "use input"
            )
        if not scheduler and settings.get("timezone"):
            c.mistake("a time zone needs 'method: scheduler'", (*event.path, "timezone"), "method: scheduler")
        for rate in rates:
            numbers[function.key] = numbers.get(function.key, 0) + 1
            if scheduler:
                _schedule(c, function, settings, rate, numbers[function.key])
            else:
                _rule(c, function, event, settings, rate, numbers[function.key])
    _permit(c, [function for function, event in uses if event.get("method") == "scheduler"])


def _permit(c: Compilation, functions: list[Function]) -> None:
    """Schedules take on the role of their function to invoke it; the shared role allows it for all of them."""
    arns: list[Json] = []
    for name in dict.fromkeys(function.name for function in functions):
        arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"
        arns += [fn.sub(arn), fn.sub(f"{arn}:*")]
    if arns:
        c.statements.append({"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": arns})


def _state(settings: dict[str, Json]) -> str:
    return "DISABLED" if settings.get("enabled") is False else "ENABLED"


def _rule(
    c: Compilation, function: Function, event: Event, settings: dict[str, Json], rate: Json, number: int
) -> None:
    target: dict[str, Json] = {"Arn": c.arn(function), "Id": f"{function.key}Schedule"}
    if settings.get("input"):
        target["Input"] = rule_input(c, event, settings["input"])
    if settings.get("inputPath"):
        target["InputPath"] = settings["inputPath"]
    if settings.get("inputTransformer"):
        target["InputTransformer"] = transformer(settings["inputTransformer"])
    properties: dict[str, Json] = {
        "ScheduleExpression": rate,
        "State": _state(settings),
        "Targets": [target],
    }
    if settings.get("name"):
        properties["Name"] = settings["name"]
    if settings.get("description"):
        properties["Description"] = settings["description"]
    logical_id = naming.schedule_rule(function.key, number)
    resource: dict[str, Json] = {"Type": "AWS::Events::Rule", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(logical_id, resource)
    permission = naming.permission(function.key, f"EventsRuleSchedule{number}")
    c.permit(permission, function, "events.amazonaws.com", source_arn=fn.get_att(logical_id))


def rule_input(c: Compilation, event: Event, given: Json) -> Json:
    """The input of a rule's target as text. What would break v3's template is refused, as v3 refuses it."""
    path = (*event.path, "input")
    if isinstance(given, str):
        if any(ord(character) < 0x20 for character in given):
            c.mistake("the input holds a line break or tab, which cannot be passed on", path, "use an object")
        return given
    text = compact(given)
    if '\\"' in text:
        message = 'a value in the input holds a quote ("), which cannot be passed on'
        c.mistake(message, path, "use inputTransformer, or give the input as text")
    return text


def transformer(settings: dict[str, Json]) -> dict[str, Json]:
    names = {"InputPathsMap": "inputPathsMap", "InputTemplate": "inputTemplate"}
    return {name: settings[key] for name, key in names.items() if settings.get(key)}


def _schedule(c: Compilation, function: Function, settings: dict[str, Json], rate: Json, number: int) -> None:
    role = role_of(c.service, function)
    if isinstance(role, str) and not role.startswith("arn:"):
        role = fn.get_att(role)
    target: dict[str, Json] = {"Arn": c.arn(function), "RoleArn": role or fn.get_att(naming.ROLE)}
    if settings.get("input"):
        given = settings["input"]
        target["Input"] = given if isinstance(given, str) else compact(given)
    properties: dict[str, Json] = {
        "ScheduleExpression": rate,
        "State": _state(settings),
        "Target": target,
        "FlexibleTimeWindow": {"Mode": "OFF"},
    }
    if settings.get("name"):
        properties["Name"] = settings["name"]
    if settings.get("description"):
        properties["Description"] = settings["description"]
    if settings.get("timezone"):
        properties["ScheduleExpressionTimezone"] = settings["timezone"]
    resource: dict[str, Json] = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    c.add(naming.scheduler_schedule(function.key, number), resource)
