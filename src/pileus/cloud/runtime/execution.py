"""The values that go in and out of an execution environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One version of a function as its environments need it; two specs with the same `revision` are the same.

    arn: unqualified. version: `$LATEST` or a number. code: the folder that stands for /var/task. timeout: seconds.
    memory: MB. variables: the function's own environment variables. layers: folders that stand for /opt, first wins.
    reload: whether the files of `code` may change under a running environment (mounted code).
    """

    arn: str
    name: str
    version: str
    account: str
    region: str
    revision: str
    runtime: str
    handler: str
    code: Path
    timeout: float = 3.0
    memory: int = 128
    variables: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    layers: tuple[Path, ...] = ()
    log_group: str = ""
    log_format: str = "Text"
    application_log_level: str = ""
    system_log_level: str = "INFO"
    reload: bool = False


class Event(NamedTuple):
    """One invocation. arn: the function's ARN as the caller qualified it. trace: an X-Amzn-Trace-Id header. tail:
    whether the outcome must have the log."""

    request_id: str
    payload: bytes
    arn: str
    trace: str
    client_context: str = ""
    identity: str = ""
    tail: bool = False
    streams: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of an event.

    payload: the response, or the error document. error: whether it is one (`FunctionError: Unhandled`). duration:
    seconds. log: the lines of the invocation, where `Event.tail` asked for them. chunks: of a response that is still
    being written, where `Event.streams` allowed it and the runtime does it; `payload` is empty then, and `error`,
    `duration` and `log` hold once the iterator has ended (with kernel.ports.StreamFailed where the function failed in
    the middle). content_type: what the runtime said of such a response.
    """

    payload: bytes
    error: bool = False
    duration: float = 0.0
    log: list[tuple[int, str]] = field(default_factory=list)
    chunks: AsyncIterator[bytes] | None = None
    content_type: str = ""

    def tail(self) -> bytes:
        """The last 4 KB of the log, as LogType=Tail gives it."""
        return "\n".join(line.rstrip("\n") for _, line in self.log).encode()[-4096:] + b"\n"


def error_document(error_type: str, message: str) -> bytes:
    """How Lambda itself says that an environment failed."""
    return orjson.dumps({"errorType": error_type, "errorMessage": message})
