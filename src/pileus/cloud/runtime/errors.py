"""What can keep an execution environment from starting that is not the function's own fault."""

from __future__ import annotations


class EnvironmentFailed(Exception):
    """No process could be started (no such interpreter, a runtime that is not emulated)."""
