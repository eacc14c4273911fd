"""One process that evaluates configuration files, and the lines that go to and fro between it and us.

Jobs nest: answering a question of one file may need another. Answers come through a pipe of their own, so that nothing
a user's file prints can be taken for one.
"""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import IO, Any

from pileus.service.errors import ConfigError
from pileus.service.marks import Mark
from pileus.service.programs import Ask
from pileus.service.tree import Json
from pileus.service.variables.source import VariableError


class Child:
    """A running process; `close` ends it."""

    def __init__(
        self, argv: tuple[str, ...], folder: FilePath, environ: Mapping[str, str], options: dict[str, str]
    ) -> None:
        reader, writer = os.pipe()
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        try:
            self._process = subprocess.Popen(
                [*argv, json.dumps([writer, str(folder), options])],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=(writer,),
            )
        except OSError as error:
            os.close(reader)
            self._said.close()
            raise ConfigError(f"{argv[0]} cannot be started: {error.strerror}") from error
        finally:
            os.close(writer)
        self._lines = os.fdopen(reader, "rb")
        self._jobs = 0
        self._depth = 0
        self._late = False
        self._done: dict[int, dict[str, Json]] = {}

    def value(self, file: FilePath, address: tuple[str, ...], ask: Ask, seconds: float) -> Json:
        self._jobs += 1
        job = self._jobs
        self._depth += 1
        watchdog = threading.Timer(seconds, self._give_up) if self._depth == 1 else None
        if watchdog:
            watchdog.start()
        try:
            self._send({"job": job, "file": str(file), "address": list(address)})
            while job not in self._done:
                self._read(file, seconds, ask)
        finally:
            self._depth -= 1
            if watchdog:
                watchdog.cancel()
        return _outcome(self._done.pop(job), file)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._lines.close()
        self._said.close()

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def _send(self, message: dict[str, Json]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it ended: reading tells how

    def _read(self, file: FilePath, seconds: float, ask: Ask) -> None:
        line = self._lines.readline()
        if not line:
            raise ConfigError(self._end(file, seconds), mark=Mark(file, 1, 1))
        message: dict[str, Any] = json.loads(line)
        if "ask" in message:
            self._send({"answer": message["ask"], **_answer(ask, message["variable"])})
        else:
            self._done[message["job"]] = message

    def _end(self, file: FilePath, seconds: float) -> str:
        if self._late:
            return f"{file.name} did not give its value within {seconds:g} seconds"
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return f"{file.name} ended its process without a value: {said[-1] if said else 'no message'}"


def _answer(ask: Ask, variable: str) -> dict[str, Json]:
    try:
        return {"value": ask(variable)}
    except (VariableError, ConfigError, LookupError) as error:  # the program gets it as its own error
        return {"error": str(error)}


def _outcome(message: dict[str, Any], file: FilePath) -> Json:
    if "failed" not in message:
        return message["value"]
    line, column = message.get("at") or (1, 1)
    mark = Mark(file, int(line), int(column))
    raise ConfigError(f"{file.name} {message['failed']}", mark=mark, hint=message.get("hint"))
