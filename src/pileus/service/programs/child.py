"""Runs in the project's interpreter (any Python from 3.8 on) and evaluates configuration files.

In, a line each: {job, file, address} or {answer, value | error}. Out: {ask, variable}, or once a job {job, value} or
{job, failed, at}. A name that the address leads to may be a value or a function giving one; a function that takes
an argument is given the context: `.options` and `.resolve_variable("self:service")`. Coroutines are awaited.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any, Awaitable  # noqa: UP035 - the oldest Python that may run this


class Context:
    """What a configuring function is given."""

    def __init__(self, speaker: Speaker, options: dict[str, Any]) -> None:
        self.options = options
        self._speaker = speaker

    def resolve_variable(self, variable: str) -> Any:
        """The value of a variable, given without its `${}`."""
        return self._speaker.ask(variable)


class Speaker:
    def __init__(self, out: int, options: dict[str, Any]) -> None:
        self.out = os.fdopen(out, "w")
        self.lines = sys.stdin
        self.context = Context(self, options)
        self.modules: dict[str, Any] = {}
        self.asked = 0
        self.answers: dict[int, dict[str, Any]] = {}

    def send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, allow_nan=False)
        self.out.write(text + "\n")
        self.out.flush()

    def step(self) -> None:
        """One line: an answer, or a job that is done at once."""
        line = self.lines.readline()
        if not line:
            sys.exit(0)
        message = json.loads(line)
        if "answer" in message:
            self.answers[message["answer"]] = message
        else:
            self.job(message["job"], message["file"], message["address"])

    def ask(self, variable: str) -> Any:
        self.asked += 1
        number = self.asked
        self.send({"ask": number, "variable": variable})
        while number not in self.answers:
            self.step()
        answer = self.answers.pop(number)
        if "error" in answer:
            raise LookupError(answer["error"])
        return answer["value"]

    def job(self, number: int, file: str, address: list[str]) -> None:
        try:
            value = self.exported(file, address)
        except BaseException as error:  # noqa: BLE001 - SystemExit too: a file that exits gives no value
            self.send({"job": number, "failed": told(error), "at": place(error, file)})
            return
        try:
            self.send({"job": number, "value": value})
        except (TypeError, ValueError) as error:
            self.send({"job": number, "failed": f"gives what JSON cannot hold: {error}"})

    def exported(self, file: str, address: list[str]) -> Any:
        if file not in self.modules:
            sys.path.insert(0, str(Path(file).parent))
            try:
                self.modules[file] = runpy.run_path(file)
            finally:
                sys.path.pop(0)
        value = self.modules[file]
        for part in address:
            value = self.settled(member(value, part))
            if value is None:
                return None
        return value

    def settled(self, value: Any) -> Any:
        if callable(value):
            value = value(self.context) if inspect.signature(value).parameters else value()
        if inspect.isawaitable(value):
            value = asyncio.run(awaited(value))
        return value


async def awaited(value: Awaitable[Any]) -> Any:
    return await value


def member(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, (list, tuple)):
        return value[int(part)] if part.isdigit() and int(part) < len(value) else None
    return None


def told(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"is not valid Python: {error.msg}"
    return f"threw {type(error).__name__}: {error}"


def place(error: BaseException, file: str) -> list[int] | None:
    """The last line of the file that the error went through."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return [error.lineno or 1, error.offset or 1]
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 1 for frame in frames if frame.filename == file]
    return [lines[-1], 1] if lines else None


def main() -> None:
    out, folder, options = json.loads(sys.argv[1])
    sys.path[0] = folder  # as if started in the project, not beside this file
    speaker = Speaker(out, options)
    while True:
        speaker.step()


if __name__ == "__main__":
    main()
