"""One execution environment, as the server sees it: a process, its Runtime API, its log, and one event at a time.

    starting ──ready──▶ idle ⇄ busy ──▶ dead

`begin` gives it an event and a future for the outcome; the environment finishes on its own, whether somebody still
waits or not, and then tells its pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..kernel import StreamFailed
from . import logs
from .execution import Event, FunctionSpec, Outcome, error_document
from .logs import Lines, LogPipe
from .memory import Memory
from .runtime_api import MAX_RESPONSE, RuntimeApi, too_large_document
from .stream import Collected, ResponseStream
from .variables import SessionKeys, environment_variables

if TYPE_CHECKING:
    from .debugger import Debugger
    from .programs import Launch
    from .reload import Changes, ReadFiles

INIT_LIMIT = 10.0
#: Time for the stacks of a function that hangs to arrive.
_STACKS = 0.05
_SIGNALS = {
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGTERM: "terminated",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
}


class InitFailed(Exception):
    """The init phase failed. document: the error as the invocation answers it; timed_out: by its time limit."""

    def __init__(self, document: bytes, timed_out: bool = False) -> None:
        super().__init__(document)
        self.document = document
        self.timed_out = timed_out


class Environment:
    """spec: what runs. stream: its log stream. scratch: where its TMPDIR is made. on_idle(environment): it can take the next event, or is dead.
    on_lines(environment, lines): log events, as they come. on_note(text): a line for the user.
    debugger: of a function that is debugged."""

    def __init__(
        self,
        spec: FunctionSpec,
        stream: str,
        *,
        scratch: Path,
        clock: Callable[[], float],
        on_idle: Callable[[Environment], None],
        on_lines: Callable[[Environment, Lines], None],
        on_note: Callable[[str], None],
        debugger: Debugger | None = None,
    ) -> None:
        self.spec = spec
        self.stream = stream
        self.expires: float | None = None
        self.used = time.monotonic()
        self.pid = 0
        self.dead = False
        self.files: ReadFiles | None = None
        self._clock = clock
        self._on_idle = on_idle
        self._on_lines = on_lines
        self._on_note = on_note
        self.debugger = debugger
        self._loop = asyncio.get_running_loop()
        self._api = RuntimeApi(self)
        self._log = LogPipe(clock, self._lines)
        self._scratch = tempfile.mkdtemp(dir=scratch)
        self._memory: Memory | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._init: float | None = None
        # the event under way
        self._event: Event | None = None
        self._future: asyncio.Future[Outcome] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._began = 0.0
        self._queued: bytes | None = None
        self._record: Lines = []
        self._shown = 0
        self._verdict = ""  # why it is being killed: "timeout" or "memory"
        self._answered_last = False  # its runtime has answered, and not yet asked for the next event
        self._stream: ResponseStream | Collected | None = None
        self._streamed: Outcome | None = None
        self._stack_signal = 0

    # -- life -----------------------------------------------------------------------------------------------------

    async def start(
        self,
        launch: Launch,
        keys: SessionKeys,
        changes: Changes | None,
        limit: float = INIT_LIMIT,
    ) -> None:
        """Starts the process and waits for the end of its init phase. Raises InitFailed."""
        self.expires = keys.expires
        if changes is not None:
            self.files = launch.files(changes)
        await self._api.start()
        own = environment_variables(self.stream, self._api.address, keys, self._scratch)
        if self.debugger is not None:
            own |= self.debugger.variables()
        began = time.perf_counter()
        self._stack_signal = launch.stack_signal
        self.pid = await launch.start(own, changes is not None, self._api, self._log, self._exited)
        self._memory = Memory(self.pid, launch.grows)
        try:
            async with asyncio.timeout(limit if self.debugger is None else None):
                await self._ready
        except TimeoutError:
            self._init_report(limit, "timeout", "")
            self.kill()
            raise InitFailed(error_document("Sandbox.Timedout", ""), timed_out=True) from None
        except InitFailed as error:
            kind = orjson.loads(error.document).get("errorType", "")
            self._init_report(time.perf_counter() - began, "error", kind)
            raise
        self._init = time.perf_counter() - began

    def _init_report(self, seconds: float, status: str, kind: str) -> None:
        self._log.flush()
        self._lines([(self._now_ms(), logs.init_report(self.spec, seconds, status, kind))])

    @property
    def is_ready(self) -> bool:
        """Whether its init phase has ended, and it has not."""
        return self._ready.done() and not self.dead

    def kill(self) -> None:
        """Ends the process and what it started, at once."""
        if self.pid and not self.dead:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._die()

    def _die(self) -> None:
        if self.dead:
            return
        self.dead = True
        self._api.close()
        self._log.close()
        if self._memory is not None:
            self._memory.close()
        if self._timer is not None:
            self._timer.cancel()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _exited(self, code: int) -> None:
        """The process has ended: always too early, we end idle ones ourselves."""
        if self.dead:
            return
        self._log.flush()
        if not self._ready.done():
            self._ready.set_exception(InitFailed(self._exit_document("", code)))
            self._die()
            return
        event = self._event
        if event is not None:
            document = self._verdict_document(event) or self._exit_document(event.request_id, code)
            self._finish(
                document, "error", "Runtime.OutOfMemory" if self._verdict == "memory" else "Runtime.ExitError"
            )
        self._die()
        self._on_idle(self)

    def _exit_document(self, request_id: str, code: int) -> bytes:
        if code == 0:
            what = "Runtime exited without providing a reason"
        elif code > 0:
            what = f"Runtime exited with error: exit status {code}"
        else:
            name = _SIGNALS.get(signal.Signals(-code), signal.Signals(-code).name.lower())
            what = f"Runtime exited with error: signal: {name}"
        prefix = f"RequestId: {request_id} " if request_id else ""
        return error_document("Runtime.ExitError", f"{prefix}Error: {what}")

    def _verdict_document(self, event: Event) -> bytes | None:
        if self._verdict != "memory":
            return None
        text = f"RequestId: {event.request_id} Error: Runtime exited with error: signal: killed"
        return error_document("Runtime.ExitError", text)

    # -- one event ------------------------------------------------------------------------------------------------

    def begin(self, event: Event, future: asyncio.Future[Outcome]) -> None:
        """Hands the event to the runtime; `future` gets the outcome, on_idle is called after it."""
        self._event, self._future = event, future
        self._record = []
        # Real time: the runtime compares it with its own clock.
        deadline = int((time.time() + self.spec.timeout) * 1000)
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {event.request_id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {event.arn}\r\nLambda-Runtime-Trace-Id: {event.trace}\r\n"
        )
        if event.client_context:
            head += f"Lambda-Runtime-Client-Context: {event.client_context}\r\n"
        if event.identity:
            head += f"Lambda-Runtime-Cognito-Identity: {event.identity}\r\n"
        encoded = (head + "Content-Length: ").encode("latin-1", "replace")
        self._record.append((self._now_ms(), logs.start_line(self.spec, event.request_id)))
        self._deadline = self._loop.time() + self.spec.timeout
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._past_deadline)
        self._began = time.perf_counter()
        if self._api.waiting is not None:
            self._api.deliver(encoded, event.payload)
        else:
            self._queued = encoded

    @property
    def _has_debugger(self) -> bool:
        """Whether a debugger's own memory counts with the function's."""
        return self.debugger is not None and self.debugger.port is not None

    def check_memory(self) -> None:
        """Ends an invocation that uses more than its function has; called now and then while it runs."""
        if self._event is None or self._memory is None or self._verdict or self._has_debugger:
            return
        if self._memory.sample() > self.spec.memory:
            self._verdict = "memory"
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _past_deadline(self) -> None:
        """The deadline of the event under way, or of one that is long done: a timer outlives its event, since to make
        and cancel one for each would cost more."""
        self._timer = None
        if self.dead or (self._event is None and not self._answered_last):
            return
        if self.debugger is not None and self.debugger.attached:
            self._deadline = self._loop.time() + self.spec.timeout  # it begins anew when the debugger lets go
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._past_deadline)
        else:
            self._timed_out()

    def _timed_out(self) -> None:
        if self._event is None:  # answered, but the runtime never came back for more
            self.kill()
            self._on_idle(self)
            return
        self._verdict = "timeout"
        if not self._stack_signal:
            self._end_hanging()
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, self._stack_signal)  # which writes where it hangs
        self._timer = self._loop.call_later(_STACKS, self._end_hanging)

    def _end_hanging(self) -> None:
        self._timer = None
        event = self._event
        if event is None or self.dead:
            return
        self._log.flush()
        text = f"Task timed out after {self.spec.timeout:.2f} seconds"
        self._lines([(self._now_ms(), f"{logs.timestamp()} {event.request_id} {text}\n")])
        document = error_document("Sandbox.Timedout", f"RequestId: {event.request_id} Error: {text}")
        self.kill()
        self._finish(document, "timeout", "")
        self._on_idle(self)

    def _finish(self, payload: bytes, status: str = "", error: str = "") -> None:
        duration = time.perf_counter() - self._began
        event, future = self._event, self._future
        assert event is not None
        self._log.flush()
        init, self._init = self._init, None
        record, self._record = self._record, []
        shown, self._shown = self._shown, 0
        self._event = self._future = None
        self.used = time.monotonic()
        if status == "timeout":
            duration = self.spec.timeout
        report = (event, record, shown, duration, init, status, error)
        if event.tail or self.dead or self._stream is not None:
            self._report(*report)
        if self._streamed is not None:
            self._end_stream(payload, status, duration, record)
        elif future is not None and not future.done():
            future.set_result(Outcome(payload, bool(status), duration, record))
        if self._stream is not None:
            self._stream = None
        elif not event.tail and not self.dead:
            self._loop.call_soon(self._report, *report)  # once the caller has its answer

    def _end_stream(self, payload: bytes, status: str, duration: float, record: Lines) -> None:
        """The response whose beginning the caller has is whole, or failed with `payload`."""
        outcome, self._streamed = self._streamed, None
        assert outcome is not None
        outcome.error, outcome.duration, outcome.log = bool(status), duration, record
        assert isinstance(self._stream, ResponseStream)
        if status:
            self._stream.end(StreamFailed(orjson.loads(payload).get("errorType", ""), payload))
        else:
            self._stream.end()

    def _report(
        self,
        event: Event,
        record: Lines,
        shown: int,
        duration: float,
        init: float | None,
        status: str,
        error: str,
    ) -> None:
        now, memory, used = self._now_ms(), self._memory, 0
        if memory is not None:
            memory.sample_sometimes()
            used = min(memory.peak, self.spec.memory)
        ends = logs.end_lines(self.spec, event.request_id, duration, init, used, status, error)
        record.extend([(now, line) for line in ends])
        self._on_lines(self, record[shown:] if shown else record)

    # -- the log --------------------------------------------------------------------------------------------------

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _lines(self, lines: Lines) -> None:
        """What the function wrote: kept for the tail, shown at once."""
        if self._event is None:
            self._on_lines(self, lines)
            return
        self._record.extend(lines)
        self._show()

    def _show(self) -> None:
        new = self._record[self._shown :] if self._shown else self._record
        self._shown = len(self._record)
        self._on_lines(self, new)

    # -- the Runtime API ------------------------------------------------------------------------------------------

    def on_next(self) -> None:
        if self._answered_last:
            self._answered_last = False
            self._on_idle(self)
        elif not self._ready.done():
            self._ready.set_result(None)
        elif self._queued is not None and self._event is not None:
            head, self._queued = self._queued, None
            self._api.deliver(head, self._event.payload)

    def on_response(self, request_id: str, body: bytes) -> bool:
        return self._answered(request_id, body, "")

    def on_error(self, request_id: str, body: bytes) -> bool:
        return self._answered(request_id, body, "error")

    def _answered(self, request_id: str, body: bytes, status: str) -> bool:
        event = self._event
        if event is None or event.request_id != request_id or self.dead:
            return False
        if self._verdict:
            return True  # too late
        self._finish(body, status, _error_type(body) if status else "")
        self._answered_last = True
        return True

    def on_stream(
        self, request_id: str, content_type: str, pause: Callable[[bool], None]
    ) -> ResponseStream | Collected | None:
        event, future = self._event, self._future
        if event is None or event.request_id != request_id or self.dead or self._verdict:
            return None
        if not event.streams or future is None or future.done():
            self._stream = Collected(MAX_RESPONSE)
            return self._stream
        self._stream = stream = ResponseStream(pause)
        self._streamed = Outcome(b"", chunks=stream, content_type=content_type)
        future.set_result(self._streamed)
        return stream

    def on_stream_end(self, error: bytes) -> None:
        stream = self._stream
        if self._event is None or stream is None or self._verdict:
            return
        if not error and isinstance(stream, Collected) and stream.too_large:
            error = too_large_document()
        payload = stream.payload() if isinstance(stream, Collected) else b""
        self._finish(error or payload, "error" if error else "", _error_type(error) if error else "")
        self._answered_last = True

    def on_note(self, body: bytes) -> None:
        self._on_note(body.decode("utf-8", "replace"))

    def on_init_error(self, body: bytes) -> None:
        if not self._ready.done():
            self._log.flush()
            self._ready.set_exception(InitFailed(body))
            self._loop.call_soon(self._die)

    def on_files(self, body: bytes) -> None:
        if self.files is not None:
            self.files.add(orjson.loads(body))


def _error_type(document: bytes) -> str:
    try:
        found: Any = orjson.loads(document)
    except orjson.JSONDecodeError:
        return "Runtime.Unknown"
    kind = found.get("errorType") if isinstance(found, dict) else None
    return kind if isinstance(kind, str) and kind.startswith(("Runtime.", "Function.")) else ""
