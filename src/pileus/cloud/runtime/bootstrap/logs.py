"""Logging as Lambda sets it up: one handler on the root logger, text or JSON.

Everything goes to standard output, one line an event. A record of several lines (a traceback) carries `\\r` for its
inner line breaks; the server turns them back, so that it is one log event as it is in CloudWatch.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"aws_request_id", "message", "asctime", "taskName"}
_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 50}


class Current:
    """The invocation under way, for the records that are written in it."""

    request_id: str | None = None


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = Current.request_id
        return True


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.stack_info:
            document["stackTrace"] = record.stack_info
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            frames = traceback.extract_tb(trace)
            document["stackTrace"] = traceback.format_list(frames)
            document["errorType"] = kind.__name__
            document["errorMessage"] = str(error)
            if frames:
                last = frames[-1]
                document["location"] = f"{last.filename}:{last.name}:{last.lineno}"
        document["requestId"] = getattr(record, "aws_request_id", None)
        document.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        return json.dumps(
            {k: v for k, v in document.items() if v is not None}, default=str, ensure_ascii=False
        )


class _Handler(logging.Handler):
    """Looks the stream up each time: a handler may have replaced sys.stdout."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")
        except Exception:
            self.handleError(record)


def is_json() -> bool:
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


def set_up() -> None:
    logging.Formatter.converter = time.gmtime
    handler = _Handler()
    handler.addFilter(_Filter())
    handler.setFormatter(_JsonFormatter() if is_json() else _TextFormatter())
    logging.root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    if is_json() and level in _LEVELS:
        logging.root.setLevel(_LEVELS[level])


def write_error(document: dict[str, Any]) -> None:
    """The log event that Lambda writes for an error of the function."""
    if is_json():
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "log_level": "ERROR",
            **{name: document[name] for name in ("errorMessage", "errorType", "requestId", "stackTrace")},
        }
        sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
        return
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}"]
    if document["stackTrace"]:
        lines += [
            "Traceback (most recent call last):",
            *(frame.rstrip("\n") for frame in document["stackTrace"]),
        ]
    sys.stdout.write("\r".join(lines).replace("\n", "\r") + "\n")
