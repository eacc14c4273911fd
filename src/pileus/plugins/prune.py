"""serverless-prune-plugin: old versions of functions and layers go after a deployment.

`pileus offline` keeps no versions that need pruning; the settings are checked so that a mistake shows before they count.
"""

from __future__ import annotations

from ..service.extensions import Configuration
from ..service.tree import Json
from .hookspecs import hookimpl


@hookimpl
def schema() -> dict[str, Json]:
    prune = {
        "type": "object",
        "properties": {
            "automatic": {"type": "boolean"},
            "includeLayers": {"type": "boolean"},
            "number": {"type": "integer", "minimum": 0},
        },
        "additionalProperties": False,
    }
    return {"custom": {"prune": prune}}


@hookimpl
def configure(configuration: Configuration) -> None:
    settings = configuration.get("custom", "prune")
    settings = settings if isinstance(settings, dict) else {}
    if settings.get("automatic") is True and settings.get("number") is None:
        configuration.warn(
            "'automatic' prunes nothing without 'number', how many versions stay",
            ("custom", "prune", "automatic"),
            "number: 3",
        )
