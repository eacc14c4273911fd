"""An execution environment: what the zygote's child becomes. Init phase, then one event after another."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import random
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from . import handler as handlers
from . import logs, prime
from .context import LambdaContext
from .imports import Watched, install_loader
from .runtime_client import Invocation, RuntimeClient

#: The server sends it to have the stacks of a function that ran into its timeout.
STACK_SIGNAL = signal.SIGXCPU


def become(message: dict[str, Any], log: int, api: int, own_modules: frozenset[str]) -> NoReturn:
    """Never returns. message: env, root, paths, handler, runtime, reload. log: where output goes. api: a connection
    to the Runtime API."""
    status = 1
    try:
        if "exec" in message:
            _become_program(message, log, api)
        _settle(message, log)
        prime.make_room(message["root"], own_modules)
        if "PILEUS_DEBUG" in os.environ:
            from . import debugger

            debugger.set_up(debugger.told() or {}, os.environ["AWS_LAMBDA_FUNCTION_NAME"])
        _Environment(message, api).run()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        _flush()
        os._exit(status)


def _become_program(message: dict[str, Any], log: int, api: int) -> NoReturn:
    """A runtime that is a program of its own. message: exec (its arguments), env, root. It has the connection to the
    Runtime API as descriptor 3."""
    _take_descriptors(log)
    os.dup2(api, 3)
    for each in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)  # what Python ignores, others don't expect
    argv = message["exec"]
    try:
        os.chdir(message["root"])
        os.execve(argv[0], argv, message["env"])
    except OSError as error:
        os.write(2, f"fork/exec {argv[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _take_descriptors(log: int) -> None:
    os.setpgid(0, 0)
    if hasattr(
        os, "SCHED_BATCH"
    ):  # woken, it does not push the server off its core in the middle of a request
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.dup2(log, 1)
    os.dup2(log, 2)


def _settle(message: dict[str, Any], log: int) -> None:
    _take_descriptors(log)
    if log > 2:
        os.close(log)
    os.environ.clear()
    os.environ.update(message["env"])
    time.tzset()
    os.chdir(message["root"])
    sys.path[:0] = message["paths"]
    sys.argv = [""]
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:  # its global generator does not notice a fork
        numpy.seed()
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]
    faulthandler.register(STACK_SIGNAL, file=2, all_threads=True, chain=False)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a stream of the user's may be closed
            stream.flush()


class _Environment:
    def __init__(self, message: dict[str, Any], api: int) -> None:
        self._client = RuntimeClient(message["env"]["AWS_LAMBDA_RUNTIME_API"], socket.socket(fileno=api))
        self._name: str = message["handler"]
        self._encode = handlers.encoder(message["runtime"])
        self._watched: Watched | None = None
        if message["reload"]:
            install_loader(message["root"])
            self._watched = Watched(message["root"])
        logs.set_up()
        LambdaContext.set_up()

    def run(self) -> NoReturn:
        try:
            handle = handlers.load(self._name)
        except SystemExit:
            raise
        except BaseException as error:
            self._fail_init(error)
        self._report_files()
        while True:
            _flush()
            self._serve(self._client.next(), handle)

    def _fail_init(self, error: BaseException) -> NoReturn:
        document = handlers.error_of(error, "")
        logs.write_error(document)
        _flush()
        self._client.fail_init(json.dumps(document).encode())
        raise SystemExit(1)

    def _report_files(self) -> None:
        if self._watched is not None:
            news = self._watched.news()
            if news is not None:
                self._client.report_files(news)

    def _serve(self, invocation: Invocation, handle: handlers.Handler) -> None:
        request_id = invocation.request_id
        trace = invocation.headers.get("Lambda-Runtime-Trace-Id")
        if trace is not None:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        logs.Current.request_id = request_id
        try:
            event = self._decode(invocation.payload)
            result = handle(event, LambdaContext(invocation.headers, request_id))
            body = self._marshal(result)
        except SystemExit:
            raise
        except BaseException as error:
            document = handlers.error_of(error, request_id)
            error.__traceback__ = None
            logs.write_error(document)
            self._report_files()
            self._client.fail(request_id, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        else:
            self._report_files()
            self._client.respond(request_id, body)

    def _decode(self, payload: bytes) -> Any:
        try:
            return json.loads(payload.decode("utf-8"))
        except ValueError as error:
            raise handlers.Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None

    def _marshal(self, result: Any) -> bytes:
        try:
            return self._encode(result).encode("utf-8", "surrogatepass")
        except Exception as error:
            raise handlers.Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
