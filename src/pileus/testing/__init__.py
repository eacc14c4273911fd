"""The cloud as a fixture: an embedded cloud beside a test, with real clients and a clock that travels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .embedded import EmbeddedCloud
    from .running_service import FunctionFailed, RunningService

__all__ = ["EmbeddedCloud", "FunctionFailed", "RunningService"]


def __getattr__(name: str) -> Any:
    """Loads on first use: pytest imports this package in every project, also where no fixture is used."""
    if name == "EmbeddedCloud":
        from .embedded import EmbeddedCloud

        return EmbeddedCloud
    if name in ("RunningService", "FunctionFailed"):
        from . import running_service

        return getattr(running_service, name)
    raise AttributeError(name)
