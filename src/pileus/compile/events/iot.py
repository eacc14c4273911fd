"""`iot`: a rule on the topics of AWS IoT, in its SQL."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    numbers: dict[str, int] = {}
    for function, event in uses:
        number = numbers[function.key] = numbers.get(function.key, 0) + 1
        _rule(c, function, event, f"IotTopicRule{number}")


def _rule(c: Compilation, function: Function, event: Event, suffix: str) -> None:
    payload: dict[str, Json] = {
        "RuleDisabled": event.get("enabled") is False,
        # v3 takes line breaks out of the statement, and rules that are deployed are without them.
        "Sql": str(event.get("sql")).replace("\r", "").replace("\n", ""),
        "Actions": [{"Lambda": {"FunctionArn": c.arn(function)}}],
    }
    if event.get("description"):
        payload["Description"] = event.get("description")
    if event.get("sqlVersion"):
        payload["AwsIotSqlVersion"] = event.get("sqlVersion")
    properties: dict[str, Json] = {"TopicRulePayload": payload}
    if event.get("name"):
        properties["RuleName"] = event.get("name")
    resource: dict[str, Json] = {"Type": "AWS::IoT::TopicRule", "Properties": properties}
    if alias := c.aliases.get(function.key):
        resource["DependsOn"] = alias.logical_id
    logical_id = f"{naming.normalise(function.key)}{suffix}"
    c.add(logical_id, resource)
    parts: list[Json] = ["arn:", fn.PARTITION, ":iot:", fn.REGION, ":", fn.ACCOUNT_ID, ":rule/"]
    arn = fn.join("", [*parts, fn.ref(logical_id)])
    c.permit(naming.permission(function.key, suffix), function, "iot.amazonaws.com", source_arn=arn)
