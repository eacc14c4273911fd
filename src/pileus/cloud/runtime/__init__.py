"""Where functions run: execution environments, the Runtime API that they speak, and the zygote they are forked from.

Knows processes and the protocol between Lambda and a runtime; knows nothing of AWS's control plane. The lambda service
hands it a `FunctionSpec` and an `Event`, and gets an `Outcome`.
"""

from .errors import EnvironmentFailed
from .execution import Event, FunctionSpec, Outcome
from .runtime import Runtime, RuntimeHooks

__all__ = ["EnvironmentFailed", "Event", "FunctionSpec", "Outcome", "Runtime", "RuntimeHooks"]
