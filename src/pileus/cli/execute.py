"""A command that runs beside the service (`--exec "npm test"`), and the variables of this shell that go to others.

The command's words are split as a POSIX shell would split them, and no shell takes part: who wants one says so,
`--exec "sh -c 'npm test && npm run e2e'"`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

from .failure import UserError
from .main import INTERRUPTED

_PATIENCE = 5.0


def words_of(command: str) -> tuple[str, ...]:
    """Raises UserError for what can't be split, and for an empty one."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UserError(f"--exec {command!r} can't be split into words: {error}.") from None
    if not words:
        raise UserError("--exec needs a command.", hint='such as --exec "npm test".')
    return words


async def executed(words: Sequence[str], variables: Mapping[str, str], *, to_stderr: bool) -> int:
    """Runs the command and returns its exit code, 128 + the signal that ended it. Raises UserError where it can't be started.

    variables: over those of this process. to_stderr: standard output is for machines, so the command's goes elsewhere.
    Where this is cancelled (Ctrl-C), the command is ended first, and the exit code is 130.
    """
    environ = {
        name: value for name, value in os.environ.items() if name not in ("AWS_PROFILE", "AWS_SESSION_TOKEN")
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *words, env={**environ, **variables}, stdout=sys.stderr if to_stderr else None
        )
    except OSError as error:
        raise UserError(
            f"--exec: {words[0]} can't be started: {error.strerror}.",
            hint="no shell takes part; write --exec \"sh -c '…'\" for one.",
        ) from None
    task = asyncio.current_task()
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        if task is not None:
            task.uncancel()
        await _ended(process)
        return INTERRUPTED
    return code if code >= 0 else 128 - code


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def local_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What functions see beneath their own variables: the mark that serverless-offline sets, and with
    `localEnvironment` those of this shell. AWS's own come from the cloud."""
    found = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "_", "LAMBDA_"))}
    return {**found, "IS_OFFLINE": "true"}
