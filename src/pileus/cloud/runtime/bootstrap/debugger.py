"""A debugger in an environment: debugpy listens where the server says, and `breakpoint()` speaks with it or, where no
client is attached, with the terminal in which Pileus runs."""

from __future__ import annotations

import importlib
import json
import os
import pdb
import socket
import sys
from typing import Any


def set_up(told: dict[str, Any], name: str) -> None:
    """told: what cloud/runtime/debugger.py says. name: the function's, for the prompt."""
    debugpy: Any = None
    if told.get("port"):
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        debugpy = importlib.import_module("debugpy")  # the project's own
        debugpy.configure(subProcess=False)
        debugpy.listen(("127.0.0.1", told["port"]))
        if told.get("wait"):
            debugpy.wait_for_client()

    def stop(*_: Any, **__: Any) -> None:
        frame = sys._getframe(1)
        if debugpy is not None and debugpy.is_client_connected():
            importlib.import_module("pydevd").settrace(
                suspend=True, trace_only_current_thread=True, patch_multiprocessing=False, stop_at_frame=frame
            )
        elif told["terminal"]:
            _TerminalDebugger(told, name).set_trace(frame)
        else:
            print("breakpoint(): no debugger is attached, and there is no terminal to ask; it goes on.")

    sys.breakpointhook = stop


class _TerminalDebugger(pdb.Pdb):
    """pdb in the terminal of the server. While it waits for a command, the server counts no time."""

    def __init__(self, told: dict[str, Any], name: str) -> None:
        device = os.open(told["terminal"], os.O_RDWR | os.O_NOCTTY)
        reading = os.fdopen(device, "r", encoding="utf-8", errors="replace")
        writing = os.fdopen(os.dup(device), "w", encoding="utf-8", errors="replace")
        super().__init__(stdin=reading, stdout=writing, nosigint=True)
        self.prompt = f"({name}) "
        self._pauses = told["pauses"]

    def interaction(self, *arguments: Any, **named: Any) -> None:
        sys.stdout.flush()
        with socket.create_connection(("127.0.0.1", self._pauses)):
            super().interaction(*arguments, **named)


def told() -> dict[str, Any] | None:
    """What the server says, which is none of the handler's business."""
    text = os.environ.pop("PILEUS_DEBUG", None)
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found
