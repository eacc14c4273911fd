"""`cloudwatchLog`: a subscription of a function to a log group, with a filter or to all of it."""

from os.path import commonprefix

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    groups: dict[str, list[str]] = {}
    for function, event in uses:
        settings = event.config if isinstance(event.config, dict) else {"logGroup": event.config}
        names = groups.setdefault(function.key, [])
        names.append(settings["logGroup"])
        permission = naming.permission(function.key, "LogsSubscriptionFilterCloudWatchLog")
        depends_on = [permission]
        if alias := c.aliases.get(function.key):
            depends_on.append(alias.logical_id)
        properties: dict[str, Json] = {
            "LogGroupName": settings["logGroup"],
            "FilterPattern": (settings.get("filter") or "").replace('\\"', '"'),
            "DestinationArn": c.arn(function),
        }
        logical_id = f"{naming.normalise(function.key)}LogsSubscriptionFilterCloudWatchLog{len(names)}"
        resource = {
            "Type": "AWS::Logs::SubscriptionFilter",
            "DependsOn": depends_on,
            "Properties": properties,
        }
        c.add(logical_id, resource)
    for key, names in groups.items():
        _permit(c, c.service.functions[key], names)


def _permit(c: Compilation, function: Function, names: list[str]) -> None:
    """One permission for all log groups of a function: what their names begin with, and a star."""
    prefix = names[0] if len(set(names)) == 1 else f"{commonprefix(names)}*"  # noqa: RUF071 (of characters)
    parts: list[Json] = [
        "arn:",
        fn.PARTITION,
        ":logs:",
        fn.REGION,
        ":",
        fn.ACCOUNT_ID,
        ":log-group:",
        prefix,
        ":*",
    ]
    principal = fn.join("", ["logs.", fn.REGION, ".amazonaws.com"])
    permission = naming.permission(function.key, "LogsSubscriptionFilterCloudWatchLog")
    c.permit(permission, function, principal, source_arn=fn.join("", parts))
