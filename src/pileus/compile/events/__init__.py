"""Events, one file each, found by their name in serverless.yml: a new event is a new file here.

Each module (or package) has `compile_events(c, uses)`, where `uses` are all events of its kind with their
functions, in the order of the file.
"""

import re
from collections.abc import Iterable
from importlib import import_module

from pileus.compile.compilation import Compilation
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
    """Compile every event of one kind. Other kinds are a plugin's, or the schema has told of them, as severely as
    the service wants it."""
    if kind not in ORDER:
        return
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), kind)
    import_module(f"{__name__}.{name}").compile_events(c, c.service.events(kind))
