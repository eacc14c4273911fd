"""`cloudwatchLog`: a subscription of a function to a log group, with a filter or to all of it."""

from os.path import commonprefix

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: AWS's limit of subscription filters for a log group.
_MOST_FILTERS = 2


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    by_function: dict[str, list[dict[str, Json]]] = {}
    filters_of: dict[str, int] = {}
    for function, event in uses:
        settings = event.config if isinstance(event.config, dict) else {"logGroup": event.config}
        by_function.setdefault(function.key, []).append(settings)
        group = str(settings.get("logGroup"))
        filters_of[group] = filters_of.get(group, 0) + 1
        if filters_of[group] > _MOST_FILTERS:
            message = f"the log group '{group}' can have {_MOST_FILTERS} subscription filters only"
            c.mistake(message, event.path, "let one function read it and pass the events on")
    for key, filters in by_function.items():
        function = c.service.functions[key]
        for number, settings in enumerate(filters, start=1):
            _filter(c, function, settings, number)
            if number == 1:
                _permit(c, function, [settings["logGroup"] for settings in filters])


def _filter(c: Compilation, function: Function, settings: dict[str, Json], number: int) -> None:
    depends_on = [naming.permission(function.key, "LogsSubscriptionFilterCloudWatchLog")]
    if alias := c.aliases.get(function.key):
        depends_on.append(alias.logical_id)
    properties: dict[str, Json] = {
        "LogGroupName": settings["logGroup"],
        "FilterPattern": (settings.get("filter") or "").replace('\\"', '"').replace("\n", ""),
        "DestinationArn": c.arn(function),
    }
    logical_id = f"{naming.normalise(function.key)}LogsSubscriptionFilterCloudWatchLog{number}"
    resource = {"Type": "AWS::Logs::SubscriptionFilter", "DependsOn": depends_on, "Properties": properties}
    c.add(logical_id, resource)


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
