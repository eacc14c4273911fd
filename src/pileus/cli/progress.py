"""Tells what takes long, on stderr: a step that is not done after a second is named. What is worth knowing is told at once."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from .ui import Ui

_PATIENCE_SECONDS = 1.0


class Progress:
    """`with Progress(ui) as progress: progress("Installing dependencies")`: each call names the step that begins, or
    tells something: `warning: …`, `note: …`."""

    def __init__(self, ui: Ui) -> None:
        self._ui = ui
        self._timer: threading.Timer | None = None
        self._began = time.perf_counter()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancel()

    def __call__(self, text: str) -> None:
        kind, _, rest = text.partition(": ")
        if kind == "warning":
            self._ui.warning(rest)
            return
        if kind == "note":
            self._ui.line(text)
            return
        self._cancel()
        self._timer = threading.Timer(_PATIENCE_SECONDS, self._tell, (text,))
        self._timer.daemon = True
        self._timer.start()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self, text: str) -> None:
        self._ui.line(self._ui.style(f"{text} …", "dim"))
