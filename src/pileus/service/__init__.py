"""serverless.yml → a typed, resolved, validated Service with the file, line and column of every value."""

from pileus.service.errors import ConfigError, ConfigErrors, render
from pileus.service.loader import LoadedService, load_service
from pileus.service.marks import Mark
from pileus.service.model import Event, Function, Service
from pileus.service.variables.source import RemoteResolver

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "Event",
    "Function",
    "LoadedService",
    "Mark",
    "RemoteResolver",
    "Service",
    "load_service",
    "render",
]
