"""Events, one file each, found by their name in serverless.yml: a new event is a new file here.

Each module (or package) has `compile_events(c, uses)`, where `uses` are all events of its kind with their
functions, in the order of the file.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from pileus.compile.compilation import Compilation
from pileus.service.errors import did_you_mean
from pileus.service.model import Service

#: The order in which kinds of event are compiled: of resources in the template, and of statements in the role.
ORDER = (
    *("schedule", "s3", "http", "websocket", "sns", "stream", "kafka", "activemq", "rabbitmq", "msk", "alb"),
    *("alexaSkill", "alexaSmartHome", "iot", "iotFleetProvisioning", "cloudwatchEvent", "cloudwatchLog"),
    *("cognitoUserPool", "eventBridge", "sqs", "cloudFront", "httpApi"),
)


def used_in_order(service: Service) -> Iterable[str]:
    """The kinds of event that a service uses, in the order of compilation; unknown ones last."""
    used = {event.kind for function in service.functions.values() for event in function.events}
    known = [kind for kind in ORDER if kind in used]
    return [*known, *sorted(used - set(known))]


def compile_kind(c: Compilation, kind: str) -> None:
    """Compile every event of one kind. A kind that is unknown or not done yet is a mistake, never dropped."""
    uses = c.service.events(kind)
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), kind)
    module = f"{__name__}.{name}"
    if kind not in ORDER and _is_of_a_plugin(c.service, kind):
        return
    if kind not in ORDER:
        for _, event in uses:
            hint = did_you_mean(kind, ORDER)
            c.mistake(f"unknown event '{kind}'", event.path, hint)
    elif find_spec(module) is None:
        for _, event in uses:
            c.mistake(f"the event '{kind}' cannot be compiled yet", event.path)
    else:
        import_module(module).compile_events(c, uses)


def _is_of_a_plugin(service: Service, kind: str) -> bool:
    """Whether a plugin compiles it, or one that is missing would: of that the loader has warned."""
    added = service.extensions
    return added is not None and (
        bool(added.unknown()) or any(kind in one.get("event", ()) for one in added.schema())
    )
