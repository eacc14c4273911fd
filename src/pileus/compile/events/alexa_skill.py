"""`alexaSkill`: a skill of Alexa may invoke the function."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    compile_skills(c, uses, "AlexaSkill", "alexa-appkit.amazon.com")


def compile_skills(c: Compilation, uses: list[tuple[Function, Event]], word: str, principal: str) -> None:
    """A permission for each skill; `word` stands in the logical ids."""
    numbers: dict[str, int] = {}
    for function, event in uses:
        skill = event.config if isinstance(event.config, str) else event.get("appId")
        if not isinstance(skill, str):
            c.mistake(f"{event.kind} needs the skill's 'appId'", event.path, "appId: amzn1.ask.skill....")
            continue
        number = numbers[function.key] = numbers.get(function.key, 0) + 1
        disabled = event.get("enabled") is False
        properties: dict[str, Json] = {
            "FunctionName": c.arn(function),
            # Not an action that Lambda knows: nobody may do it, which is what "disabled" comes to.
            "Action": "lambda:DisableInvokeFunction" if disabled else "lambda:InvokeFunction",
            "Principal": principal,
            "EventSourceToken": skill.replace("\n", ""),
        }
        resource: dict[str, Json] = {"Type": "AWS::Lambda::Permission", "Properties": properties}
        if alias := c.aliases.get(function.key):
            resource["DependsOn"] = alias.logical_id
        c.add(naming.permission(function.key, f"{word}{number}"), resource)
