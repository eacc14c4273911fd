"""A process's ties to its parent: how none outlives the server, whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1


def _bind_prctl() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).prctl


#: Bound once, in the zygote: a child calls it first thing after the fork.
_prctl = _bind_prctl()


def die_with_parent(parent: int, with_signal: signal.Signals = signal.SIGKILL) -> None:
    """Has the kernel send this process a signal when its parent, `parent`, dies (Linux; elsewhere the zygote notices
    the end of its control socket)."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, with_signal, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
