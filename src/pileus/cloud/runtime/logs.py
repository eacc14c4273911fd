"""The log of an environment: what it writes, line by line, and Lambda's own START, END and REPORT.

A function that prints nothing costs one question to the pipe and three short strings an invocation.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any

import orjson

from .execution import FunctionSpec

Lines = list[tuple[int, str]]

#: CloudWatch Logs splits a longer event.
_LONGEST = 262_118


class LogPipe:
    """The reading end of an environment's standard output and error. `descriptor` is the writing end."""

    def __init__(self, clock: Callable[[], float], on_lines: Callable[[Lines], None]) -> None:
        self._clock = clock
        self._on_lines = on_lines
        self._read, self.descriptor = os.pipe()
        os.set_blocking(self._read, False)
        self._partial = b""
        self._unread = bytearray(4)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self.drain)
        self._closed = False

    def drain(self) -> None:
        """Hands on what has been written until now."""
        if self._closed:
            return
        try:
            while data := os.read(self._read, 65_536):
                self._take(data)
                if len(data) < 65_536:
                    return
        except BlockingIOError:
            return
        self._loop.remove_reader(self._read)  # no writer is left

    def _take(self, data: bytes) -> None:
        now = int(self._clock() * 1000)
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST:
            lines.append(self._partial)
            self._partial = b""
        events = [(now, line.decode("utf-8", "replace").replace("\r", "\n")) for line in lines if line]
        if events:
            self._on_lines(events)

    def flush(self) -> None:
        """Takes a last line without its end for one: the process has gone, or the invocation is over.

        Most invocations print nothing: to ask costs a fifth of a read that fails.
        """
        if not self._closed:
            fcntl.ioctl(self._read, termios.FIONREAD, self._unread)
            if any(self._unread):
                self.drain()
        if self._partial:
            self._take(b"\n")

    def take(self, reading: int) -> None:
        """Reads from this end of a pipe that the environment writes to already, in place of its own."""
        self._loop.remove_reader(self._read)
        os.close(self._read)
        self.close_writer()
        self._read = reading
        os.set_blocking(reading, False)
        self._loop.add_reader(reading, self.drain)

    def close_writer(self) -> None:
        """Once the environment has the writing end."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def close(self) -> None:
        if not self._closed:
            self.flush()
            self._closed = True
            self._loop.remove_reader(self._read)
            os.close(self._read)
            self.close_writer()


def start_line(spec: FunctionSpec, request_id: str) -> str:
    if spec.log_format == "JSON":
        return _system("platform.start", {"requestId": request_id, "version": spec.version})
    return f"START RequestId: {request_id} Version: {spec.version}"


def end_lines(
    spec: FunctionSpec,
    request_id: str,
    seconds: float,
    init: float | None,
    memory: int,
    status: str,
    error: str,
) -> list[str]:
    """END and REPORT. init: seconds of the init phase, on the invocation that it came before; it is billed too."""
    duration = seconds * 1000
    billed = ceil(duration + (init or 0.0) * 1000) or 1
    if spec.log_format == "JSON":
        metrics: dict[str, Any] = {
            "durationMs": round(duration, 3),
            "billedDurationMs": billed,
            "memorySizeMB": spec.memory,
            "maxMemoryUsedMB": memory,
        }
        if init is not None:
            metrics["initDurationMs"] = round(init * 1000, 3)
        record: dict[str, Any] = {"requestId": request_id, "metrics": metrics, "status": status or "success"}
        if error:
            record["errorType"] = error
        return [_system("platform.report", record)]
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {spec.memory} MB\tMax Memory Used: {memory} MB"
    )
    if init is not None:
        report += f"\tInit Duration: {init * 1000:.2f} ms"
    if status:
        report += f"\tStatus: {status}"
    if error:
        report += f"\tError Type: {error}"
    return [f"END RequestId: {request_id}", report]


def init_report(spec: FunctionSpec, seconds: float, status: str, error: str) -> str:
    if spec.log_format == "JSON":
        record = {"phase": "init", "status": status, "metrics": {"durationMs": round(seconds * 1000, 3)}}
        return _system("platform.initReport", {**record, "errorType": error} if error else record)
    tail = f"\tError Type: {error}" if error else ""
    return f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms\tPhase: init\tStatus: {status}{tail}"


def timestamp() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _system(kind: str, record: dict[str, Any]) -> str:
    return orjson.dumps({"time": timestamp(), "type": kind, "record": record}).decode()
