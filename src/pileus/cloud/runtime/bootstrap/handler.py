"""Finding the handler, and Lambda's words for what goes wrong with it."""

# pathlib would cost each cold start milliseconds
# ruff: noqa: PTH100, PTH118, PTH120

from __future__ import annotations

import decimal
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

Handler = Callable[[Any, Any], Any]
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Fault(Exception):
    """The handler can't be had. kind: the errorType on the wire."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace or []


def load(name: str) -> Handler:
    """name: `path/to/module.function`. Raises Fault; other errors of the module's own code come through."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message, _own_frames(error.__traceback__)) from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    try:
        found = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None
    return found  # type: ignore[no-any-return]


def _own_frames(trace: TracebackType | None) -> list[str]:
    """The traceback as Lambda formats it, without the frames of the runtime and of the import system before the
    first of the function's own."""
    frames = list(traceback.extract_tb(trace))
    while frames and (
        frames[0].filename.startswith((_HERE, "<frozen importlib")) or _is_importlib(frames[0].filename)
    ):
        frames.pop(0)
    return traceback.format_list(frames)


def _is_importlib(filename: str) -> bool:
    return filename.endswith(os.path.join("importlib", "__init__.py"))


def error_of(error: BaseException, request_id: str) -> dict[str, Any]:
    if isinstance(error, Fault):
        return _document(error.message, error.kind, error.trace, request_id)
    if isinstance(error, SyntaxError):
        frames = _own_frames(error.__traceback__) + traceback.format_exception_only(type(error), error)
        return _document(str(error), type(error).__name__, frames, request_id)
    return _document(str(error), type(error).__name__, _own_frames(error.__traceback__), request_id)


def _document(message: str, kind: str, trace: list[str], request_id: str) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


class _Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, decimal.Decimal):
            return float(o)
        return super().default(o)


# From python3.12 on, Lambda sends characters beyond ASCII as they are.
def encoder(runtime: str) -> Callable[[Any], str]:
    escaped = runtime in ("python3.8", "python3.9", "python3.10", "python3.11")
    return _Encoder(ensure_ascii=escaped).encode
