"""`eventBridge` with `useCloudFormation: false`: rules and buses made by a custom resource, as the first v3 did it."""

from pileus.compile import custom_resources, naming
from pileus.compile import intrinsics as fn
from pileus.compile.compilation import Compilation
from pileus.compile.events.schedule import transformer
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: What only rules made by CloudFormation can have.
_UNSUPPORTED = ("retryPolicy", "deadLetterQueueArn")
_SETTING = ("provider", "eventBridge", "useCloudFormation")


def compile_custom(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    handler = custom_resources.function_id("event-bridge")
    for function, event in uses:
        _check(c, event)
        properties: dict[str, Json] = {
            "ServiceToken": fn.get_att(handler),
            "FunctionName": function.name,
            "EventBridgeConfig": _config(function, event),
        }
        resource = {
            "Type": "Custom::EventBridge",
            "Version": 1,
            "DependsOn": [naming.function(function.key), handler],
            "Properties": properties,
        }
        c.add(f"{naming.normalise(function.key)}CustomEventBridge{event.position}", resource)
    custom_resources.add(c, "event-bridge", "event-bridge/handler.handler", _statements(uses))


def _check(c: Compilation, event: Event) -> None:
    for name in _UNSUPPORTED:
        if event.get(name):
            message = f"'{name}' needs rules that CloudFormation makes"
            c.mistake(message, (*event.path, name), f"remove '{'.'.join(_SETTING)}: false'")
    if isinstance(event.get("eventBus"), dict):
        message = "a bus given by an intrinsic function needs rules that CloudFormation makes"
        c.mistake(message, (*event.path, "eventBus"), f"remove '{'.'.join(_SETTING)}: false'")


def _config(function: Function, event: Event) -> dict[str, Json]:
    config: dict[str, Json] = {
        "RuleName": event.get("name") or naming.event_bridge_rule_name(function.name, event.position),
        "State": "DISABLED" if event.get("enabled") is False else "ENABLED",
    }
    names = {
        "EventBus": "eventBus",
        "Schedule": "schedule",
        "Pattern": "pattern",
        "Input": "input",
        "InputPath": "inputPath",
    }
    config |= {name: event.get(key) for name, key in names.items() if event.get(key)}
    if event.get("inputTransformer"):
        config["InputTransformer"] = transformer(event.get("inputTransformer"))
    return config


def _statements(uses: list[tuple[Function, Event]]) -> list[Json]:
    statements: list[Json] = []
    buses = [event.get("eventBus") for _, event in uses]
    if any(bus and bus != "default" for bus in buses):
        actions = ["events:CreateEventBus", "events:DeleteEventBus"]
        statements.append({"Effect": "Allow", "Resource": _arn("event-bus/*"), "Action": actions})
    actions = ["events:PutRule", "events:RemoveTargets", "events:PutTargets", "events:DeleteRule"]
    statements.append({"Effect": "Allow", "Resource": _arn("rule/*"), "Action": actions})
    functions = fn.join(":", ["arn", fn.PARTITION, "lambda", fn.REGION, fn.ACCOUNT_ID, "function", "*"])
    actions = ["lambda:AddPermission", "lambda:RemovePermission"]
    return [*statements, {"Effect": "Allow", "Resource": functions, "Action": actions}]


def _arn(resource: str) -> dict[str, Json]:
    return fn.join(":", ["arn", fn.PARTITION, "events", fn.REGION, fn.ACCOUNT_ID, resource])
