"""Configuration written as a program (JavaScript, TypeScript, Python), evaluated in a child process, never in ours.

    __init__    the conversation with one child: jobs go in, values come out, and it may ask for variables in between
    languages   which command runs which file: node, or the project's own interpreter
    node.cjs, child.py    the other ends, which run in the user's interpreters and import nothing of Pileus

One process a language and load: the second value of `settings.js` costs a line, not a start of node. Answers come
through a pipe of their own, so that nothing a user's file prints can be taken for one.
"""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import IO, Any

from pileus.service.errors import ConfigError
from pileus.service.marks import Mark
from pileus.service.programs.languages import command
from pileus.service.tree import Json
from pileus.service.variables.source import VariableError

#: A configuration file that takes longer has hung.
SECONDS = 30.0

#: Resolves a variable, given as `type(params):address`; raises an Exception that says why it can't.
Ask = Callable[[str], Json]


class Programs:
    """The processes of one load, started when a file first needs one; `close` ends them."""

    def __init__(
        self,
        folder: FilePath,
        environ: Mapping[str, str],
        options: Mapping[str, str],
        seconds: float = SECONDS,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._options = options
        self._seconds = seconds
        self._children: dict[tuple[str, ...], _Child] = {}
        self._known: dict[tuple[FilePath, tuple[str, ...]], Json] = {}

    def value(self, file: FilePath, address: tuple[str, ...], ask: Ask) -> Json:
        """What `file` exports at `address`, functions called on the way. None where there is nothing.

        Raises ConfigError, in the file where that is known, when it throws, hangs or can't be run.
        """
        if (file, address) not in self._known:
            argv = command(file, self._folder, self._environ)
            child = self._children.get(argv)
            if child is None:
                child = self._children[argv] = _Child(argv, self._folder, self._environ, dict(self._options))
            self._known[file, address] = child.value(file, address, ask, self._seconds)
        return self._known[file, address]

    def use(self, environ: Mapping[str, str]) -> None:
        """The environment of the processes from now on; those with another one end."""
        if dict(environ) != dict(self._environ):
            self.close()
            self._environ = dict(environ)

    def close(self) -> None:
        """Ends the processes, however they do."""
        for child in self._children.values():
            child.close()
        self._children.clear()


class _Child:
    """One process and the lines that go to and fro. Jobs nest: an answer to a question may need another file."""

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
