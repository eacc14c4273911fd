"""Configuration written in JavaScript: node evaluates the file and asks back for variables it needs.

The node process is given a pipe of its own for its answers (`script.js` beside this file), so that nothing the
user's file prints can be taken for one.
"""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path as FilePath

from pileus.service.tree import Json
from pileus.service.variables.source import Scope, VariableError

#: A configuration file that takes longer has hung.
_SECONDS = 30.0


def exported(file: FilePath, address: tuple[str, ...], scope: Scope) -> Json:
    """What the file exports at the address, functions called. Raises VariableError when it throws."""
    node = shutil.which("node", path=scope.environ.get("PATH"))
    if node is None:
        raise VariableError(f"{file.name} needs Node.js, and there is no node on the PATH")
    reader, writer = os.pipe()
    argument = json.dumps([writer, str(file), list(address), dict(scope.options)])
    process = subprocess.Popen(
        [node, str(FilePath(__file__).with_name("script.js")), argument],
        cwd=scope.directory,
        env=dict(scope.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(writer,),
    )
    os.close(writer)
    watchdog = threading.Timer(_SECONDS, process.kill)
    watchdog.start()
    try:
        return _converse(process, reader, file, scope)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def _converse(process: "subprocess.Popen[bytes]", reader: int, file: FilePath, scope: Scope) -> Json:
    assert process.stdin is not None and process.stderr is not None
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            message = json.loads(line)
            if "ask" in message:
                process.stdin.write(json.dumps(_answer(message["ask"], scope)).encode() + b"\n")
                process.stdin.flush()
            elif "failed" in message:
                raise VariableError(f"{file.name} threw: {message['failed']}")
            else:
                return message["done"]
    said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
    raise VariableError(f"{file.name} ended without a value: {said[-1] if said else 'no message'}")


def _answer(variable: str, scope: Scope) -> dict[str, Json]:
    try:
        return {"value": scope.ask(variable)}
    except VariableError as error:
        return {"error": error.message}
