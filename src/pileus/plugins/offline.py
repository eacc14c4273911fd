"""serverless-offline: its settings under `custom` are defaults for the options of `pileus offline`."""

from __future__ import annotations

from ..service.errors import did_you_mean
from ..service.extensions import Configuration, Purpose
from ..service.tree import Json
from .hookspecs import hookimpl
from .offline_settings import NEEDLESS, SETTINGS_ELSEWHERE, TAKEN

_SECTION = "serverless-offline"
_PORT: Json = {"type": "integer", "minimum": 0, "maximum": 65535}


@hookimpl
def schema() -> dict[str, Json]:
    settings = {
        "type": "object",
        "properties": {
            **dict.fromkeys(("httpPort", "lambdaPort", "websocketPort", "albPort"), _PORT),
            "localEnvironment": {"type": "boolean"},
            "terminateIdleLambdaTime": {"type": "number", "minimum": 1},
            "host": {"type": "string", "minLength": 1},
            "noPrependStageInUrl": {"type": "boolean"},
        },
    }
    return {"custom": {_SECTION: settings}}


@hookimpl
def configure(configuration: Configuration, purpose: Purpose) -> None:
    if purpose != "offline":
        return
    for name, value in _settings(configuration).items():
        path = ("custom", _SECTION, name)
        if name in TAKEN or name in NEEDLESS or value in (None, False, ""):
            continue
        if name in SETTINGS_ELSEWHERE:
            configuration.warn(
                f"'{name}' has no effect", path, SETTINGS_ELSEWHERE[name].rstrip("."), key=True
            )
        else:
            close = did_you_mean(name, [*TAKEN, *SETTINGS_ELSEWHERE])
            configuration.warn(f"'{name}' is no setting of serverless-offline", path, close, key=True)


@hookimpl
def offline_options(configuration: Configuration) -> dict[str, Json]:
    settings = _settings(configuration)
    return {option: settings[name] for name, option in TAKEN.items() if settings.get(name) is not None}


def _settings(configuration: Configuration) -> dict[str, Json]:
    settings = configuration.get("custom", _SECTION)
    return settings if isinstance(settings, dict) else {}
